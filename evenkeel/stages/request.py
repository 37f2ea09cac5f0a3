"""Requests for a retrain: which one is open, and since when evidence counts towards the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evenkeel.domain.model_event import EventKind, ModelEvent

if TYPE_CHECKING:
    from datetime import datetime

    from evenkeel.bootstrap import Workspace


def open_request(workspace: Workspace) -> ModelEvent | None:
    """Return the retrain request that no challenger has answered yet, or None."""
    for happened in reversed(workspace.ledger.events(workspace.name)):
        if happened.kind is EventKind.REQUESTED:
            return happened
        if _judged(happened):
            return None
    return None


def last_judged(workspace: Workspace) -> datetime | None:
    """Return when the last challenger was promoted or refused, or None."""
    judged = [e.at for e in workspace.ledger.events(workspace.name) if _judged(e)]
    return judged[-1] if judged else None


def _judged(happened: ModelEvent) -> bool:
    """Say whether a challenger met the gates; one that could not be registered has not answered a request."""
    return happened.kind is EventKind.PROMOTED or (
        happened.kind is EventKind.REFUSED and (bool(happened.version) or "gates" not in happened.detail)
    )
