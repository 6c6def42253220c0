"""Run by Alembic: applies migrations on the connection it is given, in that connection's transaction.

To write a new migration, see "Changing the tables" in docs/store.md.
"""

from __future__ import annotations

from alembic import context

from autoscaler.store.schema import Schema

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Schema.metadata,
    # SQLite alters little; Alembic then copies the table.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
