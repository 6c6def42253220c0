"""Leadership: at most one process acts, agreed on by a Lease object of the API server.

The rules are those of Kubernetes' own components (coordination.k8s.io/v1, `leaseTransitions`, the age of a
record measured since it was last seen to change), so that the clocks of two machines are never compared. The
official client's elector goes by the wall clock and cannot tell before a write how long it may still act.
"""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.errors import ClusterError, Conflict, Json, NotFound

_JITTER = 0.2
_log = logging.getLogger(__name__)


def uptime_s() -> float:
    """Seconds that go on while the machine sleeps, where the system has such a clock."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Leader(Protocol):
    """What the loop asks before it acts."""

    @property
    def term(self) -> int:
        """Number of the present or last term; grows with each."""

    @property
    def holder(self) -> str:
        """Who leads, as last seen; empty if nobody."""

    @property
    def failure(self) -> str:
        """Why the Lease could not be read or written; empty when all is well."""

    def start(self) -> None:
        """Begin to seek leadership."""

    def stop(self) -> None:
        """Give it up."""

    def holds(self, for_s: float = 0.0) -> bool:
        """Whether we lead now and nobody else may begin to within `for_s` seconds."""


class AlwaysLeading:
    """Leadership without an election, for a single process."""

    term = 0
    failure = ""

    def __init__(self, identity: str) -> None:
        self.holder = identity
        self._stopped = False

    def start(self) -> None:
        """Nothing to begin."""

    def stop(self) -> None:
        """Hold no more."""
        self._stopped = True

    def holds(self, for_s: float = 0.0) -> bool:
        """True until stopped."""
        return not self._stopped


@dataclass(frozen=True, slots=True)
class _Seen:
    """A record, and when it was first seen to be as it is. lease: None where there is none."""

    lease: Json | None
    since: float

    @property
    def spec(self) -> Json:
        return (self.lease or {}).get("spec") or {}

    @property
    def holder(self) -> str:
        return str(self.spec.get("holderIdentity") or "")

    @property
    def transitions(self) -> int:
        return int(self.spec.get("leaseTransitions") or 0)


class Leadership:
    """Seeks a Lease and keeps it. `identity` is to be unique for each process, not for each pod.

    lease_s: how long others wait for a sign of life; renew_deadline_s: how long after our last one we
    still act, and less than lease_s; retry_s: between attempts. Give it a Cluster of its own, lest busy
    requests delay it. Raises ValueError for times that do not fit together.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        name: str,
        identity: str,
        *,
        lease_s: float = 15.0,
        renew_deadline_s: float = 10.0,
        retry_s: float = 2.0,
        clock: Callable[[], float] = uptime_s,
    ) -> None:
        if not lease_s > renew_deadline_s > retry_s > 0.0:
            raise ValueError("leader election: leaseDuration > renewDeadline > retryPeriod > 0 is needed")
        if not identity:
            raise ValueError("leader election: an identity is needed")
        self._cluster = cluster
        self._collection = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._namespace, self._name = namespace, name
        self._identity = identity
        self._lease_s, self._deadline_s, self._retry_s = lease_s, renew_deadline_s, retry_s
        self._clock = clock
        self._seen: _Seen | None = None
        self._written = -1
        self._highest = -1
        self._lock = threading.Lock()
        self._term = -1
        self._ends = -math.inf
        self._failure = ""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="leadership", daemon=True)

    @property
    def term(self) -> int:
        """`leaseTransitions` of our present or last term; -1 before the first."""
        return self._term

    @property
    def holder(self) -> str:
        """Who leads according to the Lease as last seen; empty if nobody."""
        seen = self._seen
        return seen.holder if seen is not None else ""

    @property
    def failure(self) -> str:
        """Why the Lease could not be read or written, in one line; empty when all is well."""
        return self._failure

    def start(self) -> None:
        """Begin to seek leadership."""
        self._thread.start()

    def stop(self) -> None:
        """Hold no more, at once, and give the Lease up so that another may begin.

        Call it after the last write.
        """
        self._stopping.set()
        with self._lock:
            self._ends = -math.inf
        if self._thread.is_alive():
            self._thread.join(self._deadline_s)
        if not self._thread.is_alive():
            self._release()

    def holds(self, for_s: float = 0.0) -> bool:
        """Whether we lead and go on to for `for_s` seconds, even if we never reach the server again.

        Once false for 0 s, it is never again true in the same term.
        """
        with self._lock:
            return self._clock() + for_s < self._ends

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._attempt()
                self._failure = ""
            except Conflict:
                # Somebody else wrote first; what is there now is read next time.
                self._failure = ""
            except ClusterError as error:
                self._note(error.message)
            except Exception as error:  # noqa: BLE001  # without renewals leadership ends by the clock, so this is safe
                _log.exception("leader election failed")
                self._note(f"{type(error).__name__}: {error}")
            self._stopping.wait(self._retry_s * random.uniform(1.0 - _JITTER, 1.0))

    def _note(self, message: str) -> None:
        if message != self._failure:
            _log.warning("lease %s/%s: %s", self._namespace, self._name, message)
        self._failure = message

    def _attempt(self) -> None:
        """Renew if we lead, seek to lead if nobody does. Raises ClusterError."""
        seen = self._look()
        ours = seen.holder == self._identity and seen.transitions == self._written
        if not ours:
            self._lose(f"the lease is held by {seen.holder or 'nobody'}")
        renewing = self.holds()
        if not renewing:
            self._lose("it was not renewed in time")
        # Asked last: a term that `stop` has ended must not be followed by another.
        if (renewing or ours or self._is_free(seen)) and not self._stopping.is_set():
            self._write(seen, self._written if renewing else self._highest + 1)

    def _look(self) -> _Seen:
        """The record as it is, and since when as far as we can tell."""
        lease: Json | None
        try:
            lease = self._cluster.get(f"{self._collection}/{self._name}", timeout_s=self._deadline_s / 2.0)
        except NotFound:
            lease = None
        before = self._seen
        if before is None:
            # A missing record means a first start, and nobody to wait for.
            since = self._clock() if lease is not None else -math.inf
        elif _spec(before.lease) == _spec(lease):
            since = before.since
        else:
            # A record that vanished may have a holder who does not know it yet.
            nobody = lease is None and before.holder in ("", self._identity)
            since = -math.inf if nobody else self._clock()
        self._seen = seen = _Seen(lease, since)
        self._highest = max(self._highest, seen.transitions if lease is not None else -1)
        return seen

    def _is_free(self, seen: _Seen) -> bool:
        if seen.lease is not None and not seen.holder:
            return True
        stated_s = float(seen.spec.get("leaseDurationSeconds") or 0.0)
        return self._clock() > seen.since + max(self._lease_s, stated_s)

    def _write(self, seen: _Seen, term: int) -> None:
        """Put our name and the present time into the record; from sending it on, our time counts."""
        renewing = term == self._written
        now = _timestamp()
        spec = {
            **seen.spec,
            "holderIdentity": self._identity,
            "leaseDurationSeconds": math.ceil(self._lease_s),
            "acquireTime": seen.spec.get("acquireTime", now) if renewing else now,
            "renewTime": now,
            "leaseTransitions": term,
        }
        # Noted first: a write whose answer is lost may have happened, and then the record is ours.
        self._written = self._highest = term
        sent = self._clock()
        lease = self._put(seen.lease, spec)
        self._seen = _Seen(lease, self._clock())
        with self._lock:
            # Someone may have been told that the term is over while the answer was on its way.
            over = renewing and self._clock() >= self._ends
            if not over and not self._stopping.is_set():
                self._ends = sent + self._deadline_s
                self._term = term
        if not renewing:
            _log.info("leading: lease %s/%s, term %d", self._namespace, self._name, term)

    def _put(self, lease: Json | None, spec: Json) -> Json:
        timeout_s = self._deadline_s / 2.0
        if lease is not None:
            path = f"{self._collection}/{self._name}"
            return self._cluster.replace(path, {**lease, "spec": spec}, timeout_s=timeout_s)
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": spec,
        }
        return self._cluster.create(self._collection, body, timeout_s=timeout_s)

    def _lose(self, why: str) -> None:
        with self._lock:
            led, self._ends = self._ends > -math.inf, -math.inf
        if led and not self._stopping.is_set():
            _log.warning("leading no more: %s", why)

    def _release(self) -> None:
        """Take our name out of the record if it is still there."""
        seen = self._seen
        if seen is None or seen.holder != self._identity or seen.transitions != self._written:
            return
        spec = {**seen.spec, "holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _timestamp()}
        try:
            self._seen = _Seen(self._put(seen.lease, spec), self._clock())
        except ClusterError as error:
            _log.warning("lease %s/%s is not given up: %s", self._namespace, self._name, error)


def _spec(lease: Json | None) -> object:
    return None if lease is None else lease.get("spec")


def _timestamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
