"""What could be read of a batch's files, and what could not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class UnreadableLine:
    """A line of a landed file that is no row; kept whole.

    Attributes:
        file: Name of the landed file.
        line: Its number, from 1; where a record spans lines, the first.
        raw: Its bytes, without the line end.
        check: What it broke: ``ragged``, ``encoding``, ``quote``, ``json``, ``repeated_header`` or ``footer``.
        found: What was found and expected, for a person.
    """

    file: str
    line: int
    raw: bytes
    check: str
    found: str


@dataclass(frozen=True)
class ReadingNote:
    """Something odd about a file that was got over.

    Attributes:
        cause: Cause of the failure catalogue.
        said: What was done, for a person.
        evidence: Facts; JSON-serialisable.
    """

    cause: str
    said: str
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rows:
    """A batch as it could be read.

    Attributes:
        frame: n rows, index 0 to n-1.
        unreadable: Lines that are no row, in the order of the files.
        notes: What was got over.
    """

    frame: pd.DataFrame
    unreadable: tuple[UnreadableLine, ...] = ()
    notes: tuple[ReadingNote, ...] = ()

    @property
    def landed(self) -> int:
        """Rows that landed, readable or not."""
        return len(self.frame) + len(self.unreadable)
