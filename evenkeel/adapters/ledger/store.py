"""Read and write the ledger; every method is one transaction, every write can be repeated."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from evenkeel.adapters.ledger import tables
from evenkeel.adapters.ledger.database import Database
from evenkeel.domain.batch import BatchRecord, BatchState, Counts, Landing, ModelRef, Pins
from evenkeel.domain.drift import ColumnDrift, DriftVerdict
from evenkeel.domain.incident import Incident
from evenkeel.domain.model_event import EventKind, ModelEvent, Standing, standing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.engine import Connection

# No run takes a batch out of these.
_FINAL = (BatchState.PUBLISHED.value, BatchState.HELD.value)


class Ledger:
    """The ledger database.

    Args:
        url: SQLAlchemy URL; SQLite files are made with their folder.

    Raises:
        Transient: From any method: the database cannot be reached or is locked.
        Permanent: From any method: it refuses what is asked for good (schema, permissions).
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    def migrate(self) -> None:
        """Bring the tables to the newest revision; a ledger that is there already costs one query."""
        self._database.migrate()

    def close(self) -> None:
        """Give back the connections."""
        self._database.engine.dispose()

    def record_landing(self, landing: Landing) -> None:
        """Note a landed batch, once."""
        values = {
            "pipeline": landing.pipeline,
            "batch_id": landing.batch_id,
            "state": BatchState.LANDED.value,
            "landed_at": landing.landed_at,
        }
        with self._database.transaction() as connection:
            insert = self._database.insert(tables.batches).values(**values)
            connection.execute(insert.on_conflict_do_nothing())

    def batch(self, pipeline: str, batch_id: str) -> BatchRecord | None:
        """Return one batch, or None."""
        b = tables.batches
        with self._database.transaction() as connection:
            row = connection.execute(
                sa.select(b).where(b.c.pipeline == pipeline, b.c.batch_id == batch_id)
            ).first()
        return _batch(row) if row else None

    def batches(self, pipeline: str, states: Sequence[BatchState] = ()) -> list[BatchRecord]:
        """Return the pipeline's batches in the order they landed, of the given states or all."""
        b = tables.batches
        query = sa.select(b).where(b.c.pipeline == pipeline).order_by(b.c.landed_at, b.c.batch_id)
        if states:
            query = query.where(b.c.state.in_([s.value for s in states]))
        with self._database.transaction() as connection:
            return [_batch(row) for row in connection.execute(query)]

    def pin(self, pipeline: str, batch_id: str, pins: Pins) -> Pins:
        """Fix what the batch is scored with, once: pins that are there already win and are returned."""
        b = tables.batches
        key = sa.and_(b.c.pipeline == pipeline, b.c.batch_id == batch_id)
        with self._database.transaction() as connection:
            connection.execute(sa.update(b).where(key, b.c.pins.is_(None)).values(pins=pins.to_json()))
            kept = connection.execute(sa.select(b.c.pins).where(key)).scalar_one()
        return Pins.from_json(kept)

    def advance(
        self,
        pipeline: str,
        batch_id: str,
        state: BatchState,
        *,
        counts: Counts | None = None,
        run_id: str = "",
        held_reason: str = "",
        at: datetime | None = None,
    ) -> bool:
        """Move a batch to ``state``; ``at`` is when it was published.

        What is published stays published and what is held stays held: only the same state is written again.

        Returns:
            Whether the batch is there and was moved.
        """
        values: dict[str, Any] = {"state": state.value, "held_reason": held_reason}
        values |= asdict(counts) if counts else {}
        values |= {"run_id": run_id} if run_id else {}
        values |= {"published_at": at} if at else {}
        b = tables.batches
        key = sa.and_(b.c.pipeline == pipeline, b.c.batch_id == batch_id)
        may_move = sa.or_(b.c.state.not_in(_FINAL), b.c.state == state.value)
        with self._database.transaction() as connection:
            return connection.execute(sa.update(b).where(key, may_move).values(**values)).rowcount > 0

    def reopen(self, pipeline: str, batch_id: str) -> bool:
        """Set a held batch back to landed, its pins taken off; say whether it was held."""
        b = tables.batches
        key = sa.and_(b.c.pipeline == pipeline, b.c.batch_id == batch_id, b.c.state == BatchState.HELD.value)
        fresh = {"state": BatchState.LANDED.value, "pins": None, "held_reason": "", "held": 0}
        with self._database.transaction() as connection:
            return connection.execute(sa.update(b).where(key).values(**fresh)).rowcount > 0

    def revise(self, pipeline: str, batch_id: str, pins: Pins) -> bool:
        """Set a published batch back to landed, to be answered again under new pins; say whether it was published."""
        return self._repin(pipeline, batch_id, BatchState.PUBLISHED, BatchState.LANDED, pins)

    def keep_earlier(self, pipeline: str, batch_id: str, pins: Pins) -> bool:
        """Give up a revision: the batch is published under its earlier pins again; say whether it was open."""
        unfinished = (BatchState.LANDED, BatchState.VALIDATED, BatchState.SCORED)
        return any(self._repin(pipeline, batch_id, s, BatchState.PUBLISHED, pins) for s in unfinished)

    def _repin(self, pipeline: str, batch_id: str, was: BatchState, now: BatchState, pins: Pins) -> bool:
        b = tables.batches
        key = sa.and_(b.c.pipeline == pipeline, b.c.batch_id == batch_id, b.c.state == was.value)
        values = {"state": now.value, "pins": pins.to_json()}
        with self._database.transaction() as connection:
            return connection.execute(sa.update(b).where(key).values(**values)).rowcount > 0

    def open_incident(self, incident: Incident) -> None:
        """Open an incident; a repeat of the same cause and batch (or stage, outside a batch) folds into it.

        It keeps when it opened, unless it had been resolved: then it opens anew.
        """
        parts = (incident.pipeline, incident.batch_id or f"/{incident.stage}", incident.cause)
        values = {
            "pipeline": incident.pipeline,
            "batch_id": incident.batch_id,
            "failure_class": incident.failure_class,
            "cause": incident.cause,
            "stage": incident.stage,
            "response": incident.response,
            "evidence": incident.evidence,
            "fingerprint": hashlib.sha256("\x1f".join(parts).encode()).hexdigest(),
            "opened_at": incident.opened_at or datetime.now(UTC),
            "resolved_at": incident.resolved_at,
        }
        with self._database.transaction() as connection:
            insert = self._database.insert(tables.incidents).values(**values)
            fold: dict[str, Any] = {k: insert.excluded[k] for k in ("response", "evidence", "resolved_at")}
            known = tables.incidents.c
            fold["opened_at"] = sa.case(
                (known.resolved_at.is_(None), known.opened_at), else_=insert.excluded.opened_at
            )
            connection.execute(insert.on_conflict_do_update(index_elements=["fingerprint"], set_=fold))

    def incidents(self, pipeline: str, *, open_only: bool = False) -> list[Incident]:
        """Return the pipeline's incidents, oldest first."""
        i = tables.incidents
        query = sa.select(i).where(i.c.pipeline == pipeline).order_by(i.c.id)
        if open_only:
            query = query.where(i.c.resolved_at.is_(None))
        with self._database.transaction() as connection:
            return [
                Incident(
                    pipeline=row.pipeline,
                    batch_id=row.batch_id,
                    cause=row.cause,
                    stage=row.stage,
                    response=row.response,
                    evidence=row.evidence,
                    opened_at=row.opened_at,
                    resolved_at=row.resolved_at,
                )
                for row in connection.execute(query)
            ]

    def resolve_incidents(
        self, resolved: Sequence[Incident], *, at: datetime, said: Mapping[str, Any] | None = None
    ) -> None:
        """Mark open incidents as resolved.

        Args:
            resolved: The incidents.
            at: When.
            said: Who resolved them and why; kept among their evidence.
        """
        i = tables.incidents
        with self._database.transaction() as connection:
            for incident in resolved:
                connection.execute(
                    sa.update(i)
                    .where(
                        i.c.pipeline == incident.pipeline,
                        i.c.batch_id == incident.batch_id,
                        i.c.cause == incident.cause,
                        i.c.stage == incident.stage,
                        i.c.resolved_at.is_(None),
                    )
                    .values(resolved_at=at, **({"evidence": {**incident.evidence, **said}} if said else {}))
                )

    def add_event(self, happened: ModelEvent) -> None:
        """Append to the history of models."""
        with self._database.transaction() as connection:
            _append(connection, happened)

    def add_event_if(self, happened: ModelEvent, expected_champion: str) -> bool:
        """Append to the history of models if the champion is still the one that was decided on.

        Args:
            happened: What to append.
            expected_champion: Version of the champion; empty for none.

        Returns:
            Whether it was appended: of several that expect the same champion, one that replaces it wins.
        """
        with self._database.transaction(alone=f"models {happened.pipeline}") as connection:
            champion = standing(_events(connection, happened.pipeline)).champion
            if (champion.version if champion else "") != expected_champion:
                return False
            _append(connection, happened)
            return True

    def events(self, pipeline: str) -> list[ModelEvent]:
        """Return the history of models, oldest first."""
        with self._database.transaction() as connection:
            return _events(connection, pipeline)

    def standing(self, pipeline: str) -> Standing:
        """Return who is in charge."""
        return standing(self.events(pipeline))

    def record_drift(self, pipeline: str, batch_id: str, verdict: DriftVerdict, *, at: datetime) -> None:
        """Keep a batch's drift verdict; a repeat replaces it."""
        values = {
            "pipeline": pipeline,
            "batch_id": batch_id,
            "drifted": verdict.drifted,
            "verdict": verdict.to_json(),
            "at": at,
        }
        with self._database.transaction() as connection:
            insert = self._database.insert(tables.drift_verdicts).values(**values)
            replace = {k: insert.excluded[k] for k in ("drifted", "verdict", "at")}
            connection.execute(
                insert.on_conflict_do_update(index_elements=["pipeline", "batch_id"], set_=replace)
            )

    def drift(self, pipeline: str, *, since: datetime | None = None) -> dict[str, DriftVerdict]:
        """Return the drift verdicts by batch id, in the order they were measured, of all time or ``since``."""
        d = tables.drift_verdicts
        query = sa.select(d.c.batch_id, d.c.verdict).where(d.c.pipeline == pipeline)
        if since is not None:
            query = query.where(d.c.at > since)
        with self._database.transaction() as connection:
            rows = connection.execute(query.order_by(d.c.at, d.c.batch_id)).all()
        return {
            row.batch_id: DriftVerdict(
                **row.verdict | {"columns": tuple(ColumnDrift(**c) for c in row.verdict["columns"])}
            )
            for row in rows
        }


def _append(connection: Connection, happened: ModelEvent) -> None:
    values = asdict(happened) | {"kind": happened.kind.value}
    connection.execute(sa.insert(tables.model_events).values(**values))


def _events(connection: Connection, pipeline: str) -> list[ModelEvent]:
    e = tables.model_events
    return [
        ModelEvent(
            pipeline=row.pipeline,
            kind=EventKind(row.kind),
            version=row.version,
            by=row.by,
            why=row.why,
            at=row.at,
            model=ModelRef(**row.model) if row.model else None,
            champion=row.champion,
            detail=row.detail,
        )
        for row in connection.execute(sa.select(e).where(e.c.pipeline == pipeline).order_by(e.c.id))
    ]


def _batch(row: Any) -> BatchRecord:
    return BatchRecord(
        pipeline=row.pipeline,
        batch_id=row.batch_id,
        state=BatchState(row.state),
        counts=Counts(landed=row.landed, scored=row.scored, quarantined=row.quarantined, held=row.held),
        pins=Pins.from_json(row.pins) if row.pins else None,
        landed_at=row.landed_at,
        published_at=row.published_at,
        held_reason=row.held_reason,
        run_id=row.run_id,
    )
