"""The ladder of models to answer with, best first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class Rung(StrEnum):
    """A rung of the ladder, best first."""

    CHAMPION = "champion"
    PREVIOUS = "previous"
    BASELINE = "baseline"
    HEURISTIC = "heuristic"


@dataclass(frozen=True)
class SkippedRung:
    """A rung that was stepped over, for how many rows, and why.

    Attributes:
        rung: The rung.
        model_version: The version that should have answered; empty where there was none.
        rows: Rows it left unanswered.
        cause: Cause of the failure catalogue.
        reason: One line for a person.
    """

    rung: Rung
    model_version: str
    rows: int
    cause: str
    reason: str


@dataclass(frozen=True)
class Answers:
    """The ladder's answers for a batch.

    Attributes:
        frame: One row per accepted row, same index and order; columns ``prediction`` (str for classes,
            float64 for regression), ``confidence`` (float64 in [0, 1], NaN for a heuristic), ``rung``
            and ``model_version`` (str).
        skipped: The rungs that were stepped over.
    """

    frame: pd.DataFrame
    skipped: tuple[SkippedRung, ...] = ()

    @property
    def per_rung(self) -> dict[str, int]:
        """Number of rows answered by each rung."""
        return {str(k): int(v) for k, v in self.frame["rung"].value_counts().items()}
