"""What validation says of rows and of a batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class Severity(StrEnum):
    """What a failed expectation does to the batch."""

    WARN = "warn"
    DEGRADE = "degrade"
    HOLD = "hold"


@dataclass(frozen=True)
class Split:
    """A batch divided by its schema; ``len(accepted) + len(quarantined)`` equals the rows that came in.

    Attributes:
        accepted: Rows that keep the schema, columns typed by it, index as it came.
        quarantined: Rows that break it, index as it came, columns ``raw`` (the row as it came, a JSON
            object), ``reasons`` (list of {"column", "check", "value"}, all strings) and the row key
            columns as text where readable.
        ignored_columns: Columns of the batch that the schema does not know.
        filled_columns: Optional columns that the batch lacks, added as all null.
        causes: Failure-catalogue cause -> number of rows quarantined for it (a row may count for several).
    """

    accepted: pd.DataFrame
    quarantined: pd.DataFrame
    ignored_columns: tuple[str, ...] = ()
    filled_columns: tuple[str, ...] = ()
    causes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ExpectationResult:
    """One expectation of the suite, judged on one batch."""

    expectation: str
    columns: tuple[str, ...]
    severity: Severity
    success: bool
    observed: str
    cause: str


@dataclass(frozen=True)
class SuiteVerdict:
    """The batch gate: every expectation's result."""

    results: tuple[ExpectationResult, ...]

    def failed(self, severity: Severity) -> tuple[ExpectationResult, ...]:
        """Return the failed expectations of one severity."""
        return tuple(r for r in self.results if not r.success and r.severity is severity)

    @property
    def hold(self) -> bool:
        """Whether the batch must be held."""
        return bool(self.failed(Severity.HOLD))

    @property
    def suspect_columns(self) -> frozenset[str]:
        """Columns that no answer may rest on, from failed ``degrade`` expectations."""
        return frozenset(c for r in self.failed(Severity.DEGRADE) for c in r.columns)
