"""Gather the lines of a text file that are no row, and judge the file by them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from evenkeel.adapters import legacy_encodings
from evenkeel.domain.rows import ReadingNote, UnreadableLine
from evenkeel.errors import DataRejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenkeel.adapters.text_file import TextFile

_MOST_BYTES = 64 * 1024 * 1024
_SAMPLE = 64 * 1024
_DECISIVE = 9
_REPLACED = "\ufffd".encode()


class Unreadable:
    """The lines of one pass over a file that are no row.

    Attributes:
        lines: They, in order.
        cut: How the file was cut short, for a person; empty where it was not.
        beyond_ascii: Rows with text beyond ASCII so far, which tells the encoding of the rest.
    """

    def __init__(self, file: TextFile, encoding: str) -> None:
        """Begin with none.

        Args:
            file: The file.
            encoding: What its lines are read as; ``utf-8`` for a wide one, which comes so.
        """
        self.lines: list[UnreadableLine] = []
        self.cut = ""
        self.beyond_ascii = 0
        self._file = file
        self._encoding = encoding
        self._bytes = 0
        self._undecodable = 0
        self._sample: list[bytes] = []
        self._sampled = 0

    def add(self, line: int, raw: bytes, check: str, found: str) -> None:
        """Add a line."""
        self.lines.append(UnreadableLine(self._file.name, line, raw, check, found))
        self._bytes += len(raw)

    def add_cut(self, line: int, raw: bytes) -> None:
        """Add the last line of a file that was cut short in it."""
        self.add(line, raw, "ragged", "the file ends in the middle of a row")
        self.cut = f"line {line}: the file ends in the middle of a row"

    def note_end(self) -> None:
        """Note where the file was cut short other than in a line."""
        if self._file.cut and not self.cut:
            self.cut = "the gzip stream ends before its end"

    def damage(self, raw: bytes) -> str:
        """Say what of a line is no text in its encoding; empty where all is."""
        if b"\x00" in raw:
            return "a zero byte"
        if self._file.wide:
            return f"bytes that are not {self._file.wide} text" if _REPLACED in raw else ""
        try:
            raw.decode(self._encoding)
        except UnicodeDecodeError as error:
            self._undecodable += 1
            if self._sampled < _SAMPLE:
                self._sample.append(raw[:_SAMPLE])
                self._sampled += len(self._sample[-1])
            return f"byte 0x{raw[error.start]:02x} is not {self._encoding.upper()} text"
        return ""

    def legacy_encoding(self) -> str | None:
        """Return the encoding that the file as a whole seems to be in, where that is not the one assumed."""
        if self._undecodable <= _DECISIVE * self.beyond_ascii:
            return None
        return legacy_encodings.recognised(self._sample)

    def hopeless(self, rows: int) -> bool:
        """Say whether there is no sense in reading on: they are many, and more than the rows so far."""
        return self._bytes > _MOST_BYTES and len(self.lines) > rows

    def judge(self, rows: int) -> None:
        """Refuse the file if more of it cannot be read than can.

        Raises:
            DataRejected: It is so; the message tells the first of those lines.
        """
        if len(self.lines) > rows:
            share = f"; {len(self.lines)} of {len(self.lines) + rows} lines cannot be read"
            raise refusal(self.lines[0], share, cut=bool(self.cut) and len(self.lines) == 1)
        if self._file.wide and 2 * self._bytes > self._file.length:
            # A lost byte shifts all that follows: many lines look like one.
            wrong = f": {self._bytes} of {self._file.length} bytes are not {self._file.wide} text"
            raise refusal(replace(self.lines[0], check="encoding", found="from here on" + wrong))

    def notes(self) -> list[ReadingNote]:
        """Return what was got over: the encoding, and that the file was cut short."""
        notes = []
        name = self._file.name
        if encoding := self._file.wide or (self._encoding if self._encoding != "utf-8" else ""):
            said = f"{name}: read as {encoding}, expected UTF-8"
            notes.append(ReadingNote("data.wrong_encoding", said, {"encoding": encoding}))
        if self.cut:
            notes.append(ReadingNote("data.truncated", f"{name}: {self.cut}"))
        return notes


def refusal(line: UnreadableLine, more: str = "", *, cut: bool = False) -> DataRejected:
    """Return the refusal of a file for one of its lines, which was cut short with ``cut``."""
    encoding = line.check == "encoding"
    return DataRejected(
        f"{line.file}: line {line.line}: {line.found}{more}",
        fix="have the source write UTF-8" if encoding else "",
        cause="data.truncated" if cut else "data.wrong_encoding" if encoding else "data.not_the_format",
        evidence={"line": line.line, "check": line.check},
    )


def refuse_any(lines: Sequence[UnreadableLine], notes: Sequence[ReadingNote]) -> None:
    """Refuse a file of which anything could not be read.

    Raises:
        DataRejected: Something could not.
    """
    truncated = next((n for n in notes if n.cause == "data.truncated"), None)
    if lines:
        raise refusal(lines[0], cut=truncated is not None and len(lines) == 1)
    if truncated:
        raise DataRejected(truncated.said, cause=truncated.cause)
