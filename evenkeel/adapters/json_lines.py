"""Read json lines: one object a line, every value as the text it was written in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from evenkeel.errors import DataRejected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAX_LINE = 16 * 1024 * 1024


def read(path: Path, name: str) -> pd.DataFrame:
    """Return the rows: numbers as written (``1.50`` stays), true and false in words, nested values as JSON.

    A key that a line lacks is null. Columns stand in the order in which they first came.
    """
    columns: dict[str, list[str | None]] = {}
    for rows, row in enumerate(_objects(path, name)):
        for key, value in row.items():
            if key not in columns:
                columns[key] = [None] * rows
            columns[key].append(value)
        if len(row) < len(columns):
            for cells in columns.values():
                if len(cells) == rows:
                    cells.append(None)
    if not columns:
        raise DataRejected(f"{name}: has no rows", cause="data.empty")
    return pd.DataFrame(columns, dtype=object)


def columns(path: Path, name: str) -> list[str]:
    """Return the keys of the first line."""
    first = next(_objects(path, name), None)
    if first is None:
        raise DataRejected(f"{name}: has no rows", cause="data.empty")
    return list(first)


def _objects(path: Path, name: str) -> Iterator[dict[str, str | None]]:
    decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
    with path.open("rb") as file:
        number = 0
        while line := file.readline(_MAX_LINE):
            number += 1
            if not line.strip():
                continue
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
                found = decoder.decode(text)
            except UnicodeDecodeError as error:
                raise DataRejected(
                    f"{name}: line {number}: byte 0x{line[error.start]:02x} is not UTF-8 text",
                    fix="have the source write UTF-8",
                    cause="data.wrong_encoding",
                ) from None
            except (json.JSONDecodeError, RecursionError) as error:
                raise _broken(name, number, line, error, last=not file.read(1)) from None
            if not isinstance(found, dict):
                raise DataRejected(
                    f"{name}: line {number}: a JSON {type(found).__name__}, expected one object a line",
                    cause="data.not_the_format",
                )
            yield {k: _text(v, text, k) for k, v in found.items()}


def _text(value: Any, line: str, key: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    # The numbers inside were decoded as text for the sake of the plain cells: read this one again.
    return json.dumps(json.loads(line)[key], ensure_ascii=False)


def _broken(name: str, number: int, line: bytes, error: Exception, *, last: bool) -> DataRejected:
    if last and not line.endswith(b"\n") and number > 1:
        return DataRejected(
            f"{name}: line {number}: the file ends in the middle of a row", cause="data.truncated"
        )
    what = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
    return DataRejected(f"{name}: line {number}: not a JSON object: {what}", cause="data.not_the_format")
