"""The null distribution of a batch's largest standardised distance, and where its tail is cut.

Many columns are tested at once, so the statistic is the maximum over columns, whose null distribution is
resampled jointly: whatever dependence the columns have is in it (single-step maxT: Westfall and Young,
*Resampling-Based Multiple Testing*, Wiley 1993). Two things keep it honest with the few dozen windows that a
reference yields:

- Each window is standardised by the mean and spread of the *other* windows, as a fresh batch will be.
  Standardised by itself too, no window could ever lie further out than the square root of their number.
- The 99% point of a maximum is not observed in a few dozen windows, so a Gumbel distribution, the limit law
  of maxima (Gumbel, *Statistics of Extremes*, 1958), is fitted by moments, and its reach is widened by the
  prediction factor ``sqrt(1 + 1/m) * t(m - 1) / z`` for parameters that were estimated from ``m`` windows.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

SPREAD_FLOOR = 0.005
"""Distances that vary less than this from window to window are taken to vary this much."""

PEAK_CAP = 8.0
"""A window further out counts as this far: a rare event in one column must not blind the others."""

_EULER_GAMMA = 0.5772156649015329
_FEWEST = 4


def standardise(distances: Floats) -> tuple[Floats, Floats, Floats]:
    """Standardise the null distances of every column and take each window's maximum.

    Args:
        distances: Windows x columns; NaN where a column had no values in a window.

    Returns:
        Center and spread of each column (NaN with fewer than 4 windows), and each window's peak: its
        largest distance over columns in spreads from the center, both taken from the other windows.
    """
    seen = np.sum(~np.isnan(distances), axis=0).astype(np.float64)
    known = seen >= _FEWEST
    count = np.where(known, seen, np.nan)
    center = np.nansum(distances, axis=0) / count
    squares = np.nansum((distances - center) ** 2, axis=0)
    spread = np.maximum(np.sqrt(squares / (count - 1)), SPREAD_FLOOR)
    others_center = (count * center - distances) / (count - 1)
    others_squares = squares - (distances - center) ** 2 * count / (count - 1)
    others_spread = np.maximum(np.sqrt(np.maximum(others_squares, 0) / (count - 2)), SPREAD_FLOOR)
    standardised = (distances - others_center) / others_spread
    measured = standardised[:, known]
    measured = measured[~np.isnan(measured).all(axis=1)] if measured.size else measured[:0]
    peaks = np.minimum(np.nanmax(measured, axis=1), PEAK_CAP) if len(measured) else np.empty(0)
    return center, spread, peaks


def critical_value(peaks: Floats, false_alarm: float, *, disjoint: int) -> float:
    """Return what a fresh undrifted batch's peak exceeds with probability ``false_alarm``.

    Args:
        peaks: Peaks of at least 4 windows.
        false_alarm: Share of undrifted batches that may lie beyond, in (0, 0.5).
        disjoint: How many windows would fit side by side: overlapping ones are worth no more than that.
    """
    from scipy.special import stdtrit

    worth = max(min(disjoint, len(peaks)), _FEWEST)
    gumbel = math.sqrt(6) / math.pi * (-math.log(-math.log1p(-false_alarm)) - _EULER_GAMMA)
    student = float(stdtrit(worth - 1, 1 - false_alarm)) / NormalDist().inv_cdf(1 - false_alarm)
    reach = gumbel * math.sqrt(1 + 1 / worth) * student
    return float(np.mean(peaks) + reach * np.std(peaks, ddof=1))
