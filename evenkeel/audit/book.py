"""One batch as the audit finds it: in the landing zone, the lake and the ledger, each read on its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from evenkeel.adapters.lake import Table, as_frame
from evenkeel.domain.batch import BatchState

if TYPE_CHECKING:
    import pandas as pd

    from evenkeel.bootstrap import Workspace
    from evenkeel.domain.batch import BatchRecord, Landing, Pins

_UNFINISHED = (BatchState.LANDED, BatchState.VALIDATED, BatchState.SCORED)


@dataclass(frozen=True)
class Book:
    """The three accounts of one batch.

    Attributes:
        batch_id: The batch.
        landing: What the landing zone holds; None where it holds nothing.
        record: What the ledger says; None where it says nothing.
        accepted: Rows of the lake.
        predictions: Rows of the lake, all revisions.
        quarantine: Rows of the lake.
        damaged: Whether the landing zone holds it under a manifest that no copy can tell any more.
        of_today: Whether it was pinned to the configuration that is in force now, or not pinned yet; another
            one's schema, classes and thresholds are not known any more.
    """

    batch_id: str
    landing: Landing | None
    record: BatchRecord | None
    accepted: pd.DataFrame
    predictions: pd.DataFrame
    quarantine: pd.DataFrame
    damaged: bool = False
    of_today: bool = True

    @property
    def pins(self) -> Pins | None:
        """What the ledger says that its answers are pinned to; while a revision is under way, the earlier ones."""
        pins = self.record.pins if self.record else None
        if pins is None or self.predictions.empty or self.predictions["revision"].max() >= pins.revision:
            return pins
        return pins.before or pins

    @property
    def state(self) -> BatchState:
        """Where the ledger says that the batch stands; landed where it says nothing."""
        return self.record.state if self.record else BatchState.LANDED

    @property
    def pending(self) -> bool:
        """Whether a run has yet to end it: neither held nor answered."""
        return self.state in _UNFINISHED and self.predictions.empty

    @property
    def newest(self) -> pd.DataFrame:
        """The predictions of the newest revision: what readers see."""
        if self.predictions.empty:
            return self.predictions
        newest: pd.Series[bool] = self.predictions["revision"] == self.predictions["revision"].max()
        return self.predictions.loc[newest]


def open_books(workspace: Workspace) -> list[Book]:
    """Open the book of every batch that any of the three accounts knows, each lake table read once."""
    name = workspace.name
    landings = {x.batch_id: x for x in workspace.landing.landed(name)}
    records = {r.batch_id: r for r in workspace.ledger.batches(name)}
    tables = {t: workspace.lake.read(name, t) for t in (Table.ACCEPTED, Table.PREDICTIONS, Table.QUARANTINE)}
    parts = {
        t: {str(i): part for i, part in frame.groupby("batch_id", sort=False)} for t, frame in tables.items()
    }
    for record in records.values():
        _put_back_earlier(workspace, record, parts)
    damaged = frozenset(workspace.landing.damaged(name))
    ids = sorted({*landings, *records, *damaged, *(b for known in parts.values() for b in known)})
    return [
        Book(
            batch_id=i,
            landing=landings.get(i),
            record=records.get(i),
            accepted=parts[Table.ACCEPTED].get(i, tables[Table.ACCEPTED].iloc[:0]),
            predictions=parts[Table.PREDICTIONS].get(i, tables[Table.PREDICTIONS].iloc[:0]),
            quarantine=parts[Table.QUARANTINE].get(i, tables[Table.QUARANTINE].iloc[:0]),
            damaged=i in damaged,
            of_today=_of_today(records.get(i), workspace.settings.digest),
        )
        for i in ids
    ]


def _put_back_earlier(
    workspace: Workspace, record: BatchRecord, parts: dict[Table, dict[str, pd.DataFrame]]
) -> None:
    """Show, where a revision got no further than its rows, those of the answers that stand until it is published."""
    earlier = record.pins.before if record.pins else None
    answers = parts[Table.PREDICTIONS].get(record.batch_id)
    if earlier is None or answers is None or answers["revision"].max() != earlier.revision:
        return
    for table in (Table.ACCEPTED, Table.QUARANTINE):
        rows = workspace.lake.replaced(workspace.name, table, record.batch_id, revision=earlier.revision)
        if rows is not None:
            parts[table][record.batch_id] = as_frame(rows)


def _of_today(record: BatchRecord | None, digest: str) -> bool:
    return record is None or record.pins is None or record.pins.config_sha256 == digest
