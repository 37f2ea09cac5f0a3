"""Read the data file that a person names, as landed files are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenkeel.adapters import reading, sources
from evenkeel.domain.batch import LandedFile
from evenkeel.errors import DataRejected, UsageError

if TYPE_CHECKING:
    from evenkeel.domain.rows import Rows


def read_source(path: str) -> Rows:
    """Return the rows of a csv, csv.gz, jsonl or parquet file or URL.

    Raises:
        UsageError: It is missing, empty, or cannot be read.
    """
    file = sources.fetch_files([path])[0]
    try:
        rows = reading.read([(LandedFile(file.name, "", file.size, file.source, file.format), file.path)])
    except DataRejected as error:
        raise UsageError(error.message, fix=error.fix or "correct the file", cause=error.cause) from error
    if rows.frame.empty:
        raise UsageError(f"{path}: has no rows", fix="give a file with some of the history")
    return rows
