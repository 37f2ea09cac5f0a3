"""What the report page shows, as plain values: whoever gathers them needs to know nothing of the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


@dataclass(frozen=True)
class BatchLine:
    """One batch.

    Attributes:
        batch_id: The batch.
        state: ``landed``, ``validated``, ``scored``, ``published`` or ``held``.
        at: When it reached that state, UTC; model events are placed among the batches by it.
        landed: Rows that came in.
        scored: Rows answered.
        quarantined: Rows refused.
        held: Rows of a held batch.
        imputed_cells: Feature cells that were filled.
        per_rung: Answers by rung.
        drift_statistic: Distance of the whole batch from the reference; None where it was not measured.
        drift_threshold: What that distance exceeds by chance as rarely as the policy allows.
        drifted: The verdict; None where there is none.
        metric: Realised accuracy or error over the rows whose labels came; None before that.
        metric_by_rung: The same by rung, for the rungs that answered labelled rows.
    """

    batch_id: str
    state: str
    at: datetime
    landed: int = 0
    scored: int = 0
    quarantined: int = 0
    held: int = 0
    imputed_cells: int = 0
    per_rung: Mapping[str, int] = field(default_factory=dict)
    drift_statistic: float | None = None
    drift_threshold: float | None = None
    drifted: bool | None = None
    metric: float | None = None
    metric_by_rung: Mapping[str, float] = field(default_factory=dict)

    @property
    def waiting(self) -> int:
        """Rows landed that are in no place yet: the batch is not done."""
        return max(0, self.landed - self.scored - self.quarantined - self.held)


@dataclass(frozen=True)
class EventLine:
    """One entry of the model history; ``champion`` is who was in charge after it."""

    at: datetime
    kind: str
    version: str
    by: str
    why: str
    champion: str = ""


@dataclass(frozen=True)
class IncidentLine:
    """One incident; open where ``resolved_at`` is None, of the whole pipeline where ``batch_id`` is empty."""

    cause: str
    stage: str
    batch_id: str
    response: str
    opened_at: datetime
    resolved_at: datetime | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def failure_class(self) -> str:
        """The class, which is the first part of the cause."""
        return self.cause.partition(".")[0]


@dataclass(frozen=True)
class PromiseLine:
    """What the audit says of one promise.

    Attributes:
        promise: ``P1`` to ``P6``.
        title: The promise in a few words.
        kept: The finding; None where it was not checked.
        detail: What was counted; for a broken promise, where it is broken.
    """

    promise: str
    title: str
    kept: bool | None
    detail: str = ""


@dataclass(frozen=True)
class ReportData:
    """Everything on the page.

    Attributes:
        pipeline: Its name.
        description: What it predicts, one line.
        task: ``binary``, ``multiclass`` or ``regression``.
        metric_name: What ``BatchLine.metric`` measures, as ``accuracy`` or ``mean absolute error``.
        higher_is_better: Its direction.
        champion: Version in charge now; empty before the first promotion.
        generated_at: UTC.
        batches: Oldest first.
        events: Oldest first.
        incidents: Oldest first.
        audit: One line per promise; empty where no audit was made.
    """

    pipeline: str
    description: str
    task: str
    metric_name: str
    higher_is_better: bool
    champion: str
    generated_at: datetime
    batches: Sequence[BatchLine] = ()
    events: Sequence[EventLine] = ()
    incidents: Sequence[IncidentLine] = ()
    audit: Sequence[PromiseLine] = ()
