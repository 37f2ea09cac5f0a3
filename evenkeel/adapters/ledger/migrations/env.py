"""Alembic's environment: it runs on the connection that the ledger hands over."""

from alembic import context

from evenkeel.adapters.ledger.tables import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # on SQLite too: the ledger's connection does not commit by itself
)
with context.begin_transaction():
    context.run_migrations()
