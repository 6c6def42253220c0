"""The newest state of every workload, in memory, so that lists cost the store nothing.

One thread reads what has changed in the store each second and replaces the snapshot. A store that
cannot be read leaves the last snapshot standing, which then says since when it is out of date.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import structlog

from autoscaler.api.health import STALE_AFTER_S
from autoscaler.api.snapshot import Entry, Snapshot, Sort
from autoscaler.store.errors import SchemaError, StoreError
from autoscaler.store.rows import StateKept

_EVERY_S = 1.0
_OVERLAP_S = 2.0
"""A row is seen a little later than it is marked, as its transaction takes time."""

_KEYS_EVERY_S = 5.0
_ALL_EVERY_S = 60.0
"""Two operators' clocks may differ by more than the overlap: what was missed by that is found here."""

_OUTDATED_AFTER_S = 5.0

_LOG = structlog.get_logger(__name__)


class States(Protocol):
    """What is read here of a `Store`."""

    def states(
        self,
        changed_since_s: float | None = None,
        known: Mapping[str, tuple[float, float | None]] | None = None,
    ) -> list[StateKept]:
        """Those of all workloads, or of those written at that time or later, without those that are known."""
        ...

    def state_keys(self) -> frozenset[str]:
        """The workloads that there are."""
        ...


class Fleet:
    """Keeps the snapshot fresh. now_s: epoch seconds by the clock that decisions are made by. clock: seconds
    that only ever go on."""

    def __init__(
        self,
        store: States,
        now_s: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._now_s = now_s
        self._clock = clock
        self._snapshot = Snapshot(0, {}, None)
        self._looks = 0
        self._listeners: list[Callable[[frozenset[str]], None]] = []
        self._newest_changed_s: float | None = None
        self._keys_read, self._all_read = -float("inf"), -float("inf")
        self._read: float | None = None
        self._read_s: float | None = None
        self._unread = "the store has not been read yet"
        self._looking_since: float | None = None
        # Held to put one snapshot in another's place, which whoever asks may do too.
        self._showing = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def snapshot(self) -> Snapshot:
        """The newest one."""
        self._notice_silence()
        return self._snapshot

    @property
    def looks(self) -> int:
        """How often the store was looked at, whether or not it could be read."""
        self._notice_silence()
        return self._looks

    @property
    def unread(self) -> str:
        """Why the store could not be read so far, in words for anybody; empty once it has been read."""
        return self._unread

    def listen(self, heard: Callable[[frozenset[str]], None]) -> None:
        """Call `heard` after each look at the store in the fleet's thread, with what changed."""
        self._listeners.append(heard)

    def start(self) -> None:
        """Read now and then, until `stop`."""
        self._thread = threading.Thread(target=self._run, name="fleet", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop reading; the last snapshot stays."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def refresh(self) -> frozenset[str]:
        """Take in what changed in the store, and return which workloads that was. Raises nothing."""
        self._looking_since = self._clock()
        try:
            return self._refreshed()
        finally:
            self._looking_since = None
            self._looks += 1

    def _refreshed(self) -> frozenset[str]:
        try:
            rows, kept = self._changes()
        except StoreError as error:
            self._note_failure(error)
            return frozenset()
        if self._snapshot.outdated_since_s is not None:
            _LOG.info("the store can be read again")
        self._read, self._read_s, self._unread = self._clock(), self._now_s(), ""
        return self._take_in(rows, kept)

    def look(self) -> None:
        """Refresh, and tell all who listen."""
        changed = self.refresh()
        for heard in self._listeners:
            heard(changed)

    def _run(self) -> None:
        while not self._stopping.is_set():
            began = self._clock()
            try:
                self.look()
            except Exception:  # noqa: BLE001 - this thread must outlive whatever one look at the store meets
                _LOG.exception("looking at the store failed")
            self._stopping.wait(max(0.0, _EVERY_S - (self._clock() - began)))

    def _changes(self) -> tuple[list[StateKept], frozenset[str] | None]:
        """Rows that may have changed, and all workloads that there are where that was asked for."""
        now = self._clock()
        newest_s = self._newest_changed_s
        if newest_s is None or now - self._all_read >= _ALL_EVERY_S:
            rows = self._store.states()
            self._all_read = self._keys_read = now
            return rows, frozenset(row.workload for row in rows)
        known = {key: (entry.at_s, entry.changed_s) for key, entry in self._snapshot.entries.items()}
        rows = self._store.states(newest_s - _OVERLAP_S, known)
        if now - self._keys_read < _KEYS_EVERY_S:
            return rows, None
        self._keys_read = now
        return rows, self._store.state_keys() | {row.workload for row in rows}

    def _take_in(self, rows: Sequence[StateKept], kept: frozenset[str] | None) -> frozenset[str]:
        before, now_s = self._snapshot.entries, self._now_s()
        fresh = {row.workload: row for row in rows if _is_news(row, before.get(row.workload))}
        newest = [row.changed_s for row in rows if row.changed_s is not None]
        self._newest_changed_s = max([*newest, self._newest_changed_s or 0.0])
        aged = {
            entry.workload: entry
            for entry in before.values()
            if now_s - entry.at_s > STALE_AFTER_S and not entry.is_stale and entry.workload not in fresh
        }
        gone = before.keys() - kept if kept is not None else frozenset()
        changed = frozenset([*fresh, *aged, *gone])
        if not changed and self._snapshot.outdated_since_s is None:
            return changed
        entries = {key: entry for key, entry in before.items() if key not in gone}
        for key, row in fresh.items():
            _put(entries, key, row.at_s, row.changed_s, row.payload, now_s)
        for key, entry in aged.items():
            _put(entries, key, entry.at_s, entry.changed_s, entry.state, now_s)
        with self._showing:
            snapshot = Snapshot(self._snapshot.version + 1, entries, None)
            # The order that is asked for most is made here, where nobody waits for it.
            snapshot.ordered(Sort.WORST)
            self._snapshot = snapshot
        return changed

    def _note_failure(self, error: StoreError) -> None:
        # Other errors are in the database's words, which are not for everybody.
        if self._unread and isinstance(error, SchemaError):
            self._unread = str(error)
        known = self._read is not None and self._clock() - self._read < _OUTDATED_AFTER_S
        if not known:
            self._say_that_it_is_old(str(error))

    def _notice_silence(self) -> None:
        """A store that does not answer raises nothing and holds the thread, so whoever asks notices it."""
        since = self._looking_since
        if since is not None and self._clock() - since >= _OUTDATED_AFTER_S:
            self._say_that_it_is_old("no answer")

    def _say_that_it_is_old(self, why: str) -> None:
        with self._showing:
            snapshot = self._snapshot
            if snapshot.outdated_since_s is not None:
                return
            since_s = self._now_s() if self._read_s is None else self._read_s
            self._snapshot = Snapshot(snapshot.version + 1, snapshot.entries, since_s)
            # So that answers of before are not given again.
            self._looks += 1
        _LOG.warning("the store cannot be read; what is shown grows old", error=why)


def _is_news(row: StateKept, known: Entry | None) -> bool:
    return known is None or (row.at_s, row.changed_s) != (known.at_s, known.changed_s)


def _put(
    entries: dict[str, Entry],
    workload: str,
    at_s: float,
    changed_s: float | None,
    state: Mapping[str, Any],
    now_s: float,
) -> None:
    """Judge and add one workload; one whose state cannot be understood stays as it was."""
    try:
        entries[workload] = Entry.of(workload, at_s, changed_s, state, now_s)
    except (TypeError, ValueError, AttributeError) as error:
        _LOG.warning("a stored state cannot be understood", workload=workload, error=str(error))
