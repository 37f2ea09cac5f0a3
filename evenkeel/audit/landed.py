"""What landed of a batch, read again: its rows under the schema's names, and the lines that are no row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evenkeel.adapters import reading
from evenkeel.quality.quarantine import unreadable_rows
from evenkeel.stages.generated import add_generated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from evenkeel.domain.batch import LandedFile, Landing
    from evenkeel.domain.incident import Incident
    from evenkeel.settings import Pipeline

_RENAMED = "data.column_renamed"


@dataclass(frozen=True)
class Landed:
    """The rows of a batch as they came.

    Attributes:
        came: The rows under the names they came with.
        names: Schema column -> the name it came under, where an incident tells that another was used.
        unreadable: What the quarantine must hold for each line that is no row, as ``raw``.
    """

    came: pd.DataFrame
    names: Mapping[str, str]
    unreadable: tuple[str, ...]

    @property
    def rows(self) -> pd.DataFrame:
        """The rows under the schema's names."""
        return self.came.rename(columns={was: name for name, was in self.names.items()})


def read_landed(
    files: Sequence[tuple[LandedFile, Path]],
    landing: Landing,
    incidents: Sequence[Incident],
    pipeline: Pipeline,
) -> Landed:
    """Read a batch's landed files again.

    Raises:
        DataRejected: They cannot be read.
    """
    rows = reading.read(files)
    raw = unreadable_rows(rows.unreadable, pipeline.row_key)["raw"] if rows.unreadable else ()
    return Landed(add_generated(rows.frame, landing, pipeline), _names(incidents), tuple(map(str, raw)))


def _names(incidents: Sequence[Incident]) -> dict[str, str]:
    told = [i.evidence for i in incidents if i.cause == _RENAMED]
    return {
        name: str(entry["from"])
        for evidence in told
        for name, entry in evidence.items()
        if isinstance(entry, dict) and entry.get("used")
    }
