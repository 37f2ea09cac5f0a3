"""Model events: the whole history of who was in charge when, which the registry does not keep."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from evenkeel.domain.batch import ModelRef


class EventKind(StrEnum):
    """What happened to a model version; ``requested`` is a retrain asked for and carries no version."""

    REQUESTED = "requested"
    REGISTERED = "registered"
    PROMOTED = "promoted"
    REVERTED = "reverted"
    REFUSED = "refused"


@dataclass(frozen=True)
class ModelEvent:
    """One entry of the history.

    Attributes:
        pipeline: Pipeline name.
        kind: What happened.
        version: The model version it happened to; empty for ``requested``.
        by: ``gates``, ``drift``, ``hand``, or ``first`` where there was no champion yet.
        why: One line for a person.
        at: UTC.
        model: The version's digest and run; None for ``requested`` or where nothing was registered.
        champion: The champion after the event; empty before the first promotion.
        detail: Gate results, metrics and the like; JSON-serialisable.
    """

    pipeline: str
    kind: EventKind
    version: str
    by: str
    why: str
    at: datetime
    model: ModelRef | None = None
    champion: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Standing:
    """Who is in charge, as the history tells it."""

    champion: ModelRef | None = None
    previous: ModelRef | None = None
    reverted: frozenset[str] = frozenset()


def standing(events: Iterable[ModelEvent]) -> Standing:
    """Replay the history (oldest first) and return who is champion and who is previous.

    A promotion makes the old champion ``previous``. A reversal hands the charge to ``event.champion``
    (a version promoted earlier) and never leaves a reverted version as ``previous``.
    """
    known: dict[str, ModelRef] = {}
    line: list[str] = []  # in the order in which they took charge, the champion last
    reverted: set[str] = set()
    for event in events:
        if event.model is not None:
            known[event.version] = event.model
        if event.kind is EventKind.PROMOTED:
            line = [v for v in line if v != event.version] + [event.version]
            reverted.discard(event.version)
        elif event.kind is EventKind.REVERTED:
            reverted.add(event.version)
            line = [v for v in line if v not in reverted and v != event.champion]
            line += [event.champion] if event.champion else []
    refs = [known[v] for v in line if v in known]
    return Standing(
        champion=refs[-1] if refs else None,
        previous=refs[-2] if len(refs) > 1 else None,
        reverted=frozenset(reverted),
    )
