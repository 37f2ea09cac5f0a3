"""The model history beside the batches: what happened between which of them, and who was in charge when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evenkeel.domain.model_event import EventKind
from evenkeel.report.axes import slots

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evenkeel.report.data import BatchLine, EventLine


@dataclass(frozen=True)
class Mark:
    """Model events between two batches: the weightiest one gives the sign."""

    kind: str
    x: float
    note: str


@dataclass(frozen=True)
class Reign:
    """A stretch of batches with one champion; ``version`` is empty before the first promotion."""

    version: str
    x: float
    width: float


def marks(batches: Sequence[BatchLine], events: Sequence[EventLine]) -> tuple[Mark, ...]:
    """Return the promotions, reversals and refusals, each after the last batch that was done before it."""
    weight = {EventKind.REFUSED: 0, EventKind.PROMOTED: 1, EventKind.REVERTED: 2}
    placed: dict[int, list[EventLine]] = {}
    for event in events:
        if event.kind in weight:
            placed.setdefault(position(batches, event), []).append(event)
    return tuple(
        Mark(
            kind=max((e.kind for e in here), key=lambda kind: weight[EventKind(kind)]),
            x=round(100 * done / slots(len(batches)), 3),
            note="; ".join(f"version {e.version} {e.kind} by {e.by}: {e.why}" for e in here),
        )
        for done, here in sorted(placed.items())
    )


def reigns(batches: Sequence[BatchLine], events: Sequence[EventLine]) -> tuple[Reign, ...]:
    """Return who was champion over which batches, from the model history."""
    changes: list[tuple[int, str]] = [(0, "")]
    for event in events:
        if event.kind in (EventKind.PROMOTED, EventKind.REVERTED) and event.champion != changes[-1][1]:
            changes.append((position(batches, event), event.champion))
    ends = [done for done, _ in changes[1:]] + [len(batches)]
    percent = 100 / slots(len(batches))
    return tuple(
        Reign(version, round(start * percent, 3), round((end - start) * percent, 3))
        for (start, version), end in zip(changes, ends, strict=True)
        if end > start
    )


def position(batches: Sequence[BatchLine], event: EventLine) -> int:
    """Return how many of the batches were done when the event happened."""
    return max((i + 1 for i, b in enumerate(batches) if b.at <= event.at), default=0)
