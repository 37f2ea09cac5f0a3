r"""Count the records of a landed file on a way of its own, so that the audit does not trust the reader.

What a record is stands in :mod:`evenkeel.adapters.csv_records`; of json lines it is a line, ended by ``\n``, that is
not blank. A record that cannot be read counts like one that can.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from evenkeel.adapters.csv_counting import count_csv
from evenkeel.errors import DataRejected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from evenkeel.domain.batch import LandedFile

_PIECE = 256 * 1024
_HEAD = 4096
_MAX_LINE = 64 * 1024 * 1024
_UNPACKED_ALWAYS = 64 * 1024 * 1024
_UNPACKED_RATIO = 100
_BLANK = " \t\n\r\x0b\x0c"
_MARKS = {
    b"\xff\xfe\x00\x00": "utf-32-le",
    b"\x00\x00\xfe\xff": "utf-32-be",
    b"\xef\xbb\xbf": "",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}


def count_rows(file: tuple[LandedFile, Path]) -> int:
    """Return the number of rows of a landed file: from the parquet footer, or by going through the text.

    Nothing is shared with :mod:`evenkeel.adapters.reading`, not even that a file is refused.

    Raises:
        DataRejected: The file cannot be gone through; one that was cut short can, as far as it goes.
    """
    landed, path = file
    try:
        if landed.format == "parquet":
            return int(pq.read_metadata(path).num_rows)
        with path.open("rb") as raw:
            pieces = iter(lambda: raw.read(_PIECE), b"")
            if landed.format == "csv.gz":
                pieces = _unpacked(raw)
            text = _text(pieces)
            if landed.format == "jsonl":
                return sum(1 for line in _lines(text) if line.strip(_BLANK))
            return count_csv(_lines(_with_one_line_end(text)))
    except (OSError, ValueError, zlib.error, pa.ArrowException) as error:
        raise DataRejected(
            f"{landed.name}: rows cannot be counted: {error}", cause="data.not_the_format"
        ) from None


def _unpacked(raw: BinaryIO) -> Iterator[bytes]:
    """Yield what a gzip file holds, to its end or to where it was cut."""
    size = 0
    with suppress(EOFError), gzip.GzipFile(fileobj=raw) as file:
        while piece := file.read1(_PIECE):
            size += len(piece)
            if size > max(_UNPACKED_ALWAYS, _UNPACKED_RATIO * raw.tell()):
                raise ValueError("it unpacks to more than a file of its size may")
            yield piece


def _text(pieces: Iterator[bytes]) -> Iterator[str]:
    """Yield the content, as UTF-8, with each byte as one character."""
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= _HEAD:
            break
    mark = next((m for m in _MARKS if head.startswith(m)), b"")
    wide = _MARKS[mark] if mark else _guessed(head[:_HEAD])
    decoder = codecs.getincrementaldecoder(wide or "latin-1")(errors="replace")
    for piece in chain([head[len(mark) :]], pieces):
        yield _narrow(decoder.decode(piece), wide)
    yield _narrow(decoder.decode(b"", final=True), wide)


def _narrow(text: str, wide: str) -> str:
    return text.encode().decode("latin-1") if wide else text


def _guessed(head: bytes) -> str:
    """Tell UTF-16 without a mark: half of the bytes at one parity are zero, a tenth at most at the other."""
    first = sum(not byte for byte in head[::2])
    second = sum(not byte for byte in head[1::2])
    half = len(head) // 2
    if not half:
        return ""
    if second * 2 >= half and first * 10 <= half:
        return "utf-16-le"
    if first * 2 >= half and second * 10 <= half:
        return "utf-16-be"
    return ""


def _with_one_line_end(text: Iterator[str]) -> Iterator[str]:
    decoder = io.IncrementalNewlineDecoder(None, translate=True)
    for piece in text:
        yield decoder.decode(piece)
    yield decoder.decode("", final=True)


def _lines(text: Iterator[str]) -> Iterator[str]:
    r"""Yield what stands before, between and after each ``\n``."""
    begun: list[str] = []
    size = 0
    for piece in text:
        *ended, rest = piece.split("\n")
        if ended:
            yield "".join([*begun, ended[0]])
            yield from ended[1:]
            begun, size = [], 0
        begun.append(rest)
        size += len(rest)
        if size > _MAX_LINE:
            raise ValueError(f"a line of more than {_MAX_LINE} bytes")
    yield "".join(begun)
