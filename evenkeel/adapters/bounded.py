"""A decompressed stream that stops where a small file would fill the memory."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import TYPE_CHECKING

from evenkeel.errors import DataRejected

if TYPE_CHECKING:
    from pathlib import Path

_ALWAYS_ALLOWED = 64 * 1024**2
_RATIO = 100
_MOST = 16 * 1024**3


class Gunzipped(io.RawIOBase):
    """The content of a gzip file, read once; one that was cut short ends where it was cut.

    Attributes:
        cut: Whether it has been read to where it was cut short.

    Raises (on reading):
        DataRejected: It is no gzip, is damaged, or unpacks to more than ``_RATIO`` times what was read of it
            (past the first 64 MiB) or to more than 16 GiB.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._packed = path.open("rb")
        self._file = gzip.GzipFile(fileobj=self._packed)
        self._name = name
        self._read = 0
        self.cut = False

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill ``buffer`` with the next bytes."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        try:
            # In one piece: what a longer read had gathered before the cut would be lost with it.
            chunk = self._file.read1(len(view))
        except EOFError:
            self.cut = True
            return 0
        except (gzip.BadGzipFile, zlib.error) as error:
            raise DataRejected(
                f"{self._name}: not a sound gzip file: {error}", cause="data.not_the_format"
            ) from None
        self._read += len(chunk)
        # By what was read so far, not by the whole size: a bomb is known when it begins to unfold.
        limit = min(_MOST, max(_ALWAYS_ALLOWED, _RATIO * self._packed.tell()))
        if self._read > limit:
            raise DataRejected(
                f"{self._name}: unpacks to more than {limit} bytes, more than a file of its size may",
                cause="data.too_large",
            )
        view[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        self._packed.close()
        super().close()
