"""The landing zone: every file of a batch, byte for byte with its sha256, before anything reads it.

A batch lies in ``<uri>/<pipeline>/<batch_id>/``; its ``batch.json``, written last and never over another
one, is the landing's commit. Before, the batch claims its content in ``<uri>/<pipeline>/.by-content/``: whoever
lands the same content meanwhile or after a crash finishes that very batch, so no content stands twice.
"""

from __future__ import annotations

import hashlib
import itertools
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from evenkeel.adapters import manifest
from evenkeel.adapters.formats import safe_name
from evenkeel.adapters.zone_copy import CHUNK, ZoneCopy
from evenkeel.domain.batch import LandedFile, Landing, check_batch_id
from evenkeel.errors import DataRejected, EvenkeelError, Transient, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from evenkeel.adapters.fetched import Fetched

_MANIFEST = "batch.json"
_PREFIX = 16  # hex digits of the sha256 that a landed file's name begins with
T = TypeVar("T")


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

    def land(
        self, pipeline: str, batch_id: str, files: Sequence[Fetched], *, verify: bool = True
    ) -> LandingResult:
        """Copy ``files`` into the zone and every replica as one batch; the same content is landed once.

        A crash before the end leaves only leftovers, which the next attempt overwrites or removes.

        Args:
            pipeline: Pipeline name.
            batch_id: Batch id; content that is claimed already keeps the id it was claimed under.
            files: The batch's files.
            verify: Whether content that has landed already is read again in every copy, and repaired from
                ``files`` where it is damaged.

        Raises:
            UsageError: The id cannot be used or names a batch with other content, or a file is missing,
                empty, too large or of no known format.
            DataRejected: The manifest of that id is damaged in every copy, and its files are others.
            Transient: A source, the disk or an object store failed in a way that may pass.
            Permanent: Access to a source or the zone is refused.
        """
        chosen = self._described(files)
        content = manifest.content_digest([f.sha256 for f, _ in chosen])
        for key, holder in self._holders(pipeline, content):
            standing = self._recovered(pipeline, holder, chosen)
            if standing and manifest.content_of(standing) != content:
                continue  # the claim was left by a crash, and the id was given to other content since
            self._share(key, holder)
            if standing is None and (result := self._write(pipeline, holder, chosen, content)):
                return result
            if standing:
                self._repair(standing, chosen, verify=verify)
                return LandingResult(standing, new=False)
        self.check(pipeline, batch_id, files)
        self._copies[0].create(self._free_claim(pipeline, content), batch_id.encode())
        return self.land(pipeline, batch_id, files, verify=verify)

    def check(self, pipeline: str, batch_id: str, files: Sequence[Fetched]) -> None:
        """See that ``files`` can land under this id, as far as that can be said without writing anything.

        Raises:
            UsageError: They cannot.
            DataRejected: The manifest of that id is damaged in every copy, and its files are others.
        """
        check_batch_id(batch_id)
        chosen = self._described(files)
        content = manifest.content_digest([f.sha256 for f, _ in chosen])
        for _, holder in self._holders(pipeline, content):
            landing = self._recovered(pipeline, holder, chosen)
            if landing is None or manifest.content_of(landing) == content:
                return
        landing = self._recovered(pipeline, batch_id, chosen)
        if landing and (standing := manifest.content_of(landing)) != content:
            raise UsageError(
                f"batch {batch_id} has landed with other content: {standing[:16]} stands, {content[:16]} came",
                fix="land it under another id with --batch",
                cause="data.duplicated_batch",
            )

    def _holders(self, pipeline: str, content: str) -> Iterator[tuple[str, str]]:
        """Yield the claims to a content, oldest first, with the batch that holds each."""
        for key in _claims(pipeline, content):
            found = [c for copy in self._copies if (c := copy.read(key)) is not None]
            if not found:
                return
            yield from ((key, holder) for c in found if (holder := _readable_id(c)))

    def _free_claim(self, pipeline: str, content: str) -> str:
        return next(k for k in _claims(pipeline, content) if all(c.read(k) is None for c in self._copies))

    def _share(self, key: str, holder: str) -> None:
        for copy in self._copies:
            copy.create(key, holder.encode())

    def _write(
        self, pipeline: str, batch_id: str, chosen: Sequence[tuple[LandedFile, Fetched]], content: str
    ) -> LandingResult | None:
        """Write a batch that does not stand yet; None where other content took its id meanwhile."""
        landing = Landing(pipeline, batch_id, tuple(f for f, _ in chosen), datetime.now(UTC))
        try:
            for copy in self._copies:
                for landed, fetched in chosen:
                    copy.copy_in(f"{pipeline}/{batch_id}/{landed.name}", fetched.path, landed.sha256)
            new = self._copies[0].create(_manifest_key(pipeline, batch_id), manifest.written(landing))
        except EvenkeelError:
            # A process that finished this very batch meanwhile has tidied our half away.
            if self._standing(pipeline, batch_id) is None:
                raise
            new = False
        standing = landing if new else self._standing(pipeline, batch_id)
        if standing is None or manifest.content_of(standing) != content:
            return None
        self._repair(standing, chosen, verify=not new)
        return LandingResult(standing, new=new)

    def _repair(
        self, landing: Landing, chosen: Sequence[tuple[LandedFile, Fetched]], *, verify: bool
    ) -> None:
        """See that every copy bears the whole batch, which a crash or damage may have kept from it."""
        paths = {landed.sha256: fetched for landed, fetched in chosen}
        key = _manifest_key(landing.pipeline, landing.batch_id)
        for copy in self._copies:
            for file in landing.files if verify else ():
                place = f"{landing.pipeline}/{landing.batch_id}/{file.name}"
                if self._good(copy, place, file) is None:
                    copy.copy_in(place, paths[file.sha256].path, file.sha256)
            there = copy.read(key)
            if there is None:
                copy.create(key, manifest.written(landing))
            elif manifest.read(there) != landing:
                copy.replace(key, manifest.written(landing))
        self._tidy(landing)

    def _recovered(
        self, pipeline: str, batch_id: str, chosen: Sequence[tuple[LandedFile, Fetched]]
    ) -> Landing | None:
        """Return the batch; where no manifest of it can be read but all its files are ``chosen``, with a new one."""
        try:
            return self._standing(pipeline, batch_id)
        except DataRejected:
            given = tuple(landed.sha256[:_PREFIX] for landed, _ in chosen)
            names = {n for copy in self._copies for n in copy.names(f"{pipeline}/{batch_id}")} - {_MANIFEST}
            if not all(n.startswith(given) for n in names):
                raise
        return Landing(pipeline, batch_id, tuple(f for f, _ in chosen), datetime.now(UTC))

    def landed(self, pipeline: str) -> list[Landing]:
        """Return every landed batch, by batch id; those that :meth:`damaged` names are left out."""
        return self._survey(pipeline)[0]

    def damaged(self, pipeline: str) -> list[str]:
        """Return the ids of batches whose manifest is damaged in every copy, sorted."""
        return self._survey(pipeline)[1]

    def landing(self, pipeline: str, batch_id: str) -> Landing | None:
        """Return one landed batch, None where there is none; a damaged manifest is repaired from a replica.

        Raises:
            UsageError: The id cannot be one of a batch.
            DataRejected: The manifest is damaged in every copy.
            Transient: No copy that may be good could be reached.
        """
        return self._standing(pipeline, check_batch_id(batch_id))

    def _survey(self, pipeline: str) -> tuple[list[Landing], list[str]]:
        listed, unreachable = self._from_each(lambda copy: copy.names(pipeline))
        if unreachable and not listed:
            raise unreachable
        ids = sorted({name for _, names in listed for name in names})
        zone: dict[str, bytes] = {}
        if self._copies[0] in (copy for copy, _ in listed):
            zone = self._copies[0].read_many([_manifest_key(pipeline, i) for i in ids])
        found: list[Landing] = []
        damaged: list[str] = []
        for batch_id in ids:
            content = zone.get(_manifest_key(pipeline, batch_id))
            landing = manifest.read(content) if content else None
            try:
                landing = landing or self._standing(pipeline, batch_id)
            except DataRejected:
                damaged.append(batch_id)
            else:
                found += [landing] if landing else []
        return found, damaged

    def _standing(self, pipeline: str, batch_id: str) -> Landing | None:
        key = _manifest_key(pipeline, batch_id)
        contents, unreachable = self._from_each(lambda copy: copy.read(key))
        for _, content in contents:
            if content is not None and (landing := manifest.read(content)):
                for copy, other in contents:
                    if other is not None and other != content and manifest.read(other) is None:
                        copy.replace(key, content)
                return landing
        if unreachable:
            raise unreachable
        if any(content is not None for _, content in contents):
            raise _lost(f"batch {batch_id}: {_MANIFEST}")
        return None

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
            name = f"{file.sha256[:_PREFIX]}-{safe_name(file.name)}"
            landed = LandedFile(name, file.sha256, file.size, file.source, file.format)
            chosen.setdefault(file.sha256, (landed, file))
        if not chosen:
            raise UsageError("no file to land", fix="name at least one")
        return list(chosen.values())

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


def _claims(pipeline: str, content: str) -> Iterator[str]:
    """Yield the keys of the claims to a content; the next is used where the batch of the one before is dead."""
    return (f"{pipeline}/.by-content/{content}.{number}" for number in itertools.count())


def _readable_id(claim: bytes) -> str:
    """Return the batch that a claim names, nothing where it is damaged."""
    try:
        return check_batch_id(claim.decode())
    except (UnicodeDecodeError, UsageError):
        return ""


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
