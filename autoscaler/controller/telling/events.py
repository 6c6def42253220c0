"""Kubernetes events: only for changes a person would want to read, and each of them once.

https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
"""

from __future__ import annotations

import datetime
import queue
import threading
import time
import uuid
from dataclasses import dataclass

import structlog

from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.errors import ClusterError
from autoscaler.controller.deciding import NOT_MADE_YET
from autoscaler.controller.observing.workload import Workload
from autoscaler.controller.outcome import Outcome, Write
from autoscaler.controller.telling.conditions import findings
from autoscaler.controller.telling.sentences import overruling
from autoscaler.planning.explain import explain
from autoscaler.spec.resource import API_VERSION, KIND
from autoscaler.spec.status import Status

_LOG = structlog.get_logger(__name__)
_ONCE_IN_S = 600.0
_MOST_WAITING = 1000
_LONGEST_NOTE = 1024
_NEWS_WHEN_TRUE = ("ShadowWon", "ShadowActing")
"""That a shadow has not won, or not yet, is no news."""

_COMPONENT = "predictive-autoscaler"


@dataclass(frozen=True, slots=True)
class Told:
    """One event. warning: whether somebody should look. action: what we did or tried."""

    reason: str
    note: str
    warning: bool
    action: str


def worth_telling(before: Status, after: Status, outcome: Outcome) -> list[Told]:
    """Events for what changed: a write, and each condition that went bad or well again."""
    told: list[Told] = []
    if outcome.write is Write.DONE and outcome.decision is not None and outcome.setting is not None:
        override = overruling(outcome.decision, outcome.asked.override, outcome.count)
        why = explain(outcome.decision) if override is None else override.sentence
        note = f"From {outcome.setting.replicas} to {outcome.count} replicas. {why}"
        told.append(Told("Scaled", note, False, "Scale"))
    was = {condition.type: condition for condition in before.conditions or ()}
    good = {finding.type: finding.good for finding in findings(outcome)}
    for condition in after.conditions or ():
        earlier = was.get(condition.type)
        if condition.type not in good or (earlier is not None and earlier.status == condition.status):
            continue
        well = (condition.status == "True") is good[condition.type]
        if condition.type in _NEWS_WHEN_TRUE:
            if not well and condition.reason != "ShadowGivenUp":
                continue
        elif condition.type in ("Paused", "ScalingActive") or (well and earlier is None):
            continue
        if condition.type == "ForecastReady" and (
            well or earlier is None or NOT_MADE_YET in condition.message
        ):
            continue  # every resource begins without a forecast, and so does every leader
        if condition.type == "Conflict" and _only_recommends(outcome):
            continue
        told.append(Told(condition.reason, condition.message, not well, "Observe"))
    return told


def _only_recommends(outcome: Outcome) -> bool:
    """A rival is nothing new to somebody who tries us beside the autoscaler they have."""
    spec = outcome.workload.spec
    return spec is not None and spec.mode == "Recommend"


class Recorder:
    """Posts events in the background; drops them where they cannot be posted. Never blocks."""

    def __init__(self, cluster: Cluster, instance: str) -> None:
        self._cluster = cluster
        self._instance = instance
        self._waiting: queue.Queue[tuple[Workload, Told] | None] = queue.Queue(_MOST_WAITING)
        self._recent: dict[tuple[str, str, str], float] = {}
        self._thread = threading.Thread(target=self._work, name="events", daemon=True)
        self._thread.start()

    def record(self, workload: Workload, told: Told) -> None:
        """Post `told` about `workload`, unless just the same was posted in the last ten minutes."""
        try:
            self._waiting.put_nowait((workload, told))
        except queue.Full:
            _LOG.warning("event dropped: too many wait", resource=workload.key, reason=told.reason)

    def stop(self) -> None:
        """End the thread after what waits now."""
        try:
            self._waiting.put_nowait(None)
        except queue.Full:
            return
        self._thread.join(5.0)

    def _work(self) -> None:
        while (waiting := self._waiting.get()) is not None:
            workload, told = waiting
            if self._is_new(workload, told):
                self._post(workload, told)

    def _is_new(self, workload: Workload, told: Told) -> bool:
        now_s = time.monotonic()
        self._recent = {key: at_s for key, at_s in self._recent.items() if now_s - at_s < _ONCE_IN_S}
        # A scaling is news each time; a trouble that comes and goes is told once.
        key = (workload.uid, told.reason, told.note if told.reason == "Scaled" else "")
        new = key not in self._recent
        self._recent[key] = self._recent.get(key, now_s)
        return new

    def _post(self, workload: Workload, told: Told) -> None:
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        event = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {
                "name": f"{workload.name[:200]}.{uuid.uuid4().hex[:16]}",
                "namespace": workload.namespace,
            },
            "eventTime": now,
            "reportingController": f"{_COMPONENT}.dev/controller",
            "reportingInstance": self._instance[:128],
            "action": told.action,
            "reason": told.reason[:128],
            "note": told.note[:_LONGEST_NOTE],
            "type": "Warning" if told.warning else "Normal",
            "regarding": {
                "apiVersion": API_VERSION,
                "kind": KIND,
                "namespace": workload.namespace,
                "name": workload.name,
                "uid": workload.uid,
            },
        }
        try:
            self._cluster.create(f"/apis/events.k8s.io/v1/namespaces/{workload.namespace}/events", event)
        except ClusterError as error:
            _LOG.warning("event not posted", resource=workload.key, reason=told.reason, error=str(error))
