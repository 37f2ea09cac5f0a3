"""Read a column by its kind without loss, vectorised: what cannot be read is marked, never guessed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from evenkeel.quality.readers import native_values, reader_for

if TYPE_CHECKING:
    from collections.abc import Collection

    from evenkeel.quality.kind import Kind

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Coerced:
    """A column, typed.

    Attributes:
        values: Index as it came. numeric: float64; categorical: object of str and None; boolean: pandas
            ``boolean``; time: datetime64[ns, UTC]; a whole-numbered key: pandas ``Int64``. Unreadable
            cells are null.
        flawed: Check -> mask of the cells that break it: ``dtype`` (not readable as the kind) and
            ``finite`` (infinite). Checks that no cell breaks are left out.
    """

    values: pd.Series[Any]
    flawed: dict[str, Mask] = field(default_factory=dict)


def coerce_column(
    column: pd.Series[Any],
    kind: Kind,
    *,
    whole: bool = False,
    key: bool = False,
    time_format: str | None = None,
    null_texts: Collection[str] = (),
) -> Coerced:
    """Read a column by its kind.

    Numbers may be text (``1e3``, spaces around), booleans true/false, yes/no or 1/0, times ISO 8601 text
    (without a zone read as UTC). Empty text is null everywhere, ``nan`` is null among numbers. Whole numbers
    where text is expected become their digits; no other retyping is done. Categories keep their spaces.

    Args:
        column: As it came: text cells of csv, any cells of JSON lines, typed columns of parquet.
        kind: What to read it as.
        whole: Numbers must be whole.
        key: Whole numbers are kept exact as ``Int64`` where a float would round them.
        time_format: strptime format of text times that are not ISO 8601.
        null_texts: Texts that stand for a missing value, as ``NA``.
    """
    if null_texts:
        column = column.mask(column.isin(list(null_texts)))
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    exact = whole and key
    native = native_values(column, kind, exact=exact)
    values, unreadable = native if native is not None else _from_cells(column, kind, exact, time_format)
    flawed = {"dtype": unreadable}
    if kind == "numeric" and not exact:
        numbers = values.to_numpy()
        flawed["finite"] = np.isinf(numbers)
        if whole:
            broken = np.isfinite(numbers) & (numbers != np.rint(numbers))
            values = values.mask(broken)
            flawed["dtype"] = unreadable | broken
    values.index = column.index
    return Coerced(values, {check: mask for check, mask in flawed.items() if mask.any()})


def null_column(index: pd.Index, kind: Kind) -> pd.Series[Any]:
    """Return an all-null column of a kind, for an optional column that a batch lacks."""
    return coerce_column(pd.Series([None] * len(index), index=index, dtype=object), kind).values


def _from_cells(
    column: pd.Series[Any], kind: Kind, exact: bool, time_format: str | None
) -> tuple[pd.Series[Any], Mask]:
    """Read cell by cell where types are mixed, all text at once."""
    reader = reader_for(kind, exact=exact, time_format=time_format)
    cells = column.to_numpy(dtype=object)
    null = np.asarray(pd.isna(cells), dtype=np.bool_)
    if pd.api.types.infer_dtype(cells, skipna=True) == "string":
        is_text = ~null
    else:
        is_text = np.fromiter((isinstance(c, str) for c in cells), dtype=np.bool_, count=len(cells))
    values = np.full(len(cells), reader.missing, dtype=reader.dtype)
    unreadable = np.zeros(len(cells), dtype=np.bool_)
    texts, encodable = _arrow(cells[is_text])
    where = np.flatnonzero(is_text)
    unreadable[where[~encodable]] = True
    where = where[encodable]
    filled = pc.not_equal(pc.utf8_trim_whitespace(texts), "").to_numpy(zero_copy_only=False)
    where, texts = where[filled], texts.filter(pa.array(filled))
    values[where], readable = reader.text(texts, cells[where])
    unreadable[where[~readable]] = True
    for position in np.flatnonzero(~is_text & ~null):
        try:
            values[position] = reader.cell(cells[position])
        except (TypeError, ValueError, OverflowError):
            unreadable[position] = True
    null[is_text] = True
    null[where[readable]] = False
    return reader.finish(values, null | unreadable), unreadable


def _arrow(cells: npt.NDArray[np.object_]) -> tuple[pa.Array, Mask]:
    """Return the texts that can be written as UTF-8, and which they are (half a surrogate pair cannot)."""
    encodable = np.ones(len(cells), dtype=np.bool_)
    try:
        texts = pa.array(cells, type=pa.large_string())
    except UnicodeEncodeError:
        encodable = np.fromiter((_encodes(c) for c in cells), dtype=np.bool_, count=len(cells))
        texts = pa.array(cells[encodable], type=pa.large_string())
    return texts, encodable


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
