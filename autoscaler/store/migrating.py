"""Bringing the tables to what this release expects: in one transaction, by one process at a time."""

from __future__ import annotations

import threading
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from autoscaler.store.engine import WRITING
from autoscaler.store.errors import NewerSchemaError, SchemaError
from autoscaler.store.schema import Schema

_FOLDER = Path(__file__).parent / "migrations"
_LOCK_KEY = 0x7072_6564_6175_746F
"""Of PostgreSQL's advisory locks; any number that others in the same database do not use."""

_LONGEST_MIGRATION_S = 1800

# Alembic keeps what it is working on in module globals.
_one_at_a_time = threading.Lock()


def alembic_config(connection: Connection) -> Config:
    """Alembic, working on this connection within the transaction it is in."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def migrate(engine: Engine) -> None:
    """Create or upgrade the tables. Several processes may do so at once; killed half way, nothing happened.

    Raises NewerSchemaError when a newer release has been here, SchemaError when somebody else's tables are.
    """
    with _one_at_a_time:
        # Read first: tables that are up to date need no lock, and may be on a read-only disk.
        with engine.connect() as connection, connection.begin():
            if _up_to_date(connection):
                return
        writing = engine.connect().execution_options(**{WRITING: True})
        with writing as connection, connection.begin():
            _keep_others_out(connection)
            if not _up_to_date(connection):
                command.upgrade(alembic_config(connection), "head")


def check_tables(connection: Connection) -> None:
    """Raises SchemaError, which says why, where the tables are not those of this release."""
    if _up_to_date(connection):
        return
    present = _present(connection)
    if not present:
        raise SchemaError("the store has no tables yet: the operator makes them when it starts")
    raise SchemaError(
        f"the store is of an older release (schema {', '.join(sorted(present))}; this one needs {_head()}): "
        "the operator of this release brings it up to date when it starts"
    )


def _keep_others_out(connection: Connection) -> None:
    """SQLite's write transaction does so already."""
    if connection.dialect.name == "postgresql":
        for setting in ("lock_timeout", "statement_timeout"):
            connection.execute(text(f"SET LOCAL {setting} = '{_LONGEST_MIGRATION_S}s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})


def _up_to_date(connection: Connection) -> bool:
    known = {script.revision for script in ScriptDirectory(str(_FOLDER)).walk_revisions()}
    present, head = _present(connection), _head()
    if present - known:
        raise NewerSchemaError(
            f"the store is of a newer release (schema {', '.join(sorted(present))}; this one knows {head}): "
            "run that release, or give this one a store of its own"
        )
    if not present:
        _refuse_foreign_tables(connection)
    return present == {head}


def _head() -> str | None:
    return ScriptDirectory(str(_FOLDER)).get_current_head()


def _present(connection: Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())


def _refuse_foreign_tables(connection: Connection) -> None:
    ours = set(Schema.metadata.tables)
    found = sorted(ours & set(inspect(connection).get_table_names()))
    if found:
        raise SchemaError(
            f"the database holds tables that are not of this store ({', '.join(found)}): "
            "give it a database of its own"
        )
