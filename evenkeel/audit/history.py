"""P4: nobody took charge without passing the gates, and every batch was pinned to whoever was in charge."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from evenkeel.domain.model_event import EventKind, ModelEvent, standing
from evenkeel.errors import EvenkeelError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from evenkeel.audit.book import Book
    from evenkeel.audit.promise import Findings
    from evenkeel.bootstrap import Workspace
    from evenkeel.domain.batch import ModelRef
    from evenkeel.domain.incident import Incident
    from evenkeel.domain.model_event import Standing

# A batch reads who is in charge and then its clock, and events bear the clocks of other machines.
_CLOCKS = timedelta(seconds=5)


def check_promotions(
    workspace: Workspace, events: list[ModelEvent], incidents: list[Incident], findings: Findings
) -> None:
    """Every promotion rests on gates that all passed, every reversal on a promotion; the registry agrees."""
    judged = {e.model for e in events if e.kind is EventKind.REGISTERED and e.detail.get("passed")}
    served: set[str] = set()
    for event in events:
        if event.kind is EventKind.PROMOTED:
            findings.check("P4")
            served.add(event.version)
            gates = event.detail.get("gates") or []
            if event.model not in judged or not gates or not all(g["passed"] for g in gates):
                findings.breach(
                    "P4",
                    "",
                    f"version {event.version} was promoted at {_minute(event)} without passing its gates",
                )
        elif event.kind is EventKind.REVERTED:
            findings.check("P4")
            if event.champion and event.champion not in served:
                what = f"version {event.champion} took charge at {_minute(event)} without ever being promoted"
                findings.breach("P4", "", f"{what}, when version {event.version} was taken back")
    _check_registry(workspace, events, incidents, findings)


def _check_registry(
    workspace: Workspace, events: list[ModelEvent], incidents: list[Incident], findings: Findings
) -> None:
    """The registry names the history's champion, or the one before the newest event: a mirror may be behind.

    No alias at all is behind only where the mirror is known to have failed.
    """
    try:
        alias = workspace.registry.aliases(workspace.name).get("champion") if events else None
    except EvenkeelError as error:
        findings.notes.append(f"the registry's aliases could not be compared: {error}")
        return
    expected = _version(standing(events).champion)
    if alias == expected:
        return
    changes = [i for i, e in enumerate(events) if e.kind in (EventKind.PROMOTED, EventKind.REVERTED)]
    before = _version(standing(events[: changes[-1]]).champion) if changes else None
    failed = any(i.stage == "mirror" and i.resolved_at is None for i in incidents)
    what = f"the registry's champion is version {alias}, the history's is {expected}"
    if changes and alias == before and (alias is not None or failed):
        findings.notes.append(f"{what}: the mirror has not caught up with the newest change")
    else:
        findings.breach("P4", "", what)


def check_pins(book: Book, events: list[ModelEvent], findings: Findings) -> None:
    """A batch was pinned to the champion, and the one before it, of the instant at which it started."""
    pins = book.pins
    if pins is None:
        return
    findings.check("P4")
    possible = list(_standings(events, pins.as_of))
    if any((s.champion, s.previous) == (pins.champion, pins.previous) for s in possible):
        return
    then = standing(e for e in events if e.at <= pins.as_of)
    if pins.champion != then.champion:
        what = f"scored by version {_version(pins.champion)} while version {_version(then.champion)} was in charge"
    else:
        what = (
            f"pinned to version {_version(pins.previous)} as the one before the champion, "
            f"which was version {_version(then.previous)}"
        )
    findings.breach("P4", book.batch_id, what)


def _standings(events: list[ModelEvent], as_of: datetime) -> Iterator[Standing]:
    """Yield every standing that may have been read at an instant.

    That is after any first part of the history whose last event is not later, and whose next one is not
    earlier, than the instant; clocks may differ by a few seconds.
    """
    times = [None, *(e.at for e in events), None]
    for length, (last, following) in enumerate(pairwise(times)):
        if (last is None or last <= as_of + _CLOCKS) and (following is None or following >= as_of - _CLOCKS):
            yield standing(events[:length])


def _version(ref: ModelRef | None) -> str | None:
    return ref.version if ref else None


def _minute(event: ModelEvent) -> str:
    return f"{event.at:%Y-%m-%d %H:%M}"
