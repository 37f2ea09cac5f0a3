"""Rows from a time that has not come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from evenkeel.diagnosis.rhythm import DAY, FARTHEST, seconds
from evenkeel.diagnosis.runs import Floats, cut
from evenkeel.domain.diagnosis import Fault

if TYPE_CHECKING:
    import pandas as pd

    from evenkeel.diagnosis.past import Past, Subject

_TIMES_LONGEST = 2.0
_MONTH = 30 * DAY
_TIMES_LENGTH = 20.0
_YEAR = 365 * DAY


def detect(batch: pd.DataFrame, past: Past, subject: Subject) -> list[Fault]:
    """Find rows dated after the instant the batch started, or far ahead of the rows they came with.

    The clock counts where the past itself keeps to it: a history that is replayed, or forecasts, may all lie
    ahead. Without the clock, rows must lie beyond an empty stretch longer than any of the past, and come
    among earlier rows where rows always came in order, or beyond a stretch of months; a feed that
    merely paused goes on in order.

    Returns:
        At most one fault, of the time column, its rows those from the future.
    """
    time = subject.time
    if time not in batch.columns or time not in past.rows.columns:
        return []
    times, before = seconds(batch[time]), seconds(past.rows[time])
    if np.isnan(times).all() or np.isnan(before).all():
        return []
    now = subject.as_of.timestamp() + FARTHEST
    newest = float(np.nanmax(before))
    ahead, by = (
        _beyond_the_rest(times, before, newest, [before[run] for run in cut(past, len(batch))]),
        "the rest",
    )
    if newest <= now:
        # What has come to pass is no future, however far it lies from the rest.
        beyond_now = times > now
        ahead, by = (
            (beyond_now, "the clock") if beyond_now.any() else (ahead & ~_passed(times, newest, now), by)
        )
    rows = np.flatnonzero(ahead)
    if not len(rows):
        return []
    days = float(np.nanmedian(times[rows]) - newest) / DAY
    return [
        Fault(
            cause="data.future_timestamps",
            columns=(time,),
            confidence=0.98 if by == "the clock" else 0.9,
            transform=f"{days:.0f} days ahead",
            rows=rows,
            evidence={"rows": len(rows), "days_ahead": round(days, 2), "by": by},
        )
    ]


def _passed(times: Floats, newest: float, now: float) -> npt.NDArray[np.bool_]:
    """Return which times have certainly come to pass: the clock keeps pace with the feed, and they lie before it."""
    return (times <= now - FARTHEST) if now - newest < _YEAR else np.zeros(len(times), dtype=bool)


def _beyond_the_rest(
    times: Floats, before: Floats, newest: float, runs: list[Floats]
) -> npt.NDArray[np.bool_]:
    """Return the rows beyond the first empty stretch after the past that is too long to be a pause."""
    none = np.zeros(len(times), dtype=bool)
    lengths = [float(np.nanmax(run) - np.nanmin(run)) for run in runs if not np.isnan(run).all()]
    if not lengths:
        return none
    steps = np.diff(before[~np.isnan(before)])
    longest = max(float(steps.max()) if len(steps) else 0.0, 0.0)
    known = np.sort(times[~np.isnan(times)])
    gaps = np.diff(np.concatenate([[newest], known]))
    long = known[(gaps > max(_TIMES_LONGEST * longest, max(lengths) / 2)) & (known > newest)]
    if not len(long):
        return none
    ahead = times >= long[0]
    if ahead.all() or np.isnan(times[~ahead]).all():
        far = float(long[0]) - newest > max(_YEAR, _TIMES_LENGTH * max(lengths))
        return ahead if far else none
    jumbled = bool((np.diff(times[~np.isnan(times)]) < 0).any()) and not (steps < 0).any()
    far = float(gaps[np.searchsorted(known, long[0])]) > max(_MONTH, _TIMES_LENGTH * max(lengths))
    return ahead if jumbled or far else none
