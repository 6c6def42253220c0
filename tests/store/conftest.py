"""The same tests for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import Database, PostgresqlDatabase, SqliteDatabase
from real_postgresql import RealPostgresql, running_postgresql

from autoscaler.store.store import Store


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[RealPostgresql]:
    """One server for all tests; each takes a database of its own."""
    with running_postgresql() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return SqliteDatabase(tmp_path)
    return PostgresqlDatabase(request.getfixturevalue("postgresql_server"))


@pytest.fixture
def store(database: Database) -> Iterator[Store]:
    """A store with its tables, in each kind of database."""
    opened = database.migrated()
    yield opened
    opened.close()
