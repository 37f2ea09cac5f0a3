"""The landing zone: every file of a batch, byte for byte with its sha256, before anything reads it.

A batch lies in ``<uri>/<pipeline>/<batch_id>/``; its ``batch.json``, written last and never over another
one, is the landing's commit. ``<uri>/<pipeline>/.by-content/<digest>/`` names the batch that holds a content.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from evenkeel.adapters import manifest
from evenkeel.adapters.formats import safe_name
from evenkeel.adapters.zone_copy import CHUNK, ZoneCopy
from evenkeel.domain.batch import LandedFile, Landing, check_batch_id
from evenkeel.errors import DataRejected, Transient, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenkeel.adapters.fetched import Fetched

_MANIFEST = "batch.json"


@dataclass(frozen=True)
class LandingResult:
    """What landing a batch came to.

    Attributes:
        landing: The batch as it lies in the zone; an earlier one where its content had landed before.
        new: Whether anything was landed.
    """

    landing: Landing
    new: bool


class LandingZone:
    """The landing zone and its replicas."""

    def __init__(self, uri: str, replicas: Sequence[str] = (), *, max_bytes: int) -> None:
        """Name the zone; nothing is opened or made yet.

        Args:
            uri: A folder or an fsspec URI.
            replicas: Further copies, each a folder or URI.
            max_bytes: A larger file is refused.
        """
        self._copies = tuple(ZoneCopy(u) for u in (uri, *replicas))
        self._max_bytes = max_bytes

    def land(self, pipeline: str, batch_id: str, files: Sequence[Fetched]) -> LandingResult:
        """Copy ``files`` into the zone and every replica as one batch; the same content is landed once.

        A crash before the end leaves only leftovers, which the next attempt overwrites or removes.

        Raises:
            UsageError: The id cannot be used or names a batch with other content, or a file is missing,
                empty, too large or of no known format.
            Transient: A source, the disk or an object store failed in a way that may pass.
            Permanent: Access to a source or the zone is refused.
        """
        check_batch_id(batch_id)
        chosen = self._described(files)
        content = manifest.content_digest([f.sha256 for f, _ in chosen])
        if earlier := self._same_content(pipeline, batch_id, content):
            self._complete(earlier)
            return LandingResult(earlier, new=False)
        for copy in self._copies:
            for landed, fetched in chosen:
                copy.copy_in(f"{pipeline}/{batch_id}/{landed.name}", fetched.path, landed.sha256)
            copy.mark(f"{_index_key(pipeline, content)}/{batch_id}")
        landing = Landing(pipeline, batch_id, tuple(f for f, _ in chosen), datetime.now(UTC))
        new = self._copies[0].create(_manifest_key(pipeline, batch_id), manifest.written(landing))
        if not new:  # another process landed this batch meanwhile
            landing = self._of_this_content(pipeline, batch_id, content) or landing
        self._complete(landing)
        self._tidy(landing)
        return LandingResult(landing, new=new)

    def landed(self, pipeline: str) -> list[Landing]:
        """Return every landed batch, by batch id.

        Raises:
            DataRejected: A batch's manifest is damaged in every copy.
        """
        ids = sorted({name for copy in self._copies for name in copy.names(pipeline)})
        zone = self._copies[0].read_many([_manifest_key(pipeline, i) for i in ids])
        found = []
        for batch_id in ids:
            content = zone.get(_manifest_key(pipeline, batch_id))
            landing = manifest.read(content) if content else None
            landing = landing or self._standing(pipeline, batch_id)
            if landing:
                found.append(landing)
        return found

    def landing(self, pipeline: str, batch_id: str) -> Landing | None:
        """Return one landed batch, None where there is none; a damaged manifest is repaired from a replica.

        Raises:
            UsageError: The id cannot be one of a batch.
            DataRejected: The manifest is damaged in every copy.
        """
        return self._standing(pipeline, check_batch_id(batch_id))

    def _standing(self, pipeline: str, batch_id: str) -> Landing | None:
        key = _manifest_key(pipeline, batch_id)
        damaged: list[ZoneCopy] = []
        there = False
        for copy in self._copies:
            content = copy.read(key)
            there = there or content is not None
            if content is not None and (landing := manifest.read(content)):
                for bad in damaged:
                    bad.replace(key, content)
                return landing
            damaged.append(copy)
        if there:
            raise _lost(f"batch {batch_id}: {_MANIFEST}")
        return None

    def fetch(self, landing: Landing) -> list[tuple[LandedFile, Path]]:
        """Return a batch's files on this machine, their sha256 verified; a damaged copy is repaired.

        Files of a remote zone are downloaded to a folder that goes when this object does.

        Raises:
            DataRejected: A file is damaged or gone in every copy.
            Transient: No copy that may be good could be reached.
        """
        return [(file, self._fetch_file(landing, file)) for file in landing.files]

    def _described(self, files: Sequence[Fetched]) -> list[tuple[LandedFile, Fetched]]:
        """Describe the files as they will land; the same bytes given twice land once."""
        chosen: dict[str, tuple[LandedFile, Fetched]] = {}
        for file in files:
            if file.size > self._max_bytes:
                raise UsageError(
                    f"{file.source}: {file.size} bytes, larger than the {self._max_bytes} allowed",
                    fix="split it, or raise platform.landing.max_bytes",
                    cause="data.too_large",
                )
            name = f"{file.sha256[:16]}-{safe_name(file.name)}"
            landed = LandedFile(name, file.sha256, file.size, file.source, file.format)
            chosen.setdefault(file.sha256, (landed, file))
        if not chosen:
            raise UsageError("no file to land", fix="name at least one")
        return list(chosen.values())

    def _same_content(self, pipeline: str, batch_id: str, content: str) -> Landing | None:
        """Return the batch that holds this content already, be it this one or an earlier one.

        Raises:
            UsageError: None does, and this batch holds another content.
        """
        for copy in self._copies:
            for named in copy.names(_index_key(pipeline, content)):
                earlier = self._standing(pipeline, named)
                if earlier and manifest.content_of(earlier) == content:
                    return earlier
        return self._of_this_content(pipeline, batch_id, content)

    def _of_this_content(self, pipeline: str, batch_id: str, content: str) -> Landing | None:
        """Return the batch, None where there is none; UsageError where it holds another content."""
        landing = self._standing(pipeline, batch_id)
        if landing is None or (standing := manifest.content_of(landing)) == content:
            return landing
        raise UsageError(
            f"batch {batch_id} has landed with other content: {standing[:16]} stands, {content[:16]} came",
            fix="land it under another id with --batch",
            cause="data.duplicated_batch",
        )

    def _complete(self, landing: Landing) -> None:
        """See that every replica bears the manifest, which a crash may have kept from it."""
        for copy in self._copies[1:]:
            copy.create(_manifest_key(landing.pipeline, landing.batch_id), manifest.written(landing))

    def _tidy(self, landing: Landing) -> None:
        keep = frozenset({_MANIFEST, *(f.name for f in landing.files)})
        for copy in self._copies:
            copy.remove_others(f"{landing.pipeline}/{landing.batch_id}", keep)

    def _fetch_file(self, landing: Landing, file: LandedFile) -> Path:
        key = f"{landing.pipeline}/{landing.batch_id}/{file.name}"
        damaged: list[ZoneCopy] = []
        unreachable: Transient | None = None
        for copy in self._copies:
            try:
                path = self._good(copy, key, file)
            except Transient as error:
                unreachable = error
                continue
            if path:
                for bad in damaged:
                    bad.copy_in(key, path, file.sha256)
                return path
            damaged.append(copy)
        if unreachable:
            raise unreachable
        raise _lost(f"batch {landing.batch_id}: {file.name}")

    def _good(self, copy: ZoneCopy, key: str, file: LandedFile) -> Path | None:
        """Return the file on this machine if this copy of it is undamaged."""
        path = copy.local_path(key) or Path(self._downloads.name) / hashlib.sha256(key.encode()).hexdigest()
        if not copy.is_local and not copy.copy_out(key, path, limit=file.size):
            return None
        return path if path.is_file() and _sha256(path) == file.sha256 else None

    @cached_property
    def _downloads(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(prefix="evenkeel-landed-")


def _manifest_key(pipeline: str, batch_id: str) -> str:
    return f"{pipeline}/{batch_id}/{_MANIFEST}"


def _index_key(pipeline: str, content: str) -> str:
    return f"{pipeline}/.by-content/{content}"


def _lost(what: str) -> DataRejected:
    return DataRejected(
        f"{what} is damaged or gone in every copy of the landing zone",
        fix="land it again from its source under another --batch",
        cause="data.landed_copy_damaged",
    )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
