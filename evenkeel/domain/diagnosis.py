"""What is wrong with a batch whose every value may be valid: faults of the feed, told from a changed world."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt
    import pandas as pd


@dataclass(frozen=True)
class Fault:
    """One fault of the feed.

    Attributes:
        cause: Cause of the failure catalogue, as ``data.unit_change``.
        columns: Schema columns it is in, most affected first.
        confidence: Probability, 0 to 1, that it is this cause in these columns.
        transform: What was done to the values, for a person: ``x1000``, ``F to C``, ``price<->demand``,
            ``shift +10 h``, ``north->N, south->S``; empty where nothing regular was done.
        rows: Positions of the rows it is in; None for all of them.
        repaired: Column -> the values as they were before the fault, all n of them, in the batch's own types
            and order; empty where they cannot be had.
        evidence: Facts; JSON-serialisable.
    """

    cause: str
    columns: tuple[str, ...]
    confidence: float
    transform: str = ""
    rows: npt.NDArray[np.intp] | None = None
    repaired: Mapping[str, pd.Series[Any]] = field(default_factory=dict)
    evidence: dict[str, Any] = field(default_factory=dict)

    def told(self, **more: Any) -> dict[str, Any]:
        """Return what an incident keeps of it, JSON-serialisable."""
        facts = {
            "columns": list(self.columns),
            "transform": self.transform,
            "confidence": round(self.confidence, 4),
        }
        return facts | more | self.evidence


@dataclass(frozen=True)
class Diagnosis:
    """What the classifier of silent faults says of one batch.

    Attributes:
        faults: What broke, surest first.
        changed: Columns that moved as the world moves, with no sign of breakage.
        note: Why nothing could be said, for a person.
    """

    faults: tuple[Fault, ...] = ()
    changed: tuple[str, ...] = ()
    note: str = ""
