"""CPU utilisation from the cluster's resource metrics, as HPA reads it.

    utilisation = 100 * sum of usage / sum of requests, over the ready pods that have a sample

https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details
"""

from __future__ import annotations

import math
from typing import Any

from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.errors import ClusterError, NotFound
from autoscaler.controller.observing.pods import Pod, cores
from autoscaler.series import Reading, State
from autoscaler.spec.units import parse_time

_PATH = "/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods"


def cpu_utilization(
    cluster: Cluster,
    namespace: str,
    selector: str,
    pods: list[Pod],
    max_age_s: float,
    now_s: float,
    timeout_s: float,
) -> Reading:
    """Per cent of their request that the ready pods use; a partial value where some have no sample.

    A pod without a CPU request makes the percentage meaningless, as for HPA: then there is none.
    """
    ready = {pod.name: pod for pod in pods if pod.ready}
    if not ready:
        return Reading(State.EMPTY, detail="no pod is ready")
    without = sorted(name for name, pod in ready.items() if not pod.cpu_request)
    if without:
        return Reading(
            State.FAILED, detail=f"pod {without[0]} has no CPU request; set one, or give the signal a query"
        )
    try:
        path = _PATH.format(namespace=namespace)
        answer = cluster.get(path, {"labelSelector": selector}, timeout_s=timeout_s)
    except NotFound:
        return Reading(State.FAILED, detail="the cluster has no resource metrics; install metrics-server")
    except ClusterError as error:
        return Reading(State.FAILED, detail=str(error))
    return _utilization(answer.get("items") or [], ready, max_age_s, now_s)


def _utilization(
    items: list[dict[str, Any]], ready: dict[str, Pod], max_age_s: float, now_s: float
) -> Reading:
    used = requested = oldest_s = 0.0
    counted = 0
    for item in items:
        pod = ready.get(item["metadata"]["name"])
        if pod is None or pod.cpu_request is None:
            continue
        used += sum(cores(container["usage"]["cpu"]) for container in item.get("containers") or [])
        requested += pod.cpu_request
        oldest_s = max(oldest_s, now_s - parse_time(item["timestamp"]))
        counted += 1
    if not counted:
        return Reading(State.EMPTY, detail="no ready pod has resource metrics")
    value = 100.0 * used / requested
    if not math.isfinite(value):
        return Reading(State.NOT_A_NUMBER, detail="the resource metrics hold no number")
    if oldest_s > max_age_s:
        return Reading(State.STALE, value, oldest_s, f"the oldest sample is {oldest_s:.0f} s old")
    if counted < len(ready):
        return Reading(
            State.PARTIAL, value, oldest_s, f"{len(ready) - counted} ready pods have no resource metrics"
        )
    return Reading(State.VALUE, value, oldest_s)
