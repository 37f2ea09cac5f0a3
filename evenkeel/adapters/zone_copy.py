"""One copy of the landing zone: a local folder or a prefix of an object store, written atomically."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from evenkeel.adapters.file_systems import is_local, opened
from evenkeel.adapters.formats import masked
from evenkeel.adapters.vendor_errors import translated
from evenkeel.errors import Transient

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

CHUNK = 4 * 1024 * 1024
_PART = ".part-"
_MODE = 0o644


class ZoneCopy:
    """A place that holds landed files under keys such as ``market/2026-11-23/batch.json``.

    Raises (every method):
        Transient: The disk is full or the object store does not answer.
        Permanent: Access is refused.
    """

    def __init__(self, uri: str) -> None:
        self.uri = masked(uri)
        self._uri = uri

    def read(self, key: str) -> bytes | None:
        """Return what stands under ``key``, None where nothing does."""
        with self._translated(key):
            try:
                found: bytes = self._files.cat_file(self._path(key))
            except (FileNotFoundError, NotADirectoryError):
                return None
            return found

    def read_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Return what stands under each of ``keys`` that is there; a remote one is asked for all at once."""
        by_path = {self._path(k): k for k in keys}
        if not by_path:
            return {}
        if self.is_local:
            return {k: content for k in by_path.values() if (content := self.read(k)) is not None}
        with self._translated("manifests"):
            found = self._files.cat(list(by_path), on_error="return")
        for error in (e for e in found.values() if isinstance(e, Exception)):
            if not isinstance(error, FileNotFoundError):
                with self._translated("manifests"):
                    raise error
        return {by_path[p]: c for p, c in found.items() if isinstance(c, bytes)}

    def names(self, key: str) -> list[str]:
        """Return the names directly under ``key``, hidden ones left out, sorted."""
        with self._translated(key):
            try:
                found = self._files.ls(self._path(key), detail=False)
            except FileNotFoundError:
                return []
        names = {str(f).rstrip("/").rpartition("/")[2] for f in found}
        return sorted(n for n in names if not n.startswith("."))

    def create(self, key: str, content: bytes) -> bool:
        """Write ``content`` under ``key`` unless something stands there; say whether it was written.

        In a local folder everything written beside it before is on the disk then, too.
        """
        with self._translated(key):
            if self.is_local:
                return self._create_local(Path(self._path(key)), content)
            try:
                self._files.pipe_file(self._path(key), content, mode="create")
            except FileExistsError:
                return False
            return True

    def replace(self, key: str, content: bytes) -> None:
        """Write ``content`` under ``key``, whatever stands there."""
        with self._translated(key):
            if self.is_local:
                self._put_local(Path(self._path(key)), [content])
            else:
                self._files.pipe_file(self._path(key), content)

    def copy_in(self, key: str, source: Path, sha256: str) -> None:
        """Copy the file ``source`` to ``key``, byte for byte.

        Raises:
            Transient: Its bytes are no longer those of ``sha256``: it is still being written.
        """
        with self._translated(key), source.open("rb") as file:
            chunks = _Hashed(file)
            if self.is_local:
                self._put_local(Path(self._path(key)), chunks, expected=(chunks, sha256))
                return
            with self._files.open(self._path(key), "wb") as out:
                for chunk in chunks:
                    out.write(chunk)
            chunks.check(sha256)

    def copy_out(self, key: str, target: Path, *, limit: int) -> bool:
        """Download ``key`` to ``target``, at most ``limit`` bytes; say whether it is there and that small."""
        with self._translated(key):
            try:
                with self._files.open(self._path(key), "rb") as file, target.open("wb") as out:
                    while chunk := file.read(CHUNK):
                        out.write(chunk)
                        if out.tell() > limit:
                            return False
            except FileNotFoundError:
                return False
            return True

    def size(self, key: str) -> int | None:
        """Return the bytes that stand under ``key``, None where nothing does."""
        with self._translated(key):
            try:
                found: int = self._files.size(self._path(key))
            except (FileNotFoundError, NotADirectoryError):
                return None
            return found

    def local_path(self, key: str) -> Path | None:
        """Return the path of ``key`` on this machine, None in an object store."""
        return Path(self._path(key)) if self.is_local else None

    def remove_others(self, key: str, keep: frozenset[str]) -> None:
        """Remove what an attempt that did not end left under ``key``: everything but ``keep``."""
        with self._translated(key):
            for path in self._files.ls(self._path(key), detail=False):
                if str(path).rpartition("/")[2] not in keep:
                    with suppress(FileNotFoundError):  # another process tidies, too
                        self._files.rm_file(path)

    @property
    def is_local(self) -> bool:
        """Whether this is a folder of this machine."""
        return is_local(self._files)

    @cached_property
    def _place(self) -> tuple[Any, str]:
        return opened(self._uri)

    @property
    def _files(self) -> Any:
        return self._place[0]

    def _path(self, key: str) -> str:
        return f"{self._place[1]}/{key}"

    def _translated(self, key: str) -> AbstractContextManager[None]:
        cause = "dependency.lake_down"
        return translated(f"landing zone {self.uri}: {key}", down=cause, refused=cause)

    def _create_local(self, path: Path, content: bytes) -> bool:
        if path.exists():
            return False
        part = self._part(path, [content])
        try:
            os.link(part, path)  # unlike a rename, a link never replaces what another process just wrote
        except FileExistsError:
            return False
        except FileNotFoundError:  # a process that finished the same batch tidied ours away
            if path.exists():
                return False
            raise
        finally:
            part.unlink(missing_ok=True)
        _sync_folder(path.parent)
        return True

    def _put_local(
        self, path: Path, chunks: Iterable[bytes], expected: tuple[_Hashed, str] | None = None
    ) -> None:
        part = self._part(path, chunks)
        try:
            if expected:
                expected[0].check(expected[1])
            try:
                part.replace(path)
            except FileNotFoundError:  # as above
                if not path.exists():
                    raise
        finally:
            part.unlink(missing_ok=True)

    def _part(self, path: Path, chunks: Iterable[bytes]) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=_PART, dir=path.parent)
        with os.fdopen(handle, "wb") as out:
            os.fchmod(handle, _MODE)
            try:
                for chunk in chunks:
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            except BaseException:
                Path(name).unlink()
                raise
        return Path(name)


class _Hashed:
    """The chunks of a file, hashed as they pass."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def __iter__(self) -> Any:
        while chunk := self._file.read(CHUNK):
            self._digest.update(chunk)
            yield chunk

    def check(self, sha256: str) -> None:
        if self._digest.hexdigest() != sha256:
            raise Transient(
                f"{getattr(self._file, 'name', 'the file')} changed while it was being landed",
                fix="land it once it is written whole",
                cause="dependency.source_down",
            )


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
