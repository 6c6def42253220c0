"""The store as the control loop sees it: it never raises and never waits longer than it was told to.

What cannot be written yet waits in a spool and is written in order when the store is back. A thread of its
own opens the store, brings its tables up to date, writes and forgets; the loop only hands over and, for as
long as it likes, waits for the answer.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from autoscaler.store.condition import Condition, Counts, Standing
from autoscaler.store.encoding import EncodedRow, encoded
from autoscaler.store.errors import RowError, SchemaError, StoreError
from autoscaler.store.forgetting import Forgetting
from autoscaler.store.pruning import Retention
from autoscaler.store.reach import Reach
from autoscaler.store.rows import MemoryKept, Row, StateGone, StateKept
from autoscaler.store.spool import Spool, SpoolLimits, WaitingRow, settle
from autoscaler.store.store import Store

_T = TypeVar("_T")

_log = structlog.get_logger(__name__)

_ROWS_AT_ONCE = 2_000
_LATE_S = 5.0
"""Rows that wait longer than this are behind."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How the writer behaves in time, in seconds.

    first_retry_s, last_retry_s: pauses after a failure, doubling in between. stuck_s: a write that takes
    longer counts as down. prune_s: pause between rounds of forgetting; prune_step_s: between their steps.
    look_s: after so long without work it is looked whether the store is still there.
    """

    first_retry_s: float = 0.5
    last_retry_s: float = 30.0
    stuck_s: float = 45.0
    prune_s: float = 3600.0
    prune_step_s: float = 0.5
    look_s: float = 60.0


class Journal:
    """Writes what the loop decided, for as long as the loop runs. Use: `start`, `commit` …, `close`.

    open_store: called by the writer's thread, again after every failure. wall_s: epoch seconds, by which
    things are forgotten.
    """

    def __init__(
        self,
        open_store: Callable[[], Store],
        *,
        limits: SpoolLimits | None = None,
        retention: Retention | None = None,
        pace: Pace | None = None,
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        self._open_store = open_store
        self._pace = pace or Pace()
        self._forgetting = Forgetting(retention or Retention(), self._pace.prune_s, self._pace.prune_step_s)
        self._wall_s = wall_s
        self._spool = Spool(limits or SpoolLimits())
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._store: Store | None = None
        self._memories: dict[str, MemoryKept] = {}
        self._shown: set[str] = set()
        self._loads = 0
        self._load_wanted = False
        self._closing = False
        self._failure = ""
        self._busy_since_s: float | None = None
        self._in_flight = 0
        self._written = 0
        self._failures = 0
        self._look_due_s = time.monotonic() + self._pace.look_s

    def start(self) -> None:
        """Start the writer; returns at once, whether or not there is a store."""
        self._thread.start()

    def close(self, patience_s: float = 5.0) -> int:
        """Write what waits, for at most so long, and stop. Returns how many rows were left unwritten."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(patience_s)
        with self._changed:
            return len(self._spool) + self._in_flight

    def commit(self, rows: Sequence[Row], patience_s: float) -> bool:
        """Hand over a batch. True: it is on disk. False: it waits, or could not be kept and is counted.

        Waits at most `patience_s`, and not at all while the store is down.
        """
        ready = self._encoded(rows)
        with self._changed:
            for row in rows:
                self._note(row)
            ticket = self._spool.put(ready, time.monotonic())
            ticket.lost |= len(ready) < len(rows)
            self._changed.notify_all()
            self._changed.wait_for(lambda: not ticket.waiting or bool(self._failure), patience_s)
            return ticket.written

    def memory(self, workload: str) -> MemoryKept | None:
        """The newest memory of a workload: as last loaded, or as committed since."""
        with self._changed:
            return self._memories.get(workload)

    def shown(self) -> frozenset[str]:
        """Workloads that the store has a state of: as last loaded, and as committed since."""
        with self._changed:
            return frozenset(self._shown)

    @property
    def loaded(self) -> bool:
        """Whether memories were loaded since the start: until then `memory` knows only what was committed."""
        with self._changed:
            return self._loads > 0

    def reload(self, patience_s: float) -> bool:
        """Load again what is remembered, as after another process may have written. True: done in time.

        Waits at most `patience_s`, and not at all while the store is down.
        """
        with self._changed:
            before = self._loads
            self._load_wanted = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._loads > before or bool(self._failure), patience_s)
            return self._loads > before

    @property
    def condition(self) -> Condition:
        """How the journal keeps up, and why not."""
        with self._changed:
            now_s = time.monotonic()
            if self._failure:
                return Condition(Standing.DOWN, self._failure)
            busy_s = 0.0 if self._busy_since_s is None else now_s - self._busy_since_s
            if busy_s > self._pace.stuck_s:
                return Condition(Standing.DOWN, f"no answer for {busy_s:.0f} s")
            if self._store is None:
                return Condition(Standing.BEHIND, "the store is not open yet")
            oldest_s = self._spool.oldest_s
            waiting_s = max(busy_s, 0.0 if oldest_s is None else now_s - oldest_s)
            if waiting_s > _LATE_S:
                waiting = len(self._spool) + self._in_flight
                return Condition(Standing.BEHIND, f"{waiting} rows wait, the first for {waiting_s:.0f} s")
            return Condition(Standing.OK)

    @property
    def counts(self) -> Counts:
        """What was done and what waits."""
        with self._changed:
            return Counts(
                spooled=len(self._spool) + self._in_flight,
                spooled_bytes=self._spool.bytes,
                dropped=self._spool.dropped,
                written=self._written,
                failures=self._failures,
            )

    @property
    def reach(self) -> Reach:
        """How far back the store reached when it was last tidied, which it is soon after the start."""
        return self._forgetting.reach

    def _encoded(self, rows: Sequence[Row]) -> list[EncodedRow]:
        ready: list[EncodedRow] = []
        for row in rows:
            try:
                ready.append(encoded(row))
            except RowError as error:
                self._refuse(str(error))
        return ready

    def _refuse(self, problem: str) -> None:
        _log.error("journal row dropped", problem=problem)
        with self._changed:
            self._spool.dropped += 1

    def _note(self, row: Row) -> None:
        """Know at once what will be in the store."""
        match row:
            case MemoryKept():
                self._remember(row)
            case StateKept():
                self._shown.add(row.workload)
            case StateGone():
                self._shown.discard(row.workload)

    def _remember(self, kept: MemoryKept) -> None:
        known = self._memories.get(kept.workload)
        if known is None or kept.at_s >= known.at_s:
            self._memories[kept.workload] = kept

    # From here on: the writer's thread.

    def _run(self) -> None:
        pause_s = self._pace.first_retry_s
        while not self._finished():
            try:
                self._work()
            except Exception as error:  # noqa: BLE001  # the writer outlives whatever a driver may raise
                self._failed(error)
                with self._changed:
                    jittered_s = pause_s * random.uniform(0.75, 1.25)
                    self._changed.wait_for(lambda: self._closing, jittered_s)
                    if self._closing:
                        break
                pause_s = min(2 * pause_s, self._pace.last_retry_s)
            else:
                pause_s = self._pace.first_retry_s
        if self._store is not None:
            self._store.close()

    def _finished(self) -> bool:
        with self._changed:
            return self._closing and not len(self._spool)

    def _work(self) -> None:
        """One piece of work, or a wait for some."""
        store = self._opened()
        if self._load_wanted:
            self._load(store)
        with self._changed:
            taken = self._spool.take(_ROWS_AT_ONCE)
            self._in_flight = len(taken)
        if taken:
            self._write(store, taken)
        elif time.monotonic() >= self._forgetting.due_s:
            self._prune(store)
        elif time.monotonic() >= self._look_due_s:
            # Who has nothing to write would otherwise know only when it takes over. Nothing has this name.
            self._busily(lambda: store.memory(""))
        else:
            with self._changed:
                idle_s = min(self._forgetting.due_s, self._look_due_s) - time.monotonic()
                self._changed.wait_for(self._has_work, max(0.0, idle_s))
            return
        self._look_due_s = time.monotonic() + self._pace.look_s

    def _has_work(self) -> bool:
        return self._closing or self._load_wanted or len(self._spool) > 0

    def _opened(self) -> Store:
        """The store, opened, migrated and with its memories loaded."""
        if self._store is None:
            store = self._open_store()
            try:
                # Whoever worked with the tables before goes on with what a newer release has made of them.
                self._busily(lambda: store.migrate(or_newer=self.loaded))
                self._load(store)
            except Exception:
                store.close()
                raise
            with self._changed:
                self._store = store
        return self._store

    def _load(self, store: Store) -> None:
        with self._changed:
            self._load_wanted = False
        try:
            memories: Mapping[str, MemoryKept] = self._busily(store.memories)
            shown: frozenset[str] = self._busily(store.state_keys)
        except StoreError:
            with self._changed:
                self._load_wanted = True
            raise
        with self._changed:
            for kept in memories.values():
                self._remember(kept)
            self._shown |= shown
            self._loads += 1
            self._changed.notify_all()
            if not len(self._spool):
                # Otherwise writing has yet to show that it works: a full disk can be read.
                self._succeeded()

    def _write(self, store: Store, taken: list[WaitingRow]) -> None:
        """Write a chunk, or put what is left of it back."""
        left = list(taken)
        try:
            self._busily(lambda: self._write_good(store, left))
        finally:
            with self._changed:
                self._in_flight = 0
                self._spool.put_back(left)
                self._changed.notify_all()

    def _write_good(self, store: Store, left: list[WaitingRow]) -> None:
        """Write the rows of `left`, removing them from it; halve where one is refused, and drop that one."""
        size = len(left)
        while left:
            some = left[:size]
            try:
                store.write_encoded([waiting.row for waiting in some])
            except RowError as error:
                if len(some) > 1:
                    size = len(some) // 2
                    continue
                _log.error("journal row dropped", kind=some[0].row.kind.name.lower(), problem=str(error))
                with self._changed:
                    self._spool.lose(some[0])
            else:
                with self._changed:
                    settle(some)
                    self._written += len(some)
                    self._succeeded()
                size = len(left)
            del left[: len(some)]

    def _prune(self, store: Store) -> None:
        self._busily(lambda: self._forgetting.step(store, self._wall_s()))
        with self._changed:
            self._succeeded()

    def _busily(self, work: Callable[[], _T]) -> _T:
        with self._changed:
            self._busy_since_s = time.monotonic()
        try:
            return work()
        finally:
            with self._changed:
                self._busy_since_s = None

    def _succeeded(self) -> None:
        """Called with the lock held."""
        if self._failure:
            _log.info("store is back", waiting=len(self._spool) + self._in_flight)
        self._failure = ""
        self._changed.notify_all()

    def _failed(self, error: Exception) -> None:
        known = isinstance(error, StoreError | RowError | ValueError)
        reason = str(error) if known else f"{type(error).__name__}: {error}"
        store, self._store = self._store, None
        if store is not None:
            store.close()
        with self._changed:
            first = self._failure != reason
            self._failure = reason
            self._failures += 1
            self._changed.notify_all()
        if first:
            # Again only when the reason changes: an outage of an hour is one line, not a thousand.
            _log.error("store is down", reason=reason, schema=isinstance(error, SchemaError))
