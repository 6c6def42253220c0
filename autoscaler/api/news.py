"""What is new, for everybody who watches: one look at the store each second, however many they are.

Each watcher has a queue of its own. One that does not take what is in it is let go, so that the others need
not wait and memory does not fill up; it may come back and say where it was.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import structlog

from autoscaler.store.errors import StoreError
from autoscaler.store.ids import first_number, id_text
from autoscaler.store.rows import FoundDecision, Page

_QUEUE_LENGTH = 64
_AT_ONCE = 500
_LATE_S = 10.0
_LATE_EVERY = 5
"""Decisions are found by when they were made, and one may be stored after another that was made later: so
every so many looks, some seconds are looked at again."""

_LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Update:
    """What one look at the store brought: workloads that changed, and decisions, oldest first."""

    workloads: frozenset[str] = frozenset()
    decisions: Sequence[FoundDecision] = ()


class Decisions(Protocol):
    """What is read here of a `Store`."""

    def decisions(self, *, limit: int = 100) -> Page:
        """The newest decisions."""
        ...

    def decisions_after(self, decision: str, limit: int = 100) -> list[FoundDecision]:
        """Decisions after that one, oldest first."""
        ...


class TooMany(Exception):
    """There are as many watchers as there may be."""


class Watcher:
    """One client, on the event loop that it was made on. caller: who it is, to limit each one's number."""

    def __init__(self, caller: str) -> None:
        self.caller = caller
        self._loop = asyncio.get_running_loop()
        self._updates: asyncio.Queue[Update | None] = asyncio.Queue(_QUEUE_LENGTH)

    async def update(self) -> Update | None:
        """The next one; None when this watcher was too slow and is to be let go."""
        return await self._updates.get()

    def tell(self, update: Update) -> None:
        """From any thread."""
        # A loop that is closed has no clients any more.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._put, update)

    def _put(self, update: Update) -> None:
        if not self._updates.full():
            self._updates.put_nowait(update)
            return
        while not self._updates.empty():
            self._updates.get_nowait()
        self._updates.put_nowait(None)


class News:
    """Finds out what is new and tells all watchers. most: of them at once; one caller may have a quarter."""

    def __init__(self, store: Decisions, most: int) -> None:
        self._store = store
        self._most = most
        self._lock = threading.Lock()
        self._watchers: set[Watcher] = set()
        self._seen: dict[str, float] = {}
        self._newest_s: float | None = None
        self._looks = 0
        self._newest = id_text(0)

    @property
    def newest(self) -> str:
        """Identifier of the newest decision that was seen."""
        return self._newest

    @contextmanager
    def watching(self, caller: str) -> Iterator[Watcher]:
        """A watcher for as long as the context lasts. Raises TooMany."""
        watcher = Watcher(caller)
        with self._lock:
            own = sum(other.caller == caller for other in self._watchers)
            if len(self._watchers) >= self._most or own >= max(1, self._most // 4):
                raise TooMany
            self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            with self._lock:
                self._watchers.discard(watcher)

    def look(self, changed: frozenset[str]) -> None:
        """Tell what is new beside the workloads that changed. Called by one thread, each second."""
        try:
            decisions = self._new_decisions()
        except StoreError as error:
            # The fleet, which reads the same store, tells when this lasts.
            _LOG.debug("new decisions cannot be read", error=str(error))
            decisions = []
        if not changed and not decisions:
            return
        with self._lock:
            watchers = list(self._watchers)
        for watcher in watchers:
            watcher.tell(Update(changed, decisions))

    def _new_decisions(self) -> list[FoundDecision]:
        first_look = self._newest_s is None
        if self._newest_s is None:
            newest = self._store.decisions(limit=1).decisions
            self._newest_s = newest[0].at_s if newest else 0.0
        self._looks += 1
        back_s = _LATE_S if first_look or self._looks % _LATE_EVERY == 0 else 0.0
        found = [one for one in self._after(self._newest_s - back_s) if one.id not in self._seen]
        self._newest_s = max([self._newest_s, *(one.at_s for one in found)])
        self._newest = max([self._newest, *(one.id for one in found)])
        self._seen.update({one.id: one.at_s for one in found})
        oldest_s = self._newest_s - 2 * _LATE_S
        self._seen = {number: at_s for number, at_s in self._seen.items() if at_s >= oldest_s}
        return [] if first_look else found

    def _after(self, at_s: float) -> list[FoundDecision]:
        """All decisions since that time, oldest first."""
        found: list[FoundDecision] = []
        since = id_text(first_number(at_s))
        while True:
            more = self._store.decisions_after(since, _AT_ONCE)
            found += more
            if len(more) < _AT_ONCE:
                return found
            since = more[-1].id
