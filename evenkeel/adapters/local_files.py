"""A source's file on this machine: found, kept inside its source's folder, and described."""

from __future__ import annotations

import stat
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from evenkeel.adapters import checksums
from evenkeel.adapters.downloads import DOWN, REFUSES
from evenkeel.adapters.fetched import Brought, Stated
from evenkeel.adapters.vendor_errors import translated
from evenkeel.errors import DataRejected, EvenkeelError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from evenkeel.adapters.fetched import Check

# A file written again within the coarsest clock tick of a file system keeps its time: only one that has
# rested longer is told from its next version by it.
_REST_SECONDS = 3.0


def find(
    path: Path,
    _scratch: Path,
    _check: Check,
    *,
    inside: Path | None,
    missing: EvenkeelError,
    sidecars: bool,
) -> Brought:
    """Find a file, links followed.

    Args:
        path: The file.
        inside: The folder it must not lead out of; None where a person named the file itself.
        missing: Raised where there is no such file.
        sidecars: Whether the checksum that may stand beside it is looked for.

    Raises:
        UsageError: It is a folder, or no regular file.
        DataRejected: ``data.unsafe_path``: it leads out of its source's folder.
        Transient: The disk does not answer.
        Permanent: It may not be read.
    """
    if path.is_dir():
        raise UsageError(f"{path}: is a folder", fix="name the files in it, e.g. with a *")
    if not path.exists():
        raise missing
    with translated(str(path), down=DOWN, refused=REFUSES):
        resolved = path.resolve(strict=True)
        if inside is not None and not resolved.is_relative_to(inside.resolve()):
            raise DataRejected(
                f"{path}: leads to {resolved}, out of its source's folder {inside}",
                fix="put the file itself there, or name the folder it is in",
                cause="data.unsafe_path",
            )
        if not resolved.is_file():
            raise UsageError(f"{path}: is no regular file", fix="give a file", cause="data.unsafe_path")
        resolved.open("rb").close()
        beside = checksums.from_sidecars(path.name, lambda suffix: _beside(path, suffix)) if sidecars else ""
    stated = described(resolved)
    return Brought(resolved, Stated(stated.modified, stated.fingerprint, beside))


def described(path: Path) -> Stated:
    """Return what the disk states of a file, nothing where there is none."""
    try:
        found = path.stat()
    except OSError:
        return Stated()
    if not stat.S_ISREG(found.st_mode):
        return Stated()
    modified = datetime.fromtimestamp(found.st_mtime, UTC)
    if time.time() - max(found.st_mtime, found.st_ctime) < _REST_SECONDS:
        return Stated(modified)
    return Stated(modified, f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}")


def _beside(path: Path, suffix: str) -> bytes | None:
    sidecar = path.with_name(path.name + suffix)
    if not sidecar.is_file():
        return None
    with sidecar.open("rb") as file:
        return file.read(checksums.MOST)
