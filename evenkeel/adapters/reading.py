"""Read landed files as they came: text cells of csv and jsonl as text, parquet with its own types."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from evenkeel.adapters import csv_text, json_lines, parquet
from evenkeel.adapters.counting import count_rows
from evenkeel.adapters.formats import CSV, CSV_GZ, JSONL, PARQUET
from evenkeel.adapters.unreadable import refuse_any
from evenkeel.domain.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from evenkeel.adapters.fetched import Fetched
    from evenkeel.domain.batch import LandedFile

__all__ = ["columns_of", "count_rows", "read", "read_fetched"]

_READERS: dict[str, Callable[[Path, str], Rows]] = {
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
    """Return the rows of a batch's files, one after the other, and the lines of them that are no row.

    Cells of csv and jsonl are str or None (in csv only the empty cell is null, so ``007`` and ``NA`` stay);
    parquet keeps its types. Another encoding or delimiter than UTF-8 and the comma is recognised, a file that
    was cut short is read as far as it goes; both are noted. Every record that
    :func:`evenkeel.adapters.counting.count_rows` counts is a row or an unreadable line.

    Raises:
        DataRejected: A file is empty, not the format it says or too large, or more of its lines cannot be
            read than can; the message names the file and, where known, the line.
    """
    read = [_READERS[file.format](path, file.name) for file, path in files]
    if len(read) == 1:
        return read[0]
    return Rows(
        frame=pd.concat([r.frame for r in read], ignore_index=True),
        unreadable=tuple(line for r in read for line in r.unreadable),
        notes=tuple(note for r in read for note in r.notes),
    )


def read_fetched(file: Fetched) -> pd.DataFrame:
    """Return the rows of a file that is not landed.

    Raises:
        DataRejected: As :func:`read`, or a line of it is no row, or it was cut short.
    """
    rows = _READERS[file.format](file.path, file.name)
    refuse_any(rows.unreadable, rows.notes)
    return rows.frame


def columns_of(file: LandedFile, path: Path) -> list[str]:
    """Return a landed file's columns from its header, schema or first line only.

    Raises:
        DataRejected: As :func:`read`.
    """
    return _HEADERS[file.format](path, file.name)
