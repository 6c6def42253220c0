"""How much room the rows take that are there, as against the room that a database has taken from the disk."""

from __future__ import annotations

from sqlalchemy import Connection, text

_LARGE = ("decisions", "observations", "observation_hours", "forecasts", "decision_reasons")
_PER_ROW_BYTES = 50
"""Of PostgreSQL: what a row takes beside its values, in the table and in the index of its primary key."""


def used_bytes(connection: Connection, enough: int) -> int:
    """Bytes in use by tables and indexes.

    SQLite: exact. PostgreSQL: what its files hold or, when that exceeds `enough`, an estimate.
    """
    if connection.dialect.name == "sqlite":
        return _sqlite_bytes(connection)
    size = text("SELECT pg_total_relation_size(CAST(:name AS regclass))")
    held = sum(int(connection.execute(size, {"name": name}).scalar_one()) for name in _LARGE)
    # PostgreSQL reuses room but does not give it back: files that were large once stay so, and say nothing.
    return held if held <= enough else min(held, sum(_live_bytes(connection, name) for name in _LARGE))


def _sqlite_bytes(connection: Connection) -> int:
    pages, free, size = (
        int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _live_bytes(connection: Connection, name: str) -> int:
    connection.execute(text(f"ANALYZE {name}"))
    count = text("SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = CAST(:name AS regclass)")
    rows = connection.execute(count, {"name": name}).scalar_one()
    sampled = f"(SELECT * FROM {name} LIMIT 1000) AS sampled"
    sample = f"SELECT coalesce(avg(pg_column_size(sampled.*)), 0) FROM {sampled}"
    width = connection.execute(text(sample)).scalar_one()
    return int(rows * (float(width) + _PER_ROW_BYTES))
