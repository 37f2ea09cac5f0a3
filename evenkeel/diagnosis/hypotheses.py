"""What may have been done to the numbers of a batch, and how much better that explains each row."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from evenkeel.diagnosis.density import Floats, NameDensity, NumberDensity
from evenkeel.diagnosis.units import UNITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenkeel.diagnosis.profile import Profile, Sample

Cells = npt.NDArray[Any]

MOST_GAIN = 20.0
"""A row counts for no more than this many nats: a few odd rows must not carry a batch."""


@dataclass(frozen=True)
class Hypothesis:
    """One thing that may have been done to a batch.

    Attributes:
        cause: Cause of the failure catalogue.
        columns: Columns it is in.
        words: The transform, for a person.
        factor: What the values were multiplied by; not used of a swap.
        offset: What was then added.
        free: Whether the numbers were fitted, not known beforehand.
        surprise: Nats that it is less to be expected than others of its cause.
        names: Code of the name that each code of a categorical column stood for; empty for other transforms.
    """

    cause: str
    columns: tuple[str, ...]
    words: str
    factor: float = 1.0
    offset: float = 0.0
    free: bool = False
    surprise: float = 0.0
    names: tuple[int, ...] = ()

    def undo(self, values: Floats) -> Floats:
        """Return numbers as they were before."""
        with np.errstate(over="ignore"):
            return (values - self.offset) / self.factor


def of_one_column(column: str) -> list[Hypothesis]:
    """Return what may have been done to one numeric column."""
    return [
        Hypothesis("data.sign_flip", (column,), "x-1", -1.0),
        *(
            Hypothesis("data.unit_change", (column,), u.words, u.factor, u.offset, surprise=u.surprise)
            for u in UNITS
        ),
    ]


def swaps(profile: Profile, look: Sample) -> Iterator[Hypothesis]:
    """Yield the pairs of columns that may have changed places."""
    for group in (profile.numeric, profile.nominal):
        for one, other in combinations([c for c in group if c in look.values], 2):
            yield Hypothesis("data.columns_swapped", (one, other), f"{one}<->{other}")


def gains_of_column(profile: Profile, look: Sample, column: str, tried: list[Hypothesis]) -> Floats:
    """Return how many nats better each row is explained under each hypothesis about one numeric column.

    Returns:
        Hypotheses x rows.
    """
    density, at = profile.densities[column], profile.order[column]
    assert isinstance(density, NumberDensity)  # noqa: S101 - for the type checker
    values = np.asarray(look.values[column], dtype=np.float64)
    factors = np.array([[h.factor] for h in tried])
    with np.errstate(over="ignore"):
        before = (values - np.array([[h.offset] for h in tried])) / factors
    gain = density.log_likelihood(before, factors) - density.log_likelihood(values)
    moved = density.score(before) - look.scores[:, at]
    gain += together_gain(moved, look, profile, at)
    found: Floats = np.clip(gain, -MOST_GAIN, MOST_GAIN)
    return found


def undone(profile: Profile, look: Sample, hypothesis: Hypothesis) -> dict[str, Cells]:
    """Return the values of the columns of a hypothesis as they were before."""
    column = hypothesis.columns[0]
    if hypothesis.names:
        return {column: np.array([*hypothesis.names, -2, -1], dtype=np.intp)[look.values[column]]}
    if len(hypothesis.columns) == 1:
        return {column: hypothesis.undo(look.values[column])}
    one, other = hypothesis.columns
    mine, theirs = look.values[one], look.values[other]
    first, second = profile.densities[one], profile.densities[other]
    if isinstance(first, NameDensity) and isinstance(second, NameDensity):
        mine, theirs = _renumbered(mine, first, second), _renumbered(theirs, second, first)
    return {one: theirs, other: mine}


def gains(profile: Profile, look: Sample, hypothesis: Hypothesis) -> Floats:
    """Return how many nats better each row is explained under one hypothesis."""
    if len(hypothesis.columns) == 1 and not hypothesis.names:
        alone: Floats = gains_of_column(profile, look, hypothesis.columns[0], [hypothesis])[0]
        return alone
    gain, moves = np.zeros(len(look.rows)), {}
    for column, before in undone(profile, look, hypothesis).items():
        density, at = profile.densities[column], profile.order[column]
        gain += density.log_likelihood(before) - density.log_likelihood(look.values[column])
        moves[at] = density.score(before) - look.scores[:, at]
        gain += together_gain(moves[at], look, profile, at)
    if len(moves) > 1:
        (at, move), (to, other) = moves.items()
        gain -= move * other * profile.precision[at, to]
    most = MOST_GAIN * len(moves)
    found: Floats = np.clip(gain, -most, most)
    return found


def together_gain(moved: Floats, look: Sample, profile: Profile, at: int) -> Floats:
    """Return the gain of moving one score, from the change of the quadratic form of the Gaussian density."""
    own = profile.precision[at, at]
    gain: Floats = (
        -moved * look.pull[:, at] - moved * moved * own / 2 + moved * (look.scores[:, at] + moved / 2)
    )
    return gain


def _renumbered(codes: Cells, mine: NameDensity, theirs: NameDensity) -> Cells:
    """Return codes of the same names in another column; -2 where it does not know the name."""
    table = np.array([theirs.names.get(name, -2) for name in mine.names] + [-2, -1], dtype=np.intp)
    found: Cells = table[codes]
    return found
