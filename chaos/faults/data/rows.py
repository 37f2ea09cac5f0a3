"""Rows that come twice, stand still, or come from yesterday."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from chaos.faults.data.cells import kind_of, need, numbers, put, put_numbers
from chaos.faults.data.damage import (
    Damaged,
    check_severity,
    last_rows,
    scattered_rows,
    several,
    truth,
    untouched,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_ANY = frozenset({"numeric", "categorical", "boolean", "text"})


def duplicate(
    frame: pd.DataFrame,
    *,
    severity: float,
    columns: Sequence[str] = (),
    seed: int,
) -> Damaged:
    """Send rows a second time, right behind the first. Severity is the share of rows that come twice.

    The rows of the truth are the second copies.
    """
    rows = scattered_rows(frame, check_severity(severity), seed)
    order = np.sort(np.concatenate([np.arange(len(frame)), rows]), kind="stable")
    damaged = frame.iloc[order].reset_index(drop=True)
    copies = np.flatnonzero(np.diff(order, prepend=-1) == 0)
    return truth(damaged, "data.duplicated_rows", (), "twice", copies)


def freeze(
    frame: pd.DataFrame,
    *,
    severity: float,
    columns: Sequence[str],
    seed: int,
) -> Damaged:
    """Repeat the last good value of a column to the end of the batch: a sensor that stands still.

    Severity is the share of rows, counted from the end; at 1 the whole batch holds its first value.
    """
    rows = last_rows(frame, check_severity(severity))
    damaged = frame.copy()
    for name in several(columns):
        need(frame, name, _ANY)
        # The value that stands: the last one before the end part, else the first there is.
        earlier = frame[name].iloc[: max(1, len(frame) - len(rows))].dropna()
        present = earlier if len(earlier) else frame[name].dropna()
        damaged[name] = _with(frame, name, rows, present.iloc[-1 if len(earlier) else 0])
    return truth(damaged, "data.constant_column", tuple(columns), "frozen", rows)


def set_constant(
    frame: pd.DataFrame,
    *,
    severity: float,
    columns: Sequence[str],
    seed: int,
) -> Damaged:
    """Fill a whole column with one value, a default of its source.

    Severity sets how plausible: up to 0.5 the middle (or most frequent) value, above it the largest (rarest).
    """
    check_severity(severity)
    damaged = frame.copy()
    rows = np.arange(len(frame) if severity else 0)
    for name in several(columns):
        need(frame, name, _ANY)
        counts = frame[name].value_counts()
        plausible = severity <= 1 / 2
        if kind_of(frame[name]) == "numeric":
            values = numbers(frame, name)
            value = np.nanquantile(values, 0.5 if plausible else 1.0, method="nearest")
        else:
            value = counts.index[0 if plausible else -1]
        damaged[name] = _with(frame, name, rows, value)
    return truth(damaged, "data.constant_column", tuple(columns), "constant", rows)


def send_yesterday(
    frame: pd.DataFrame,
    *,
    severity: float,
    columns: Sequence[str],
    seed: int,
    previous: pd.DataFrame,
) -> Damaged:
    """Send the values of the batch before under this batch's keys and times.

    Severity is the share of rows, counted from the end. Where the batch before is shorter its rows are used
    again from its start.

    Args:
        frame: The batch.
        severity: 0 to 1.
        columns: The columns that are repeated: the features, neither key nor time.
        seed: Not used.
        previous: The batch before.
    """
    rows = last_rows(frame, check_severity(severity))
    if not len(previous):
        return untouched(frame)
    taken = rows % len(previous)
    damaged = frame.copy()
    for name in several(columns):
        need(frame, name, _ANY)
        old = previous[name].iloc[taken].to_numpy()
        damaged[name] = old if len(rows) == len(frame) else put(damaged, name, rows, old)[name].to_numpy()
        if damaged[name].dtype != frame[name].dtype:
            damaged[name] = pd.Series(damaged[name], index=frame.index).astype(frame[name].dtype)
    return truth(damaged, "data.stale_feed", tuple(columns), "the batch before", rows)


def send_same_file(
    frame: pd.DataFrame,
    *,
    severity: float,
    columns: Sequence[str] = (),
    seed: int,
    previous: pd.DataFrame,
) -> Damaged:
    """Send the whole batch before once more, keys and times and all. Any severity above 0 does."""
    if not check_severity(severity):
        return untouched(frame)
    again = previous.reset_index(drop=True).copy()
    return truth(again, "data.stale_feed", (), "the file before", np.arange(len(again)))


def _with(frame: pd.DataFrame, name: str, rows: np.ndarray, value: object) -> pd.Series:
    """Return a column with one value at ``rows``, of the column's own type."""
    if not len(rows):
        return frame[name]
    if pd.api.types.is_numeric_dtype(frame[name].dtype) and not pd.api.types.is_bool_dtype(frame[name].dtype):
        filled = frame[name].copy()
        filled.iloc[rows] = value
        return filled
    if kind_of(frame[name]) == "numeric" and not isinstance(value, str):
        return put_numbers(frame.fillna({name: "0"}), name, rows, float(value))[name]  # type: ignore[arg-type]
    return put(frame, name, rows, value)[name].astype(frame[name].dtype)
