"""Land what the enrichment sources have brought: every delivery is a landing of its own, immutable like a batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evenkeel.adapters.replicas import Finding
from evenkeel.domain.batch import BatchState
from evenkeel.errors import EvenkeelError, Transient
from evenkeel.failures.attribution import attribute, evidence
from evenkeel.stages.enrich import zone_name
from evenkeel.stages.incoming import look_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from evenkeel.adapters.fetched import Fetched
    from evenkeel.bootstrap import Workspace
    from evenkeel.settings.enrichment import Enrichment

_MISSING = "data.file_missing"


@dataclass(frozen=True)
class Deliveries:
    """What a look at the enrichment sources came to.

    Attributes:
        findings: What was wrong and was got over, to be told also where a source did not answer.
        away: What did not answer.
    """

    findings: tuple[Finding, ...] = ()
    away: tuple[Transient, ...] = ()

    def check_answered(self) -> None:
        """See that every source has answered.

        Raises:
            Transient: One has not; the others have had their turn, and the look may be made again.
        """
        if self.away:
            raise self.away[0]


def land_joined(workspace: Workspace) -> Deliveries:
    """Land what every enrichment source has that has not landed; neither keeps the others away.

    That a delivery for a batch is not there yet is no failure: the batch says so when it is answered.
    """
    findings: list[Finding] = []
    away: list[Transient] = []
    for source in workspace.pipeline.enrichments:
        known = {d.batch_id for d in workspace.landing.landed(zone_name(workspace.name, source.name))}
        for wanted in [None] if source.many else _wanted(workspace, source, known):
            try:
                findings += _land_from(workspace, source, wanted, known)
            except Transient as error:
                away.append(error)
                break  # it is not asked for the others while it does not answer
            except EvenkeelError as error:
                findings += _told(source, [error])
    return Deliveries(tuple(findings), tuple(away))


def _wanted(workspace: Workspace, source: Enrichment, known: Iterable[str]) -> list[str]:
    """Return the batches that wait for a delivery, or may still be answered again with it."""
    now = workspace.now()
    return [
        b.batch_id
        for b in workspace.ledger.batches(workspace.name)
        if b.batch_id not in known
        and b.state is not BatchState.HELD
        and (b.pins is None or (now - b.landed_at).total_seconds() <= source.window)
    ]


def _land_from(
    workspace: Workspace, source: Enrichment, wanted: str | None, known: Iterable[str]
) -> list[Finding]:
    look = look_at(workspace, source, wanted, workspace.now())
    offers = look.offers(wanted)
    errors: list[EvenkeelError] = list(look.refused)
    for delivery in offers:
        if delivery in known:
            continue
        try:
            _land(workspace, source, delivery, look.take(delivery))
        except Transient:
            raise
        except EvenkeelError as error:
            errors.append(error)
    return [*look.findings, *_told(source, errors)]


def _land(workspace: Workspace, source: Enrichment, delivery: str, files: Sequence[Fetched]) -> None:
    """Land a delivery under its own id, also where an earlier one had the very same content."""
    zone = zone_name(workspace.name, source.name)
    standing = workspace.landing.land(zone, delivery, files, verify=False).landing.batch_id
    if standing != delivery:
        workspace.landing.land(zone, delivery, files, verify=False, repeats=standing)


def _told(source: Enrichment, errors: Iterable[EvenkeelError]) -> list[Finding]:
    return [
        Finding(attribute(e), f"enrichments.{source.name}", f"not landed: {e.message}", evidence=evidence(e))
        for e in errors
        if e.cause != _MISSING
    ]
