"""Csv files spelled otherwise: another encoding, another delimiter, bytes that are no text."""

from __future__ import annotations

import csv
import io
from functools import partial
from typing import TYPE_CHECKING

from chaos.faults.data.damage import check_severity, draw
from chaos.faults.data.file_copy import copy_as, hit_lines, joined, lines_of

if TYPE_CHECKING:
    from pathlib import Path

_NOT_UTF8 = (b"\xff\xfe", b"\xc3\x28", b"\x80\x81", b"caf\xe9")


def encode(path: Path, *, severity: float, seed: int, encoding: str) -> Path:
    """Write the file in another encoding than UTF-8. Any severity above 0 does.

    Text that is all ASCII is the same bytes in latin-1: for such a file nothing changes, and nothing is wrong.
    """
    content = path.read_bytes()
    if check_severity(severity):
        content = content.decode("utf-8-sig").encode(encoding, errors="replace")
    return copy_as(path, f"encoding_{encoding.replace('-', '')}", content)


def delimit(path: Path, *, severity: float, seed: int, delimiter: str, decimal: str = ".") -> Path:
    """Part cells by another character; with ``decimal`` a comma, numbers are written 1,5 as well.

    Any severity above 0 does.
    """
    content = path.read_bytes()
    if check_severity(severity):
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
        if decimal != ".":
            rows = [rows[0], *([_with_decimal(cell, decimal) for cell in row] for row in rows[1:])]
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
        content = text.getvalue().encode()
    name = {";": "semicolon", "\t": "tab", "|": "pipe"}[delimiter]
    return copy_as(path, f"delimiter_{name}{'_decimal_comma' if decimal == ',' else ''}", content)


def undecodable(path: Path, *, severity: float, seed: int) -> Path:
    """Put bytes that are no UTF-8 into some lines. Severity is the share of rows."""
    lines, random = lines_of(path), draw(seed, 1)
    for row in hit_lines(lines, severity, seed):
        at = int(random.integers(len(lines[row]) + 1))
        lines[row] = lines[row][:at] + _NOT_UTF8[int(random.integers(len(_NOT_UTF8)))] + lines[row][at:]
    return copy_as(path, "undecodable", joined(lines))


def nul_bytes(path: Path, *, severity: float, seed: int) -> Path:
    """Put NUL bytes into some lines, as a disk that lost a block does. Severity is the share of rows."""
    lines, random = lines_of(path), draw(seed, 1)
    for row in hit_lines(lines, severity, seed):
        at = int(random.integers(len(lines[row]) + 1))
        lines[row] = lines[row][:at] + b"\0" * int(random.integers(1, 9)) + lines[row][at:]
    return copy_as(path, "nul_bytes", joined(lines))


def _with_decimal(cell: str, decimal: str) -> str:
    try:
        float(cell)
    except ValueError:
        return cell
    return cell.replace(".", decimal)


utf16 = partial(encode, encoding="utf-16")
latin1 = partial(encode, encoding="latin-1")
cp1252 = partial(encode, encoding="cp1252")
semicolon = partial(delimit, delimiter=";")
tab = partial(delimit, delimiter="\t")
decimal_comma = partial(delimit, delimiter=";", decimal=",")
