"""The store: everything that is kept, in one SQLite file or one PostgreSQL database.

A `Store` blocks while it works and raises when it cannot. The control loop uses it through `Journal`, which
does neither; what only reads, such as an API, uses it directly.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine

from autoscaler.store import answered_keys, reading, stored_decisions
from autoscaler.store.encoding import EncodedRow, encoded
from autoscaler.store.engine import WRITING, database_file, for_reading, make_engine
from autoscaler.store.errors import NewerSchemaError, RowError, StoreError, described, translated
from autoscaler.store.ids import id_number
from autoscaler.store.migrating import check_tables, migrate
from autoscaler.store.pruning import Pruned, Retention, prune_step
from autoscaler.store.reach import Reach, find_reach
from autoscaler.store.rows import (
    AnsweredKey,
    Audited,
    DaySpend,
    ForecastMade,
    FoundDecision,
    HourObserved,
    ManifestKept,
    MemoryKept,
    Observed,
    OverrideMade,
    Page,
    Row,
    StateKept,
    WholeDecision,
    WorkloadSeen,
)
from autoscaler.store.writing import KnownIds, write_rows

TIMEOUT_S = 5.0
_LARGEST_PAGE = 1000


class Store:
    """One database. Made by `Store.open`; may be used from several threads, of which one writes.

    wall_s: epoch seconds, by which states are marked when they are written.
    Every method raises StoreError when the database cannot be used: unreachable, locked, full, corrupt, or,
    as SchemaError tells, without the tables of this release when it is first used.
    """

    def __init__(self, engine: Engine, wall_s: Callable[[], float] = time.time) -> None:
        self.engine = engine
        self._for_reading = for_reading(engine)
        self._for_writing = engine.execution_options(**{WRITING: True})
        self._wall_s = wall_s
        self._known = KnownIds()
        self._file = database_file(engine)
        self._inode: tuple[int, int] | None = None
        self._are_ours = False

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

    def migrate(self, *, or_newer: bool = False) -> None:
        """Create the tables or bring them up to date. Several processes may do so at once.

        or_newer: take tables of a newer release as they are, as a process may that worked with them before
        they were upgraded. Raises SchemaError, a StoreError, for others, and for what is not ours.
        """
        try:
            migrate(self.engine)
        except Exception as error:
            if not (or_newer and isinstance(error, NewerSchemaError)):
                raise _unusable(error) from error
        self._are_ours = True

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
                write_rows(connection, rows, self._known, self._wall_s())
        except Exception as error:
            # What was looked up in a transaction that did not last may not exist.
            self._known.forget()
            raise translated(error) from error

    def prune(self, retention: Retention, now_s: float) -> Pruned:
        """One step of forgetting; repeat while the answer says there is `more`."""
        with self._using(writing=True) as connection:
            return prune_step(connection, retention, now_s)

    def reach(self) -> Reach:
        """The oldest rows that are left."""
        with self._using() as connection:
            return find_reach(connection)

    def decisions(
        self,
        *,
        workload: str | None = None,
        namespace: str | None = None,
        namespaces: Collection[str] | None = None,
        reason: str | None = None,
        since_s: float | None = None,
        until_s: float | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> Page:
        """Decisions, newest first: since inclusive, until exclusive, older than the decision `before`.

        namespaces: any of these; None for all. Raises ValueError when `before` is no identifier.
        """
        if before is not None:
            id_number(before)
        with self._using() as connection:
            return stored_decisions.find_decisions(
                connection,
                workload=workload,
                namespaces=_within(namespace, namespaces),
                reason=reason,
                since_s=since_s,
                until_s=until_s,
                before=before,
                limit=_limited(limit),
            )

    def decisions_after(self, decision: str, limit: int = 100) -> list[FoundDecision]:
        """Decisions after that one, oldest first. Raises ValueError when that is no identifier.

        Identifiers ascend with the time of deciding. One that is written late, as after an outage of the
        store, is found only by who asks again from an earlier one.
        """
        number = id_number(decision)
        with self._using() as connection:
            return stored_decisions.find_decisions_after(connection, number, _limited(limit))

    def decision(self, decision: str) -> WholeDecision | None:
        """One decision with its payload, or None. Raises ValueError when that is no identifier."""
        number = id_number(decision)
        with self._using() as connection:
            return stored_decisions.find_decision(connection, number)

    def memory(self, workload: str) -> MemoryKept | None:
        """The newest memory of a workload."""
        with self._using() as connection:
            found = reading.find_memories(connection, workload)
        return found[0] if found else None

    def memories(self) -> dict[str, MemoryKept]:
        """The newest memory of every workload, by key."""
        with self._using() as connection:
            return {kept.workload: kept for kept in reading.find_memories(connection, None)}

    def states(
        self,
        changed_since_s: float | None = None,
        known: Mapping[str, tuple[float, float | None]] | None = None,
    ) -> list[StateKept]:
        """What is shown of every workload, or of those written at that time or later, by the writer's clock.

        A transaction is seen somewhat later than its rows are marked, and clocks differ: ask from
        a few seconds before the newest `changed_s` that is known, and for all now and then. known: `at_s` and
        `changed_s` of states that the caller has already, by workload; those are left out.
        """
        with self._using() as connection:
            return reading.find_states(connection, changed_since_s, known or {})

    def state_keys(self) -> frozenset[str]:
        """The workloads of which anything is shown: by these a reader sees which are gone."""
        with self._using() as connection:
            return reading.find_state_keys(connection)

    def manifest(self, workload: str) -> ManifestKept | None:
        """A workload's resource as it was last written; None where it is gone or was never seen."""
        with self._using() as connection:
            return reading.find_manifest(connection, workload)

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

    def hours_until(self, workload: str) -> float:
        """Where single observations begin: the end of the newest of these hours; 0 where there is none."""
        with self._using() as connection:
            return reading.find_end_of_hours(connection, workload)

    def forecasts(
        self, workload: str, since_s: float, until_s: float, limit: int = 100
    ) -> list[ForecastMade]:
        """Forecasts as they were made, newest first, by when they were made."""
        with self._using() as connection:
            return reading.find_forecasts(connection, workload, since_s, until_s, _limited(limit))

    def forecast_at(self, workload: str, at_s: float) -> ForecastMade | None:
        """The newest forecast made at that time or before."""
        with self._using() as connection:
            return reading.find_forecast_at(connection, workload, at_s)

    def spend(
        self,
        *,
        workload: str | None = None,
        namespace: str | None = None,
        namespaces: Collection[str] | None = None,
        since: datetime.date | None = None,
        until: datetime.date | None = None,
    ) -> list[DaySpend]:
        """Money by UTC day, both days inclusive. namespaces: any of these; None for all."""
        with self._using() as connection:
            return reading.find_spend(connection, workload, _within(namespace, namespaces), since, until)

    def overrides(self, at_s: float, workload: str | None = None) -> list[OverrideMade]:
        """Overrides in force at that time, oldest first."""
        with self._using() as connection:
            return reading.find_overrides(connection, workload, at_s)

    def all_overrides(
        self, workload: str, *, before: str | None = None, limit: int = 100
    ) -> list[OverrideMade]:
        """Overrides of a workload whether in force or not, newest first, older than the override `before`.

        Raises ValueError when `before` is no identifier.
        """
        if before is not None:
            id_number(before)
        with self._using() as connection:
            return reading.find_all_overrides(connection, workload, before, _limited(limit))

    def audit(
        self,
        *,
        namespaces: Collection[str] | None = None,
        before: str | None = None,
        limit: int = 100,
    ) -> list[Audited]:
        """What people did, newest first, older than the entry `before`; ValueError if that is none.

        namespaces: only to targets "namespace/…" in one of these; None for everything.
        """
        if before is not None:
            id_number(before)
        with self._using() as connection:
            return reading.find_audit(connection, namespaces, before, _limited(limit))

    def reserve_key(self, key: str, asked: str, now_s: float, patience_s: float) -> AnsweredKey | None:
        """Make an idempotency key the caller's own, who then keeps an answer or releases it. Otherwise what
        is known of it. key, asked: up to 64 characters. One without an answer is free after `patience_s`.
        """
        with self._using(writing=True) as connection:
            return answered_keys.reserve(connection, key, asked, now_s, patience_s)

    def keep_answer(self, key: str, answer: Mapping[str, Any]) -> None:
        """Keep for a day what was answered to the request that reserved the key. answer: plain JSON types."""
        with self._using(writing=True) as connection:
            answered_keys.keep(connection, key, answer)

    def release_key(self, key: str) -> None:
        """Give a key back that was reserved: nothing was changed, so it may be sent again."""
        with self._using(writing=True) as connection:
            answered_keys.release(connection, key)

    @contextmanager
    def _using(self, *, writing: bool = False) -> Iterator[Connection]:
        """A connection for one SELECT or, `writing`, a transaction; every fault is a StoreError."""
        try:
            with self._transaction(writing=writing) as connection:
                yield connection
        except Exception as error:
            raise _unusable(error) from error

    @contextmanager
    def _transaction(self, *, writing: bool) -> Iterator[Connection]:
        self._check_file()
        engine = self._for_writing if writing else self._for_reading
        with engine.connect() as connection, connection.begin():
            if not self._are_ours:
                check_tables(connection)
                self._are_ours = True
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


def _within(namespace: str | None, namespaces: Collection[str] | None) -> Collection[str] | None:
    """Namespaces that are both; None for all."""
    if namespace is None:
        return namespaces
    return {namespace} if namespaces is None or namespace in namespaces else set()


def _limited(limit: int) -> int:
    return max(1, min(limit, _LARGEST_PAGE))
