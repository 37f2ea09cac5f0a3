"""P4 and P5: nobody took charge without passing the gates, and every failure has its cause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenkeel.audit.promise import Findings, shown
from evenkeel.domain.batch import BatchState
from evenkeel.domain.model_event import EventKind, ModelEvent, standing
from evenkeel.errors import EvenkeelError
from evenkeel.failures.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenkeel.audit.book import Book
    from evenkeel.bootstrap import Workspace
    from evenkeel.domain.incident import Incident


def check_promotions(workspace: Workspace, events: list[ModelEvent], findings: Findings) -> None:
    """Every promotion rests on gates that all passed; the registry names the same champion."""
    judged = {e.model for e in events if e.kind is EventKind.REGISTERED and e.detail.get("passed")}
    for event in events:
        if event.kind is not EventKind.PROMOTED:
            continue
        findings.check("P4")
        gates = event.detail.get("gates") or []
        if event.model not in judged or not gates or not all(g["passed"] for g in gates):
            findings.breach(
                "P4",
                "",
                f"version {event.version} was promoted at {event.at:%Y-%m-%d %H:%M} without passing its gates",
            )
    now = standing(events)
    try:
        aliases = workspace.registry.aliases(workspace.name) if events else {}
    except EvenkeelError as error:
        findings.notes.append(f"the registry's aliases could not be compared: {error}")
        return
    expected = now.champion.version if now.champion else None
    if aliases.get("champion") != expected:
        findings.breach(
            "P4",
            "",
            f"the registry's champion is version {aliases.get('champion')}, the history's is {expected}",
        )


def check_pins(book: Book, events: list[ModelEvent], findings: Findings) -> None:
    """A batch was pinned to the champion in charge at that instant."""
    pins = book.record.pins if book.record else None
    if pins is None:
        return
    findings.check("P4")
    then = standing(e for e in events if e.at <= pins.as_of)
    if pins.champion != then.champion:
        pinned = pins.champion.version if pins.champion else None
        charged = then.champion.version if then.champion else None
        findings.breach(
            "P4", book.batch_id, f"scored by version {pinned} while version {charged} was in charge"
        )


def check_incidents(incidents: list[Incident], findings: Findings) -> None:
    """Every incident has a cause of the catalogue, a stage, a response and evidence."""
    for incident in incidents:
        findings.check("P5")
        lacking = [
            what
            for what, there in (
                ("a cause of the catalogue", incident.cause in catalogue()),
                ("a stage", incident.stage),
                ("a response", incident.response),
                ("evidence", incident.evidence),
            )
            if not there
        ]
        if lacking:
            findings.breach(
                "P5", incident.batch_id, f"incident {incident.cause!r} lacks {', '.join(lacking)}"
            )


def check_attribution(
    book: Book, incidents: list[Incident], findings: Findings, row_key: Sequence[str]
) -> None:
    """A batch with refused rows, or held, has an incident; every refused row has its reasons."""
    held = book.record is not None and book.record.state is BatchState.HELD
    findings.check("P5", len(book.quarantine))
    if (len(book.quarantine) or held) and not incidents:
        findings.breach(
            "P5",
            book.batch_id,
            f"{'held' if held else f'{len(book.quarantine)} rows quarantined'} without an incident",
        )
    silent = book.quarantine[book.quarantine["reasons"].map(len) == 0]
    if len(silent):
        names = ["/".join(map(str, k)) for k in silent[list(row_key)].itertuples(index=False, name=None)]
        findings.breach(
            "P5", book.batch_id, f"{len(silent)} rows quarantined without a reason: {shown(names)}"
        )
