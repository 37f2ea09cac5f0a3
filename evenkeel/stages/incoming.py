"""Land what the configured sources offer: each source looked at once, whatever the others do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from evenkeel.adapters.replicas import Finding, Look
from evenkeel.adapters.seen import Seen
from evenkeel.adapters.sources import Asked
from evenkeel.domain.incident import Incident
from evenkeel.errors import EvenkeelError, Transient, UsageError
from evenkeel.failures.attribution import attribute, evidence
from evenkeel.resilience.policy import Dependency
from evenkeel.stages.land import land
from evenkeel.stages.stand_in import copied, last_known_good

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from evenkeel.adapters.landing import LandingResult
    from evenkeel.bootstrap import Workspace
    from evenkeel.settings.sources import Feed, Source

_MOST_SAID = 2000  # characters


@dataclass(frozen=True)
class Note:
    """What a look at the sources found of one cause.

    Attributes:
        cause: Cause of the failure catalogue.
        response: What was done.
        evidence: Facts; JSON-serialisable.
    """

    cause: str
    response: str
    evidence: dict[str, Any]


@dataclass(frozen=True)
class Arrivals:
    """What a look at the configured sources brought.

    Attributes:
        landed: Batches that are new.
        refused: What did not land, and why.
        away: What may land when the look is made again.
        notes: What is to be told of it, one per cause.
    """

    landed: tuple[str, ...]
    refused: tuple[EvenkeelError, ...]
    away: tuple[Transient, ...]
    notes: tuple[Note, ...]

    def check_answered(self) -> None:
        """See that every source has answered.

        Raises:
            Transient: One has not; the others have had their turn, and the look may be made again.
        """
        if self.away:
            first = self.away[0]
            said = "; ".join(dict.fromkeys(e.message for e in self.away))
            found = next((n.evidence for n in self.notes if n.cause == first.cause), first.evidence)
            raise Transient(said, fix=first.fix, cause=first.cause, evidence=found)


def land_incoming(
    workspace: Workspace, batch: str | None, *, scheduled: datetime, last: bool = True
) -> Arrivals:
    """Land what the configured sources offer; neither a batch nor a source keeps the others away.

    What landed in an earlier run is not read again here: a run that needs it verifies it.

    Args:
        workspace: The pipeline's workspace.
        batch: Only this batch; None for all that are there, or the scheduled one.
        scheduled: The time of the run.
        last: Whether no further look is made where a source does not answer: then what is wrong is told, and
            the last known good copy of a source may stand in for it.
    """
    look = _LookAround(workspace, batch, scheduled, last=last)
    for source in workspace.pipeline.sources:
        look.land_from(source)
    return look.arrivals()


def land_offered(workspace: Workspace, batch: str | None) -> list[LandingResult]:
    """Land what the configured sources offer now, as a person asks for it: the first refusal ends it.

    Raises:
        UsageError: No source is configured, or what one offers cannot land.
        DataRejected: A source has no file where one was expected.
        Transient: No place of a source answers.
    """
    if not workspace.pipeline.sources:
        raise UsageError(
            f"{workspace.settings.config_file}: key 'sources' is missing, and no file was named",
            fix=f"name files: `evenkeel land {workspace.name} FILE`, or configure a source",
        )
    results = []
    for source in workspace.pipeline.sources:
        look = look_at(workspace, source, batch, workspace.now())
        for batch_id in look.offers(batch):
            files = look.take(batch_id)
            results.append(land(workspace, batch_id, files, findings=look.findings_of(batch_id)))
        for refused in look.refused:
            raise refused
        for note in _notes((), [f for f in look.findings if not f.batch]):
            workspace.ledger.open_incident(
                Incident(
                    pipeline=workspace.name,
                    batch_id="",
                    cause=note.cause,
                    stage="land",
                    response=note.response,
                    evidence=note.evidence,
                    opened_at=workspace.now(),
                )
            )
    return results


def look_at(workspace: Workspace, source: Feed, batch: str | None, scheduled: datetime) -> Look:
    """Begin a look at a source; its places and those of the others share the time that the step may take.

    Args:
        workspace: The pipeline's workspace.
        source: The source.
        batch: Only this batch; None for all that are there, or the scheduled one.
        scheduled: The time that names the batch of a source that holds one at a time.
    """
    pipeline = workspace.pipeline
    places = sum(1 + len(s.replicas) for s in (*pipeline.sources, *pipeline.enrichments))
    asked = Asked(
        home=workspace.settings.home,
        named=batch or scheduled.strftime(source.batch_format),
        batch=batch,
        origin=source.name,
        time=workspace.pipeline.time,
        sidecars=source.checksum == "sidecar",
        max_bytes=workspace.settings.platform.landing.max_bytes,
    )
    # One share is left for landing what came.
    patience = workspace.policies[Dependency.SOURCE].timeout / (places + 1)
    return Look(source, asked, now=workspace.now(), patience=patience)


class _LookAround:
    """One look at all configured sources, and what it has come to so far."""

    def __init__(self, workspace: Workspace, batch: str | None, scheduled: datetime, *, last: bool) -> None:
        self._workspace = workspace
        self._batch = batch
        self._scheduled = scheduled
        self._last = last
        self._landed: list[str] = []
        self._errors: list[EvenkeelError] = []
        self._findings: list[Finding] = []

    def land_from(self, source: Source) -> None:
        """Land what one source offers."""
        look = look_at(self._workspace, source, self._batch, self._scheduled)
        try:
            offers = look.offers(self._batch)
        except EvenkeelError as error:
            self._errors.append(error)
            offers = {}
        try:
            told = self._land_each(source, look, offers)
        except EvenkeelError as error:  # the landing zone or the ledger, not this batch
            self._errors.append(error)
            told = set()
        self._errors += look.refused
        self._findings += [f for f in look.findings if f.batch not in told]

    def _land_each(self, source: Source, look: Look, offers: Collection[str]) -> set[str]:
        """Land the batches that have not landed yet; return those whose incidents tell what was found."""
        if not offers:
            return set()
        seen = Seen(self._workspace.landing.zone, self._workspace.name, source.name)
        may_skip = (
            source.many or source.max_age is None
        )  # the one file of a place may have grown too old since
        told = set()
        for batch_id in offers:
            if may_skip and seen.landed(look.listed(batch_id), self._standing):
                continue
            try:
                result = self._land(source, look, batch_id)
            except EvenkeelError as error:
                self._errors.append(error)
                continue
            told.add(batch_id)
            seen.add(look.listed(batch_id), result.landing.batch_id)
            self._landed += [result.landing.batch_id] if result.new else []
        seen.save()
        return told

    def _land(self, source: Source, look: Look, batch_id: str) -> LandingResult:
        try:
            files = look.take(batch_id)
        except EvenkeelError as error:
            if not source.last_known_good or (isinstance(error, Transient) and not self._last):
                raise
            return self._stand_in(source, look, batch_id, error)
        found = look.findings_of(batch_id)
        return land(self._workspace, batch_id, files, verify=False, findings=found)

    def _stand_in(self, source: Source, look: Look, batch_id: str, why: EvenkeelError) -> LandingResult:
        """Land the last known good copy of a source once more, as this batch."""
        workspace = self._workspace
        standing = workspace.landing.landing(workspace.name, batch_id)
        if standing is not None and not standing.repeats:
            raise why  # the batch itself has come before
        self._errors.append(why)
        if standing is not None:  # its stand-in has landed: it may not be entered yet
            newest = workspace.landing.landing(workspace.name, standing.repeats) or standing
        else:
            newest = last_known_good(workspace, source, why, zone=workspace.name)
        stale = Finding(
            "data.source_stale",
            f"sources.{source.name}",
            f"batch {newest.batch_id} stands in: every answer says so",
            batch_id,
            {"repeats": newest.batch_id, "landed_at": newest.landed_at.isoformat(), "why": why.message},
        )
        return land(
            workspace,
            batch_id,
            copied(workspace, newest, source),
            verify=False,
            repeats=newest.batch_id,
            findings=[*look.findings_of(batch_id), stale],
        )

    @cached_property
    def _standing(self) -> frozenset[str]:
        """The batches that both the landing zone and the ledger know."""
        workspace = self._workspace
        entered = {b.batch_id for b in workspace.ledger.batches(workspace.name)}
        return frozenset(x.batch_id for x in workspace.landing.landed(workspace.name)) & entered

    def arrivals(self) -> Arrivals:
        """Return what the look brought."""
        away = tuple(e for e in self._errors if isinstance(e, Transient))
        refused = tuple(e for e in self._errors if not isinstance(e, Transient))
        notes = () if away and not self._last else _notes(self._errors, self._findings)
        return Arrivals(tuple(self._landed), refused, away, notes)


def _notes(errors: Sequence[EvenkeelError], findings: Sequence[Finding]) -> tuple[Note, ...]:
    """Return one note per cause, as incidents outside a batch fold by cause."""
    by_cause: dict[str, tuple[list[EvenkeelError], list[Finding]]] = {}
    for error in errors:
        by_cause.setdefault(attribute(error), ([], []))[0].append(error)
    for finding in findings:
        by_cause.setdefault(finding.cause, ([], []))[1].append(finding)
    return tuple(_note(cause, *found) for cause, found in by_cause.items())


def _note(cause: str, errors: Sequence[EvenkeelError], findings: Sequence[Finding]) -> Note:
    said = [*(e.message for e in errors), *(f"{f.place}: {f.said}" for f in findings)]
    facts = evidence(errors[0]) if errors else {}
    facts |= {"message": "; ".join(dict.fromkeys(said))[:_MOST_SAID]}
    if findings:
        facts |= {"places": [{"place": f.place, "said": f.said, **f.evidence} for f in findings]}
    return Note(cause, "not landed" if errors else "another copy of the source is used", facts)
