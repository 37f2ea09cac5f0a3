"""One expectation of a suite, and the suite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from evenkeel.domain.quality import Severity


@dataclass(frozen=True)
class Expectation:
    """An expectation in Great Expectations' words, and what its failure means here.

    Attributes:
        type: Its name there, as ``expect_column_mean_to_be_between``.
        kwargs: Its arguments there.
        severity: What a failure does to the batch.
        cause: The failure-catalogue cause that a failure stands for.
        columns: The columns it looks at; empty for the table.
    """

    type: str
    kwargs: dict[str, Any]
    severity: Severity
    cause: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Suite:
    """A pipeline's expectations of a whole batch.

    Attributes:
        file: Where it was read from.
        name: Its name; the pipeline's where the file gives none.
        expectations: In the order of the file.
    """

    file: Path
    name: str
    expectations: tuple[Expectation, ...]
