"""Known categories that come under names never seen: in another case, cut short, or as codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from evenkeel.diagnosis.density import NameDensity
from evenkeel.diagnosis.permuted import likelihoods_of_names
from evenkeel.diagnosis.profile import learn
from evenkeel.diagnosis.runs import sample, shared
from evenkeel.domain.diagnosis import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

    from evenkeel.diagnosis.density import Floats
    from evenkeel.diagnosis.past import Past, Subject
    from evenkeel.diagnosis.profile import Profile

_MOST_NAMES = 100
_SAMPLE = 2_000
_LEAST_SHARE = 0.05
_FEWEST_CELLS = 3
_FEWEST_NAMES = 2
_FEWEST_CHANGES = 4
_SURE_MARGIN = 4.0
_SPELLED, _MATCHED, _UNMATCHED = 0.99, 0.97, 0.96
_STILL_THERE = 0.1
_MOST_WORDS = 8


def detect(batch: pd.DataFrame, past: Past, subject: Subject) -> list[Fault]:
    """Find new names that stand for known ones.

    A spelling tells by itself: other case, spaces around, or the first letters of one known name. Codes are
    matched to the known names by their shares and by what goes with them in the row's other columns, one to
    one, as an assignment problem (Kuhn, *Naval Res. Logist. Q.* 2, 1955). A single new name that tells
    nothing of the sort may be what it says: a new category.

    Returns:
        One fault for each column. Without repaired values where two names would do nearly as well.
    """
    found = []
    for column in shared(batch, past, subject, "categorical"):
        known = past.rows[column].dropna().unique()
        new = _new_names(batch[column], known)
        if not 0 < len(known) <= _MOST_NAMES or not 0 < len(new) <= _MOST_NAMES:
            continue
        cells = batch[column].isin(list(new)).to_numpy()
        if cells.sum() < max(_FEWEST_CELLS, _LEAST_SHARE * len(batch)):
            continue
        stands_for = _by_spelling(new, known)
        if stands_for:
            found.append(_fault(batch[column], cells, stands_for, _SPELLED, "spelling"))
        elif (match := _by_company(batch, column, new, cells, learn(past, subject, len(batch)))) is not None:
            found.append(_fault(batch[column], cells, *match, "shares and company"))
    return found


def _new_names(cells: pd.Series, known: Iterable[str]) -> list[str]:
    seen = set(known)
    return [name for name in cells.dropna().unique() if name not in seen]


def _by_spelling(new: list[str], known: Iterable[str]) -> dict[str, str]:
    """Return what each new name stands for, if its letters tell it of all of them; else nothing."""
    folded: dict[str, list[str]] = {}
    for name in known:
        folded.setdefault(_folded(name), []).append(name)
    whole = {name: folded.get(_folded(name), []) for name in new}
    begun = {
        name: [k for f, names in folded.items() for k in names if f.startswith(_stem(name))] for name in new
    }
    for candidates in (whole, {n: whole[n] or begun[n] for n in new}):
        chosen = {name: c[0] for name, c in candidates.items() if len(c) == 1}
        if len(chosen) == len(new) == len(set(chosen.values())):
            return chosen
    return {}


def _folded(name: str) -> str:
    return " ".join(str(name).split()).casefold()


def _stem(name: str) -> str:
    """Return the letters a new name begins with, without a number behind them; nothing begins with ''."""
    letters = _folded(name).rstrip("0123456789").rstrip("_-. ")
    return letters or "\0"


def _by_company(
    batch: pd.DataFrame,
    column: str,
    new: list[str],
    cells: npt.NDArray[np.bool_],
    profile: Profile | None,
) -> tuple[dict[str, str], float] | None:
    """Return what each new name stands for and how sure it is a recoding; None where it is none.

    What they stand for is empty where another match would do nearly as well. Names that hardly change from row
    to row are a new time or a new place.
    """
    density = profile.densities.get(column) if profile is not None else None
    if profile is None or not isinstance(density, NameDensity):
        return None
    first = int(np.argmax(cells))
    after = batch[column].iloc[first:].notna().to_numpy() & ~cells[first:]
    if not _FEWEST_NAMES <= len(new) <= len(density.masses) or after.mean() > _STILL_THERE:
        return None
    rows = np.flatnonzero(cells)
    rows = rows[sample(len(rows), _SAMPLE)]
    likely = likelihoods_of_names(profile, profile.look(batch, rows), column)
    code = pd.Series(batch[column].iloc[rows]).map({n: i for i, n in enumerate(new)}).to_numpy(dtype=np.intp)
    if np.sum(np.diff(code) != 0) < _FEWEST_CHANGES:
        return None
    totals = np.array([likely[:, code == i].sum(axis=1) for i in range(len(new))]) / profile.inflation[column]
    at = linear_sum_assignment(totals, maximize=True)[1]
    names = [str(name) for name in density.names]
    in_order = _in_order(new, names)
    best = totals[np.arange(len(new)), at].sum()
    if in_order is not None and best - totals[np.arange(len(new)), in_order].sum() < 2 * _SURE_MARGIN:
        return {n: names[k] for n, k in zip(new, in_order, strict=True)}, _MATCHED
    if _margin(totals, at) < _SURE_MARGIN:
        return {}, _UNMATCHED
    return {n: names[k] for n, k in zip(new, at, strict=True)}, _MATCHED


def _in_order(new: list[str], known: list[str]) -> npt.NDArray[np.intp] | None:
    """Return the known name of each new one if they are numbers, from 0 or 1 on, in the alphabet's order."""
    numbers = [int(n) if n.strip().isdigit() else -1 for n in new]
    start = 0 if 0 in numbers else 1
    if min(numbers) < start or max(numbers) - start >= len(known) or len(new) < len(known) - 1:
        return None
    ranked = np.argsort(np.array(known, dtype=object), kind="stable")
    found: npt.NDArray[np.intp] = ranked[np.array(numbers) - start]
    return found


def _margin(totals: Floats, at: npt.NDArray[np.intp]) -> float:
    """Return how many nats the best match is better than any with two names exchanged, or one given away."""
    rows = np.arange(len(at))
    own = totals[rows, at]
    exchanged = own[:, None] + own - totals[:, at] - totals[:, at].T
    np.fill_diagonal(exchanged, np.inf)
    free = np.setdiff1d(np.arange(totals.shape[1]), at)
    given = (own[:, None] - totals[:, free]).min() if len(free) else np.inf
    return float(min(exchanged.min(), given))


def _fault(
    column: pd.Series,
    cells: npt.NDArray[np.bool_],
    stands_for: Mapping[str, str],
    confidence: float,
    told_by: str,
) -> Fault:
    repaired = {}
    if stands_for:
        renamed = column.map(stands_for)
        repaired[str(column.name)] = column.mask(cells & renamed.notna().to_numpy(), renamed)
    words = sorted(f"{old}->{new}" for new, old in stands_for.items())
    return Fault(
        cause="data.category_recoding",
        columns=(str(column.name),),
        confidence=confidence,
        transform=", ".join(words[:_MOST_WORDS]) + (", ..." if len(words) > _MOST_WORDS else ""),
        rows=None if (cells | column.isna().to_numpy()).all() else np.flatnonzero(cells),
        repaired=repaired,
        evidence={"told_by": told_by, "new_names": sorted(map(str, column[cells].unique()))[:_MOST_WORDS]},
    )
