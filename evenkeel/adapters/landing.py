"""The landing zone: every file of a batch, byte for byte with its sha256, before anything reads it.

A batch lies in ``<uri>/<pipeline>/<batch_id>/``; its ``batch.json``, written last and never over another
one, is the landing's commit. Before, the batch claims its content.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from evenkeel.adapters import manifest
from evenkeel.adapters.claims import Claims
from evenkeel.adapters.formats import safe_name
from evenkeel.adapters.zone_copy import ZoneCopy
from evenkeel.adapters.zone_repair import Standing
from evenkeel.domain.batch import LandedFile, Landing, check_batch_id
from evenkeel.errors import DataRejected, EvenkeelError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from evenkeel.adapters.fetched import Fetched

_PREFIX = 16  # hex digits of the sha256 that a landed file's name begins with


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
        self._claims = Claims(self._copies)
        self._standing = Standing(self._copies)
        self._max_bytes = max_bytes

    def land(
        self,
        pipeline: str,
        batch_id: str,
        files: Sequence[Fetched],
        *,
        verify: bool = True,
        repeats: str = "",
    ) -> LandingResult:
        """Copy ``files`` into the zone and every replica as one batch; the same content is landed once.

        A crash before the end leaves only leftovers, which the next attempt overwrites or removes.

        Args:
            pipeline: Pipeline name.
            batch_id: Batch id; content that is claimed already keeps the id it was claimed under.
            files: The batch's files.
            verify: Whether content that has landed already is read again in every copy, and repaired from
                ``files`` where it is damaged.
            repeats: The earlier batch whose files these are: they land again under an id of their own.

        Raises:
            UsageError: The id cannot be used or names a batch with other content, or a file is missing,
                empty, too large or of no known format.
            DataRejected: The manifest of that id is damaged in every copy, and its files are others.
            Transient: A source, the disk or an object store failed in a way that may pass.
            Permanent: Access to a source or the zone is refused.
        """
        coming = self._described(pipeline, batch_id, files, repeats)
        for key, holder in self._claims.holders(pipeline, coming.content):
            standing = self._recovered(holder, coming)
            if standing and manifest.content_of(standing) != coming.content:
                continue  # the claim was left by a crash, and the id was given to other content since
            self._claims.share(key, holder)
            if standing is None and (result := self._write(holder, coming)):
                return result
            if standing:
                self._standing.restore(standing, coming.by_sha256, verify=verify)
                return LandingResult(standing, new=False)
        self._check(batch_id, coming)
        self._claims.take(pipeline, coming.content, batch_id)
        return self.land(pipeline, batch_id, files, verify=verify, repeats=repeats)

    def check(self, pipeline: str, batch_id: str, files: Sequence[Fetched]) -> None:
        """See that ``files`` can land under this id, as far as that can be said without writing anything.

        Raises:
            UsageError: They cannot.
            DataRejected: The manifest of that id is damaged in every copy, and its files are others.
        """
        self._check(batch_id, self._described(pipeline, batch_id, files))

    def _check(self, batch_id: str, coming: _Coming) -> None:
        check_batch_id(batch_id)
        pipeline = coming.landing.pipeline
        for _, holder in self._claims.holders(pipeline, coming.content):
            landing = self._recovered(holder, coming)
            if landing is None or manifest.content_of(landing) == coming.content:
                return
        landing = self._recovered(batch_id, coming)
        if landing and (standing := manifest.content_of(landing)) != coming.content:
            raise _taken(landing, standing, coming.content)

    def _write(self, batch_id: str, coming: _Coming) -> LandingResult | None:
        """Write a batch that does not stand yet; None where other content took its id meanwhile."""
        landing = coming.under(batch_id)
        pipeline = landing.pipeline
        try:
            for copy in self._copies:
                for landed in landing.files:
                    path = coming.by_sha256[landed.sha256].path
                    copy.copy_in(f"{pipeline}/{batch_id}/{landed.name}", path, landed.sha256)
            new = self._copies[0].create(manifest.key(pipeline, batch_id), manifest.written(landing))
        except EvenkeelError:
            # A process that finished this very batch meanwhile has tidied our half away.
            if self._standing.landing(pipeline, batch_id) is None:
                raise
            new = False
        standing = landing if new else self._standing.landing(pipeline, batch_id)
        if standing is None or manifest.content_of(standing) != coming.content:
            return None
        self._standing.restore(standing, coming.by_sha256, verify=not new)
        return LandingResult(standing, new=new)

    def _recovered(self, batch_id: str, coming: _Coming) -> Landing | None:
        """Return the batch; where no manifest of it can be read but its files are those coming, a new one."""
        try:
            return self._standing.landing(coming.landing.pipeline, batch_id)
        except DataRejected:
            given = tuple(sha256[:_PREFIX] for sha256 in coming.by_sha256)
            if not all(n.startswith(given) for n in self._standing.names(coming.landing.pipeline, batch_id)):
                raise
        return coming.under(batch_id)

    def landed(self, pipeline: str) -> list[Landing]:
        """Return every landed batch, by batch id; those that :meth:`damaged` names are left out."""
        return self._standing.survey(pipeline)[0]

    def damaged(self, pipeline: str) -> list[str]:
        """Return the ids of batches whose manifest is damaged in every copy, sorted."""
        return self._standing.survey(pipeline)[1]

    def landing(self, pipeline: str, batch_id: str) -> Landing | None:
        """Return one landed batch, None where there is none; a damaged manifest is repaired from a replica.

        Raises:
            UsageError: The id cannot be one of a batch.
            DataRejected: The manifest is damaged in every copy.
            Transient: No copy that may be good could be reached.
        """
        return self._standing.landing(pipeline, check_batch_id(batch_id))

    def fetch(self, landing: Landing) -> list[tuple[LandedFile, Path]]:
        """Return a batch's files on this machine, their sha256 verified; a damaged copy is repaired.

        The copies that are not read are looked at, too: a local one is verified, of a remote one only that the
        file is there whole. Files of a remote zone are downloaded to a folder that goes when this object does.

        Raises:
            DataRejected: A file is damaged or gone in every copy.
            Transient: No copy that may be good could be reached.
        """
        return self._standing.fetch(landing)

    def repaired(self, landing: Landing) -> list[str]:
        """Return what of a batch was found damaged in a copy and repaired from another since this object was made."""
        place = f": {landing.pipeline}/{landing.batch_id}/"
        return [told for told in self._standing.repaired if place in told]

    @property
    def zone(self) -> ZoneCopy:
        """The zone itself, without its replicas."""
        return self._copies[0]

    def _described(
        self, pipeline: str, batch_id: str, files: Sequence[Fetched], repeats: str = ""
    ) -> _Coming:
        """Describe the batch as it will land; the same bytes given twice land once."""
        chosen: dict[str, LandedFile] = {}
        by_sha256: dict[str, Fetched] = {}
        for file in files:
            if file.size > self._max_bytes:
                raise UsageError(
                    f"{file.source}: {file.size} bytes, larger than the {self._max_bytes} allowed",
                    fix="split it, or raise platform.landing.max_bytes",
                    cause="data.too_large",
                )
            name = f"{file.sha256[:_PREFIX]}-{safe_name(file.name)}"
            landed = LandedFile(
                name, file.sha256, file.size, file.source, file.format, file.origin, file.stale
            )
            chosen.setdefault(file.sha256, landed)
            by_sha256.setdefault(file.sha256, file)
        if not chosen:
            raise UsageError("no file to land", fix="name at least one")
        landing = Landing(pipeline, batch_id, tuple(chosen.values()), datetime.now(UTC), repeats)
        return _Coming(landing, by_sha256)


@dataclass(frozen=True)
class _Coming:
    """A batch on its way in.

    Attributes:
        landing: As it will stand.
        by_sha256: Its files.
    """

    landing: Landing
    by_sha256: dict[str, Fetched]

    @property
    def content(self) -> str:
        return manifest.content_of(self.landing)

    def under(self, batch_id: str) -> Landing:
        coming = self.landing
        return Landing(coming.pipeline, batch_id, coming.files, datetime.now(UTC), coming.repeats)


def _taken(landing: Landing, standing: str, came: str) -> UsageError:
    why = f"has landed with other content: {standing[:16]} stands, {came[:16]} came"
    if landing.repeats:
        why = (
            f"was landed from batch {landing.repeats} while its source was away, and its own file came after"
        )
    return UsageError(
        f"batch {landing.batch_id} {why}",
        fix="land it under another id with --batch",
        cause="data.duplicated_batch",
    )
