"""What stands in the landing zone, read from whichever copy is sound; a damaged one is repaired from it."""

from __future__ import annotations

import hashlib
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import structlog

from evenkeel.adapters import manifest
from evenkeel.adapters.zone_copy import CHUNK
from evenkeel.errors import DataRejected, EvenkeelError, Transient

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from evenkeel.adapters.fetched import Fetched
    from evenkeel.adapters.zone_copy import ZoneCopy
    from evenkeel.domain.batch import LandedFile, Landing

T = TypeVar("T")


class Standing:
    """What stands in the copies of a landing zone.

    Attributes:
        repaired: The files that were found damaged or gone in a copy and written again, as ``COPY: KEY``.
    """

    def __init__(self, copies: Sequence[ZoneCopy]) -> None:
        """Take the zone, then its replicas."""
        self._copies = copies
        self.repaired: list[str] = []

    def landing(self, pipeline: str, batch_id: str) -> Landing | None:
        """Return one landed batch, None where there is none; a damaged manifest is repaired from a replica.

        Raises:
            DataRejected: The manifest is damaged in every copy.
            Transient: No copy that may be good could be reached.
        """
        key = manifest.key(pipeline, batch_id)
        contents, unreachable = self._from_each(lambda copy: copy.read(key))
        for _, content in contents:
            if content is not None and (landing := manifest.read(content)):
                for copy, other in contents:
                    if other is not None and other != content and manifest.read(other) is None:
                        copy.replace(key, content)
                        self._tell(copy, key)
                return landing
        if unreachable:
            raise unreachable
        if any(content is not None for _, content in contents):
            raise _lost(f"batch {batch_id}: {manifest.NAME}")
        return None

    def survey(self, pipeline: str) -> tuple[list[Landing], list[str]]:
        """Return every landed batch by id, and the ids of those whose manifest is damaged in every copy."""
        listed, unreachable = self._from_each(lambda copy: copy.names(pipeline))
        if unreachable and not listed:
            raise unreachable
        ids = sorted({name for _, names in listed for name in names})
        zone: dict[str, bytes] = {}
        if self._copies[0] in (copy for copy, _ in listed):
            zone = self._copies[0].read_many([manifest.key(pipeline, i) for i in ids])
        found: list[Landing] = []
        damaged: list[str] = []
        for batch_id in ids:
            content = zone.get(manifest.key(pipeline, batch_id))
            landing = manifest.read(content) if content else None
            try:
                landing = landing or self.landing(pipeline, batch_id)
            except DataRejected:
                damaged.append(batch_id)
            else:
                found += [landing] if landing else []
        return found, damaged

    def names(self, pipeline: str, batch_id: str) -> set[str]:
        """Return the names of a batch's files in any copy, without its manifest."""
        return {n for copy in self._copies for n in copy.names(f"{pipeline}/{batch_id}")} - {manifest.NAME}

    def fetch(self, landing: Landing) -> list[tuple[LandedFile, Path]]:
        """Return a batch's files on this machine, their sha256 verified; see :meth:`LandingZone.fetch`."""
        return [(file, self._fetch_file(landing, file)) for file in landing.files]

    def restore(self, landing: Landing, paths: Mapping[str, Fetched], *, verify: bool) -> None:
        """See that every copy bears the whole batch, which a crash or damage may have kept from it.

        Args:
            landing: The batch.
            paths: Its files by sha256, to repair from.
            verify: Whether files that are there are read, too.
        """
        key = manifest.key(landing.pipeline, landing.batch_id)
        for copy in self._copies:
            for file in landing.files if verify else ():
                place = _place(landing, file)
                if self._good(copy, place, file) is None:
                    copy.copy_in(place, paths[file.sha256].path, file.sha256)
                    self._tell(copy, place)
            there = copy.read(key)
            if there is None:
                copy.create(key, manifest.written(landing))
            elif manifest.read(there) != landing:
                copy.replace(key, manifest.written(landing))
        keep = frozenset({manifest.NAME, *(f.name for f in landing.files)})
        for copy in self._copies:
            copy.remove_others(f"{landing.pipeline}/{landing.batch_id}", keep)

    def _fetch_file(self, landing: Landing, file: LandedFile) -> Path:
        key = _place(landing, file)
        lacking: list[ZoneCopy] = []
        unreachable: Transient | None = None
        for number, copy in enumerate(self._copies):
            try:
                path = self._good(copy, key, file)
            except Transient as error:
                unreachable = error
                continue
            if path:
                lacking += [c for c in self._copies[number + 1 :] if self._lacks(c, key, file)]
                for bad in lacking:
                    self._repair(bad, key, path, file)
                return path
            lacking.append(copy)
        if unreachable:
            raise unreachable
        raise _lost(f"batch {landing.batch_id}: {file.name}")

    def _lacks(self, copy: ZoneCopy, key: str, file: LandedFile) -> bool:
        """Say whether a copy that is not read from needs repair: a remote one is asked for the size only."""
        try:
            return self._good(copy, key, file) is None if copy.is_local else copy.size(key) != file.size
        except EvenkeelError:  # it is not needed now, and whoever needs it is told
            return False

    def _repair(self, copy: ZoneCopy, key: str, path: Path, file: LandedFile) -> None:
        """Write a file again from a good copy; where that fails the rows are there all the same."""
        try:
            copy.copy_in(key, path, file.sha256)
        except EvenkeelError as error:
            structlog.get_logger().warning(
                "damaged copy not repaired", copy=copy.uri, key=key, why=str(error)
            )
        else:
            self._tell(copy, key)

    def _tell(self, copy: ZoneCopy, key: str) -> None:
        self.repaired.append(f"{copy.uri}: {key}")
        structlog.get_logger().warning("damaged copy repaired", copy=copy.uri, key=key)

    def _good(self, copy: ZoneCopy, key: str, file: LandedFile) -> Path | None:
        """Return the file on this machine if this copy of it is undamaged."""
        path = copy.local_path(key) or Path(self._downloads.name) / hashlib.sha256(key.encode()).hexdigest()
        if not copy.is_local and not copy.copy_out(key, path, limit=file.size):
            return None
        return path if path.is_file() and _sha256(path) == file.sha256 else None

    def _from_each(self, ask: Callable[[ZoneCopy], T]) -> tuple[list[tuple[ZoneCopy, T]], Transient | None]:
        """Ask every copy that can be reached; tell of one that cannot."""
        answers: list[tuple[ZoneCopy, T]] = []
        unreachable: Transient | None = None
        for copy in self._copies:
            try:
                answers.append((copy, ask(copy)))
            except Transient as error:
                unreachable = error
        return answers, unreachable

    @cached_property
    def _downloads(self) -> tempfile.TemporaryDirectory[str]:
        return tempfile.TemporaryDirectory(prefix="evenkeel-landed-")


def _place(landing: Landing, file: LandedFile) -> str:
    return f"{landing.pipeline}/{landing.batch_id}/{file.name}"


def _lost(what: str) -> DataRejected:
    return DataRejected(
        f"{what} is damaged or gone in every copy of the landing zone",
        fix="land the same files again: that repairs the landing zone",
        cause="data.landed_copy_damaged",
    )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
