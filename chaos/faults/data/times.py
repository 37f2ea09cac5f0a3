"""Times that come in another zone, or from a time that has not come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from chaos.faults.data.cells import put_times, times
from chaos.faults.data.damage import (
    Damaged,
    check_severity,
    draw,
    last_rows,
    one,
    scattered_rows,
    truth,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_ZONES = (1.0, 2.0, -1.0, 5.5, -5.0, 8.0, 9.5, 10.0, -10.0, 12.0)  # hours


def shift(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Write every time of a column in another zone.

    Severity sets how far: at 0.2 an hour or two (summer time), at 0.6 five to eight, at 1 ten to twelve hours.
    """
    count = len(_ZONES) if check_severity(severity) else 0
    near = sorted(_ZONES, key=abs)
    first = round(severity * (count - 2)) - 1 if count else 0
    choice = near[max(0, first) : max(0, first) + 3] or [0.0]
    hours = float(draw(seed).choice(choice)) if count else 0.0
    return _shifted(frame, one(columns), hours, 1.0 if hours else 0.0)


def shift_part(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Write the last rows of a batch in another zone: one of several machines lost its setting.

    Severity is the share of rows; the seed picks the zone.
    """
    hours = float(draw(seed).choice(_ZONES))
    return _shifted(frame, one(columns), hours, check_severity(severity))


def from_the_future(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Date rows ahead of their time.

    Severity is the share of rows, and how far: at 0.2 a fifth of them is 30 days ahead of the newest time, at
    1 all of them are 10 years ahead.
    """
    name = one(columns)
    moments = times(frame, name)
    rows = scattered_rows(frame, check_severity(severity), seed)
    ahead = pd.Timedelta(days=round(3650 * severity**3))
    width = moments.max() - moments.min() + pd.Timedelta(days=1)
    moved = moments.iloc[rows] + width + ahead
    words = f"{(width + ahead).days} days ahead"
    return truth(put_times(frame, name, rows, moved), "data.future_timestamps", (name,), words, rows)


def _shifted(frame: pd.DataFrame, name: str, hours: float, share: float) -> Damaged:
    moments = times(frame, name)
    rows = last_rows(frame, share)
    moved = moments.iloc[rows] + pd.Timedelta(hours=hours)
    return truth(
        put_times(frame, name, rows, moved), "data.time_zone_shift", (name,), f"shift {hours:+g} h", rows
    )
