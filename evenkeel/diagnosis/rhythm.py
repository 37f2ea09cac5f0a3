"""When batches come: where the times of the next one should begin, and how they step from row to row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from evenkeel.diagnosis.past import Past
    from evenkeel.diagnosis.runs import Floats

DAY = 86400.0
HOUR = 3600.0
HALF_HOUR = 1800.0
FARTHEST = 14 * HOUR
"""Seconds between the time zones that lie farthest apart from UTC."""

_FEWEST_BATCHES = 4
_PRIOR = 1e-3
"""How often a feed's clock is taken to be set wrong: a gap must be rarer than this to be called a shift."""


def seconds(column: pd.Series[Any]) -> Floats:
    """Return times as seconds since 1970, NaN for null."""
    moments = column.to_numpy(dtype="datetime64[ns]")
    return np.where(np.isnat(moments), np.nan, moments.astype(np.int64) / 1e9)


def round_the_clock(difference: Any) -> Any:
    """Return seconds folded into half a day either way."""
    return (np.asarray(difference) + DAY / 2) % DAY - DAY / 2


@dataclass(frozen=True)
class Rhythm:
    """What the batches of the past say of the times of the next one; seconds throughout.

    Attributes:
        last: The newest time of the past.
        gap: Usual time from the end of a batch to the start of the next; NaN with fewer than two.
        tolerance: How far good batches stray from the expected start, or in length.
        length: Usual time from the first row of a batch to its last.
        daily: Whether every batch begins at the same time of day.
        start_of_day: That time of day.
        step: Usual time from row to row.
        longest_step: Longest time from row to row, across batches as well.
        ordered: Whether times never run backwards.
        steps: All steps, for how rare one is.
    """

    last: float
    gap: float
    tolerance: float
    length: float
    daily: bool
    start_of_day: float
    step: float
    longest_step: float
    ordered: bool
    steps: Floats

    @classmethod
    def of(cls, past: Past, time: str) -> Self | None:
        """Learn it from the last good batches; None with fewer than four."""
        batches = [seconds(batch[time]) for batch in past.recent if time in batch.columns]
        batches = [known for known in (times[~np.isnan(times)] for times in batches) if len(known) > 1]
        if len(batches) < _FEWEST_BATCHES:
            return None
        starts = np.array([times.min() for times in batches])
        ends = np.array([times.max() for times in batches])
        gaps, lengths = starts[1:] - ends[:-1], ends - starts
        gap, length = float(np.median(gaps)), float(np.median(lengths))
        anchor = float(starts[-1] % DAY)
        of_day = round_the_clock(starts - anchor)
        stray = np.abs(of_day - np.median(of_day)).max()
        step = float(np.median(np.abs(np.diff(np.concatenate(batches)))))
        daily = bool(stray <= max(2 * step, HALF_HOUR / 2) and length + gap > DAY / 2)
        slack = stray if daily else np.abs(gaps - gap).max()
        whole = np.concatenate([_reference_times(past, time, starts[0]), *batches])
        steps = np.diff(whole)
        return cls(
            last=float(ends[-1]),
            gap=gap,
            tolerance=float(max(slack, np.quantile(np.abs(lengths - length), 0.9), step)),
            length=length,
            daily=daily,
            start_of_day=(anchor + float(np.median(of_day))) % DAY,
            step=step,
            longest_step=float(steps.max()),
            ordered=bool((steps >= 0).mean() > 1 - 0.5 / len(steps)),
            steps=steps,
        )

    def expected_start(self) -> float:
        """Return when the next batch should begin, if none is left out."""
        expected = self.last + self.gap
        if self.daily:
            expected += float(round_the_clock(self.start_of_day - expected))
        return expected

    def certainty(self, shift: float) -> float:
        """Return the probability that a jump by ``shift`` is a clock set wrong, not a gap in the feed or late rows.

        By Bayes' rule, from how often the past jumped at least half as far the same way.
        """
        jumps = np.sum(
            self.steps - self.step > shift / 2 if shift > 0 else self.steps - self.step < shift / 2
        )
        return _PRIOR / (_PRIOR + (float(jumps) + 0.5) / len(self.steps))


def _reference_times(past: Past, time: str, before: float) -> Floats:
    if past.reference is None or time not in past.reference.columns:
        return np.empty(0)
    times = seconds(past.reference[time])
    return times[times < before]
