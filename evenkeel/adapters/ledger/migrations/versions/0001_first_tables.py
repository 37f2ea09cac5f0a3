"""The first tables: batches, incidents, model events and drift verdicts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "batches",
        sa.Column("pipeline", sa.String(64), primary_key=True),
        sa.Column("batch_id", sa.String(128), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("landed", sa.Integer, nullable=False),
        sa.Column("scored", sa.Integer, nullable=False),
        sa.Column("quarantined", sa.Integer, nullable=False),
        sa.Column("held", sa.Integer, nullable=False),
        sa.Column("pins", sa.JSON),
        sa.Column("held_reason", sa.Text, nullable=False),
        sa.Column("run_id", sa.String(64), nullable=False),
        sa.Column("landed_at", _TIME, nullable=False),
        sa.Column("published_at", _TIME),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("pipeline", sa.String(64), nullable=False),
        sa.Column("batch_id", sa.String(128), nullable=False),
        sa.Column("failure_class", sa.String(16), nullable=False),
        sa.Column("cause", sa.String(64), nullable=False),
        sa.Column("stage", sa.String(32), nullable=False),
        sa.Column("response", sa.Text, nullable=False),
        sa.Column("evidence", sa.JSON, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False, unique=True),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("resolved_at", _TIME),
    )
    op.create_index("incidents_by_pipeline", "incidents", ["pipeline", "batch_id"])
    op.create_table(
        "model_events",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("pipeline", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("by", sa.String(32), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("model", sa.JSON),
        sa.Column("champion", sa.String(32), nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
    )
    op.create_index("ix_model_events_pipeline", "model_events", ["pipeline"])
    op.create_table(
        "drift_verdicts",
        sa.Column("pipeline", sa.String(64), primary_key=True),
        sa.Column("batch_id", sa.String(128), primary_key=True),
        sa.Column("drifted", sa.Boolean, nullable=False),
        sa.Column("verdict", sa.JSON, nullable=False),
        sa.Column("at", _TIME, nullable=False),
    )


def downgrade() -> None:
    for table in ("drift_verdicts", "model_events", "incidents", "batches"):
        op.drop_table(table)
