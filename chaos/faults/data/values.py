"""Numbers that come in another unit, another sign, another column, or with something added."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from chaos.faults.data.cells import need, numbers, put, put_numbers
from chaos.faults.data.damage import (
    Damaged,
    check_severity,
    draw,
    last_rows,
    one,
    scattered_rows,
    several,
    truth,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


def rescale(
    frame: pd.DataFrame,
    *,
    severity: float,
    columns: Sequence[str],
    seed: int,
    factor: float = 1.0,
    offset: float = 0.0,
    words: str = "",
) -> Damaged:
    """Send numeric columns in another unit: ``factor * value + offset``.

    Severity is the share of rows, counted from the end: at 0.2 the source changed late in the batch, at 1 the
    whole batch comes so.
    """
    rows = last_rows(frame, check_severity(severity))
    damaged = frame.copy()
    for name in several(columns):
        damaged = put_numbers(damaged, name, rows, factor * numbers(frame, name)[rows] + offset)
    said = words or f"x{factor:.6g}" + (f" {offset:+.6g}" if offset else "")
    return truth(damaged, "data.unit_change", tuple(columns), said, rows)


def miscalibrated(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Send one numeric column as ``a * value + b`` in every row, a sensor out of calibration.

    Severity sets how far: at 0.2 a = 1.2 (or 1/1.2) and b a tenth of a standard deviation, at 1 a = 3 and b
    three of them. The seed picks the direction.
    """
    check_severity(severity)
    values = numbers(frame, one(columns))
    up = draw(seed).random() < 1 / 2
    stretch = 1 + severity * (2 * severity + 3 * (1 - severity) / 4)
    factor = float(f"{stretch if up else 1 / stretch:.3g}")
    offset = float(f"{3 * severity**2 * _spread(values) * (1 if up else -1):.3g}")
    if not severity:
        return Damaged(frame.copy(), cause="")
    return rescale(frame, severity=1.0, columns=columns, seed=seed, factor=factor, offset=offset)


def flip_sign(
    frame: pd.DataFrame,
    *,
    severity: float,
    columns: Sequence[str],
    seed: int,
) -> Damaged:
    """Turn the sign of numeric columns. Severity is the share of rows, counted from the end."""
    rows = last_rows(frame, check_severity(severity))
    damaged = frame.copy()
    for name in several(columns):
        damaged = put_numbers(damaged, name, rows, -numbers(frame, name)[rows])
    return truth(damaged, "data.sign_flip", tuple(columns), "x-1", rows)


def swap(
    frame: pd.DataFrame,
    *,
    severity: float,
    columns: Sequence[str],
    seed: int,
) -> Damaged:
    """Put two columns of any kinds in each other's place. Severity is the share of rows, from the end."""
    first, second = several(columns, 2)
    for name in (first, second):
        need(frame, name, {"numeric", "categorical", "boolean", "text", "time"})
    rows = last_rows(frame, check_severity(severity))
    if len(rows) == len(frame):
        damaged = frame.copy()
        damaged[first], damaged[second] = frame[second].to_numpy(), frame[first].to_numpy()
    else:
        damaged = put(frame, first, rows, frame[second].astype(object).to_numpy()[rows])
        damaged = put(damaged, second, rows, frame[first].astype(object).to_numpy()[rows])
        if frame[first].dtype == frame[second].dtype:
            damaged = damaged.astype({first: frame[first].dtype, second: frame[second].dtype})
    return truth(damaged, "data.columns_swapped", (first, second), f"{first}<->{second}", rows)


def add_noise(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Add white noise to every row of numeric columns.

    Severity sets its standard deviation: at 0.2 half the column's own, at 1 five times as much as the column's.
    """
    check_severity(severity)
    rows = np.arange(len(frame) if severity else 0)
    damaged = frame.copy()
    for number, name in enumerate(several(columns)):
        values = numbers(frame, name)
        size = (2 + 3 * severity) * severity * _spread(values)
        noisy = values + size * draw(seed, number).normal(size=len(values))
        damaged = put_numbers(damaged, name, rows, noisy[rows])
    return truth(damaged, "data.noise", tuple(columns), "noise", rows)


def shuffle(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Give rows the values of other rows: every value is genuine, none belongs where it stands.

    Severity is the share of rows, scattered.
    """
    rows = scattered_rows(frame, check_severity(severity), seed)
    damaged = frame.copy()
    for number, name in enumerate(several(columns)):
        need(frame, name, {"numeric", "categorical", "boolean", "text"})
        mixed = draw(seed, number + 1).permutation(rows)
        damaged[name] = frame[name].take(_moved(len(frame), rows, mixed)).to_numpy()
    return truth(damaged, "data.noise", tuple(columns), "shuffled", rows if len(rows) > 1 else rows[:0])


def outliers(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Put single values far outside the column: a glitch of a sensor.

    At severity 0.2 one row in fifty (at least one) lies 8 standard deviations off, at 1 one in ten lies 40 off.
    """
    rows = scattered_rows(frame, 0.1 * check_severity(severity), seed)
    damaged = frame.copy()
    for number, name in enumerate(several(columns)):
        values = numbers(frame, name)
        side = np.where(draw(seed, number + 1).random(len(rows)) < 1 / 2, -1, 1)
        far = np.nanmedian(values) + side * 40 * max(severity, 0.2) * _spread(values)
        damaged = put_numbers(damaged, name, rows, np.where(np.isnan(values[rows]), np.nan, far))
    return truth(damaged, "data.outliers", tuple(columns), "outliers", rows)


def out_of_range(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Put values that cannot be: beyond the column's own range by many times that range.

    At severity 0.2 a tenth of the rows lies 20 ranges above the largest value, at 1 half of them 100 ranges.
    """
    rows = scattered_rows(frame, 0.5 * check_severity(severity), seed)
    damaged = frame.copy()
    for name in several(columns):
        values = numbers(frame, name)
        width = float(np.ptp(values[np.isfinite(values)])) or 1.0
        beyond = float(np.nanmax(values)) + width * 100 * severity
        damaged = put_numbers(damaged, name, rows, np.where(np.isnan(values[rows]), np.nan, beyond))
    return truth(damaged, "data.out_of_range", tuple(columns), "out of range", rows)


def _spread(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.std()) or 1.0


def _moved(length: int, rows: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """Return which row each row's value comes from."""
    source = np.arange(length)
    source[rows] = taken
    return source
