"""What a batch is compared with: the champion's reference and the last good batches."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from datetime import datetime

    from evenkeel.diagnosis.profile import Profile
    from evenkeel.quality.kind import Kind


@dataclass(frozen=True)
class Past:
    """The past of a pipeline, as its batches looked before anything was imputed.

    Attributes:
        reference: What the champion was trained on, oldest first, a bounded sample; None before a first one.
        recent: The last good batches, oldest first, rows in the order they came; no batch that broke is in it.
        learned: What has been learned of it for batches of one size and their columns, so that it is once.
    """

    reference: pd.DataFrame | None
    recent: tuple[pd.DataFrame, ...]
    learned: dict[tuple[int, tuple[str, ...]], Profile | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Every row there is to compare with, oldest first."""
        parts = [*([] if self.reference is None else [self.reference]), *self.recent]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


@dataclass(frozen=True)
class Subject:
    """What the detectors need to know of the pipeline.

    Attributes:
        kinds: Kind of every schema column.
        features: Feature columns.
        row_key: Columns that identify a row.
        time: The time column.
        whole: Numeric columns that hold whole numbers only.
        as_of: The instant the batch started, UTC: nothing later has happened.
        joined: Columns that other sources bring, which are fresh where the batch's own rows repeat.
    """

    kinds: dict[str, Kind]
    features: tuple[str, ...]
    row_key: tuple[str, ...]
    time: str
    whole: frozenset[str]
    as_of: datetime
    joined: frozenset[str] = frozenset()
