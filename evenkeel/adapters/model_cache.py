"""Verified copies of model bundles on the local disk: what lets models load while the registry is away."""

from __future__ import annotations

import errno
import shutil
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING

from evenkeel.errors import ModelUnusable
from evenkeel.learning.manifest import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from evenkeel.domain.batch import ModelRef

_ABANDONED_SECONDS = 3600.0


class ModelCache:
    """One folder per model version, ``<root>/<pipeline>/<version>-<first 12 of the digest>/``.

    An entry is trusted only after its manifest and every file that it lists have been verified, each time.

    Args:
        root: Folder of the cache; made when first needed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, pipeline: str, ref: ModelRef) -> Path:
        """Return where the version's bundle is or would be."""
        return self._root / pipeline / f"{ref.version}-{ref.sha256[:12]}"

    def find(self, pipeline: str, ref: ModelRef) -> Path | None:
        """Return the version's folder if it is there and verifies, else None."""
        folder = self.path(pipeline, ref)
        try:
            verify(folder, ref.sha256)
        except ModelUnusable:
            return None
        return folder

    def put(self, pipeline: str, ref: ModelRef, fill: Callable[[Path], None]) -> Path:
        """Let ``fill`` write the bundle, verify it, and move it into place in one step.

        Whatever was in place before is replaced. A crash leaves at most an unfinished folder that the next
        ``put`` after an hour removes; it is never taken for an entry.

        Args:
            pipeline: Pipeline name.
            ref: The version.
            fill: Writes the bundle's files into the (existing, empty) folder it is given.

        Raises:
            ModelUnusable: What was written does not verify; nothing was changed.
        """
        place = self.path(pipeline, ref)
        place.parent.mkdir(parents=True, exist_ok=True)
        self._sweep(place.parent)
        fresh = place.parent / f".new-{uuid.uuid4().hex}"
        fresh.mkdir()
        try:
            fill(fresh)
            verify(fresh, ref.sha256)
            while self.find(pipeline, ref) is None:  # another process may have been first
                self._replace(fresh, place)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return place

    @staticmethod
    def _replace(fresh: Path, place: Path) -> None:
        old = place.parent / f".old-{uuid.uuid4().hex}"
        with suppress(FileNotFoundError):
            place.rename(old)
        try:
            fresh.rename(place)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        shutil.rmtree(old, ignore_errors=True)

    @staticmethod
    def _sweep(parent: Path) -> None:
        oldest = time.time() - _ABANDONED_SECONDS
        for folder in (*parent.glob(".new-*"), *parent.glob(".old-*")):
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)
