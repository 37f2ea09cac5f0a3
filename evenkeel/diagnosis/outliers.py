"""Single cells far outside anything in the past, by the theory of extremes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from evenkeel.diagnosis.runs import Floats, numbers, shared
from evenkeel.domain.diagnosis import Fault

if TYPE_CHECKING:
    import pandas as pd

    from evenkeel.diagnosis.past import Past, Subject

_CHANCE = 1e-3
_TAIL = 0.05
_FEWEST_BEYOND = 20
_FEWEST_KNOWN = 100
_TIMES_FARTHEST = 2.5
_STANDARD_ERRORS = 2.0
_GAP = 1.5
_FEW = 0.12
_MANY = 0.6
_HEAVIEST = 0.9
_FEWEST_TO_SCATTER = 3
_SCATTERED = 0.4


def detect(batch: pd.DataFrame, past: Past, subject: Subject) -> list[Fault]:
    """Find cells that no tail of the past reaches.

    Beyond the 95% and 5% points of the past a generalised Pareto distribution is fitted by L-moments
    (Hosking, *J. R. Stat. Soc. B* 52, 1990; peaks over threshold: Pickands, *Ann. Stat.* 3, 1975), whose
    own shape says how heavy the tail is. A cell must lie beyond what a batch reaches once in 1,000 times, well
    beyond anything seen, as far from the batch's own middle, and across an empty gap from the rest:
    where the whole column has moved, the world may have.

    Returns:
        One fault for each column: ``data.outliers`` for up to an eighth of the cells, for more
        ``data.out_of_range``. The rows are those of the cells.
    """
    found = []
    names = shared(batch, past, subject, "numeric")
    for name in names:
        values, before = numbers(batch[name]), numbers(past.rows[name])
        known = before[~np.isnan(before)]
        present = values[~np.isnan(values)]
        if len(known) < _FEWEST_KNOWN or not len(present):
            continue
        middle = float(np.median(known))
        # Nothing as near as this is ever out of reach: most columns are done here.
        near = _TIMES_FARTHEST * (known.min() - middle), _TIMES_FARTHEST * (known.max() - middle)
        if middle + near[0] <= present.min() and present.max() <= middle + near[1]:
            continue
        reach = _Reach.of(known, _CHANCE / (len(values) * len(names)))
        far = reach.beyond(values, float(np.median(present)))
        share = far.sum() / len(present)
        if not far.any() or share > _MANY or not _scattered(far):
            continue
        cells = values[far]
        found.append(
            Fault(
                cause="data.outliers" if share <= _FEW else "data.out_of_range",
                columns=(name,),
                confidence=0.97 if share <= _FEW else 0.9,
                rows=np.flatnonzero(far),
                evidence={
                    "cells": int(far.sum()),
                    "farthest": float(cells[np.argmax(np.abs(cells - reach.middle))]),
                    "range_before": [float(known.min()), float(known.max())],
                },
            )
        )
    return found


def _scattered(far: np.ndarray) -> bool:
    """Tell whether cells lie about singly, as glitches do; what comes in one piece may be real."""
    rows = np.flatnonzero(far)
    pieces = 1 + int(np.sum(np.diff(rows) > 1))
    return len(rows) < _FEWEST_TO_SCATTER or pieces >= _SCATTERED * (
        len(rows) * (1 - len(rows) / len(far)) + 1
    )


@dataclass(frozen=True)
class _Reach:
    """How far a column may be expected to go.

    Attributes:
        low: Below this a cell is out of reach.
        middle: Median of the past.
        high: Above this a cell is out of reach.
    """

    low: float
    middle: float
    high: float

    @classmethod
    def of(cls, known: Floats, chance: float) -> Self:
        """Learn from the past what a cell exceeds with probability ``chance``."""
        middle = float(np.median(known))
        return cls(middle - _reach(middle - known, chance), middle, middle + _reach(known - middle, chance))

    def beyond(self, values: Floats, middle: float) -> np.ndarray:
        """Return which cells are out of reach both of the past and of a batch with this median, and apart."""
        above = (values > self.high) & (values - middle > self.high - self.middle)
        below = (values < self.low) & (middle - values > self.middle - self.low)
        far = above | below
        rest = np.abs(values[~far & ~np.isnan(values)] - middle)
        farthest = float(rest.max()) if len(rest) else 0.0
        return far & (np.abs(values - middle) > _GAP * farthest)


def _reach(distances: Floats, chance: float) -> float:
    """Return the distance that is exceeded with probability ``chance``, and no less than 2.5 times the farthest.

    Args:
        distances: Signed distances from the median, of which the upper tail counts.
        chance: Per cell.
    """
    from scipy.stats import genpareto, lmoment

    start = max(float(np.quantile(distances, 1 - _TAIL)), 0.0)
    above = distances > start
    beyond = distances[above] - start
    if len(beyond) < _FEWEST_BEYOND:
        return np.inf
    mean, scale = lmoment(beyond, order=[1, 2])
    # Standard errors of the shape are added: a tail may be heavier than it looks. Extremes that come together
    # count once.
    clusters = 1 + int(np.sum(np.diff(np.flatnonzero(above)) > 1))
    shape = (2 - mean / scale if scale else 0.0) + _STANDARD_ERRORS / np.sqrt(clusters)
    shape = float(np.clip(shape, 0.0, _HEAVIEST))
    level = genpareto.isf(chance * len(distances) / len(beyond), shape, scale=mean * (1 - shape))
    return max(_TIMES_FARTHEST * float(distances.max()), start + float(level))
