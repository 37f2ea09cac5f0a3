"""Part the rows of a csv file from the lines that are none."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING

from evenkeel.adapters.csv_records import Record, Records
from evenkeel.adapters.unreadable import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evenkeel.adapters.text_file import TextFile

_ENDS = (b"\n", b"\r")
_FOOTER_LINES = 5
_FOOTER = re.compile(
    rb"\W*(grand |sub)?(total|sum|count|rows|records|end|eof|trailer|footer|generated)\b", re.IGNORECASE
)


class CsvRows:
    """One pass over a csv file: its rows, and what is no row.

    Attributes:
        rows: Number of rows; complete, as what follows, once the stream has been read.
        unreadable: Lines that are none.
    """

    def __init__(self, file: TextFile, encoding: str) -> None:
        """Read the header only.

        Args:
            file: The file.
            encoding: What its lines are read as.
        """
        self.rows = 0
        self.unreadable = Unreadable(file, encoding)
        self._file = file
        self._encoding = encoding
        self._records = Records(file.lines(), file.name)
        self._delimiter = self._records.delimiter.decode()
        self._last_row = 0

    def stream(self) -> io.RawIOBase:
        """Return the rows as UTF-8 csv without a header."""
        return _Joined(self._pieces())

    def _pieces(self) -> Iterator[bytes]:
        delimiter = self._records.delimiter
        header = self._records.header
        delimiters = len(header) - 1
        again = {self._delimiter.join(header).encode("latin-1") + e for e in (b"\n", b"\r\n", b"\r")}
        for record in self._records:
            raw = record.raw
            if (
                record.cells is None
                and record.closed
                and raw.count(delimiter) == delimiters
                and raw.isascii()
                and b"\x00" not in raw
                and raw.endswith(_ENDS)
                and raw not in again
            ):
                self.rows += 1
                self._last_row = record.line
                yield raw
            elif piece := self._piece(record):
                self.rows += 1
                self._last_row = record.line
                yield piece
            elif self.unreadable.hopeless(self.rows):
                break
        self.unreadable.note_end()
        self._name_footer()

    def _piece(self, record: Record) -> bytes:
        """Return a row's line; nothing where the record is none, which is then noted."""
        raw = record.raw.rstrip(b"\r\n")
        cells = record.cells or raw.decode("latin-1").split(self._delimiter)
        check, found = self._wrong(record, raw, cells)
        if not record.raw.endswith(_ENDS) and self._ends_within(check, raw, cells):
            self.unreadable.add_cut(record.line, raw)
        elif check:
            self.unreadable.add(record.line, raw, check, found)
        else:
            self.unreadable.beyond_ascii += not raw.isascii()
            line = raw + b"\n"
            return line if self._encoding == "utf-8" else line.decode(self._encoding).encode()
        return b""

    def _wrong(self, record: Record, raw: bytes, cells: list[str]) -> tuple[str, str]:
        header = self._records.header
        if not record.closed:
            return "quote", "a quote that never closes"
        if damage := self.unreadable.damage(raw):
            return "encoding", damage
        if len(cells) != len(header):
            return "ragged", f"{len(cells)} cells, expected {len(header)}"
        if cells == header and len(header) > 1:
            return "repeated_header", "the header again"
        return "", ""

    def _ends_within(self, check: str, raw: bytes, cells: list[str]) -> bool:
        """Say whether a last line without a line end was cut: for certain if what it was packed in was."""
        if self._file.cut:
            return True
        lines = self.unreadable.lines
        after_another = bool(lines) and lines[-1].line > self._last_row
        short = len(cells) <= len(self._records.header)
        return bool(check) and short and not after_another and not _FOOTER.match(raw)

    def _name_footer(self) -> None:
        """Tell the lines that close a report from damage in the midst: few, and no row after them."""
        lines = self.unreadable.lines
        after = list(
            takewhile(lambda i: lines[i].line > self._last_row, range(len(lines) - 1, -1, -1)),
        )
        if len(after) > _FOOTER_LINES:
            return
        for at in after:
            if lines[at].check == "ragged" and not (self.unreadable.cut and at == len(lines) - 1):
                lines[at] = replace(lines[at], check="footer")


class _Joined(io.RawIOBase):
    """A stream of the pieces that an iterator gives."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        parts: list[bytes] = []
        length = 0
        while length < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            parts.append(piece)
            length += len(piece)
        return b"".join(parts)
