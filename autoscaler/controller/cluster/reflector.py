"""A list of the API server kept here, parsed and up to date: one list, then a watch from its version.

The official client's informer keeps whole objects and reads its stream without a deadline, so a connection
that died in silence would freeze it; this one keeps what `parse` returns and notices.
"""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from autoscaler.controller.cluster.connection import Cluster, Query
from autoscaler.controller.cluster.errors import ClusterError, Gone, Json, NotFound, TooManyRequests
from autoscaler.controller.cluster.watching import Watch, WatchEvent

T = TypeVar("T")

_WATCH_S = 300.0
_JOIN_S = 1.0
_LIVED_S = 5.0
"""A watch that lasted this long, or brought an event, was a success."""
_LEAST_PAUSE_S = 0.5
_MOST_PAUSE_S = 30.0

_log = logging.getLogger(__name__)


def pause_s(failures: int) -> float:
    """How long to wait after so many failures in a row (from 1): 0.5 s to 30 s, spread at random."""
    limit_s = min(_MOST_PAUSE_S, _LEAST_PAUSE_S * 2.0 ** min(failures, 16))
    return random.uniform(max(_LEAST_PAUSE_S, limit_s / 2.0), limit_s)


def key_of(item: Json) -> str:
    """ "namespace/name", or "name" for what belongs to no namespace."""
    about = item["metadata"]
    namespace = about.get("namespace")
    return f"{namespace}/{about['name']}" if namespace else str(about["name"])


