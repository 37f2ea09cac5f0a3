"""Cells as a file gives them, text or typed: read by kind, and written back as their source spells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Collection

    from chaos.faults.data.damage import Positions
    from evenkeel.quality.kind import Kind

_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})
_ISO = r"\s*\d{4}-\d{2}-\d{2}([T ].*)?"
# A column of more names than these, most of them used once, is prose or a key, not a category.
_MAX_CATEGORIES = 50
_MAX_SHARE = 0.5
_DIGITS = 12


def kind_of(column: pd.Series[Any]) -> Kind:
    """Tell a column's kind from its cells; one without any is text."""
    present = column.dropna()
    kind: Kind = "text"
    if not len(present):
        return kind
    if pd.api.types.is_bool_dtype(column.dtype):
        kind = "boolean"
    elif pd.api.types.is_datetime64_any_dtype(column.dtype):
        kind = "time"
    elif pd.api.types.is_numeric_dtype(column.dtype):
        kind = "boolean" if present.isin([0, 1]).all() else "numeric"
    else:
        kind = _kind_of_texts(present.astype(str).str.strip())
    return kind


def _kind_of_texts(texts: pd.Series[str]) -> Kind:
    if texts.str.lower().isin(_TRUE | _FALSE).all():
        return "boolean"
    if pd.to_numeric(texts, errors="coerce").notna().all():
        return "numeric"
    if texts.str.fullmatch(_ISO).all():
        return "time"
    names = texts.nunique()
    return "text" if names > _MAX_CATEGORIES and names > _MAX_SHARE * len(texts) else "categorical"


def need(frame: pd.DataFrame, name: str, kinds: Collection[str]) -> Kind:
    """Return the kind of a column.

    Raises:
        ValueError: The frame has no such column, or it is of a kind that the fault cannot damage.
    """
    if name not in frame.columns:
        raise ValueError(f"no column {name!r} to damage; there are {', '.join(map(str, frame.columns))}")
    kind = kind_of(frame[name])
    if kind not in kinds:
        raise ValueError(f"{name} is {kind}; this fault damages {' or '.join(sorted(kinds))} columns only")
    return kind


def numbers(frame: pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
    """Return a numeric column, NaN where null.

    Raises:
        ValueError: It is not numeric.
    """
    need(frame, name, {"numeric"})
    return pd.to_numeric(frame[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def times(frame: pd.DataFrame, name: str) -> pd.Series[Any]:
    """Return a time column as datetime64[ns, UTC].

    Raises:
        ValueError: It is not of times.
    """
    need(frame, name, {"time"})
    return pd.to_datetime(frame[name], utc=True, format="ISO8601").astype("datetime64[ns, UTC]")


def put(frame: pd.DataFrame, name: str, rows: Positions, values: Any) -> pd.DataFrame:
    """Return a copy with the cells of one column at ``rows`` set to ``values`` as they are."""
    changed = frame.copy()
    if not len(rows):
        return changed
    cells = frame[name].astype(object).to_numpy(copy=True)
    if np.ndim(values):
        filled = np.empty(len(rows), dtype=object)
        filled[:] = list(values)
        cells[rows] = filled
    else:
        cells[rows] = values
    changed[name] = pd.Series(cells, index=frame.index, dtype=object)
    return changed


def put_numbers(frame: pd.DataFrame, name: str, rows: Positions, values: Any) -> pd.DataFrame:
    """Return a copy with numbers written at ``rows`` as the column spells them; null cells stay null."""
    column = frame[name]
    new = np.broadcast_to(np.asarray(values, dtype=np.float64), (len(rows),))
    kept = np.isfinite(new)
    rows, new = rows[kept], new[kept]
    # Twelve digits: 0.1 x 1000 is 100 in a source that rounds, not 100.00000000000001.
    texts = [f"{value:.{_DIGITS}g}" for value in new]
    if not pd.api.types.is_numeric_dtype(column.dtype):
        return put(frame, name, rows, texts)
    filled = column.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
    filled[rows] = [float(text) for text in texts]
    whole = pd.api.types.is_integer_dtype(column.dtype) and bool(np.all(filled == np.rint(filled)))
    changed = frame.copy()
    changed[name] = filled.astype(np.int64) if whole else filled
    return changed


def put_times(frame: pd.DataFrame, name: str, rows: Positions, values: pd.Series[Any]) -> pd.DataFrame:
    """Return a copy with times written at ``rows`` as the column spells them."""
    column = frame[name]
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        changed = frame.copy()
        moved = pd.to_datetime(column, utc=True).astype("datetime64[ns, UTC]").copy()
        moved.iloc[rows] = values.array
        changed[name] = moved if column.dt.tz is not None else moved.dt.tz_localize(None)
        return changed
    sample = str(column.dropna().iloc[0]).strip()
    return put(frame, name, rows, [_spelled(value, sample) for value in values])


def _spelled(value: pd.Timestamp, sample: str) -> str | None:
    """Write a time as ``sample`` is: ``T`` or a space between, ``Z`` or nothing behind."""
    if pd.isna(value):
        return None
    text = value.tz_convert("UTC").tz_localize(None).isoformat(sep="T" if "T" in sample else " ")
    if len(sample) == len("2026-01-05") and text.endswith("00:00:00"):
        return text[: len(sample)]
    zone = "Z" if sample.endswith("Z") else "+00:00" if sample.endswith("+00:00") else ""
    return text + zone
