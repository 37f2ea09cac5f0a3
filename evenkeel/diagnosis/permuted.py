"""Known names that stand for each other: which rearrangement of a column's names explains its rows best."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenkeel.diagnosis.density import Floats, NameDensity
from evenkeel.diagnosis.hypotheses import Hypothesis, gains, together_gain

if TYPE_CHECKING:
    from evenkeel.diagnosis.profile import Profile, Sample

_SHARES = (1.0, 0.5, 0.2)
_FEWEST_ROWS = 8
_FEWEST_CHANGES = 4
_MOST_WORDS = 8
_SURPRISE = 6.0


def rearranged(profile: Profile, look: Sample, column: str) -> list[Hypothesis]:
    """Return rearrangements of the names of a column that explain all, or the last, of its rows better.

    A column that hardly ever changes from row to row has shown one value, which tells nothing.
    """
    density = profile.densities[column]
    assert isinstance(density, NameDensity)  # noqa: S101 - for the type checker
    if np.sum(np.diff(look.values[column]) != 0) < _FEWEST_CHANGES:
        return []
    likelihoods = likelihoods_of_names(profile, look, column)
    found: dict[tuple[int, ...], Hypothesis] = {}
    for share in _SHARES:
        rows = slice(len(look.rows) - round(share * len(look.rows)), None)
        if len(look.rows[rows]) < _FEWEST_ROWS:
            break
        names = assigned(likelihoods[:, rows], look.values[column][rows])
        if names != tuple(range(len(names))):
            found[names] = Hypothesis(
                "data.category_recoding", (column,), _words(density, names), surprise=_SURPRISE, names=names
            )
    return list(found.values())


def chance_gain(profile: Profile, column: str) -> float:
    """Return the most that rearranging the names of a run of the past gains by chance, in nats."""
    likelihoods = likelihoods_of_names(profile, profile.past, column)
    most = 0.0
    for run in profile.runs:
        codes = profile.past.values[column][run]
        names = assigned(likelihoods[:, run], codes)
        known = codes >= 0
        before = np.array(names)[codes[known]]
        rows = np.flatnonzero(known) + run.start
        most = max(most, float(np.sum(likelihoods[before, rows] - likelihoods[codes[known], rows])))
    return most


def likelihoods_of_names(profile: Profile, look: Sample, column: str) -> Floats:
    """Return the log likelihood of each name in each row, but for a term of the row's own.

    Returns:
        Names x rows.
    """
    density, at = profile.densities[column], profile.order[column]
    assert isinstance(density, NameDensity)  # noqa: S101 - for the type checker
    moved = density.scores[:, None] - look.scores[:, at]
    found: Floats = np.log(density.masses)[:, None] + together_gain(moved, look, profile, at)
    return found


def assigned(likelihoods: Floats, codes: np.ndarray) -> tuple[int, ...]:
    """Return for each code the name it stands for, one to one, by the sum of the likelihoods of its rows."""
    from scipy.optimize import linear_sum_assignment

    count = len(likelihoods)
    totals = np.zeros((count, count))
    for code in range(count):
        totals[code] = likelihoods[:, codes == code].sum(axis=1)
    # A code that does not come keeps its name where it can.
    totals[np.diag_indices(count)] += 1e-9
    return tuple(int(name) for name in linear_sum_assignment(totals, maximize=True)[1])


def joint_gain(profile: Profile, look: Sample, hypothesis: Hypothesis, start: int) -> float:
    """Return the part of a rearrangement's gain that comes from what goes with what, in nats."""
    (column,) = hypothesis.columns
    density = profile.densities[column]
    codes = look.values[column]
    before = np.array([*hypothesis.names, -2, -1], dtype=np.intp)[codes]
    own = density.log_likelihood(before) - density.log_likelihood(codes)
    return float((gains(profile, look, hypothesis) - own)[start:].sum())


def _words(density: NameDensity, names: tuple[int, ...]) -> str:
    """Say which name came for which: ``north->N``."""
    spelled = {code: str(name) for name, code in density.names.items()}
    changed = [f"{spelled[old]}->{spelled[came]}" for came, old in enumerate(names) if came != old]
    return ", ".join(sorted(changed)[:_MOST_WORDS]) + (", ..." if len(changed) > _MOST_WORDS else "")
