"""Read parquet with its own types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from evenkeel.errors import DataRejected

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC = b"PAR1"
_CELLS_ALWAYS_ALLOWED = 50_000_000
_CELLS_PER_BYTE = 100
_EXACT_IN_FLOAT = 2**53


def read(path: Path, name: str) -> pd.DataFrame:
    """Return the rows; an integer column with nulls that float64 could not hold exactly becomes ``Int64``."""
    with _opened(path, name) as file:
        _check_size(file.metadata, path, name)
        try:
            table = file.read()
        except (OSError, pa.ArrowException) as error:
            raise _damaged(name, error) from None
    exact = [c for c in dict.fromkeys(table.column_names) if _needs_exact_integers(table.column(c))]
    frame: pd.DataFrame = table.drop_columns(exact).to_pandas(ignore_metadata=True, split_blocks=True)
    for column in exact:
        values = table.column(column)
        mask = values.is_null().to_numpy()
        numbers = pc.fill_null(values, 0).to_numpy().astype(np.int64, copy=False)
        whole = pd.Series(pd.arrays.IntegerArray(numbers, mask), index=frame.index)
        frame.insert(table.column_names.index(column), column, whole)
    return frame


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
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise _damaged(name, error) from None
    names = file.schema_arrow.names
    if len(set(names)) < len(names):
        file.close()
        twice = next(n for n in names if names.count(n) > 1)
        raise DataRejected(f"{name}: column {twice!r} is named twice", cause="data.not_the_format")
    if not names:
        file.close()
        raise DataRejected(f"{name}: has no columns", cause="data.empty")
    return file


def _check_size(metadata: pq.FileMetaData, path: Path, name: str) -> None:
    """Refuse a small file that claims more cells than memory holds: run-length encoding knows no bound."""
    size = path.stat().st_size
    cells = metadata.num_rows * metadata.num_columns
    if cells > max(_CELLS_ALWAYS_ALLOWED, _CELLS_PER_BYTE * size):
        raise DataRejected(
            f"{name}: {metadata.num_rows} rows of {metadata.num_columns} columns in {size} bytes"
            ", more than possible",
            cause="data.too_large",
        )


def _needs_exact_integers(values: pa.ChunkedArray) -> bool:
    if not values.null_count or not (pa.types.is_int64(values.type) or pa.types.is_uint64(values.type)):
        return False
    low, high = pc.min_max(values).as_py().values()
    return low is not None and max(abs(low), abs(high)) > _EXACT_IN_FLOAT


def _damaged(name: str, error: Exception) -> DataRejected:
    said = str(error).strip().splitlines() or [type(error).__name__]
    return DataRejected(f"{name}: a damaged parquet file: {said[0][:200]}", cause="data.not_the_format")
