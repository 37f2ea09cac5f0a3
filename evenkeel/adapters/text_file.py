"""A text file as UTF-8 bytes and physical lines, whatever it was packed or encoded in, in bounded memory."""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING, BinaryIO

from evenkeel.adapters.bounded import Gunzipped
from evenkeel.errors import DataRejected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK = 1024 * 1024
_MAX_LINE = 16 * 1024 * 1024
_HEAD = 4096
_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, ""),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class TextFile:
    """A csv or jsonl file.

    Attributes:
        name: Its name, for messages.
        wide: ``utf-16-le``, ``utf-16-be``, ``utf-32-le`` or ``utf-32-be`` where it is written so, by its
            byte-order mark or, without one, by where the zero bytes of its first 4096 bytes stand; else empty.
        binary: Whether it begins as a parquet, gzip or zip file does.
        length: Bytes of the lines read of it in the last pass.
    """

    def __init__(self, path: Path, name: str, *, gzipped: bool = False) -> None:
        """Look at the first bytes.

        Raises:
            DataRejected: ``gzipped``, and it is no sound gzip.
        """
        self.name = name
        self._path = path
        self._gzipped = gzipped
        self._packed: Gunzipped | None = None
        self.length = 0
        with self._bytes() as file:
            head = file.read(_HEAD)
        mark, self.wide = next(((m, w) for m, w in _MARKS if head.startswith(m)), (b"", _by_zeros(head)))
        self._mark = len(mark)
        self.binary = head.startswith((b"PAR1", b"\x1f\x8b", b"PK\x03\x04"))

    @property
    def cut(self) -> bool:
        """Whether the gzip stream, read to where it ends, ended early."""
        return self._packed is not None and self._packed.cut

    def open(self) -> BinaryIO:
        """Return its content as UTF-8 bytes without a byte-order mark; what is not text stays as it is.

        In a wide encoding what cannot be decoded becomes U+FFFD.
        """
        file = self._bytes()
        file.read(self._mark)
        return io.BufferedReader(_Transcoded(file, self.wide), _CHUNK) if self.wide else file

    def lines(self) -> Iterator[bytes]:
        r"""Yield the physical lines with their ends: ``\n``, ``\r\n`` or ``\r``.

        Raises:
            DataRejected: One has more than 16 MiB.
        """
        with self.open() as file:
            self.length = 0
            rest = b""
            while chunk := file.read(_CHUNK):
                self.length += len(chunk)
                lines = (rest + chunk).splitlines(keepends=True)
                # A line end may follow in the next chunk, or the other half of one.
                rest = lines.pop() if not lines[-1].endswith(b"\n") else b""
                if len(rest) > _MAX_LINE:
                    raise too_long(self.name, _MAX_LINE)
                yield from lines
            if rest:
                yield rest

    def _bytes(self) -> BinaryIO:
        if not self._gzipped:
            return self._path.open("rb")
        self._packed = Gunzipped(self._path, self.name)
        return io.BufferedReader(self._packed, _CHUNK)


def too_long(name: str, limit: int) -> DataRejected:
    """Return the refusal of a file with a line of more than ``limit`` bytes."""
    return DataRejected(f"{name}: a line of more than {limit // 1024**2} MiB", cause="data.too_large")


def _by_zeros(head: bytes) -> str:
    """Tell UTF-16 without a mark: of ASCII text every second byte is zero, and hardly any other."""
    pairs = len(head) // 2
    even, odd = head[::2].count(0), head[1::2].count(0)
    if 2 * odd >= pairs > 0 and 10 * even <= pairs:
        return "utf-16-le"
    return "utf-16-be" if 2 * even >= pairs > 0 and 10 * odd <= pairs else ""


class _Transcoded(io.RawIOBase):
    """A stream in another encoding, read as UTF-8."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._ready = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        while not self._ready and not self._ended:
            chunk = self._file.read(_CHUNK)
            self._ended = not chunk
            self._ready = self._decoder.decode(chunk, final=self._ended).encode()
        size = min(len(view), len(self._ready))
        view[:size], self._ready = self._ready[:size], self._ready[size:]
        return size

    def close(self) -> None:
        self._file.close()
        super().close()
