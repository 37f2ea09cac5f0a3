"""Times in another zone: a batch, or a part of it, that comes hours before or after its time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evenkeel.diagnosis.daytime import Daytime
from evenkeel.diagnosis.rhythm import FARTHEST, HALF_HOUR, HOUR, Rhythm, round_the_clock, seconds
from evenkeel.domain.diagnosis import Fault

if TYPE_CHECKING:
    from evenkeel.diagnosis.past import Past, Subject
    from evenkeel.diagnosis.runs import Floats

_SURE = 0.97
_SUREST = 0.995
_BY_COLUMNS_ALONE = 0.9
_DOUBT = 0.3
_LEAST = 0.8
_TIMES_TOLERANCE = 3
_FEWEST_ROWS = 3


def detect(batch: pd.DataFrame, past: Past, subject: Subject) -> list[Fault]:
    """Find a shift by whole or half hours of all times, or of all from one row on or up to one row.

    What speaks for it: the batch does not begin where the past says the next one should, and no batch left
    out explains it; a jump between two rows where time never jumped; and columns that go with the time of
    day, but not with this one. Whatever follows on the last batch is not shifted: a feed that keeps local
    time moves by an hour twice a year and goes on.

    Returns:
        At most one fault, of the time column, with the times shifted back in ``repaired``.
    """
    time = subject.time
    if time not in batch.columns or time not in past.rows.columns:
        return []
    rhythm = Rhythm.of(past, time)
    times = seconds(batch[time])
    if rhythm is None or np.sum(~np.isnan(times)) < _FEWEST_ROWS:
        return []
    known = times[~np.isnan(times)]
    part = _part(times, rhythm)
    if part is None and _follows(known, rhythm):
        return []
    daytime = Daytime(past, subject, batch)
    rows = None
    if part is not None:
        rows, shift, confidence = part
        by = "a jump between two rows"
    elif found := _by_rhythm(known, rhythm):
        shift, confidence = found
        by = "the expected start"
    else:
        shift = daytime.best(batch, past)
        told = bool(shift) and not (rhythm.daily and abs(shift) <= rhythm.tolerance)
        return [_fault(batch, time, shift, _BY_COLUMNS_ALONE, by="the time of day")] if told else []
    voice = daytime.verdict(batch if rows is None else batch.iloc[rows], past, shift)
    confidence = {1: 1 - (1 - confidence) / 10, 0: confidence, -1: confidence * _DOUBT}[voice]
    by += " and the time of day" if voice > 0 else ""
    return [_fault(batch, time, shift, confidence, by=by, rows=rows)] if confidence >= _LEAST else []


def _follows(known: Floats, rhythm: Rhythm) -> bool:
    """Tell whether a batch goes on where the last one ended, as far as that is certain."""
    off = abs(float(known.min()) - rhythm.last - rhythm.gap)
    if rhythm.daily:
        return off <= rhythm.step / 2
    return rhythm.tolerance <= max(HOUR, rhythm.step) and off <= max(rhythm.tolerance, rhythm.step)


def _by_rhythm(known: Floats, rhythm: Rhythm) -> tuple[float, float] | None:
    """Return by how much a whole batch is off its expected start, and how sure that is."""
    start, length = float(known.min()), float(np.ptp(known))
    off = start - rhythm.expected_start()
    if rhythm.daily and abs(off) > FARTHEST:
        off = float(round_the_clock(off))
    shift = round(off / HALF_HOUR) * HALF_HOUR
    tolerance = rhythm.tolerance if not rhythm.daily else max(rhythm.step, rhythm.tolerance)
    as_long = abs(length - rhythm.length) <= max(rhythm.tolerance, rhythm.step)
    exact = abs(off - shift) <= min(tolerance, HALF_HOUR / 2)
    if not shift or abs(shift) > FARTHEST or not exact or not as_long:
        return None
    if rhythm.daily:
        return (shift, _SURE) if abs(shift) >= 2 * rhythm.tolerance else None
    if abs(shift) < _TIMES_TOLERANCE * rhythm.tolerance:
        return None
    return shift, min(_SURE, rhythm.certainty(shift))


def _part(times: Floats, rhythm: Rhythm) -> tuple[np.ndarray, float, float] | None:
    """Return the rows, shift and certainty where the clock changes once within the batch; None for never.

    Of both sides of the jump that one is shifted without which the batch begins and ends when it should.
    """
    at = np.flatnonzero(~np.isnan(times))
    steps = np.diff(times[at]) - rhythm.step
    if not rhythm.ordered or not len(steps):
        return None
    jumps = np.flatnonzero(
        (steps < -rhythm.step - 1) | (steps > max(rhythm.longest_step, HALF_HOUR) - rhythm.step)
    )
    if len(jumps) != 1:
        return None
    jump = int(jumps[0])
    shift = round(steps[jump] / HALF_HOUR) * HALF_HOUR
    slack = min(max(rhythm.step, 1.0) * 2, HALF_HOUR / 2) if rhythm.step < HALF_HOUR else 1.0
    if not shift or abs(shift) > FARTHEST or abs(steps[jump] - shift) > slack:
        return None
    tolerance = max(rhythm.tolerance, rhythm.step)
    start, end = float(times[at[0]]), float(times[at[-1]])
    for rows, moved, first, last in (
        (at[jump + 1 :], shift, start, end - shift),
        (at[: jump + 1], -shift, start + shift, end),
    ):
        in_time = abs(last - first - rhythm.length) <= tolerance
        off = abs(first - rhythm.expected_start())
        begins = min(off, abs(float(round_the_clock(off)))) if rhythm.daily else off
        if in_time and begins <= tolerance and len(rows) >= _FEWEST_ROWS:
            return rows, moved, _SURE if shift < 0 else rhythm.certainty(shift)
    return None


def _fault(
    batch: pd.DataFrame, time: str, shift: float, confidence: float, *, by: str, rows: Any = None
) -> Fault:
    repaired = batch[time] - pd.Timedelta(seconds=shift)
    if rows is not None:
        shifted = np.zeros(len(batch), dtype=bool)
        shifted[rows] = True
        repaired = repaired.where(shifted, batch[time])
    return Fault(
        cause="data.time_zone_shift",
        columns=(time,),
        confidence=min(float(confidence), _SUREST),
        transform=f"shift {shift / HOUR:+g} h",
        rows=rows,
        repaired={time: repaired},
        evidence={"hours": shift / HOUR, "by": by},
    )
