"""An incident: one attributed failure, open until resolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class Incident:
    """One attributed failure of one batch (or of the pipeline, where ``batch_id`` is empty).

    Attributes:
        pipeline: Pipeline name.
        batch_id: The batch, or empty.
        cause: Cause of the failure catalogue, as ``data.unseen_category``.
        stage: The stage it was met in: land, read, validate, impute, drift, score, publish, train, promote.
        response: What was done, one line.
        evidence: Facts; JSON-serialisable.
        opened_at: UTC.
        resolved_at: UTC, None while open.
    """

    pipeline: str
    batch_id: str
    cause: str
    stage: str
    response: str
    evidence: dict[str, Any] = field(default_factory=dict)
    opened_at: datetime | None = None
    resolved_at: datetime | None = None

    @property
    def failure_class(self) -> str:
        """The class, which is the first part of the cause."""
        return self.cause.partition(".")[0]