class Reflector(Generic[T]):
    """Objects of one path, by key. Its own thread reads; every method may be called from any thread.

    parse: what to keep of an object; None keeps nothing. One that raises is logged and leaves what was
    kept before. optional: nobody is warned where the server serves no such path. on_change: told, in the
    reading thread and in order, of what differs from before.
    resync_s: how often to list anew although the watch is well. pause: of consecutive failures.
    """

    def __init__(
        self,
        cluster: Cluster,
        path: str,
        parse: Callable[[Json], T | None],
        *,
        name: str,
        query: Query | None = None,
        optional: bool = False,
        resync_s: float = 600.0,
        on_change: Callable[[str, T | None, T | None], None] | None = None,
        inactivity_s: float = 70.0,
        pause: Callable[[int], float] = pause_s,
    ) -> None:
        self._cluster = cluster
        self._path = path
        self._query = query
        self._parse = parse
        self._name = name
        self._optional = optional
        self._resync_s = resync_s
        self._on_change = on_change
        self._inactivity_s = inactivity_s
        self._pause = pause
        self._lock = threading.Lock()
        self._items: dict[str, T] = {}
        self._version = ""
        self._list_at = -math.inf
        self._heard_at = -math.inf
        self._failures = 0
        self._failure = ""
        self._absent = False
        self._synced = threading.Event()
        self._stopping = threading.Event()
        self._watch: Watch | None = None
        self._thread = threading.Thread(target=self._run, name=f"reflector-{name}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def stop(self) -> None:
        """End within 1 s; nobody is told of a change afterwards."""
        self._stopping.set()
        with self._lock:
            watch = self._watch
        if watch is not None:
            watch.stop()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    @property
    def synced(self) -> bool:
        """Whether a whole list has been read since the start."""
        return self._synced.is_set()

    def wait_synced(self, timeout_s: float) -> bool:
        """Wait for the first whole list; whether it came."""
        return self._synced.wait(timeout_s)

    @property
    def silent_s(self) -> float:
        """Seconds since the server last told anything about this list; infinite before it first did."""
        return time.monotonic() - self._heard_at

    @property
    def failure(self) -> str:
        """What keeps the list from being up to date, in one line; empty when all is well."""
        return self._failure

    @property
    def absent(self) -> bool:
        """Whether the server says that it serves no such path: the CRD is not installed."""
        return self._absent

    def items(self) -> dict[str, T]:
        """All that is kept, as of now."""
        with self._lock:
            return dict(self._items)

    def get(self, key: str) -> T | None:
        """What is kept under `key`."""
        return self._items.get(key)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if not self._version or time.monotonic() >= self._list_at:
                    self._list()
                if self._follow():
                    continue
                wait_s = self._pause(1)
            except ClusterError as error:
                wait_s = self._failed(error)
            except Exception as error:  # noqa: BLE001  # a defect of ours must not leave the list frozen unseen
                _log.exception("reading %s failed", self._name)
                wait_s = self._failed(ClusterError(0, "", f"{type(error).__name__}: {error}", self._path))
            self._stopping.wait(wait_s)

    def _failed(self, error: ClusterError) -> float:
        """Note it and give the seconds to wait; the next attempt lists, as what we have may be too old."""
        self._version = ""
        self._failures += 1
        wait_s = self._pause(self._failures)
        if self._stopping.is_set() or isinstance(error, Gone):
            return wait_s
        failure = f"{self._name}: {error.message}"
        if failure != self._failure and not (self._optional and isinstance(error, NotFound)):
            _log.warning("cannot follow %s", failure)
        self._failure = failure
        if isinstance(error, NotFound):
            self._absent = True
            self._replace({}, set())
        return max(wait_s, error.retry_after_s) if isinstance(error, TooManyRequests) else wait_s

    def _heard(self) -> None:
        self._heard_at = time.monotonic()

    def _list(self) -> None:
        found: dict[str, T] = {}
        unreadable: set[str] = set()
        version = ""
        for page in self._cluster.pages(self._path, self._query):
            self._heard()
            version = page["metadata"]["resourceVersion"]
            for item in page.get("items") or ():
                key = key_of(item)
                try:
                    parsed = self._parse(item)
                except Exception:  # noqa: BLE001  # one object must not stop the others
                    _log.exception("%s %s cannot be parsed", self._name, key)
                    unreadable.add(key)
                    continue
                if parsed is not None:
                    found[key] = parsed
            if self._stopping.is_set():
                return
        self._replace(found, unreadable)
        self._version = version
        self._list_at = time.monotonic() + self._resync_s
        self._absent = False
        self._synced.set()

    def _replace(self, found: dict[str, T], unreadable: set[str]) -> None:
        with self._lock:
            before = self._items
            found |= {key: before[key] for key in unreadable if key in before}
            self._items = found
            present = dict(found)
        for key in before.keys() | present.keys():
            self._tell(key, before.get(key), present.get(key))

    def _follow(self) -> bool:
        """Take in the changes of one watch; whether it was of use."""
        left_s = max(1.0, min(_WATCH_S, self._list_at - time.monotonic()))
        began = time.monotonic()
        watch = self._cluster.watch(
            self._path, self._version, self._query, timeout_s=left_s, inactivity_s=self._inactivity_s
        )
        with self._lock:
            self._watch = watch
        if self._stopping.is_set():
            watch.stop()
        self._heard()
        self._failure = ""
        useful = False
        try:
            for event in watch:
                self._heard()
                self._take(event)
                useful, self._failures = True, 0
                if time.monotonic() >= self._list_at:
                    break
        finally:
            watch.close()
            with self._lock:
                self._watch = None
        if time.monotonic() - began >= min(_LIVED_S, left_s):
            useful, self._failures = True, 0
        return useful

    def _take(self, event: WatchEvent) -> None:
        version = str(event.object["metadata"]["resourceVersion"])
        if event.type != "BOOKMARK":
            self._change(key_of(event.object), event)
        self._version = version

    def _change(self, key: str, event: WatchEvent) -> None:
        try:
            after = None if event.type == "DELETED" else self._parse(event.object)
        except Exception:  # noqa: BLE001  # one object must not stop the others
            _log.exception("%s %s cannot be parsed", self._name, key)
            return
        with self._lock:
            before = self._items.pop(key, None) if after is None else self._items.get(key)
            if after is not None:
                self._items[key] = after
        self._tell(key, before, after)

    def _tell(self, key: str, before: T | None, after: T | None) -> None:
        if self._on_change is None or before == after or self._stopping.is_set():
            return
        try:
            self._on_change(key, before, after)
        except Exception:  # noqa: BLE001  # the list stays right whatever others do with the news
            _log.exception("a change of %s %s could not be taken in", self._name, key)
