"""A database of either kind for one test, and what can go wrong with it on demand."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from real_postgresql import RealPostgresql

from autoscaler.store.store import Store

NEXT_RELEASE = (
    "ALTER TABLE decisions ADD COLUMN remark TEXT",
    "ALTER TABLE states ADD COLUMN remark TEXT",
    "CREATE TABLE remarks (id INTEGER PRIMARY KEY)",
    "UPDATE alembic_version SET version_num = '9999'",
)
"""A migration of a release to come, of the kind that releases may make: it only adds."""


def eventually(happened: Callable[[], bool], within_s: float = 15.0) -> None:
    """Return as soon as it has happened; fail when it has not in time."""
    deadline_s = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < deadline_s, "did not happen in time"
        threading.Event().wait(0.005)


class Database(ABC):
    """Empty at first."""

    url: str

    def store(self, timeout_s: float = 5.0) -> Store:
        """Another way in, as another process would have."""
        return Store.open(self.url, timeout_s)

    def migrated(self) -> Store:
        """A store with its tables."""
        store = self.store()
        store.migrate()
        return store

    @abstractmethod
    def locked(self) -> Iterator[None]:
        """Within this context somebody else holds what a writer needs."""

    @abstractmethod
    def down(self) -> Iterator[None]:
        """Within this context there is no database."""

    @abstractmethod
    def execute(self, statement: str) -> None:
        """Do something behind the store's back."""


class SqliteDatabase(Database):
    """A file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "volume"
        self._folder.mkdir()
        self.file = self._folder / "store.db"
        self.url = f"sqlite:///{self.file}"

    @contextmanager
    def locked(self) -> Iterator[None]:
        connection = sqlite3.connect(self.file, isolation_level=None)
        connection.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            connection.close()

    @contextmanager
    def down(self) -> Iterator[None]:
        elsewhere = self._folder.rename(self._folder.with_name("unmounted"))
        try:
            yield
        finally:
            elsewhere.rename(self._folder)

    def execute(self, statement: str) -> None:
        connection = sqlite3.connect(self.file)
        with connection:
            connection.execute(statement)
        connection.close()


class PostgresqlDatabase(Database):
    """A database of a server that other tests use too, one after the other."""

    def __init__(self, server: RealPostgresql) -> None:
        self._server = server
        self.name = server.new_database()
        self.url = server.url(self.name)

    @contextmanager
    def locked(self) -> Iterator[None]:
        with psycopg.connect(self.url) as connection:
            connection.execute("LOCK TABLE workloads, decisions, memories IN ACCESS EXCLUSIVE MODE")
            yield

    @contextmanager
    def down(self) -> Iterator[None]:
        self._server.stop()
        try:
            yield
        finally:
            self._server.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Within this context the server does not answer, as on a machine that hangs."""
        with psycopg.connect(self._server.url("postgres")) as connection:
            query = "SELECT pid FROM pg_stat_activity WHERE datname = %s"
            processes = [pid for (pid,) in connection.execute(query, [self.name])]
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())
