"""How large things should be for a history of this size: batches, the training window, what the gates ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    import numpy.typing as npt

    from evenkeel.profiling.target import Target

FEWEST_ROWS = 30

_BATCHES = 40
_LEAST_BATCH = 20
_HOLDOUT = 0.25
_ROOMY = 1_000  # holdout rows from which on a calibration error is measured well
_CALIBRATION, _LOOSE_CALIBRATION = 0.15, 0.25


@dataclass(frozen=True)
class Sizes:
    """Sizes that fit the history.

    Attributes:
        rows_per_batch: Rows of a batch in a backtest.
        rows_per_day: Median over the days of the history; None without a time.
        window: Newest labelled rows learned from.
        min_rows: Labelled rows without which nothing is trained.
        min_holdout_rows: Rows the gates need to compare on.
        max_calibration_error: What the gates take for calibrated: few rows measure it badly.
    """

    rows_per_batch: int
    rows_per_day: int | None
    window: int
    min_rows: int
    min_holdout_rows: int
    max_calibration_error: float


def study_sizes(target: Target, times: pd.Series[Any] | None) -> Sizes:
    """Fit the sizes to a history.

    Args:
        target: The target, n rows.
        times: n times, UTC; None where rows have none of their own.
    """
    rows, labelled = len(target.values), int(target.known.sum())
    batch = max(_LEAST_BATCH, rows // _BATCHES)
    daily = None
    if times is not None:
        per_day = times.dt.floor("D").value_counts()
        daily = int(per_day.median())
        batch = max(1, round(batch / daily)) * daily if 1 < daily < rows // 2 else batch
    min_rows = min(max(50, labelled // 10), 1_000)
    return Sizes(
        rows_per_batch=batch,
        rows_per_day=daily,
        window=min(max(1_000, _rounded(labelled)), 100_000),
        min_rows=min_rows,
        min_holdout_rows=min(max(10, int(min_rows * _HOLDOUT)), 50),
        max_calibration_error=_CALIBRATION if labelled * _HOLDOUT >= _ROOMY else _LOOSE_CALIBRATION,
    )


def _rounded(rows: int) -> int:
    """Round up to a thousand."""
    return -(-rows // 1_000) * 1_000


def in_order(times: pd.Series[Any] | None, rows: int) -> npt.NDArray[Any]:
    """Return the positions of the rows in time order; rows of equal time as in the file."""
    place = pd.Series(range(rows)) if times is None else times.reset_index(drop=True)
    return place.sort_values(kind="stable").index.to_numpy()
