"""The manifest that seals a model version: every file's sha256, and one digest over all of them."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from evenkeel.errors import ModelUnusable

if TYPE_CHECKING:
    from collections.abc import Mapping

MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 1_000_000
# A part is read into memory before it is trusted: refuse what no model here can be.
MAX_PART_BYTES = 2_000_000_000


def seal(folder: Path) -> str:
    """Write ``manifest.json`` over every other file in ``folder`` and return the version's digest.

    Args:
        folder: A flat folder of regular files; from here on none of them may change.

    Returns:
        Hex sha256 of the manifest's bytes, which pins every byte of the version.

    Raises:
        ModelUnusable: The folder is empty, or holds a subfolder, a link or a device.
    """
    names = sorted(_files(folder) - {MANIFEST})
    if not names:
        raise ModelUnusable(f"{folder}: holds no files to seal", cause="model.artifact_missing")
    text = json.dumps({name: _sha256_of(folder / name) for name in names}, indent=2) + "\n"
    data = text.encode()
    (folder / MANIFEST).write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def verify(folder: Path, digest: str) -> None:
    """Check a whole version: its manifest, every listed file, and that nothing else lies beside them.

    Raises:
        ModelUnusable: Cause ``model.artifact_missing`` or ``model.artifact_corrupt``, naming the file.
    """
    listed = read_manifest(folder, digest)
    present = _files(folder)
    if missing := sorted(set(listed) - present):
        raise _missing(folder / missing[0])
    if unlisted := sorted(present - set(listed) - {MANIFEST}):
        raise ModelUnusable(
            f"{folder / unlisted[0]}: is not in the manifest, expected only the files it was sealed with",
            fix="remove the file, or fetch the version from the registry again",
            cause="model.artifact_corrupt",
        )
    for name, sha256 in listed.items():
        if (found := _sha256_of(folder / name)) != sha256:
            raise _corrupt(folder / name, found, sha256)


def read_manifest(folder: Path, digest: str) -> dict[str, str]:
    """Return file name -> sha256, after checking the manifest against the version's digest.

    Raises:
        ModelUnusable: The manifest is absent, altered, or names a file outside the folder.
    """
    file = folder / MANIFEST
    data = _read(file, MAX_MANIFEST_BYTES)
    if (found := hashlib.sha256(data).hexdigest()) != digest:
        raise _corrupt(file, found, digest)
    try:
        listed = json.loads(data)
    except ValueError:
        listed = None
    if not isinstance(listed, dict) or not all(isinstance(v, str) for v in listed.values()):
        raise ModelUnusable(
            f"{file}: expected a JSON object of file names and sha256", cause="model.artifact_corrupt"
        )
    for name in listed:
        if name != Path(name).name or "/" in name or "\\" in name or name in {"", ".", "..", MANIFEST}:
            raise ModelUnusable(
                f"{file}: names {name!r}, expected plain file names inside the folder",
                cause="model.artifact_corrupt",
            )
    return listed


def read_part(folder: Path, listed: Mapping[str, str], name: str) -> bytes:
    """Return the bytes of one listed file; the very bytes that were hashed, so nothing can change between.

    Raises:
        ModelUnusable: The file is unlisted, absent, altered or absurdly large.
    """
    if name not in listed:
        raise ModelUnusable(
            f"{folder / MANIFEST}: does not list {name}, expected it in every model version",
            cause="model.artifact_missing",
        )
    data = _read(folder / name, MAX_PART_BYTES)
    if (found := hashlib.sha256(data).hexdigest()) != listed[name]:
        raise _corrupt(folder / name, found, listed[name])
    return data


def _files(folder: Path) -> set[str]:
    if not folder.is_dir():
        raise _missing(folder)
    names = set()
    for entry in folder.iterdir():
        if not stat.S_ISREG(entry.lstat().st_mode):
            raise ModelUnusable(
                f"{entry}: is not a regular file, expected a flat folder of files",
                cause="model.artifact_corrupt",
            )
        names.add(entry.name)
    return names


def _read(file: Path, limit: int) -> bytes:
    try:
        with file.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > limit:
                raise ModelUnusable(
                    f"{file}: has {size} bytes, expected at most {limit}", cause="model.artifact_corrupt"
                )
            return stream.read(limit + 1)
    except FileNotFoundError:
        raise _missing(file) from None
    except OSError as error:
        raise ModelUnusable(
            f"{file}: cannot be read ({error.strerror})", cause="model.artifact_missing"
        ) from error


def _sha256_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _missing(file: Path) -> ModelUnusable:
    return ModelUnusable(
        f"{file}: is missing, expected it as part of the model version",
        fix="fetch the version from the registry again",
        cause="model.artifact_missing",
    )


def _corrupt(file: Path, found: str, expected: str) -> ModelUnusable:
    return ModelUnusable(
        f"{file}: has sha256 {found[:12]}, expected {expected[:12]}",
        fix="fetch the version from the registry again",
        cause="model.artifact_corrupt",
        evidence={"file": file.name, "found": found, "expected": expected},
    )
