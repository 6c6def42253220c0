"""The store: everything that is kept, in one SQLite file or one PostgreSQL database.

A `Store` blocks while it works and raises when it cannot. The control loop uses it through `Journal`, which
does neither; what only reads, such as an API, uses it directly.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from autoscaler.store import reading
from autoscaler.store.encoding import EncodedRow, encoded
from autoscaler.store.engine import WRITING, database_file, make_engine
from autoscaler.store.errors import RowError, StoreError, described, translated
from autoscaler.store.ids import id_number
from autoscaler.store.migrating import migrate
from autoscaler.store.pruning import Pruned, Retention, prune_step
from autoscaler.store.rows import (
    Audited,
    DaySpend,
    ForecastMade,
    HourObserved,
    MemoryKept,
    Observed,
    OverrideMade,
    Page,
    Row,
    WholeDecision,
    WorkloadSeen,
)
from autoscaler.store.writing import KnownIds, write_rows

TIMEOUT_S = 5.0
_LARGEST_PAGE = 1000


class Store:
    """One database. Made by `Store.open`; may be used from several threads, of which one writes.

    Every method raises StoreError when the database cannot be used: unreachable, locked, full, corrupt.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._known = KnownIds()
        self._file = database_file(engine)
        self._inode: tuple[int, int] | None = None

    @classmethod
    def open(cls, url: str, timeout_s: float = TIMEOUT_S) -> Store:
        """The store at `sqlite:///FILE`, `sqlite://` (in memory) or `postgresql://USER@HOST/NAME`.

        Connects to nothing yet. timeout_s: how long to wait for a lock, a connection or an answer. Raises
        ValueError when the URL cannot be used, or the driver for PostgreSQL is missing.
        """
        return cls(make_engine(url, timeout_s))

    def close(self) -> None:
        """Close all connections. A later call would open new ones."""
        self.engine.dispose()

    def migrate(self) -> None:
        """Create the tables or bring them up to date. Several processes may do so at once.

        Raises SchemaError, a StoreError, when the database is of a newer release or holds something else.
        """
        try:
            migrate(self.engine)
        except Exception as error:
            raise _unusable(error) from error

    def write(self, rows: Sequence[Row]) -> None:
        """Write all rows or, raising, none. Raises RowError when the rows are to blame and not the store."""
        self.write_encoded([encoded(row) for row in rows])

    def write_encoded(self, rows: Sequence[EncodedRow]) -> None:
        """As `write`, of rows that were encoded before."""
        if not rows:
            return
        remembered = bool(self._known)
        try:
            self._write(rows)
        except RowError:
            if not remembered:
                raise
            # The numbers that were remembered may be of an older state, if a backup was restored meanwhile.
            self._write(rows)

    def _write(self, rows: Sequence[EncodedRow]) -> None:
        try:
            with self._transaction(writing=True) as connection:
                write_rows(connection, rows, self._known)
        except Exception as error:
            # What was looked up in a transaction that did not last may not exist.
            self._known.forget()
            raise translated(error) from error

    def prune(self, retention: Retention, now_s: float) -> Pruned:
        """One step of forgetting; repeat while the answer says there is `more`."""
        with self._using(writing=True) as connection:
            return prune_step(connection, retention, now_s)

    def decisions(
        self,
        *,
        workload: str | None = None,
        namespace: str | None = None,
        reason: str | None = None,
        since_s: float | None = None,
        until_s: float | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> Page:
        """Decisions, newest first: since inclusive, until exclusive, older than the decision `before`.

        Raises ValueError when `before` is no identifier.
        """
        if before is not None:
            id_number(before)
        with self._using() as connection:
            return reading.find_decisions(
                connection,
                workload=workload,
                namespace=namespace,
                reason=reason,
                since_s=since_s,
                until_s=until_s,
                before=before,
                limit=_limited(limit),
            )

    def decision(self, decision: str) -> WholeDecision | None:
        """One decision with its payload, or None. Raises ValueError when that is no identifier."""
        number = id_number(decision)
        with self._using() as connection:
            return reading.find_decision(connection, number)

    def memory(self, workload: str) -> MemoryKept | None:
        """The newest memory of a workload."""
        with self._using() as connection:
            found = reading.find_memories(connection, workload)
        return found[0] if found else None

    def memories(self) -> dict[str, MemoryKept]:
        """The newest memory of every workload, by key."""
        with self._using() as connection:
            return {kept.workload: kept for kept in reading.find_memories(connection, None)}

    def workloads(self) -> list[WorkloadSeen]:
        """Every workload there ever was."""
        with self._using() as connection:
            return reading.find_workloads(connection)

    def latest_observation(self, workload: str) -> Observed | None:
        """The newest single observation of a workload."""
        with self._using() as connection:
            return reading.find_latest_observation(connection, workload)

    def observations(self, workload: str, since_s: float, until_s: float) -> list[Observed]:
        """Single observations, oldest first: since inclusive, until exclusive."""
        with self._using() as connection:
            return reading.find_observations(connection, workload, since_s, until_s)

    def hours(self, workload: str, since_s: float, until_s: float) -> list[HourObserved]:
        """Hours whose single observations are gone, oldest first, by when they start."""
        with self._using() as connection:
            return reading.find_hours(connection, workload, since_s, until_s)

    def forecasts(
        self, workload: str, since_s: float, until_s: float, limit: int = 100
    ) -> list[ForecastMade]:
        """Forecasts as they were made, newest first, by when they were made."""
        with self._using() as connection:
            return reading.find_forecasts(connection, workload, since_s, until_s, _limited(limit))

    def spend(
        self,
        *,
        workload: str | None = None,
        namespace: str | None = None,
        since: datetime.date | None = None,
        until: datetime.date | None = None,
    ) -> list[DaySpend]:
        """Money by UTC day, both days inclusive."""
        with self._using() as connection:
            return reading.find_spend(connection, workload, namespace, since, until)

    def overrides(self, at_s: float, workload: str | None = None) -> list[OverrideMade]:
        """Overrides in force at that time, oldest first."""
        with self._using() as connection:
            return reading.find_overrides(connection, workload, at_s)

    def audit(self, *, before: str | None = None, limit: int = 100) -> list[Audited]:
        """What people did, newest first, older than the entry `before`; ValueError if that is none."""
        if before is not None:
            id_number(before)
        with self._using() as connection:
            return reading.find_audit(connection, before, _limited(limit))

    @contextmanager
    def _using(self, *, writing: bool = False) -> Iterator[Connection]:
        """A transaction in which every fault is a StoreError."""
        try:
            with self._transaction(writing=writing) as connection:
                yield connection
        except Exception as error:
            raise _unusable(error) from error

    @contextmanager
    def _transaction(self, *, writing: bool) -> Iterator[Connection]:
        self._check_file()
        options = self.engine.connect().execution_options(**{WRITING: writing})
        with options as connection, connection.begin():
            yield connection

    def _check_file(self) -> None:
        """A file that was moved or replaced under SQLite would take writes that nobody ever sees."""
        if self._file is None or not self._file.exists():
            if self._inode is not None:
                raise StoreError(f"the file {self._file} of the store is gone")
            return
        status = self._file.stat()
        inode = (status.st_dev, status.st_ino)
        if self._inode is None:
            self._inode = inode
        elif inode != self._inode:
            raise StoreError(f"the file {self._file} of the store was replaced")


def _unusable(error: Exception) -> StoreError:
    found = translated(error)
    return StoreError(described(found)) if isinstance(found, RowError) else found


def _limited(limit: int) -> int:
    return max(1, min(limit, _LARGEST_PAGE))
