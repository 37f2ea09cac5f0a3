"""The failure catalogue (FMEA): what can fail, what shows it, and what is done; data, read once per process."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import yaml

FAILURE_CLASSES = ("model", "data", "infrastructure", "dependency", "code", "business")


class Response(StrEnum):
    """What is done about a cause."""

    RETRY = "retry"
    BREAKER = "breaker"
    FALLBACK = "fallback"
    QUARANTINE = "quarantine"
    REPAIR = "repair"
    IMPUTE = "impute"
    HOLD = "hold"
    ROLLBACK = "rollback"
    RETRAIN = "retrain"
    REFUSE = "refuse"
    ALERT = "alert"


class Severity(StrEnum):
    """How bad it is when nothing is done."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True)
class Cause:
    """One row of the catalogue.

    Attributes:
        cause: As ``data.unseen_category``; its first part is the failure class.
        title: One line for a person.
        shows: What detects it.
        when: How soon.
        response: What is done.
        severity: How bad it is when nothing is done.
        taints: Whether answered rows may carry wrong values: they stay out of training until it is resolved.
    """

    cause: str
    title: str
    shows: str
    when: str
    response: Response
    severity: Severity
    taints: bool = False

    @property
    def failure_class(self) -> str:
        """One of the six classes."""
        return self.cause.partition(".")[0]


@cache
def catalogue() -> MappingProxyType[str, Cause]:
    """Return the catalogue by cause."""
    rows = yaml.safe_load(files(__package__).joinpath("catalogue.yaml").read_text(encoding="utf-8"))
    return MappingProxyType({cause: _cause(cause, **row) for cause, row in rows.items()})


def taints(cause: str) -> bool:
    """Say whether a cause taints rows; one that the catalogue does not know (any more) does not."""
    row = catalogue().get(cause)
    return row is not None and row.taints


def _cause(cause: str, *, response: str, severity: str, taints: bool = False, **words: str) -> Cause:
    return Cause(
        cause=cause, response=Response(response), severity=Severity(severity), taints=taints, **words
    )
