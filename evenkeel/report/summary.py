"""The table a demo or a backtest ends with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from evenkeel.domain.batch import BatchState
from evenkeel.domain.model_event import EventKind
from evenkeel.report.gather import gather

if TYPE_CHECKING:
    from evenkeel.bootstrap import Workspace


def summary_lines(workspace: Workspace, retrains: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what happened, as lines of what and value."""
    data = gather(workspace, None)
    rungs: dict[str, int] = {}
    for batch in data.batches:
        for rung, rows in batch.per_rung.items():
            rungs[rung] = rungs.get(rung, 0) + rows
    kinds = [e.kind for e in data.events]
    metrics = [(b.metric, b.scored) for b in data.batches if b.metric is not None and b.scored]
    lines: dict[str, Any] = {
        "batches landed": len(data.batches),
        "batches held": sum(b.state == BatchState.HELD for b in data.batches),
        "rows landed": sum(b.landed for b in data.batches),
        "rows scored": sum(b.scored for b in data.batches),
        "rows quarantined": sum(b.quarantined for b in data.batches),
        "rows held": sum(b.held for b in data.batches),
        "cells imputed": sum(b.imputed_cells for b in data.batches),
        **{f"answered by {rung}": rows for rung, rows in sorted(rungs.items())},
        "batches that drifted": sum(bool(b.drifted) for b in data.batches),
        "challengers trained": len(retrains),
        "promoted": kinds.count(EventKind.PROMOTED),
        "refused": kinds.count(EventKind.REFUSED),
        "rolled back": kinds.count(EventKind.REVERTED),
        "champion now": f"version {data.champion}" if data.champion else "none",
        "incidents": f"{len(data.incidents)}, {sum(i.resolved_at is None for i in data.incidents)} open",
        f"{data.metric_name}, all labelled answers": float(
            np.average([m for m, _ in metrics], weights=[n for _, n in metrics])
        )
        if metrics
        else None,
    }
    return [{"what": what, "value": value} for what, value in lines.items()]
