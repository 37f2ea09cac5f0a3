"""What a step yields in place of a value that could not be had: never silent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Degraded:
    """A value that could not be had.

    Attributes:
        cause: Cause of the failure catalogue.
        reason: One line for a person.
    """

    cause: str
    reason: str
