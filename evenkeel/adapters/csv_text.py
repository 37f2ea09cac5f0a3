"""Read csv: every cell as text, only the empty cell null."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc

from evenkeel.adapters.bounded import Gunzipped
from evenkeel.errors import DataRejected

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = 16 * 1024 * 1024
_CHUNK = 1024 * 1024
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_Opener = Callable[[], BinaryIO]


def read(path: Path, name: str) -> pd.DataFrame:
    """Return a csv file's rows; DataRejected names the file and the line where it is not one."""
    return _read(lambda: path.open("rb"), name)


def read_gzipped(path: Path, name: str) -> pd.DataFrame:
    """Return a gzipped csv file's rows, unpacked no further than its size allows."""
    return _read(lambda: io.BufferedReader(Gunzipped(path, name), _CHUNK), name)


def columns(path: Path, name: str) -> list[str]:
    """Return the header of a csv file."""
    with path.open("rb") as file:
        return _header(file, name)[0]


def columns_gzipped(path: Path, name: str) -> list[str]:
    """Return the header of a gzipped csv file."""
    with io.BufferedReader(Gunzipped(path, name), _CHUNK) as file:
        return _header(file, name)[0]


def _read(opened: _Opener, name: str) -> pd.DataFrame:
    with opened() as file:
        header, only = _header(file, name)
    if only:
        return pd.DataFrame({c: pd.Series([], dtype=object) for c in header})
    text = pa.string()
    with opened() as file:
        watched = _Watched(file)
        try:
            table = pc.read_csv(
                pa.PythonFile(watched, mode="r"),
                read_options=pc.ReadOptions(block_size=_BLOCK),
                parse_options=pc.ParseOptions(newlines_in_values=True, ignore_empty_lines=True),
                convert_options=pc.ConvertOptions(
                    column_types=dict.fromkeys(header, text),
                    null_values=[""],
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=True,
                ),
            )
        except pa.ArrowInvalid as error:
            raise _explained(opened, name, header, str(error)) from None
    if watched.quotes % 2:
        _check_quotes(opened, name)
    frame: pd.DataFrame = table.to_pandas()
    return frame


class _Watched(io.RawIOBase):
    """A file whose quote characters are counted as they pass: an odd number means one never closes."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.quotes = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self.quotes += chunk.count(b'"')
        return chunk


def _header(file: BinaryIO, name: str) -> tuple[list[str], bool]:
    """Return the column names, and whether nothing follows them."""
    start = file.read(_CHUNK)
    if start.startswith(_UTF16):
        raise _encoding(name, "UTF-16", "the first bytes")
    try:
        # A character may be cut where the chunk ends: incremental, so that only what is there is judged.
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(start)
    except UnicodeDecodeError as error:
        line = start[: error.start].count(b"\n") + 1
        raise _encoding(name, f"byte 0x{start[error.start]:02x}", f"line {line}") from None
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        header = next((r for r in rows if r), None)
        more = next((r for r in rows if r), None)
    except csv.Error as error:
        raise DataRejected(f"{name}: line {rows.line_num}: {error}", cause="data.not_the_format") from None
    if header is None:
        raise DataRejected(f"{name}: has no header and no rows", cause="data.empty")
    if "\x00" in text[:_CHUNK] or start.startswith((b"PAR1", b"\x1f\x8b", b"PK")):
        raise DataRejected(f"{name}: binary data, expected csv text", cause="data.not_the_format")
    if twice := [c for c, n in Counter(header).items() if n > 1]:
        raise DataRejected(f"{name}: line 1: column {twice[0]!r} is named twice", cause="data.not_the_format")
    return header, more is None and len(start) < _CHUNK


def _explained(opened: _Opener, name: str, header: list[str], said: str) -> DataRejected:
    """Find the first line that is wrong, now that it is known that one is."""
    with opened() as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return _encoding(name, f"byte 0x{line[error.start]:02x}", f"line {number}")
    with opened() as file:
        rows = csv.reader(_lines(file))
        try:
            for row in rows:
                if row and len(row) != len(header):
                    at = rows.line_num
                    cut = next(rows, None) is None and len(row) < len(header) and not _ends_a_line(opened)
                    return DataRejected(
                        f"{name}: line {at}: {len(row)} cells, expected {len(header)}"
                        + (": the file ends in the middle of a row" if cut else ""),
                        cause="data.truncated" if cut else "data.not_the_format",
                        evidence={"line": at, "cells": len(row), "columns": len(header)},
                    )
        except csv.Error as error:
            return DataRejected(f"{name}: line {rows.line_num}: {error}", cause="data.not_the_format")
    return DataRejected(f"{name}: not csv: {said.splitlines()[0]}", cause="data.not_the_format")


def _check_quotes(opened: _Opener, name: str) -> None:
    with opened() as file:
        rows = csv.reader(_lines(file), strict=True)
        try:
            for _ in rows:
                pass
        except csv.Error as error:
            if "end of data" in str(error):
                raise DataRejected(
                    f"{name}: the file ends inside a quoted cell", cause="data.truncated"
                ) from None


def _lines(file: BinaryIO) -> Iterator[str]:
    return iter(io.TextIOWrapper(file, encoding="utf-8-sig", newline=""))


def _ends_a_line(opened: _Opener) -> bool:
    last = b""
    with opened() as file:
        while chunk := file.read(_CHUNK):
            last = chunk[-1:]
    return last in {b"\n", b"\r"}


def _encoding(name: str, found: str, where: str) -> DataRejected:
    return DataRejected(
        f"{name}: {where}: {found} is not UTF-8 text",
        fix="have the source write UTF-8",
        cause="data.wrong_encoding",
    )
