"""Pin a batch: fix its models, its configuration and its inputs, so that a rerun gives the same answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evenkeel.adapters.lake import Table
from evenkeel.domain.batch import BatchState, Pins
from evenkeel.errors import DataRejected
from evenkeel.stages.enrich import NOTHING, joined_now
from evenkeel.stages.past import good_batches
from evenkeel.stages.resolve import tainted_batches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from evenkeel.bootstrap import Workspace
    from evenkeel.stages.batch_run import BatchRun


def pending(workspace: Workspace, batch_id: str | None = None) -> list[str]:
    """Return the batches that wait to be scored, in the order they landed; or just the one asked for.

    Landings that a crash kept out of the ledger are entered first: the landing zone is what counts.
    """
    known = {b.batch_id for b in workspace.ledger.batches(workspace.name)}
    for landing in workspace.landing.landed(workspace.name):
        if landing.batch_id not in known:
            workspace.ledger.record_landing(landing)
    unfinished = workspace.ledger.batches(
        workspace.name, [BatchState.LANDED, BatchState.VALIDATED, BatchState.SCORED]
    )
    ids = [b.batch_id for b in unfinished]
    return ids if batch_id is None else [b for b in ids if b == batch_id]


def pin_batch(run: BatchRun) -> Pins:
    """Pin the batch, or return the pins of an earlier start of it.

    Raises:
        DataRejected: The landing has gone from the landing zone.
    """
    workspace = run.workspace
    return workspace.ledger.pin(workspace.name, run.batch_id, fresh_pins(workspace, run.batch_id))


def fresh_pins(workspace: Workspace, batch_id: str, joined: Mapping[str, tuple[str, ...]] = NOTHING) -> Pins:
    """Return what the batch would be scored with if it were started now.

    Args:
        workspace: The pipeline's workspace.
        batch_id: The batch.
        joined: The deliveries that an earlier answer to it was joined from.

    Raises:
        DataRejected: The landing has gone from the landing zone.
    """
    landing = workspace.landing.landing(workspace.name, batch_id)
    if landing is None:
        raise DataRejected(
            f"batch {batch_id}: the landing zone holds no such batch", cause="data.landed_copy_damaged"
        )
    standing = workspace.ledger.standing(workspace.name)
    return Pins(
        champion=standing.champion,
        previous=standing.previous,
        config_sha256=workspace.settings.digest,
        inputs=tuple(f.sha256 for f in landing.files),
        as_of=workspace.now(),
        last_good=_last_good(workspace, batch_id),
        history=tuple(b for b in good_batches(workspace) if b != batch_id),
        joined=joined_now(workspace, batch_id, joined),
    )


def _last_good(workspace: Workspace, batch_id: str) -> dict[str, Any]:
    """Return the newest known value of each column that is imputed by its last known good.

    The newest batch is the one that landed last: one that is answered again is none the newer for it. A batch
    whose feed broke is passed over. Of rows of the same time the last by row key counts, in whatever
    order the lake holds them.
    """
    columns = [
        c
        for c in workspace.pipeline.features.columns
        if c in workspace.pipeline.impute.columns
        and workspace.pipeline.impute.columns[c].strategy == "last_known_good"
    ]
    tainted = tainted_batches(workspace)
    published = [
        b
        for b in workspace.ledger.batches(workspace.name, [BatchState.PUBLISHED])
        if b.batch_id != batch_id and b.batch_id not in tainted
    ]
    if not columns or not published:
        return {}
    newest = published[-1]
    order = [*dict.fromkeys((workspace.pipeline.time, *workspace.pipeline.row_key))]
    rows = workspace.lake.read(
        workspace.name,
        Table.ACCEPTED,
        batch_id=newest.batch_id,
        columns=[*dict.fromkeys((*columns, *order))],
    ).sort_values(order)
    known = {c: rows[c].dropna() for c in columns}
    newest_values = {c: values.iloc[-1] for c, values in known.items() if len(values)}
    # The ledger keeps JSON, which knows no numpy scalars.
    return {c: v.item() if hasattr(v, "item") else v for c, v in newest_values.items()}
