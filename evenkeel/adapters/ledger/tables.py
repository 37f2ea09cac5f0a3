"""The ledger's tables, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import JSON, Boolean, Column, DateTime, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

# The newest migration; opening a ledger at this revision needs no Alembic. A test holds the two together.
REVISION = "0001"
# Our own, so that the ledger can share a database with MLflow or Prefect, which use Alembic too.
VERSION_TABLE = "evenkeel_version"

metadata = MetaData()


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime; SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Store in UTC; a naive time is a bug and is refused."""
        if value is not None and value.tzinfo is None:
            raise ValueError("the ledger stores aware datetimes only")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return an aware UTC time."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


batches = Table(
    "batches",
    metadata,
    Column("pipeline", String(64), primary_key=True),
    Column("batch_id", String(128), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("landed", Integer, nullable=False, default=0),
    Column("scored", Integer, nullable=False, default=0),
    Column("quarantined", Integer, nullable=False, default=0),
    Column("held", Integer, nullable=False, default=0),
    Column("pins", JSON(none_as_null=True)),
    Column("held_reason", Text, nullable=False, default=""),
    Column("run_id", String(64), nullable=False, default=""),
    Column("landed_at", UtcDateTime, nullable=False),
    Column("published_at", UtcDateTime),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("pipeline", String(64), nullable=False),
    Column("batch_id", String(128), nullable=False, default=""),
    Column("failure_class", String(16), nullable=False),
    Column("cause", String(64), nullable=False),
    Column("stage", String(32), nullable=False),
    Column("response", Text, nullable=False),
    Column("evidence", JSON, nullable=False),
    # One incident per cause and batch: repeats fold into it.
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("resolved_at", UtcDateTime),
    Index("incidents_by_pipeline", "pipeline", "batch_id"),
)

model_events = Table(
    "model_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("pipeline", String(64), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("version", String(32), nullable=False, default=""),
    Column("by", String(32), nullable=False),
    Column("why", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("model", JSON(none_as_null=True)),
    Column("champion", String(32), nullable=False, default=""),
    Column("detail", JSON, nullable=False),
)

drift_verdicts = Table(
    "drift_verdicts",
    metadata,
    Column("pipeline", String(64), primary_key=True),
    Column("batch_id", String(128), primary_key=True),
    Column("drifted", Boolean, nullable=False),
    Column("verdict", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
