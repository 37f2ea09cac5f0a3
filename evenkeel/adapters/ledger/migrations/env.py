"""Alembic's environment: it runs on the connection that the ledger hands over."""

from alembic import context

from evenkeel.adapters.ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
