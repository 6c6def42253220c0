"""Connections to SQLite and PostgreSQL: a fault shows soon, and a write that returned is on disk."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import QueuePool

from autoscaler.store.errors import StoreError

WRITING = "writing"
"""Execution option of a connection whose transactions write."""

_KEPT, _MORE = 6, 4
"""Connections to PostgreSQL that are kept once opened: one for each thread of the service (four that read for
requests, one for the fleet, one that writes), none of which then waits for another to open. And how many more
there may be for a moment."""


def make_engine(url: str, timeout_s: float) -> Engine:
    """An engine for `sqlite:///…` or `postgresql://…`; connects to nothing yet.

    timeout_s: how long a statement may wait for a lock, a connection may take to open, or the other side may
    stay silent. Raises ValueError for any other URL, and when the driver for PostgreSQL is not installed.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, timeout_s)
    return _postgresql(parsed, timeout_s)


def for_reading(engine: Engine) -> Engine:
    """The same connections, for one SELECT at a time."""
    if engine.dialect.name == "postgresql":
        # A statement sees one state of the tables by itself: BEGIN and COMMIT around it would each be a
        # question and an answer more.
        return engine.execution_options(isolation_level="AUTOCOMMIT")
    return engine


def database_file(engine: Engine) -> Path | None:
    """The file an SQLite engine works on; None for one in memory, named by a URI, or for PostgreSQL."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name)


def _parsed(url: str) -> URL:
    # The URL itself may hold a password, so it is in none of these messages.
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ValueError("the store's url must be sqlite:///FILE or postgresql://USER@HOST/NAME") from error
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise ValueError(f"the store's url must be of sqlite or postgresql, not {parsed.drivername}")
    return parsed


def _sqlite(url: URL, timeout_s: float) -> Engine:
    in_memory = url.database in (None, "", ":memory:")
    engine = create_engine(
        url,
        connect_args={"timeout": timeout_s, "check_same_thread": False},
        poolclass=QueuePool,
        pool_timeout=timeout_s,
        # A database in memory lives as long as its one connection.
        pool_size=1 if in_memory else 4,
        max_overflow=0 if in_memory else -1,
    )

    @event.listens_for(engine, "do_connect")
    def _check_folder(*_: Any) -> None:
        file = database_file(engine)
        if file is not None and not file.parent.is_dir():
            raise StoreError(f"the folder {file.parent} of the store does not exist")

    @event.listens_for(engine, "connect")
    def _set_up(connection: sqlite3.Connection, _: object) -> None:
        # SQLAlchemy's own way of taking over transactions from the driver, which would begin them too late.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        # Readers go on while one writes, and what was committed survives a loss of power.
        connection.execute("PRAGMA synchronous = FULL")
        _turn_to_wal(connection, timeout_s)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads first and writes later is refused at once, without waiting, when another
        # has written meanwhile: so one that will write says so from the start.
        writing = connection.get_execution_options().get(WRITING, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _turn_to_wal(connection: sqlite3.Connection, timeout_s: float) -> None:
    """Write ahead of the file, as the file then remembers; where several begin at once, all succeed.

    SQLite refuses this at once, without waiting for its lock, while another does the same.
    """
    until_s = time.monotonic() + timeout_s
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= until_s:
                raise
            time.sleep(0.01)
        else:
            return  # a database in memory keeps a mode of its own


def _postgresql(url: URL, timeout_s: float) -> Engine:
    milliseconds = max(1, int(timeout_s * 1000))
    defaults: dict[str, str] = {
        "connect_timeout": str(max(2, round(timeout_s))),
        "tcp_user_timeout": str(milliseconds),
        "keepalives_idle": "30",
        "application_name": "predictive-autoscaler",
        "options": f"-c lock_timeout={milliseconds} -c statement_timeout={6 * milliseconds}",
    }
    url = url.update_query_dict({**defaults, **{str(k): v for k, v in url.query.items()}})
    try:
        return create_engine(
            url, pool_size=_KEPT, max_overflow=_MORE, pool_timeout=timeout_s, pool_pre_ping=True
        )
    except (ImportError, NoSuchModuleError) as error:
        raise ValueError(
            "PostgreSQL needs its driver: pip install 'predictive-autoscaler[postgres]'"
        ) from error
