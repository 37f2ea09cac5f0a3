"""Read json lines: one object a line, every value as the text it was written in; other lines are kept apart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from evenkeel.adapters.text_file import TextFile, too_long
from evenkeel.adapters.unreadable import Unreadable
from evenkeel.domain.rows import Rows
from evenkeel.errors import DataRejected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_COLUMNS = 10_000
_MAX_LINE = 16 * 1024 * 1024
_CELLS_ALWAYS_ALLOWED = 10_000_000
_DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
_Object = dict[str, str | None]
_KINDS = {list: "array", str: "text or number", bool: "truth value", type(None): "null"}


def read(path: Path, name: str) -> Rows:
    """Return the rows: numbers as written (``1.50`` stays), true and false in words, nested values as JSON.

    A key that a line lacks is null. Columns stand in the order in which they first came.

    Raises:
        DataRejected: There is no object in the file, more lines cannot be read than can, a line has more than
            16 MiB, or its keys would fill the memory.
    """
    file = TextFile(path, name)
    lines = _Lines(file, "utf-8")
    columns = _columns(lines, path.stat().st_size)
    if encoding := lines.unreadable.legacy_encoding():
        lines = _Lines(file, encoding)
        columns = _columns(lines, path.stat().st_size)
    lines.unreadable.judge(lines.rows)
    if not columns:
        raise DataRejected(f"{name}: has no rows", cause="data.empty")
    frame = pd.DataFrame(columns, dtype=object)
    return Rows(frame, tuple(lines.unreadable.lines), tuple(lines.unreadable.notes()))


def columns(path: Path, name: str) -> list[str]:
    """Return the keys of the first line that is an object."""
    file = TextFile(path, name)
    lines = _Lines(file, "utf-8")
    first = next(iter(lines), None)
    if first is None and (encoding := lines.unreadable.legacy_encoding()):
        first = next(iter(_Lines(file, encoding)), None)
    if first is None:
        lines.unreadable.judge(0)
        raise DataRejected(f"{name}: has no rows", cause="data.empty")
    return list(first)


def _columns(lines: _Lines, size: int) -> dict[str, list[str | None]]:
    columns: dict[str, list[str | None]] = {}
    for rows, row in enumerate(lines):
        for key, value in row.items():
            if key not in columns:
                columns[key] = [None] * rows
            columns[key].append(value)
        if len(row) < len(columns):
            for cells in columns.values():
                if len(cells) == rows:
                    cells.append(None)
        # Every row may bring another key, and each key costs a cell in every row.
        if len(columns) > MAX_COLUMNS or len(columns) * rows > max(_CELLS_ALWAYS_ALLOWED, size):
            raise DataRejected(
                f"{lines.name}: {len(columns)} keys in {rows + 1} rows, more than possible",
                cause="data.too_large",
            )
    return columns


class _Lines:
    """One pass over the lines: iterating yields the objects."""

    def __init__(self, file: TextFile, encoding: str) -> None:
        self.name = file.name
        self.rows = 0
        self.unreadable = Unreadable(file, encoding)
        self._file = file
        self._encoding = encoding

    def __iter__(self) -> Iterator[_Object]:
        with self._file.open() as file:
            number = self._file.length = 0
            while line := file.readline(_MAX_LINE):
                number += 1
                self._file.length += len(line)
                if len(line) == _MAX_LINE and not line.endswith(b"\n"):
                    raise too_long(self.name, _MAX_LINE)
                if not line.strip():
                    continue
                found, check, said = self._read(line)
                if check and not line.endswith(b"\n") and number > 1:
                    self.unreadable.add_cut(number, line)
                elif check:
                    self.unreadable.add(number, line.rstrip(b"\r\n"), check, said)
                    if self.unreadable.hopeless(self.rows):
                        break
                else:
                    self.rows += 1
                    self.unreadable.beyond_ascii += not line.isascii()
                    yield found

    def _read(self, line: bytes) -> tuple[_Object, str, str]:
        """Return the object in a line, or what check it breaks and how."""
        if damage := self.unreadable.damage(line):
            return {}, "encoding", damage
        text = line.decode(self._encoding).strip()
        try:
            found = _DECODER.decode(text)
            if not isinstance(found, dict):
                return {}, "json", f"a JSON {_KINDS.get(type(found), 'value')}, expected one object a line"
            row = {key: _text(value, text, key) for key, value in found.items()}
            if "\\" in text:
                _check_characters(row)
        except json.JSONDecodeError as error:
            array = "a JSON array, expected one object a line"
            return {}, "json", array if text.startswith("[") else f"not a JSON object: {error.msg}"
        except RecursionError:
            return {}, "json", "not a JSON object: nested too deeply"
        except ValueError as error:
            return {}, "json", f"a JSON object with a value that cannot be kept: {error}"
        return row, "", ""


def _text(value: Any, line: str, key: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    # The numbers inside were decoded as text for the sake of the plain cells: read this one again.
    return json.dumps(json.loads(line)[key], ensure_ascii=False)


def _check_characters(row: _Object) -> None:
    """Refuse what an escape can write and no text can hold: half a character, or a zero."""
    for text in (*row, *row.values()):
        if text and ("\x00" in text or not _is_whole(text)):
            raise ValueError("an escaped zero byte or half a character")


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
