"""Straight lines that would bring a column back to its past, fitted to it: a sensor out of calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from evenkeel.diagnosis.density import Floats, NumberDensity
from evenkeel.diagnosis.hypotheses import Hypothesis

if TYPE_CHECKING:
    from evenkeel.diagnosis.profile import Profile, Sample

_LEVELS = np.linspace(0.05, 0.95, 19)
_SHARES = (1.0, 0.6, 0.3)
_FEWEST_ROWS = 20
_FEWEST_RUNS = 10  # with fewer it is not known how a run differs from the next, and any line fits something
_FEWEST_STEPS, _MOST_STEPS = 3, 100
_LEAST_STRETCH = 1.25
_SURPRISE = 10.0


def fitted(profile: Profile, look: Sample, column: str) -> list[Hypothesis]:
    """Return lines ``a * value + b`` that may have been laid over the last rows of a numeric column.

    Each is fitted four times: step on step for numbers that come in steps, spread on the spread within a run,
    quantile on quantile, and row by row to what the row's other columns let expect. Lines that hardly stretch
    are left out: a mere shift is how the world moves. So are falling ones: no unit does that.
    """
    if len(profile.runs) < _FEWEST_RUNS:
        return []
    density, at = profile.densities[column], profile.order[column]
    assert isinstance(density, NumberDensity)  # noqa: S101 - for the type checker
    values: Floats = look.values[column]
    expected = density.value(look.scores[:, at] - look.pull[:, at] / profile.precision[at, at])
    found = []
    for share in _SHARES:
        part = slice(len(values) - round(share * len(values)), None)
        known = ~np.isnan(values[part])
        came, likely = values[part][known], expected[part][known]
        if len(came) < _FEWEST_ROWS:
            break
        lines = [
            _level(column, profile, came),
            _grid(column, density, came),
            _line(column, np.quantile(density.ranks, _LEVELS), np.quantile(came, _LEVELS)),
            _line(column, likely, came),
        ]
        found += [line for line in lines if line is not None]
    return found


def _level(column: str, profile: Profile, came: Floats) -> Hypothesis | None:
    """Return the line that gives the middle of the past, and the spread that a run of it has."""
    runs = [profile.past.values[column][run] for run in profile.runs]
    spread = float(np.median([np.nanstd(run) for run in runs if np.isfinite(run).any()]))
    middle = float(np.nanmedian(profile.past.values[column]))
    own = float(np.std(came))
    before = np.array([middle - spread, middle + spread])
    return _line(column, before, np.median(came) + np.array([-own, own]))


def _grid(column: str, density: NumberDensity, came: Floats) -> Hypothesis | None:
    """Return the line that lays the steps of a column of few values on those it had."""
    values = np.unique(came)
    if len(density.atoms) < _FEWEST_STEPS or not _FEWEST_STEPS <= len(values) <= _MOST_STEPS:
        return None
    factor = np.diff(values).min() / np.diff(density.atoms).min()
    return _line(column, density.atoms, factor * (density.atoms - density.atoms[0]) + values[0])


def _line(column: str, before: Floats, came: Floats) -> Hypothesis | None:
    spread = float(np.var(before))
    if not spread:
        return None
    factor = float(np.mean((before - before.mean()) * (came - came.mean()))) / spread
    if factor <= 0 or abs(np.log(factor)) < np.log(_LEAST_STRETCH):
        return None
    offset = float(came.mean() - factor * before.mean())
    words = f"x{factor:.3g} {offset:+.3g}"
    return Hypothesis("data.unit_change", (column,), words, factor, offset, free=True, surprise=_SURPRISE)
