"""P4: no version in the history learned from rows of a batch while an open incident tainted them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenkeel.domain.model_event import EventKind
from evenkeel.errors import EvenkeelError
from evenkeel.failures.catalogue import taints
from evenkeel.stages.models import open_model

if TYPE_CHECKING:
    from datetime import datetime

    from evenkeel.audit.promise import Findings
    from evenkeel.bootstrap import Workspace
    from evenkeel.domain.incident import Incident
    from evenkeel.domain.model_event import ModelEvent


def check_training(
    workspace: Workspace, events: list[ModelEvent], incidents: list[Incident], findings: Findings
) -> None:
    """Every registered version's batches were free, when it was registered, of incidents that taint rows.

    An incident that was resolved and opened anew tells of its last opening only.
    """
    tainting = [i for i in incidents if i.batch_id and taints(i.cause)]
    untold = []
    for event in events:
        if event.kind is not EventKind.REGISTERED or event.model is None:
            continue
        try:
            batches = set(open_model(workspace, event.model).card().batches)
        except EvenkeelError as error:
            findings.notes.append(
                f"what version {event.version} learned from could not be recounted: {error}"
            )
            continue
        if not batches:
            untold.append(event.version)
            continue
        findings.check("P4")
        for incident in tainting:
            if incident.batch_id in batches and _open_at(incident, event.at):
                what = f"version {event.version} learned from its rows under an open {incident.cause}"
                findings.breach("P4", incident.batch_id, what)
    if untold:
        findings.notes.append(f"versions that do not say what they learned from: {', '.join(untold)}")


def _open_at(incident: Incident, at: datetime) -> bool:
    """Say whether an incident was open at an instant."""
    opened = incident.opened_at is None or incident.opened_at <= at
    return opened and (incident.resolved_at is None or incident.resolved_at > at)
