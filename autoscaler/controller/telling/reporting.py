"""What is told to the cluster about outcomes: status and events, by threads that no decision waits for."""

from __future__ import annotations

import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

from autoscaler.controller.acting.writing import Leading
from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.errors import ClusterError, NotFound, TooManyRequests
from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.observing.workload import Workload
from autoscaler.controller.outcome import Outcome
from autoscaler.controller.running import Running
from autoscaler.controller.telling.events import Recorder, worth_telling
from autoscaler.controller.telling.status import Published, document, status_of, worth_writing
from autoscaler.spec.resource import GROUP, VERSION
from autoscaler.spec.status import Status

_LOG = structlog.get_logger(__name__)
_TIMEOUT_S = 5.0
_LONGEST_PAUSE_S = 10.0
_FINISHING_S = 2.0
_EVERY_S = 60.0
_PASSING_A_SECOND = 5.0


@dataclass(slots=True)
class _Account:
    """What one resource was last told. uid: of the object that is meant. failure: why it was not told."""

    uid: str
    published: Published
    status: Status = field(default_factory=Status)
    failure: str = ""


class Reporter:
    """Writes statuses and events behind the loop's back. `report` never blocks.

    Of several outcomes that wait for one resource only the newest is written. fan: the newest forecast
    of a workload. store_down: whether decisions wait to be kept.
    """

    def __init__(
        self,
        cluster: Cluster,
        leading: Leading,
        recorder: Recorder,
        fan: Callable[[str], Fan | None],
        store_down: Callable[[], bool],
        threads: int = 4,
    ) -> None:
        self._cluster = cluster
        self._leading = leading
        self._recorder = recorder
        self._fan = fan
        self._store_down = store_down
        self._lock = threading.Lock()
        self._accounts: dict[str, _Account] = {}
        self._waiting: OrderedDict[str, tuple[Workload, Status]] = OrderedDict()
        self._ready: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"report-{number}", daemon=True)
            for number in range(threads)
        ]
        self.failed = 0
        for thread in self._threads:
            thread.start()

    def report(self, outcome: Outcome, running: Running) -> None:
        """Take note of an outcome; what is worth telling will be told."""
        workload = outcome.workload
        store_down = self._store_down()
        with self._lock:
            account = self._accounts.get(workload.key)
            if account is None or account.uid != workload.uid:
                seen = workload.status or Status()
                account = self._accounts[workload.key] = _Account(workload.uid, Published(seen), seen)
            before = account.status
            account.status = status_of(before, outcome, running, self._fan(workload.key), store_down)
            if worth_writing(account.published, account.status, time.monotonic(), self._every_s()):
                if workload.key not in self._waiting:
                    self._ready.put(workload.key)
                self._waiting[workload.key] = (workload, account.status)
        for event in worth_telling(before, account.status, outcome):
            self._recorder.record(workload, event)

    def forget(self, key: str | None = None) -> None:
        """Forget one resource that is gone, or all of them when leadership is lost."""
        with self._lock:
            if key is None:
                self._accounts.clear()
                self._waiting.clear()
            else:
                self._accounts.pop(key, None)
                self._waiting.pop(key, None)

    def _every_s(self) -> float:
        """How often numbers that always change are written: a fixed number of writes a second for all."""
        return max(_EVERY_S, len(self._accounts) / _PASSING_A_SECOND)

    def stop(self) -> None:
        """Write what waits, for a few seconds at most, and end the threads.

        Call it while leading still: the next leader knows from the status which counts are ours.
        """
        for _ in self._threads:
            self._ready.put(None)
        ends_s = time.monotonic() + _FINISHING_S
        for thread in self._threads:
            thread.join(max(0.0, ends_s - time.monotonic()))

    def _work(self) -> None:
        while (key := self._ready.get()) is not None:
            with self._lock:
                waiting = self._waiting.pop(key, None)
            if waiting is not None and self._leading.holds():
                self._write(*waiting)

    def _write(self, workload: Workload, status: Status) -> None:
        inside = f"/apis/{GROUP}/{VERSION}/namespaces/{workload.namespace}/predictiveautoscalers"
        # The status of a custom resource does not look at the uid of a merge patch.
        body: list[dict[str, Any]] = [
            {"op": "test", "path": "/metadata/uid", "value": workload.uid},
            {"op": "add", "path": "/status", "value": document(status)},
        ]
        try:
            self._cluster.patch(f"{inside}/{workload.name}/status", body, "json", timeout_s=_TIMEOUT_S)
        except NotFound:
            return
        except TooManyRequests as error:
            time.sleep(min(error.retry_after_s, _LONGEST_PAUSE_S))
            return
        except ClusterError as error:
            self._failed(workload, str(error))
            return
        with self._lock:
            account = self._accounts.get(workload.key)
            if account is not None and account.uid == workload.uid:
                account.published = Published(status, time.monotonic())
                account.failure = ""

    def _failed(self, workload: Workload, failure: str) -> None:
        """Count it, and say it once: it is tried again at every outcome."""
        with self._lock:
            self.failed += 1
            account = self._accounts.get(workload.key)
            known = account is not None and account.failure == failure
            if account is not None:
                account.failure = failure
        if not known:
            _LOG.warning("status not written", resource=workload.key, error=failure)
