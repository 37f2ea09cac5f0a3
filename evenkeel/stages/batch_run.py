"""One run over one batch: what the stages share, and how a batch that cannot go on is held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from evenkeel.adapters.lake import Table
from evenkeel.domain.batch import BatchState, Counts
from evenkeel.domain.incident import Incident

if TYPE_CHECKING:
    from evenkeel.bootstrap import Workspace


class BatchRun:
    """A run over one batch.

    Attributes:
        workspace: The pipeline's workspace.
        batch_id: The batch.
        run_id: The orchestrator's id of this run.
        landed: Rows read, once known.
        state: Where the batch ended, once it has.
    """

    def __init__(self, workspace: Workspace, batch_id: str, run_id: str) -> None:
        self.workspace = workspace
        self.batch_id = batch_id
        self.run_id = run_id
        self.landed = 0
        self.state = BatchState.LANDED
        self.counts = Counts()
        self._notes: dict[str, Incident] = {}

    def note(self, cause: str, stage: str, response: str, /, **evidence: Any) -> None:
        """Note an incident of this batch, one per cause; it is opened before anything is published.

        Evidence is often named by a column, which may be called ``stage`` or ``cause`` too.
        """
        earlier = self._notes.get(cause)
        self._notes[cause] = Incident(
            pipeline=self.workspace.name,
            batch_id=self.batch_id,
            cause=cause,
            stage=earlier.stage if earlier else stage,
            response="; ".join(dict.fromkeys([*([earlier.response] if earlier else []), response])),
            evidence=(earlier.evidence if earlier else {}) | evidence,
            opened_at=earlier.opened_at if earlier else self.workspace.now(),
        )

    @property
    def label(self) -> str:
        """The batch, for a person."""
        return self.batch_id

    def passed(self, stage: str) -> None:
        """Take note that a stage was passed; a batch's incidents are settled when it is concluded."""

    @property
    def notes(self) -> tuple[Incident, ...]:
        """The incidents noted so far."""
        return tuple(self._notes.values())

    def log(self, stage: str) -> Any:
        """Return a logger bound with pipeline, batch, stage and run id."""
        return structlog.get_logger().bind(
            pipeline=self.workspace.name, batch=self.batch_id, stage=stage, run_id=self.run_id
        )

    def open_incidents(self) -> None:
        """Write the noted incidents to the ledger; repeats fold."""
        for incident in self.notes:
            self.workspace.ledger.open_incident(incident)

    def hold(self, reason: str) -> None:
        """Hold the batch, whole: nothing of it is published, its files stay in the landing zone.

        A batch that was answered before is not held: its earlier answers stay.
        """
        self.open_incidents()
        if self._keeps_earlier_answers(reason):
            return
        for table in (Table.ACCEPTED, Table.QUARANTINE):
            # A crash may have left rows there; the batch is in one place only.
            self.workspace.lake.clear_batch(self.workspace.name, table, self.batch_id)
        self.counts = Counts(landed=self.landed, held=self.landed)
        self.state = BatchState.HELD
        self.workspace.ledger.advance(
            self.workspace.name,
            self.batch_id,
            BatchState.HELD,
            counts=self.counts,
            run_id=self.run_id,
            held_reason=reason,
        )
        self.log("hold").warning("batch held", reason=reason, rows=self.landed)

    def _keeps_earlier_answers(self, reason: str) -> bool:
        ledger, name = self.workspace.ledger, self.workspace.name
        record = ledger.batch(name, self.batch_id)
        earlier = record.pins.before if record and record.pins else None
        if record is None or earlier is None:
            return False
        for table in (Table.ACCEPTED, Table.QUARANTINE):
            # A crash may have left the rows of the revision there.
            rows = self.workspace.lake.replaced(name, table, self.batch_id, revision=earlier.revision)
            if rows is not None:
                self.workspace.lake.replace_batch(name, table, self.batch_id, rows, revision=earlier.revision)
        ledger.keep_earlier(name, self.batch_id, earlier)
        self.counts, self.state = record.counts, BatchState.PUBLISHED
        self.log("hold").warning("revision refused: the earlier answers stay", reason=reason)
        return True
