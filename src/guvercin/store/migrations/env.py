"""Run by Alembic: migrate over the connection that the caller hands in. One history for both databases."""

from alembic import context

from guvercin.store.migrations import postgres  # noqa: F401 -- makes Alembic read the history as PostgreSQL needs it
from guvercin.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
