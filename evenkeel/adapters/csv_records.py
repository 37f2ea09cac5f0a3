r"""Divide the physical lines of a csv file into records: one rule for sound and damaged files alike.

The rule, which :mod:`evenkeel.adapters.counting` keeps a second time in its own words:

- A physical line ends with ``\n``, ``\r\n`` or ``\r``; one without any other byte is blank and no record, unless it
  lies in a quoted cell. A quote opens a cell only where the cell begins, and ``""`` in such a cell is a quote.
- The first line that is not blank is the header, or begins it. Its names, parted by the delimiter, are n cells.
- The delimiter is the comma, unless the header's line holds none: then it is the one of ``;``, tab and ``|`` that
  stands in it most often (the first of equals) if at least half of the next 20 lines that are not blank, or no
  line at all, hold it as often or oftener.
- A line at whose end no quoted cell is open is a record.
- A line at whose end one is open goes on through the line in which that cell, or a later one, closes for good, if
  every quoted cell of it all is followed by a delimiter or the end, if the cells are n (for the header: any
  number), if it spans at most 10,000 lines and 4 MiB (line ends apart), and if the lines are not so many rows
  that one stray quote swallowed: each of k lines having n - 1 delimiters, and (k - 1) * (n - 1) being 6 or more.
  Otherwise that line alone is a record, one that nobody can read, and the next line begins another.

Quoting follows RFC 4180; csv of other quoting than this is read as Python's csv module reads it.
"""

from __future__ import annotations

import csv
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from evenkeel.errors import DataRejected

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_COLUMNS = 10_000
_MAX_CELL = 32 * 1024 * 1024  # above what a line may hold, so that csv's own limit never decides
_MOST_LINES = 10_000
_MOST_BYTES = 4 * 1024 * 1024
_BY_ACCIDENT = 6
_DELIMITERS = (b";", b"\t", b"|")
_LOOKED_AT = 20
_Numbered = tuple[int, bytes]


class Record(NamedTuple):
    """A record of a csv file.

    Attributes:
        line: Number of its first physical line, from 1.
        raw: Its bytes with the line end.
        cells: Its cells, each byte a character (latin-1); None where it holds no quote.
        closed: Whether its quotes are.
    """

    line: int
    raw: bytes
    cells: list[str] | None
    closed: bool


class Records:
    """The records of a csv file after its header.

    Attributes:
        delimiter: One byte.
        header: The header's cells, each byte a character (latin-1).
    """

    def __init__(self, lines: Iterator[bytes], name: str) -> None:
        """Read the header.

        Raises:
            DataRejected: There is none, its quotes never close, or it names more than 10,000 columns.
        """
        csv.field_size_limit(_MAX_CELL)
        self._source = enumerate(lines, 1)
        self._ahead: deque[_Numbered] = deque()
        self.last = 0
        first = next((line for _, line in self._taken() if line.strip(b"\r\n")), None)
        if first is None:
            raise DataRejected(f"{name}: has no header and no rows", cause="data.empty")
        self.delimiter = self._told_delimiter(first)
        if first.count(self.delimiter) >= MAX_COLUMNS:
            raise _too_wide(name, first.count(self.delimiter) + 1)
        self._cells = 0
        record = self._record(self.last, first)
        if not record.closed:
            raise DataRejected(
                f"{name}: line {record.line}: the header opens a quote that never closes",
                cause="data.not_the_format",
            )
        self.header = record.cells or _plain(record.raw, self.delimiter)
        self._cells = len(self.header)
        if self._cells > MAX_COLUMNS:
            raise _too_wide(name, self._cells)

    def __iter__(self) -> Iterator[Record]:
        """Yield the records."""
        for number, line in self._taken():
            if b'"' in line:
                yield self._record(number, line)
            elif line not in {b"\n", b"\r\n", b"\r"}:
                yield Record(number, line, None, closed=True)

    def _taken(self) -> Iterator[_Numbered]:
        """Yield the lines that are next, those looked at ahead and given back among them."""
        while True:
            item = self._ahead.popleft() if self._ahead else next(self._source, None)
            if item is None:
                return
            self.last = item[0]
            yield item

    def _told_delimiter(self, header: bytes) -> bytes:
        if b"," in header:
            return b","
        likely = max(_DELIMITERS, key=header.count)
        often = header.count(likely)
        seen = self.last
        following: list[_Numbered] = []
        looked_at = agreeing = 0
        for item in self._taken():
            following.append(item)
            looked_at += bool(item[1].strip(b"\r\n"))
            agreeing += item[1].count(likely) >= often
            if looked_at == _LOOKED_AT:
                break
        self._ahead.extendleft(reversed(following))
        self.last = seen
        return likely if often and 2 * agreeing >= looked_at else b","

    def _record(self, number: int, line: bytes) -> Record:
        by_itself = csv.reader(iter([_text(line), ""]), delimiter=self.delimiter.decode())
        cells = next(by_itself)
        if by_itself.line_num == 1:
            return Record(number, line, cells, closed=True)
        taken: list[_Numbered] = []
        try:
            cells = next(
                csv.reader(self._followed(line, taken), delimiter=self.delimiter.decode(), strict=True)
            )
        except csv.Error:
            cells = []
        lines = [line, *(following for _, following in taken)]
        if cells and self._cells in {0, len(cells)} and not self._swallowed(lines):
            return Record(number, b"".join(lines), cells, closed=True)
        self._ahead.extendleft(reversed(taken))
        self.last = number
        return Record(number, line, None, closed=False)

    def _followed(self, line: bytes, taken: list[_Numbered]) -> Iterator[str]:
        """Yield a line and those after it, as far as a record may go; what was yielded is in ``taken``."""
        yield _text(line)
        size, within = len(line.rstrip(b"\r\n")), []
        for item in self._taken():
            taken.append(item)
            size += len(item[1].rstrip(b"\r\n"))
            if len(taken) >= _MOST_LINES or size > _MOST_BYTES:
                return
            within.append(item[1])
            if b'"' in item[1]:  # no other line can close the cell
                yield _text(b"".join(within))
                within = []

    def _swallowed(self, lines: list[bytes]) -> bool:
        delimiters = self._cells - 1
        return (len(lines) - 1) * delimiters >= _BY_ACCIDENT and all(
            line.count(self.delimiter) == delimiters for line in lines
        )


def _too_wide(name: str, columns: int) -> DataRejected:
    return DataRejected(f"{name}: {columns} columns, at most {MAX_COLUMNS} may come", cause="data.too_large")


def _text(line: bytes) -> str:
    return line.decode("latin-1")


def _plain(line: bytes, delimiter: bytes) -> list[str]:
    return _text(line.rstrip(b"\r\n")).split(delimiter.decode())
