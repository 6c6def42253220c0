"""Pods, cut down to what a decision asks of them, and found by label selector without a search."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from autoscaler.controller.observing.selectors import parse_selector, selects
from autoscaler.spec.units import parse_quantity, parse_time

_SELDOM_SHARED = frozenset({"controller-revision-hash", "statefulset.kubernetes.io/pod-name"})


@dataclass(frozen=True, slots=True)
class Pod:
    """ready_s: when it last became ready, None while it is not. restarts: of all containers.

    cpu_request: cores of all containers, None unless every container requests some. failed: ended
    for good, or crashing again and again. ended: no longer takes part in anything. witnessed: its becoming
    ready for the first time was seen happen.
    """

    name: str
    uid: str
    labels: Mapping[str, str]
    created_s: float
    ready_s: float | None
    restarts: int
    terminating: bool
    ended: bool
    failed: bool
    cpu_request: float | None
    witnessed: bool = False

    @property
    def ready(self) -> bool:
        """Whether it serves."""
        return self.ready_s is not None and not self.terminating and not self.ended


def parse_pod(item: dict[str, Any]) -> Pod:
    """A pod as the API server sends it."""
    metadata, status = item["metadata"], item.get("status", {})
    containers = status.get("containerStatuses") or []
    waiting = {(c.get("state", {}).get("waiting") or {}).get("reason", "") for c in containers}
    phase = status.get("phase", "")
    return Pod(
        name=metadata["name"],
        uid=metadata["uid"],
        labels={k: v for k, v in (metadata.get("labels") or {}).items() if k not in _SELDOM_SHARED},
        created_s=parse_time(metadata["creationTimestamp"]),
        ready_s=_ready_since(status),
        restarts=sum(int(c.get("restartCount", 0)) for c in containers),
        terminating="deletionTimestamp" in metadata,
        ended=phase in ("Failed", "Succeeded"),
        failed=phase == "Failed" or "CrashLoopBackOff" in waiting,
        cpu_request=_cpu_request(item.get("spec", {}).get("containers") or []),
    )


class PodIndex:
    """All pods we know of, by namespace and label. Filled by one thread, asked by many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pods: dict[str, Pod] = {}
        self._labelled: dict[tuple[str, str, str], set[str]] = defaultdict(set)
        self._ever_ready: set[str] = set()

    def change(self, key: str, before: Pod | None, after: Pod | None) -> None:
        """Take note of a pod that came, changed or went."""
        namespace = key.partition("/")[0]
        with self._lock:
            known = self._pods.get(key)
            if before is not None:
                for label, value in before.labels.items():
                    keys = self._labelled[namespace, label, value]
                    keys.discard(key)
                    if not keys:
                        del self._labelled[namespace, label, value]
                del self._pods[key]
                if after is None or after.uid != before.uid:
                    self._ever_ready.discard(before.uid)
            if after is not None:
                self._pods[key] = replace(after, witnessed=self._witnessed(known, after))
                if after.ready_s is not None:
                    self._ever_ready.add(after.uid)
                for label, value in after.labels.items():
                    self._labelled[namespace, label, value].add(key)

    def _witnessed(self, known: Pod | None, after: Pod) -> bool:
        """Whether the pod's first becoming ready happened before our eyes: one that is ready when it is
        first seen may have been so for hours and only just be ready again."""
        if known is None or known.uid != after.uid:
            return False
        became_ready = known.ready_s is None and after.ready_s is not None
        if became_ready and after.uid not in self._ever_ready:
            self._ever_ready.add(after.uid)
            return True
        return known.witnessed

    def selected(self, namespace: str, selector: str) -> list[Pod]:
        """Pods that the selector picks; none for an empty one. Raises ValueError where it is unreadable."""
        requirements = parse_selector(selector)
        with self._lock:
            smallest: set[str] | None = None
            for requirement in requirements:
                if (
                    requirement.values is not None
                    and len(requirement.values) == 1
                    and not requirement.negated
                ):
                    (value,) = requirement.values
                    keys = self._labelled.get((namespace, requirement.key, value), set())
                    smallest = keys if smallest is None or len(keys) < len(smallest) else smallest
            if smallest is None:
                prefix = f"{namespace}/"
                smallest = {key for key in self._pods if key.startswith(prefix)} if requirements else set()
            found = [self._pods[key] for key in smallest]
        return [pod for pod in found if selects(requirements, pod.labels)]


def _ready_since(status: dict[str, Any]) -> float | None:
    for condition in status.get("conditions") or []:
        if condition.get("type") == "Ready" and condition.get("status") == "True":
            since = condition.get("lastTransitionTime")
            return parse_time(since) if since else 0.0
    return None


def _cpu_request(containers: list[dict[str, Any]]) -> float | None:
    total = 0.0
    for container in containers:
        asked = (container.get("resources", {}).get("requests") or {}).get("cpu")
        if asked is None:
            return None
        total += cores(asked)
    return total if containers else None


def cores(quantity: str) -> float:
    """CPU cores of a Kubernetes quantity, exponents included; NaN for what is none."""
    try:
        return parse_quantity(quantity)
    except ValueError:
        try:
            return float(Decimal(quantity))
        except InvalidOperation:
            return float("nan")
