"""Everything that is found out about a data file before a pipeline is written for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evenkeel.errors import UsageError
from evenkeel.profiling.batches import Limits, learn_limits
from evenkeel.profiling.column import Column, type_column
from evenkeel.profiling.identity import Identity, find_identity
from evenkeel.profiling.imputing import Filling, choose_fillings
from evenkeel.profiling.ranges import Bounds, learn_bounds, learn_categories
from evenkeel.profiling.roles import RESERVED, Roles, divide
from evenkeel.profiling.seasons import Seasons, study_seasons
from evenkeel.profiling.sizes import FEWEST_ROWS, Sizes, in_order, study_sizes
from evenkeel.profiling.target import Target, Task, study_target
from evenkeel.settings.document import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt
    import pandas as pd


@dataclass(frozen=True)
class Wish:
    """What a person asks for.

    Attributes:
        name: The pipeline's name.
        file: The file, as named.
        target: Column to predict.
        time: Column with the row's time; None to find out.
        key: Columns that identify a row; empty to find out.
        task: None to find out.
    """

    name: str
    file: str
    target: str
    time: str | None = None
    key: tuple[str, ...] = ()
    task: Task | None = None


@dataclass(frozen=True)
class Profile:
    """What was found.

    Attributes:
        wish: What was asked for.
        rows: Rows of the file.
        columns: Name -> column, in the order of the file, without the target.
        target: The target.
        identity: Row key and time.
        roles: Features, and what is left out.
        seasons: Calendar and heuristic.
        fillings: Feature -> how its gaps are filled.
        bounds: Numeric feature -> what it may be, None for anything.
        categories: Categorical feature -> what it may be, None for anything.
        limits: What a batch must keep.
        sizes: Sizes that fit.
        order: Positions of the rows in time order.
    """

    wish: Wish
    rows: int
    columns: dict[str, Column]
    target: Target
    identity: Identity
    roles: Roles
    seasons: Seasons
    fillings: dict[str, Filling]
    bounds: dict[str, Bounds | None]
    categories: dict[str, tuple[str, ...] | None]
    limits: Limits
    sizes: Sizes
    order: npt.NDArray[np.intp]

    @property
    def baseline(self) -> tuple[str, ...]:
        """The few columns that tell most and are missing least, best first."""
        worth = {c: told * (1 - self.columns[c].missing) for c, told in self.roles.features.items()}
        best = sorted(worth, key=lambda c: (-worth[c], self.columns[c].missing))[:_BASELINE]
        return tuple(c for c in best if worth[c] >= _WORTH * worth[best[0]]) or tuple(best[:1])


_BASELINE = 3
_WORTH = 0.25


def profile(frame: pd.DataFrame, wish: Wish) -> Profile:
    """Find out about a data file what a pipeline needs to know.

    Args:
        frame: Its rows, as they came.
        wish: What is asked for.

    Raises:
        UsageError: A column that was named is not there or cannot play its part, there are too few rows, or
            there is nothing to learn.
    """
    _check(frame, wish)
    typed = {str(name): type_column(str(name), frame[name]) for name in frame.columns}
    target = study_target(typed.pop(wish.target), wish.task)
    if target.known.sum() < FEWEST_ROWS:
        raise UsageError(
            f"{wish.file}: {int(target.known.sum())} of {len(frame)} rows have a {wish.target!r},"
            f" at least {FEWEST_ROWS} are needed",
            fix="give a file with more of the history",
        )
    usable = {n: c for n, c in typed.items() if c.kind is not None and n and n.lower() not in RESERVED}
    identity = find_identity(usable, key=wish.key, time=wish.time, taken=[*typed, wish.target, *RESERVED])
    times = None if identity.time_made else typed[identity.time].values
    order = in_order(times, len(frame))
    roles = divide(typed, target, identity)
    features = {n: typed[n] for n in roles.features}
    return Profile(
        wish=wish,
        rows=len(frame),
        columns=typed,
        target=target,
        identity=identity,
        roles=roles,
        seasons=study_seasons(times, target, order),
        fillings=choose_fillings(typed, list(roles.features), order),
        bounds={n: learn_bounds(c, order) for n, c in features.items() if c.kind == "numeric"},
        categories={n: learn_categories(c, order) for n, c in features.items() if c.kind == "categorical"},
        limits=learn_limits(typed, roles.features, order),
        sizes=study_sizes(target, times),
        order=order,
    )


def _check(frame: pd.DataFrame, wish: Wish) -> None:
    columns = [str(c) for c in frame.columns]
    for option, name in [("--target", wish.target), ("--time", wish.time), *(("--key", k) for k in wish.key)]:
        if name is not None and name not in columns:
            raise UsageError(
                f"{option} {name!r}: no such column in {wish.file}",
                fix=f"{nearest(name, columns)}its columns: {_listed(columns)}",
            )
        if option != "--target" and name is not None and (name == wish.target or name.lower() in RESERVED):
            why = "is the target" if name == wish.target else "is a name that evenkeel's own tables use"
            raise UsageError(f"{option} {name!r}: {why}", fix="name another column, or rename it in the file")
    if len(frame) < FEWEST_ROWS:
        raise UsageError(
            f"{wish.file}: has {len(frame)} rows, at least {FEWEST_ROWS} are needed to learn what is usual",
            fix="give a file with more of the history",
        )


_SHOWN = 40


def _listed(names: Sequence[str]) -> str:
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
