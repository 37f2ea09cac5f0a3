"""Drift verdicts: how far a batch lies from the champion's reference, and when that asks for a retrain."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class ColumnDrift:
    """One column against the reference.

    Attributes:
        column: Its name.
        method: The distance, in Evidently's words.
        score: The distance.
        threshold: What the distance exceeds by chance as rarely as the false-alarm policy allows.
        drifted: ``score > threshold``.
    """

    column: str
    method: str
    score: float
    threshold: float
    drifted: bool


@dataclass(frozen=True)
class DriftVerdict:
    """A whole batch against the reference.

    Attributes:
        columns: One entry per measured column; empty where nothing could be measured.
        drifted: The whole-batch verdict.
        rows: Rows of the batch looked at, after sampling.
        reference_version: Model version whose reference was used; empty where there was none.
        note: Why nothing was measured, or how the thresholds were set; for a person.
    """

    columns: tuple[ColumnDrift, ...]
    drifted: bool
    rows: int
    reference_version: str
    note: str = ""

    @property
    def measured(self) -> bool:
        """Whether there is a verdict at all."""
        return bool(self.columns)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return asdict(self)


def asks_for_retrain(verdicts: Sequence[bool], *, drifted: int, of: int) -> bool:
    """Say whether at least ``drifted`` of the last ``of`` whole-batch verdicts (oldest first) are drift."""
    return sum(verdicts[-of:]) >= drifted
