"""Resources, pods and readings as tests want them: valid by default, changed by keyword."""

from __future__ import annotations

import copy
from typing import Any

from autoscaler.controller.acting.dials import Setting
from autoscaler.controller.acting.foreign import ForeignWrites
from autoscaler.controller.observing.pods import Pod
from autoscaler.controller.observing.workload import Workload, parse_workload
from autoscaler.controller.running import Running
from autoscaler.planning.memory import Memory
from autoscaler.planning.observation import Outlook
from autoscaler.series import Reading, State
from autoscaler.spec.units import format_time

NOW_S = 1_800_000_000.0
NO_FORECAST = Outlook(float("nan"), float("nan"), float("inf"), "", "none has been made yet")

_SPEC: dict[str, Any] = {
    "scaleTargetRef": {"kind": "Deployment", "name": "web"},
    "mode": "Active",
    "minReplicas": 1,
    "maxReplicas": 100,
    "load": {"query": "sum(rate(requests[2m]))", "perReplica": 10},
    "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
}


def resource_item(
    name: str = "web",
    namespace: str = "shop",
    *,
    uid: str = "",
    generation: int = 1,
    version: str = "1",
    created_s: float = NOW_S - 86_400.0,
    annotations: dict[str, str] | None = None,
    status: dict[str, Any] | None = None,
    deleting: bool = False,
    **spec: Any,
) -> dict[str, Any]:
    """A PredictiveAutoscaler as the API server sends it. A field of the spec given as None is left out."""
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": namespace,
        "uid": uid or f"uid-of-{name}",
        "generation": generation,
        "resourceVersion": version,
        "creationTimestamp": format_time(created_s),
    }
    if annotations is not None:
        metadata["annotations"] = annotations
    if deleting:
        metadata["deletionTimestamp"] = format_time(NOW_S)
    wanted = {**copy.deepcopy(_SPEC), "scaleTargetRef": {"kind": "Deployment", "name": name}, **spec}
    item: dict[str, Any] = {
        "apiVersion": "predictive-autoscaler.dev/v1alpha1",
        "kind": "PredictiveAutoscaler",
        "metadata": metadata,
        "spec": {key: value for key, value in wanted.items() if value is not None},
    }
    if status is not None:
        item["status"] = status
    return item


def workload(name: str = "web", namespace: str = "shop", **changes: Any) -> Workload:
    """The same, parsed; its spec has to be valid unless the test says what is wrong with it."""
    return parse_workload(resource_item(name, namespace, **changes))


def running(name: str = "web", *, memory: Memory | None = None, **changes: Any) -> Running:
    """A workload that has just been taken up."""
    return Running(workload(name, **changes), memory or Memory(), ForeignWrites())


def setting(replicas: int, *, version: str = "1", uid: str = "target", **changes: Any) -> Setting:
    """A target whose pods are those labelled app=web."""
    return Setting(uid, version, replicas, changes.pop("selector", "app=web"), **changes)


def pod(
    name: str,
    *,
    ready: bool = True,
    created_s: float = NOW_S - 3600.0,
    took_s: float = 30.0,
    labels: dict[str, str] | None = None,
    **changes: Any,
) -> Pod:
    """A pod that became ready `took_s` after it was created, or is not ready."""
    fields: dict[str, Any] = {
        "name": name,
        "uid": f"uid-of-{name}",
        "labels": {"app": "web"} if labels is None else labels,
        "created_s": created_s,
        "ready_s": created_s + took_s if ready else None,
        "restarts": 0,
        "witnessed": ready,
        "terminating": False,
        "ended": False,
        "failed": False,
        "cpu_request": 0.5,
    }
    return Pod(**{**fields, **changes})


def pods(ready: int, starting: int = 0) -> list[Pod]:
    """So many ready pods and so many that are not."""
    return [pod(f"web-{n}", ready=n < ready) for n in range(ready + starting)]


def known(value: float) -> Reading:
    """A reading that counts as known."""
    return Reading(State.VALUE, value, 1.0)


def unknown(state: State = State.EMPTY, detail: str = "no series") -> Reading:
    """A reading that does not."""
    return Reading(state, detail=detail)
