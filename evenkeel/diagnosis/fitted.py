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
_LEAST_STRETCH = 1.25
_SURPRISE = 10.0


def fitted(profile: Profile, look: Sample, column: str) -> list[Hypothesis]:
    """Return lines ``a * value + b`` that may have been laid over the last rows of a numeric column.

    Each is fitted twice: quantile on quantile, and row by row to what the row's other columns let expect.
    Lines that hardly stretch are left out: a mere shift is how the world moves. So are falling ones: no unit does that.
    """
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
            _line(column, np.quantile(density.ranks, _LEVELS), np.quantile(came, _LEVELS)),
            _line(column, likely, came),
        ]
        found += [line for line in lines if line is not None]
    return found


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
