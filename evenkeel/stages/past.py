"""What a batch is compared with: the champion's reference and the last good batches, as they were pinned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from evenkeel.adapters.lake import Table
from evenkeel.diagnosis.past import Past
from evenkeel.domain.batch import BatchState
from evenkeel.errors import ModelUnusable
from evenkeel.quality.imputed import unimputed
from evenkeel.stages.resolve import tainted_batches

if TYPE_CHECKING:
    from evenkeel.bootstrap import Workspace
    from evenkeel.domain.batch import Pins
    from evenkeel.stages.batch_run import BatchRun
    from evenkeel.stages.models import Models

_ROWS = 20_000  # of the last good batches together, and of the reference: more tells nothing new


def good_batches(workspace: Workspace) -> tuple[str, ...]:
    """Return the newest published batches that no open incident calls tainted, oldest first."""
    tainted = tainted_batches(workspace)
    sizes = workspace.lake.counts(workspace.name, Table.ACCEPTED)
    chosen: list[str] = []
    rows = 0
    for batch in reversed(workspace.ledger.batches(workspace.name, [BatchState.PUBLISHED])):
        if len(chosen) == workspace.pipeline.faults.history or rows >= _ROWS:
            break
        if batch.batch_id in sizes and batch.batch_id not in tainted:
            chosen.append(batch.batch_id)
            rows += sizes[batch.batch_id]
    return tuple(reversed(chosen))


def open_past(run: BatchRun, pins: Pins, models: Models) -> Past:
    """Read the past that the batch is pinned to, typed by the schema, its imputed cells empty again."""
    return Past(_reference(run, models), _recent(run.workspace, pins.history))


def _reference(run: BatchRun, models: Models) -> pd.DataFrame | None:
    """Return the champion's reference; where it is damaged, note it and go on with the batches alone."""
    if models.reference is None:
        return None
    try:
        rows = models.reference.reference()
    except ModelUnusable as error:
        run.note(error.cause, "diagnose", "compared with the last good batches alone", message=str(error))
        return None
    return _typed(run.workspace, rows.tail(_ROWS))


def _recent(workspace: Workspace, batches: tuple[str, ...]) -> tuple[pd.DataFrame, ...]:
    if not batches:
        return ()
    columns = [c for c in workspace.lake.columns(workspace.name, Table.ACCEPTED) if c in workspace.kinds]
    rows = workspace.lake.read(
        workspace.name, Table.ACCEPTED, batch_ids=batches, columns=[*columns, "batch_id", "imputed"]
    )
    most = max(1, _ROWS // len(batches))
    parts = {str(name): part.head(most) for name, part in rows.groupby("batch_id", sort=False)}
    return tuple(_typed(workspace, unimputed(parts[name], columns)) for name in batches if name in parts)


def _typed(workspace: Workspace, rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows.reset_index(drop=True)
    schema = workspace.schema
    known = [c for c in schema.columns if c in rows.columns]
    return pd.DataFrame({c: schema.coerce(c, rows[c]).values for c in known})
