"""Count the records of csv by the rule of :mod:`evenkeel.adapters.csv_records`, without parsing a cell."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 10_000, 4 * 1024 * 1024
_BY_ACCIDENT = 6
_SAMPLE = 20


def count_csv(lines: Iterator[str]) -> int:
    """Return the number of records after the header.

    Args:
        lines: The physical lines without their ends.
    """
    header = next((line for line in lines if line), None)
    if header is None:
        return 0
    ahead: deque[str] = deque()
    delimiter = _delimiter(header, ahead, lines)
    record = _Extent(header, delimiter)
    _drop(ahead, _further(record, ahead, lines, None))
    rows = 0
    plain = _plainly_quoted(delimiter)
    while (line := ahead.popleft() if ahead else next(lines, None)) is not None:
        rows += bool(line)
        if '"' in line and not plain.fullmatch(line):
            _drop(ahead, _further(_Extent(line, delimiter), ahead, lines, record.cells))
    return rows


def _plainly_quoted(delimiter: str) -> re.Pattern[str]:
    """Return what the lines match at whose end no quote can be open: the usual ones, told fast."""
    cell = rf'(?:"[^"]*+"|[^"{re.escape(delimiter)}]*+)'
    return re.compile(rf"{cell}(?:{re.escape(delimiter)}{cell})*+")


def _drop(ahead: deque[str], lines: int) -> None:
    for _ in range(lines):
        ahead.popleft()


def _delimiter(header: str, ahead: deque[str], lines: Iterator[str]) -> str:
    if "," in header:
        return ","
    counts = {d: header.count(d) for d in ";\t|"}
    delimiter = max(counts, key=lambda d: counts[d])
    sample: list[str] = []
    while len(sample) < _SAMPLE and (line := next(lines, None)) is not None:
        ahead.append(line)
        sample += [line] if line else []
    often = [line for line in sample if line.count(delimiter) >= counts[delimiter]]
    return delimiter if counts[delimiter] and len(often) >= len(sample) / 2 else ","


class _Extent:
    """A record as it grows line by line.

    Attributes:
        open: Whether a quoted cell is open at the end of the last line.
        sound: Whether each quoted cell so far that closed was followed by a delimiter or a line's end.
        cells: Cells so far, the open one included.
        delimiters: How many delimiters its lines have, quoted or not.
    """

    def __init__(self, line: str, delimiter: str) -> None:
        self.open, self.sound, self.cells = False, True, 1
        self.delimiters: set[int] = set()
        self.size = 0
        self._delimiter = delimiter
        self.add(line)

    def add(self, line: str) -> None:
        """Go through one more line, quote by quote and delimiter by delimiter."""
        self.delimiters.add(line.count(self._delimiter))
        self.size += len(line)
        if self.open and '"' not in line:
            return
        at, end = 0, len(line)
        while True:
            if not self.open and line.startswith('"', at):
                self.open, at = True, at + 1
            if self.open:
                at = _closing(line, at)
                if at == end:
                    return
                self.open, at = False, at + 1
                self.sound &= at == end or line[at] == self._delimiter
            at = line.find(self._delimiter, at)
            if at < 0:
                return
            self.cells, at = self.cells + 1, at + 1


def _closing(line: str, at: int) -> int:
    """Return where a quote stands alone from ``at`` on, the end of the line if nowhere."""
    while (at := line.find('"', at)) >= 0 and line.startswith('"', at + 1):
        at += 2
    return at if at >= 0 else len(line)


def _further(record: _Extent, ahead: deque[str], lines: Iterator[str], cells: int | None) -> int:
    """Return how many of the lines that follow belong to ``record``, having looked at them."""
    seen, too_long = 0, False
    while record.open and record.sound and not too_long:
        if seen == len(ahead):
            if (line := next(lines, None)) is None:
                break
            ahead.append(line)
        record.add(ahead[seen])
        seen += 1
        too_long = seen >= _LONGEST[0] or record.size > _LONGEST[1]
    if record.open or not record.sound or too_long or cells not in {None, record.cells}:
        return 0
    delimiters = record.cells - 1
    swallowed = cells is not None and seen * delimiters >= _BY_ACCIDENT
    return 0 if swallowed and record.delimiters == {delimiters} else seen
