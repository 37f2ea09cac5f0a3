"""What single values may be: bounds and categories that the later history keeps when the earlier teaches them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from evenkeel.profiling.column import Column

_STEPS = 20  # the history is looked at in as many stretches
_FIRST = 5  # so many teach the first bounds
_MARGINS = (1.0, 2.0, 4.0, 8.0)  # in widths of the range seen
_ALLOWED = 1e-4  # share of later rows that may be outside; more, and the margin is too small
_ZEROS = 0.005
_MOST_CATEGORIES = 50
_CONVINCING = 300  # rows from which on "never below zero" is believed
_UNSEEN = 5e-4


@dataclass(frozen=True)
class Bounds:
    """What a number may be.

    Attributes:
        low: Least value taken for possible.
        high: Greatest.
        margin: Room on either side of what was seen, in widths of the range seen.
    """

    low: float
    high: float
    margin: float


def learn_bounds(column: Column, order: npt.NDArray[np.intp]) -> Bounds | None:
    """Return bounds with the least margin that no later stretch of the history would have broken.

    A row outside is quarantined, so the bounds are wide: what is merely odd is the classifier's to judge.

    Args:
        column: A numeric column.
        order: Positions of the rows in time order.

    Returns:
        None where even the widest margin was broken, or nothing varies.
    """
    values = column.values.to_numpy(dtype=np.float64, na_value=np.nan)[order]
    known = values[~np.isnan(values)]
    if len(known) < _STEPS or known.min() == known.max():
        return None
    for margin in _MARGINS:
        if _broken(values, margin, whole=column.whole) <= _ALLOWED * len(known):
            return _bounds(known, margin, whole=column.whole)
    return None


def _broken(values: npt.NDArray[np.float64], margin: float, *, whole: bool) -> int:
    cuts = np.linspace(0, len(values), _STEPS + 1).astype(int)
    broken = 0
    for step in range(_FIRST, _STEPS):
        earlier, later = values[: cuts[step]], values[cuts[step] : cuts[step + 1]]
        earlier = earlier[~np.isnan(earlier)]
        if len(earlier) < 2 or earlier.min() == earlier.max():  # noqa: PLR2004 - nothing varies yet
            continue
        bounds = _bounds(earlier, margin, whole=whole)
        broken += int(((later < bounds.low) | (later > bounds.high)).sum())
    return broken


def _bounds(known: npt.NDArray[np.float64], margin: float, *, whole: bool) -> Bounds:
    low, high = float(known.min()), float(known.max())
    width = high - low
    floor = _rounded_down(low - margin * width)
    never_negative = low >= 0 and len(known) >= _CONVINCING
    if never_negative and ((known == 0).mean() >= _ZEROS or (whole and low <= 1)):
        floor = 0.0
    return Bounds(floor, -_rounded_down(-(high + margin * width)), margin)


def _rounded_down(value: float) -> float:
    """Return ``value`` rounded to two digits, never up: bounds are rough, and should look it."""
    if value == 0 or not np.isfinite(value):
        return value
    unit = 10.0 ** (np.floor(np.log10(abs(value))) - 1)
    return float(f"{np.floor(value / unit) * unit:.12g}")


def learn_categories(column: Column, order: npt.NDArray[np.intp]) -> tuple[str, ...] | None:
    """Return the categories that may come, most frequent first, or None where new ones must be expected.

    New ones are expected where there are many, where the later half of the history brought any, or where
    the share of those seen only once (Good and Turing's estimate of the unseen) is not small.

    Args:
        column: A categorical column.
        order: Positions of the rows in time order.
    """
    values: pd.Series[Any] = column.values.iloc[order].dropna()
    counts = values.value_counts()
    once = int((counts == 1).sum())
    if len(values) < _STEPS or len(counts) > _MOST_CATEGORIES or once > _UNSEEN * len(values):
        return None
    half = len(values) // 2
    new = set(values.iloc[half:]) - set(values.iloc[:half])
    return None if new else tuple(map(str, counts.index))
