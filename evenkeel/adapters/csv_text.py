"""Read csv: every cell as text, only the empty cell null; a line that is no row is kept apart."""

from __future__ import annotations

import io
from collections import Counter
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from evenkeel.adapters import legacy_encodings
from evenkeel.adapters.csv_records import Records
from evenkeel.adapters.csv_rows import CsvRows
from evenkeel.adapters.decimal_commas import with_points
from evenkeel.adapters.text_file import TextFile
from evenkeel.adapters.unreadable import Unreadable
from evenkeel.domain.rows import ReadingNote, Rows
from evenkeel.errors import DataRejected

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

_BLOCK = 16 * 1024 * 1024


def read(path: Path, name: str) -> Rows:
    """Return a csv file's rows and the lines that are none; DataRejected where it is no csv as a whole."""
    return _read(TextFile(path, name))


def read_gzipped(path: Path, name: str) -> Rows:
    """Return those of a gzipped csv file, unpacked no further than its size allows."""
    return _read(TextFile(path, name, gzipped=True))


def columns(path: Path, name: str) -> list[str]:
    """Return the header of a csv file."""
    return list(_Header(TextFile(path, name)).names)


def columns_gzipped(path: Path, name: str) -> list[str]:
    """Return the header of a gzipped csv file."""
    return list(_Header(TextFile(path, name, gzipped=True)).names)


_MARKUP = ("<!doctype", "<html", "<?xml")  # what a web server says instead of a file


class _Header:
    """How a file is to be read: its encoding, delimiter and column names."""

    def __init__(self, file: TextFile, encoding: str = "") -> None:
        name = file.name
        if file.binary:
            raise DataRejected(f"{name}: binary data, expected csv text", cause="data.not_the_format")
        records = Records(file.lines(), name)
        self.delimiter = records.delimiter
        raw = [cell.encode("latin-1") for cell in records.header]
        self.encoding = encoding or _encoding_of(raw, name)
        self.names = [cell.decode(self.encoding) for cell in raw]
        if any("\x00" in n for n in self.names):
            raise DataRejected(f"{name}: binary data, expected csv text", cause="data.not_the_format")
        if self.names[0].lstrip().lower().startswith(_MARKUP):
            raise DataRejected(
                f"{name}: a page of markup, expected csv text: it begins with {self.names[0][:40]!r}",
                fix="see what the source answers instead of its file",
                cause="data.not_the_format",
            )
        if twice := [c for c, n in Counter(self.names).items() if n > 1]:
            raise DataRejected(
                f"{name}: line 1: column {twice[0]!r} is named twice", cause="data.not_the_format"
            )


def _encoding_of(header: list[bytes], name: str) -> str:
    line = b",".join(header)
    try:
        line.decode()
    except UnicodeDecodeError as error:
        encoding = legacy_encodings.recognised([line], fewest=1)
        if encoding is None:
            raise DataRejected(
                f"{name}: line 1: byte 0x{line[error.start]:02x} is not UTF-8 text",
                fix="have the source write UTF-8",
                cause="data.wrong_encoding",
            ) from None
        return encoding
    return "utf-8"


def _read(file: TextFile) -> Rows:
    header = _Header(file)
    table = _read_sound(file, header) if header.encoding == "utf-8" else None
    if table is not None:
        return _rows(file, header, table, Unreadable(file, "utf-8"))
    table, scan = _read_damaged(file, header)
    if header.encoding == "utf-8" and (encoding := scan.unreadable.legacy_encoding()):
        header = _Header(file, encoding)
        table, scan = _read_damaged(file, header)
    scan.unreadable.judge(scan.rows)
    return _rows(file, header, table, scan.unreadable)


def _rows(file: TextFile, header: _Header, table: pa.Table, unreadable: Unreadable) -> Rows:
    notes = unreadable.notes()
    if header.delimiter != b",":
        table, converted = with_points(table)
        said = f"{file.name}: cells are parted by {header.delimiter.decode()!r}, expected ','"
        evidence = {"delimiter": header.delimiter.decode(), "decimal_commas": converted}
        notes.append(ReadingNote("data.wrong_delimiter", said, evidence))
    frame: pd.DataFrame = table.to_pandas()
    return Rows(frame, tuple(unreadable.lines), tuple(notes))


def _read_sound(file: TextFile, header: _Header) -> pa.Table | None:
    """Return the rows in one pass, None unless every line is a row for certain."""
    with file.open() as opened:
        watched = _Watched(opened)
        try:
            table = _parse(watched, header, include_header=True)
        except pa.ArrowInvalid:
            return None
    one_each = watched.lines == table.num_rows + 1 and not (watched.quotes % 2 or watched.zeros)
    if not one_each or file.cut or table.column_names != header.names or _header_again(table, header):
        return None
    return table


def _header_again(table: pa.Table, header: _Header) -> bool:
    """Say whether the header stands among the rows."""
    if len(header.names) == 1:
        return False  # a cell that is worded like its column is a cell
    again = None
    for name, cells in zip(header.names, table.columns, strict=True):
        same = pc.fill_null(pc.equal(cells, name), not name)
        again = same if again is None else pc.and_(again, same)
        if not pc.any(again).as_py():
            return False
    return bool(table.num_rows)


def _read_damaged(file: TextFile, header: _Header) -> tuple[pa.Table, CsvRows]:
    scan = CsvRows(file, header.encoding)
    with scan.stream() as stream:
        try:
            table = _parse(stream, header, include_header=False)
        except pa.ArrowInvalid as error:
            raise _not_csv(file.name, str(error)) from None
    if table.num_rows != scan.rows:
        raise _not_csv(file.name, "quotes that two readers understand differently")
    return table, scan


def _not_csv(name: str, said: str) -> DataRejected:
    return DataRejected(f"{name}: not csv: {said.splitlines()[0]}", cause="data.not_the_format")


def _parse(stream: BinaryIO | io.RawIOBase, header: _Header, *, include_header: bool) -> pa.Table:
    names = [] if include_header else header.names
    try:
        return pa_csv.read_csv(
            pa.PythonFile(stream, mode="r"),
            read_options=pa_csv.ReadOptions(block_size=_BLOCK, column_names=names or None),
            parse_options=pa_csv.ParseOptions(
                delimiter=header.delimiter.decode(), newlines_in_values=True, ignore_empty_lines=True
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(header.names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" not in str(error):
            raise
        return pa.table({n: pa.array([], pa.string()) for n in header.names})


class _Watched(io.RawIOBase):
    """A stream whose lines, quotes and zero bytes are counted as they pass."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._last = b"\n"
        self._ends = 0
        self.quotes = 0
        self.zeros = 0

    @property
    def lines(self) -> int:
        """Physical lines so far."""
        return self._ends + (self._last not in {b"\n", b"\r"})

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self.quotes += chunk.count(b'"')
        self.zeros += chunk.count(b"\x00")
        returns = chunk.count(b"\r")
        self._ends += chunk.count(b"\n") + returns
        if returns or self._last == b"\r":
            self._ends -= chunk.count(b"\r\n") + (self._last == b"\r" and chunk.startswith(b"\n"))
        self._last = chunk[-1:] or self._last
        return chunk
