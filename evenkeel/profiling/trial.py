"""Try the written files on the very history they were learned from, cut into batches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from evenkeel.domain.batch import Landing
from evenkeel.domain.quality import Severity
from evenkeel.errors import DataRejected
from evenkeel.quality.imputation import refuse_rows
from evenkeel.quality.schema import load_schema, split
from evenkeel.quality.suite import judge, load_suite
from evenkeel.stages.generated import add_generated

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from evenkeel.settings import Settings

_BATCHES = 20
_WIDE, _FEWER = 20, 8  # of a wide file fewer batches: each costs in proportion to its columns


@dataclass(frozen=True)
class Trial:
    """How the history fares as batches.

    Attributes:
        batches: Batches cut.
        held: Of those, held.
        degraded: Of those, answered from lower rungs or with a warning.
        quarantined: Rows quarantined.
        reasons: Why, with the number of rows or batches.
    """

    batches: int
    held: int
    degraded: int
    quarantined: int
    reasons: dict[str, int]


def try_out(settings: Settings, frame: pd.DataFrame, order: npt.NDArray[np.intp]) -> Trial:
    """Cut the history into twenty batches and judge each as a run would.

    Args:
        settings: Of the pipeline as written.
        frame: The history, as it came.
        order: Positions of its rows in time order.

    Raises:
        UsageError: The schema or the suite as written is not understood.
    """
    schema, suite, pipeline = load_schema(settings), load_suite(settings), settings.pipeline
    held = degraded = quarantined = 0
    reasons: dict[str, int] = {}
    batches = _BATCHES if len(frame.columns) < _WIDE else _FEWER
    parts = [p for p in np.array_split(order, batches) if len(p)]
    for number, rows in enumerate(parts):
        batch = frame.iloc[rows].reset_index(drop=True)
        landing = Landing(settings.name, str(number), (), datetime.now(UTC))
        batch = add_generated(batch, landing, pipeline)
        try:
            parted = refuse_rows(split(batch, schema, pipeline.row_key), batch, pipeline)
        except DataRejected as error:
            held += 1
            reasons[error.message] = reasons.get(error.message, 0) + 1
            continue
        quarantined += len(parted.quarantined)
        held += len(parted.quarantined) > pipeline.quality.max_quarantined_share * len(batch)
        for cause, count in parted.causes.items():
            reasons[cause] = reasons.get(cause, 0) + count
        verdict = judge(parted.accepted, suite)
        degraded += any(not r.success for r in verdict.results)
        for failed in (*verdict.failed(Severity.DEGRADE), *verdict.failed(Severity.WARN)):
            what = f"{failed.expectation} {', '.join(failed.columns)}: {failed.observed}"
            reasons[what] = reasons.get(what, 0) + 1
    return Trial(len(parts), held, degraded, quarantined, reasons)
