"""Values that are lost: cells left empty by chance or not, and numbers that stand for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from chaos.faults.data.cells import kind_of, need, numbers, put, put_numbers
from chaos.faults.data.damage import (
    Damaged,
    Positions,
    check_severity,
    draw,
    one,
    scattered_rows,
    several,
    truth,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_ANY = frozenset({"numeric", "categorical", "boolean", "text", "time"})


def lose_at_random(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Empty cells completely at random (MCAR). Severity is the share of rows that lose the cell."""
    share = check_severity(severity)
    damaged, hit = frame.copy(), np.zeros(len(frame), dtype=np.bool_)
    for number, name in enumerate(several(columns)):
        need(frame, name, _ANY)
        rows = scattered_rows(frame, share, seed, number)
        damaged = _emptied(damaged, name, rows)
        hit[rows] = True
    return truth(damaged, "data.nulls", tuple(columns), "lost at random", np.flatnonzero(hit))


def lose_by_another(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Empty cells of the first column where the second is largest (MAR). Severity is the share of rows lost."""
    lost, driver = several(columns, 2)
    need(frame, lost, _ANY)
    rows = _first(_order(frame, driver), check_severity(severity), seed)
    return truth(_emptied(frame, lost, rows), "data.nulls", (lost,), f"lost by {driver}", rows)


def lose_by_itself(frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int) -> Damaged:
    """Empty the cells of a column where it is largest (MNAR). Severity is the share of rows lost."""
    lost = one(columns)
    rows = _first(_order(frame, lost), check_severity(severity), seed)
    return truth(_emptied(frame, lost, rows), "data.nulls", (lost,), "lost by its own value", rows)


def put_sentinels(
    frame: pd.DataFrame, *, severity: float, columns: Sequence[str], seed: int, sentinel: str = "-999"
) -> Damaged:
    """Write a number, or a name, that stands for nothing into a share of the rows, the severity.

    A number goes into numeric columns, which keep their type, a name into columns of names, and empty text
    into both.
    """
    number = _is_number(sentinel)
    kinds = {"numeric"} if number else {"categorical", "text"} | ({"numeric"} if not sentinel else set())
    share = check_severity(severity)
    damaged, hit = frame.copy(), np.zeros(len(frame), dtype=np.bool_)
    for place, name in enumerate(several(columns)):
        need(frame, name, kinds)
        rows = scattered_rows(frame, share, seed, place)
        write, value = (put_numbers, float(sentinel)) if number else (put, sentinel)
        damaged = write(damaged, name, rows, value)
        hit[rows] = True
    cause = "data.sentinel_values" if sentinel else "data.nulls"
    return truth(damaged, cause, tuple(columns), f"null->{sentinel!r}", np.flatnonzero(hit))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _first(order: np.ndarray, share: float, seed: int) -> Positions:
    """Return the positions of the largest ``share`` of ``order``; chance mixes in some that are not."""
    soft = pd.Series(order).rank(pct=True).to_numpy() + 0.15 * draw(seed).normal(size=len(order))
    return np.sort(np.argsort(-soft, kind="stable")[: round(share * len(order))])


def _order(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return what rows are ranked by: the number, or the place of the name in the alphabet."""
    need(frame, name, _ANY)
    if kind_of(frame[name]) == "numeric":
        return np.asarray(np.nan_to_num(numbers(frame, name), nan=-np.inf))
    return np.asarray(pd.factorize(frame[name].astype(str), sort=True)[0], dtype=np.float64)


def _emptied(frame: pd.DataFrame, name: str, rows: Positions) -> pd.DataFrame:
    """Return a copy with null cells; numbers stay numbers, whatever else has no null becomes objects."""
    if not len(rows):
        return frame.copy()
    column = frame[name]
    emptied = frame.copy()
    if pd.api.types.is_bool_dtype(column.dtype) and not pd.api.types.is_extension_array_dtype(column.dtype):
        column = column.astype(object)
    elif pd.api.types.is_integer_dtype(column.dtype):
        column = column.astype(np.float64)
    mask = np.zeros(len(frame), dtype=np.bool_)
    mask[rows] = True
    nothing: Any = np.nan
    if column.dtype == object:
        nothing = None
    elif pd.api.types.is_datetime64_any_dtype(column.dtype):
        nothing = pd.NaT
    elif str(column.dtype) == "boolean":
        nothing = pd.NA
    emptied[name] = column.mask(mask, nothing)
    return emptied
