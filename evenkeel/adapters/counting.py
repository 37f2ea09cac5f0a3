"""Count the rows of a landed file on a way of its own, so that the audit does not trust the reader."""

from __future__ import annotations

import csv
import gzip
import io
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from evenkeel.errors import DataRejected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from evenkeel.domain.batch import LandedFile

_MAX_CELL = 16 * 1024 * 1024


def count_rows(file: tuple[LandedFile, Path]) -> int:
    """Return the number of rows of a landed file: from the parquet footer, or by going through the text.

    Blank lines are no rows. Nothing is shared with :mod:`evenkeel.adapters.reading`.

    Raises:
        DataRejected: The file cannot be gone through to its end.
    """
    landed, path = file
    try:
        if landed.format == "parquet":
            return int(pq.read_metadata(path).num_rows)
        if landed.format == "jsonl":
            with path.open("rb") as lines:
                return sum(1 for line in lines if line.strip())
        return _count_csv(path, gzipped=landed.format == "csv.gz")
    except (OSError, EOFError, ValueError, csv.Error) as error:
        raise DataRejected(
            f"{landed.name}: rows cannot be counted: {error}", cause="data.not_the_format"
        ) from None


def _count_csv(path: Path, *, gzipped: bool) -> int:
    csv.field_size_limit(_MAX_CELL)
    # Rows do not depend on the encoding of their cells.
    with (
        path.open("rb") as raw,
        io.TextIOWrapper(
            gzip.GzipFile(fileobj=raw) if gzipped else raw, encoding="latin-1", newline=""
        ) as text,
    ):
        rows = sum(1 for row in csv.reader(_without_mark(text)) if row)
    return max(rows - 1, 0)


def _without_mark(text: io.TextIOWrapper) -> Iterator[str]:
    """Drop a byte-order mark, which would hide a quote that opens the first cell."""
    for number, line in enumerate(text):
        yield line.removeprefix("\xef\xbb\xbf") if number == 0 else line
