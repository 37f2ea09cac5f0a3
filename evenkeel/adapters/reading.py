"""Read landed files as they came: text cells of csv and jsonl as text, parquet with its own types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from evenkeel.adapters import csv_text, json_lines, parquet
from evenkeel.adapters.counting import count_rows
from evenkeel.adapters.formats import CSV, CSV_GZ, JSONL, PARQUET
from evenkeel.domain.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from evenkeel.adapters.fetched import Fetched
    from evenkeel.domain.batch import LandedFile

__all__ = ["columns_of", "count_rows", "read", "read_fetched"]

_READERS: dict[str, Callable[[Path, str], pd.DataFrame]] = {
    CSV: csv_text.read,
    CSV_GZ: csv_text.read_gzipped,
    JSONL: json_lines.read,
    PARQUET: parquet.read,
}
_HEADERS: dict[str, Callable[[Path, str], list[str]]] = {
    CSV: csv_text.columns,
    CSV_GZ: csv_text.columns_gzipped,
    JSONL: json_lines.columns,
    PARQUET: parquet.columns,
}


def read(files: Sequence[tuple[LandedFile, Path]]) -> Rows:
    """Return the rows of a batch's files, one after the other.

    Cells of csv and jsonl are str or None (in csv only the empty cell is null, so ``007`` and ``NA`` stay);
    parquet keeps its types.

    Raises:
        DataRejected: A file is empty, cut short, not the format it says, wrongly encoded or too large;
            the message names the file and, where known, the line.
    """
    frames = [_READERS[file.format](path, file.name) for file, path in files]
    return Rows(frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True))


def read_fetched(file: Fetched) -> pd.DataFrame:
    """Return the rows of a file that is not landed; strict: a line that is no row refuses it."""
    return _READERS[file.format](file.path, file.name)


def columns_of(file: LandedFile, path: Path) -> list[str]:
    """Return a landed file's columns from its header, schema or first line only.

    Raises:
        DataRejected: As :func:`read`.
    """
    return _HEADERS[file.format](path, file.name)
