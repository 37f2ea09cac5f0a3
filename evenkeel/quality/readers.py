"""How each kind is read: from a typed column, from texts all at once, from one cell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api import types

if TYPE_CHECKING:
    from collections.abc import Callable

    from evenkeel.quality.kind import Kind

Mask = npt.NDArray[np.bool_]
Values = npt.NDArray[Any]

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^(?i:nan|[+-]?inf|[+-]?infinity)$"
_WHOLE = r"^[+-]?\d{1,18}$"
_CLOCK = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?"
_NAIVE = rf"^(\d{{4}}-\d{{2}}-\d{{2}}|{_CLOCK})$"
_ZONED = rf"^{_CLOCK}([Zz]|[+-]\d{{2}}(:?\d{{2}})?)$"
_NAT = np.iinfo(np.int64).min  # how numpy writes "not a time"
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")
_EXACT = 2**53  # beyond it a float64 no longer tells neighbouring whole numbers apart
_INT64 = 2**63


@dataclass(frozen=True)
class Reader:
    """How one kind is read.

    Attributes:
        dtype: numpy dtype that holds the values.
        missing: What a cell without a value holds.
        text: Texts (as arrow and as objects, none empty) -> values and which of them could be read.
        cell: Anything else but text -> value; TypeError, ValueError or OverflowError where it cannot be read.
        finish: Values and which are null -> the typed column.
    """

    dtype: str
    missing: Any
    text: Callable[[pa.Array, Values], tuple[Values, Mask]]
    cell: Callable[[Any], Any]
    finish: Callable[[Values, Mask], pd.Series[Any]]


def reader_for(kind: Kind, *, exact: bool, time_format: str | None) -> Reader:
    """Return the reader of a kind; ``exact`` for whole-numbered keys."""
    if kind == "numeric" and exact:
        return Reader(
            "int64", 0, _text_wholes, _whole, lambda v, null: pd.Series(pd.arrays.IntegerArray(v, null))
        )
    if kind == "numeric":
        return Reader("float64", np.nan, _text_numbers, _number, lambda v, _: pd.Series(v))
    if kind == "boolean":
        return Reader(
            "bool",
            False,
            _text_booleans,
            _boolean,
            lambda v, null: pd.Series(pd.arrays.BooleanArray(v, null)),
        )
    if kind == "time":
        return Reader("int64", 0, partial(_text_instants, pattern=time_format), _instant, _instants)
    return Reader(
        "object", None, lambda _, cells: (cells, np.ones(len(cells), dtype=np.bool_)), _digits, _categories
    )


def native_values(column: pd.Series[Any], kind: Kind, *, exact: bool) -> tuple[pd.Series[Any], Mask] | None:
    """Read a column whose dtype already fits its kind; None where it must be read cell by cell.

    Returns:
        The typed column (which may share memory with ``column``) and which cells could not be read.
    """
    dtype: Any = column.dtype
    if kind == "time" and (isinstance(dtype, pd.DatetimeTZDtype) or dtype.kind == "M"):
        return _native_instants(column)
    if kind == "boolean" and types.is_bool_dtype(dtype):
        values = pd.Series(column.astype("boolean").array)
    elif kind != "numeric" or types.is_bool_dtype(dtype) or not types.is_any_real_numeric_dtype(dtype):
        return None
    elif not exact:
        values = pd.Series(column.to_numpy(dtype="float64", na_value=np.nan), copy=False)
    elif types.is_signed_integer_dtype(dtype):
        values = pd.Series(column.astype("Int64").array)
    else:
        return None
    return values, np.zeros(len(column), dtype=np.bool_)


def _text_numbers(texts: pa.Array, _cells: Values) -> tuple[Values, Mask]:
    trimmed = pc.utf8_trim_whitespace(texts)
    readable = pc.match_substring_regex(trimmed, _NUMBER)
    digits = pc.utf8_ltrim(pc.if_else(readable, trimmed, None), characters="+")
    # arrow reads decimals correctly rounded; pandas.to_numeric may be off by the last bit
    return pc.cast(digits, pa.float64()).to_numpy(zero_copy_only=False), readable.to_numpy(
        zero_copy_only=False
    )


def _text_wholes(texts: pa.Array, cells: Values) -> tuple[Values, Mask]:
    trimmed = pc.utf8_trim_whitespace(texts)
    short = pc.match_substring_regex(trimmed, _WHOLE)
    digits = pc.utf8_ltrim(pc.if_else(short, trimmed, "0"), characters="+")
    values = pc.cast(digits, pa.int64()).to_numpy(zero_copy_only=False).copy()
    readable = short.to_numpy(zero_copy_only=False).copy()
    for position in np.flatnonzero(~readable):  # 1.0 as pandas writes keys with gaps, or 19 digits
        try:
            values[position] = _whole_text(cells[position].strip())
            readable[position] = True
        except (ValueError, OverflowError):
            continue
    return values, readable


def _whole_text(text: str) -> int:
    if not text.isascii() or "_" in text:
        raise ValueError(text)
    return _whole(int(text) if text.lstrip("+-").isdigit() else float(text))


def _text_booleans(texts: pa.Array, _cells: Values) -> tuple[Values, Mask]:
    words = pc.utf8_lower(pc.utf8_trim_whitespace(texts))
    true = pc.is_in(words, value_set=pa.array(_TRUE, type=words.type)).to_numpy(zero_copy_only=False)
    false = pc.is_in(words, value_set=pa.array(_FALSE, type=words.type)).to_numpy(zero_copy_only=False)
    return true, true | false


def _text_instants(texts: pa.Array, _cells: Values, *, pattern: str | None) -> tuple[Values, Mask]:
    trimmed = pc.utf8_trim_whitespace(texts)
    if pattern is not None:
        instants = _parsed(trimmed, pattern)
        return instants, instants != _NAT
    instants = np.full(len(texts), _NAT, dtype="int64")
    # Only what is ISO 8601: pandas alone would also read "now", "2020" and month-first dates. Texts with and
    # without a zone are read apart: together, pandas gives a naive one the offset of its predecessor.
    for shape in (_NAIVE, _ZONED):
        chosen = pc.match_substring_regex(trimmed, shape).to_numpy(zero_copy_only=False)
        if chosen.any():
            instants[chosen] = _parsed(trimmed.filter(pa.array(chosen)), "ISO8601")
    return instants, instants != _NAT


def _parsed(texts: pa.Array, pattern: str) -> npt.NDArray[np.int64]:
    read = pd.to_datetime(texts.to_pandas(), format=pattern, utc=True, errors="coerce")
    return pd.DatetimeIndex(read).as_unit("ns").to_numpy(dtype="datetime64[ns]").view("int64")


def _native_instants(column: pd.Series[Any]) -> tuple[pd.Series[Any], Mask]:
    aware = column.dt.tz_localize("UTC") if column.dt.tz is None else column.dt.tz_convert("UTC")
    outside = (
        (aware < pd.Timestamp.min.tz_localize("UTC")) | (aware > pd.Timestamp.max.tz_localize("UTC"))
    ).to_numpy()
    if outside.any():
        aware = aware.mask(outside)
    return pd.Series(aware.dt.as_unit("ns").array), outside


def _instants(values: Values, null: Mask) -> pd.Series[Any]:
    instants = values.view("datetime64[ns]").copy()
    instants[null] = np.datetime64("NaT")
    return pd.Series(instants).dt.tz_localize("UTC")


def _categories(values: Values, null: Mask) -> pd.Series[Any]:
    values[null] = None
    return pd.Series(values, dtype=object)


def _number(cell: Any) -> float:
    if isinstance(cell, bool | np.bool_) or not isinstance(
        cell, int | float | np.integer | np.floating | Decimal
    ):
        raise TypeError(cell)
    return float(cell)


def _whole(cell: Any) -> int:
    if isinstance(cell, int | np.integer) and not isinstance(cell, bool):
        number = int(cell)
    else:
        number = int(_number(cell))  # OverflowError for an infinite one
        if number != cell or abs(number) > _EXACT:
            raise ValueError(cell)
    if not -_INT64 <= number < _INT64:
        raise OverflowError(cell)
    return number


def _boolean(cell: Any) -> bool:
    if isinstance(cell, bool | np.bool_):
        return bool(cell)
    number = _number(cell)
    if number not in (0, 1):
        raise ValueError(cell)
    return number == 1


def _instant(cell: Any) -> int:
    if not isinstance(cell, date | np.datetime64):  # a datetime is a date, a Timestamp a datetime
        raise TypeError(cell)
    instant = pd.Timestamp(cell)
    aware = instant.tz_localize("UTC") if instant.tz is None else instant.tz_convert("UTC")
    return int(aware.as_unit("ns").value)


def _digits(cell: Any) -> str:
    if isinstance(cell, int | np.integer) and not isinstance(cell, bool):
        return str(int(cell))
    raise TypeError(cell)
