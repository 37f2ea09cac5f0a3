"""Parquet and gzip files that are cut, lie about themselves, or are not what their name says."""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from typing import TYPE_CHECKING

from chaos.faults.data.damage import check_severity, draw
from chaos.faults.data.file_copy import copy_as, table_of

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC = b"PAR1"
_TAIL = 8  # bytes behind a parquet file's metadata: its length, then the magic
_CLAIMED_ROWS = 10**12
_MEGABYTE = 1024 * 1024
_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>503 Service Unavailable</title></head>\n"
    "<body><h1>Service Unavailable</h1><p>The server is temporarily unable to service your request.</p>\n"
    "</body></html>\n"
)


def parquet_named_csv(path: Path, *, severity: float, seed: int) -> Path:
    """Send parquet under a csv's name. Any severity above 0 does."""
    content = _parquet(path) if check_severity(severity) else path.read_bytes()
    return copy_as(path, "parquet_named_csv", content, ".csv")


def error_page(path: Path, *, severity: float, seed: int) -> Path:
    """Send the web page of a failing server under the file's name. Any severity above 0 does."""
    return copy_as(path, "error_page", _PAGE.encode() if check_severity(severity) else path.read_bytes())


def wrong_footer(path: Path, *, severity: float, seed: int) -> Path:
    """Send parquet with damaged metadata: a tenth of its bytes wrong at severity 0.1, all of them at 1."""
    content = bytearray(_parquet(path))
    length = struct.unpack("<I", content[-_TAIL:-4])[0]
    start = len(content) - _TAIL - length
    random = draw(seed)
    wrong = random.permutation(length)[: round(length * check_severity(severity))]
    for at in wrong:
        content[start + at] ^= int(random.integers(1, 256))
    return copy_as(path, "wrong_footer", bytes(content), ".parquet")


def parquet_cut(path: Path, *, severity: float, seed: int) -> Path:
    """Send parquet cut short: by a tenth at severity 0.1, by nine tenths at 1."""
    content = _parquet(path)
    kept = len(content) - round(0.9 * check_severity(severity) * len(content))
    return copy_as(path, "parquet_cut", content[:kept], ".parquet")


def parquet_claims(path: Path, *, severity: float, seed: int) -> Path:
    """Send parquet whose metadata claims 10^12 rows. Any severity above 0 does."""
    content = _parquet(path)
    if check_severity(severity):
        content = _claiming(content, len(table_of(path)))
    return copy_as(path, "parquet_claims", content, ".parquet")


def gzip_cut(path: Path, *, severity: float, seed: int) -> Path:
    """Send gzip cut short: by a tenth at severity 0.1, by nine tenths at 1."""
    content = gzip.compress(path.read_bytes(), mtime=0)
    kept = len(content) - round(0.9 * check_severity(severity) * len(content))
    return copy_as(path, "gzip_cut", content[:kept], ".csv.gz")


def gzip_bomb(path: Path, *, severity: float, seed: int, megabytes: int = 10 * 1024) -> Path:
    """Send gzip that unpacks to ``severity * megabytes``: the file's rows, then its last row without end."""
    row = path.read_bytes().splitlines()[-1] + b"\n"
    block = row * max(1, _MEGABYTE // len(row))
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    packed = [packer.compress(path.read_bytes())]
    packed += [packer.compress(block) for _ in range(round(check_severity(severity) * megabytes))]
    return copy_as(path, "gzip_bomb", b"".join([*packed, packer.flush()]), ".csv.gz")


def _parquet(path: Path) -> bytes:
    packed = io.BytesIO()
    table_of(path).to_parquet(packed, index=False)
    return packed.getvalue()


def _claiming(content: bytes, rows: int) -> bytes:
    """Return parquet with another row count in its metadata (thrift's compact protocol, parquet.thrift).

    ``num_rows`` of the file and of each row group, and ``num_values`` of each column, are written as a field
    of type i64 one id behind the field before it: ``0x16`` and a zigzag varint.
    """
    length = struct.unpack("<I", content[-_TAIL:-4])[0]
    start = len(content) - _TAIL - length
    footer = content[start:-_TAIL].replace(b"\x16" + _varint(rows), b"\x16" + _varint(_CLAIMED_ROWS))
    return content[:start] + footer + struct.pack("<I", len(footer)) + _MAGIC


def _varint(number: int) -> bytes:
    left, out = number << 1, bytearray()
    while True:
        left, low = left >> 7, left & 0x7F
        out.append(low | (0x80 if left else 0))
        if not left:
            return bytes(out)
