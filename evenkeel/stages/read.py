"""Read a landed batch as it came, its bytes verified."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from evenkeel.adapters import reading
from evenkeel.errors import DataRejected
from evenkeel.stages.generated import add_generated

if TYPE_CHECKING:
    from evenkeel.domain.batch import Pins
    from evenkeel.domain.rows import Rows
    from evenkeel.stages.batch_run import BatchRun


def read_batch(run: BatchRun, pins: Pins) -> Rows:
    """Return the batch's rows as they came; what was got over in reading them is noted on the run.

    Raises:
        DataRejected: The files are not those the batch is pinned to, or cannot be read.
    """
    workspace = run.workspace
    landing = workspace.landing.landing(workspace.name, run.batch_id)
    if landing is None or tuple(f.sha256 for f in landing.files) != pins.inputs:
        raise DataRejected(
            f"batch {run.batch_id}: the landed files are not those it was pinned to",
            cause="data.landed_copy_damaged",
        )
    rows = reading.read(workspace.landing.fetch(landing))
    if repaired := workspace.landing.repaired(landing):
        run.note("data.landed_copy_damaged", "read", "repaired from a good copy", copies=repaired)
    run.landed = rows.landed
    for note in rows.notes:
        run.note(note.cause, "read", note.said, **{"message": note.said, **note.evidence})
    if rows.frame.empty:
        raise DataRejected(f"batch {run.batch_id}: {landing.files[0].name} has no rows", cause="data.empty")
    run.log("read").info("batch read", rows=len(rows.frame), unreadable=len(rows.unreadable))
    return replace(rows, frame=add_generated(rows.frame, landing, workspace.pipeline))
