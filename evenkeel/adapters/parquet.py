"""Read parquet with its own types, no more of it than its footer says and its size allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from evenkeel.domain.rows import Rows
from evenkeel.errors import DataRejected

if TYPE_CHECKING:
    from pathlib import Path

MAX_COLUMNS = 10_000
_MAGIC = b"PAR1"
_CELLS_ALWAYS_ALLOWED = 50_000_000
_CELLS_PER_BYTE = 100
_TEXT_ALWAYS_ALLOWED = 256 * 1024**2
_TEXT_PER_BYTE = 100
_EXACT_IN_FLOAT = 2**53


def read(path: Path, name: str) -> Rows:
    """Return the rows; an integer column with nulls that float64 could not hold exactly becomes ``Int64``.

    Raises:
        DataRejected: It is no parquet, is damaged (of a damaged file nothing is trusted), or would unpack to
            more than a file of its size may.
    """
    size = path.stat().st_size
    with _opened(path, name) as file:
        _check_cells(file.metadata, size, name)
        try:
            table = file.read()
            _check_text(table, size, name)
            table = _plain(table)
            table.validate(full=True)
            frame = _frame(table)
        except (OSError, ValueError, TypeError, OverflowError, MemoryError, pa.ArrowException) as error:
            raise _damaged(name, error) from None
        rows = file.metadata.num_rows
    if len(frame) != rows:
        raise DataRejected(f"{name}: {len(frame)} rows, its footer says {rows}", cause="data.not_the_format")
    return Rows(frame)


def columns(path: Path, name: str) -> list[str]:
    """Return the column names of the schema."""
    with _opened(path, name) as file:
        return list(file.schema_arrow.names)


def _opened(path: Path, name: str) -> pq.ParquetFile:
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(-min(4, path.stat().st_size), 2)
        tail = file.read(4)
    if head != _MAGIC:
        raise DataRejected(
            f"{name}: not a parquet file: it does not begin with PAR1", cause="data.not_the_format"
        )
    if tail != _MAGIC:
        raise DataRejected(f"{name}: the parquet file ends before its footer", cause="data.truncated")
    try:
        with pq.ParquetFile(path) as file:
            _check_names(file, name)
            texts = [f.name for f in file.schema_arrow if _is_text(f.type)]
        # As dictionaries texts take the room they take in the file, however often one is repeated.
        return pq.ParquetFile(path, read_dictionary=texts, page_checksum_verification=True)
    except (OSError, ValueError, TypeError, OverflowError, MemoryError, pa.ArrowException) as error:
        raise _damaged(name, error) from None


def _check_names(file: pq.ParquetFile, name: str) -> None:
    if file.metadata.num_columns > MAX_COLUMNS:
        raise DataRejected(
            f"{name}: {file.metadata.num_columns} columns, at most {MAX_COLUMNS} may come",
            cause="data.too_large",
        )
    names = file.schema_arrow.names
    if len(set(names)) < len(names):
        twice = next(n for n in names if names.count(n) > 1)
        raise DataRejected(f"{name}: column {twice!r} is named twice", cause="data.not_the_format")
    if not names:
        raise DataRejected(f"{name}: has no columns", cause="data.empty")
    leaves = (file.schema.column(i) for i in range(file.metadata.num_columns))
    # One row of lists may hold any number of values. That number stands only in metadata of column chunks,
    # which pyarrow cannot be asked for: where it is damaged the whole process aborts.
    if lists := [leaf.path for leaf in leaves if leaf.max_repetition_level]:
        raise DataRejected(
            f"{name}: column {lists[0].partition('.')[0]!r} holds lists, expected plain values",
            cause="data.not_the_format",
        )


def _check_cells(metadata: pq.FileMetaData, size: int, name: str) -> None:
    """Refuse a small file that claims more cells than memory holds: run-length encoding knows no bound."""
    limit = max(_CELLS_ALWAYS_ALLOWED, _CELLS_PER_BYTE * size)
    cells = metadata.num_rows * metadata.num_columns
    if not 0 <= cells <= limit:
        raise DataRejected(
            f"{name}: {metadata.num_rows} rows of {metadata.num_columns} columns in {size} bytes"
            ", more than possible",
            cause="data.too_large",
        )


def _check_text(table: pa.Table, size: int, name: str) -> None:
    """Refuse a small file whose few long texts stand in very many rows."""
    text = 0
    for chunk in (c for column in table.columns for c in column.chunks):
        if pa.types.is_dictionary(chunk.type) and len(chunk):
            lengths = pc.fill_null(pc.binary_length(chunk.dictionary), 0).to_numpy().astype(np.int64)
            indices = chunk.indices.drop_null().to_numpy()
            text += int(np.bincount(indices, minlength=len(lengths)) @ lengths)
    if text > max(_TEXT_ALWAYS_ALLOWED, _TEXT_PER_BYTE * size):
        raise DataRejected(
            f"{name}: {text} bytes of text in {size} bytes, more than a file of its size may hold",
            cause="data.too_large",
        )


def _plain(table: pa.Table) -> pa.Table:
    for at, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type) and _is_text(field.type.value_type):
            plain = table.column(at).cast(
                pa.large_string() if pa.types.is_string(field.type.value_type) else field.type.value_type
            )
            table = table.set_column(at, field.name, plain)
    return table


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_binary(kind))


def _frame(table: pa.Table) -> pd.DataFrame:
    exact = [c for c in dict.fromkeys(table.column_names) if _needs_exact_integers(table.column(c))]
    frame: pd.DataFrame = table.drop_columns(exact).to_pandas(ignore_metadata=True, split_blocks=True)
    for column in exact:
        values = table.column(column)
        mask = values.is_null().to_numpy()
        numbers = pc.fill_null(values, 0).to_numpy().astype(np.int64, copy=False)
        whole = pd.Series(pd.arrays.IntegerArray(numbers, mask), index=frame.index)
        frame.insert(table.column_names.index(column), column, whole)
    return frame


def _needs_exact_integers(values: pa.ChunkedArray) -> bool:
    if not values.null_count or not (pa.types.is_int64(values.type) or pa.types.is_uint64(values.type)):
        return False
    low, high = pc.min_max(values).as_py().values()
    return low is not None and max(abs(low), abs(high)) > _EXACT_IN_FLOAT


def _damaged(name: str, error: Exception) -> DataRejected:
    said = str(error).strip().splitlines() or [type(error).__name__]
    return DataRejected(f"{name}: a damaged parquet file: {said[0][:200]}", cause="data.not_the_format")
