"""HPA's CPU utilisation rule: from what the pods use to how many are wanted.

In full over pods of every state, as the controller of Kubernetes counts (`replicas_for_pods`), over
the sums that this needs (`replicas_for_tally`), and in the plain form for pods that are all ready
(`replicas_for_utilization`). What happens to the wish afterwards is in `autoscaler.planning.behavior`.

Source of the rules: Kubernetes documentation, "Horizontal Pod Autoscaling", section "Algorithm
details". The controller computes in integers of milli-cores and of per cent, so this does too.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable
from dataclasses import dataclass

TOLERANCE = 0.1
CPU_INITIALIZATION_S = 300.0
INITIAL_READINESS_DELAY_S = 30.0
METRIC_WINDOW_S = 30.0
"""Defaults of the controller and of its metrics pipeline."""

_ROUNDING = 1e-9


class Phase(enum.StrEnum):
    """Life of a pod, as in its status."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"


class Unmeasured(enum.StrEnum):
    """Why there is no wish; the controller then changes nothing."""

    NO_METRICS = "no metrics"
    NOTHING_READY = "did not receive metrics for targeted pods (pods might be unready)"


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod of the target. ready_age_s: since its readiness last changed; usage_milli: its last
    metric in milli-cores, None where there is none."""

    phase: Phase
    ready: bool
    age_s: float
    ready_age_s: float
    terminating: bool
    usage_milli: int | None
    request_milli: int = 1000


@dataclass(frozen=True, slots=True)
class Tally:
    """Pods of a target sorted by what their metrics are worth.

    measured: ready pods whose metric counts, with the sums of their usage and requests in
    milli-cores. unready: too young or pending. missing: without a metric. The `_request` of both
    are the sums of their requests.
    """

    measured: int
    usage_milli: int
    request_milli: int
    unready: int = 0
    unready_request_milli: int = 0
    missing: int = 0
    missing_request_milli: int = 0


def replicas_for_utilization(ready: int, utilization: float, target: float, tolerance: float) -> int:
    """ceil(ready x utilization / target), or `ready` within the tolerance.

    Both in per cent; for ready pods that all have a metric, and without rounding to whole per cent.
    """
    ratio = utilization / target
    if 1.0 - tolerance <= ratio <= 1.0 + tolerance:
        return ready
    return math.ceil(ready * ratio - _ROUNDING)


def replicas_for_pods(
    current: int,
    target: int,
    pods: Iterable[Pod],
    tolerances: tuple[float, float] = (TOLERANCE, TOLERANCE),
    cpu_initialization_s: float = CPU_INITIALIZATION_S,
    initial_readiness_delay_s: float = INITIAL_READINESS_DELAY_S,
    metric_window_s: float = METRIC_WINDOW_S,
) -> int | Unmeasured:
    """Replicas the controller would ask for to bring `pods` to `target` per cent of their request.

    current: the count asked for. tolerances: (up, down). Metrics are taken to be as of now.
    """
    measured: list[Pod] = []
    unready: list[Pod] = []
    missing: list[Pod] = []
    any_metric = False
    for pod in pods:
        any_metric = any_metric or pod.usage_milli is not None
        if pod.terminating or pod.phase in (Phase.FAILED, Phase.SUCCEEDED):
            continue
        if pod.phase is Phase.PENDING:
            unready.append(pod)
        elif pod.usage_milli is None:
            missing.append(pod)
        elif _too_young(pod, cpu_initialization_s, initial_readiness_delay_s, metric_window_s):
            unready.append(pod)
        else:
            measured.append(pod)
    if not any_metric:
        return Unmeasured.NO_METRICS
    tally = Tally(
        measured=len(measured),
        usage_milli=sum(pod.usage_milli or 0 for pod in measured),
        request_milli=sum(pod.request_milli for pod in measured),
        unready=len(unready),
        unready_request_milli=sum(pod.request_milli for pod in unready),
        missing=len(missing),
        missing_request_milli=sum(pod.request_milli for pod in missing),
    )
    return replicas_for_tally(current, target, tally, tolerances)


def replicas_for_tally(
    current: int, target: int, tally: Tally, tolerances: tuple[float, float] = (TOLERANCE, TOLERANCE)
) -> int | Unmeasured:
    """The rule over sums: the measured pods say in which direction, and pods without a usable
    metric may soften that, never reverse it.

    On the way up they count as idle. On the way down missing ones count as using their whole
    request (or the target where that is more) and unready ones not at all.
    """
    if tally.measured == 0:
        return Unmeasured.NOTHING_READY
    ratio = _ratio(tally.usage_milli, tally.request_milli, target)
    growing = ratio > 1.0
    with_unready = growing and tally.unready > 0
    if not with_unready and tally.missing == 0:
        return current if _within(ratio, tolerances) else math.ceil(ratio * tally.measured)
    pods, usage, request = tally.measured, tally.usage_milli, tally.request_milli
    if ratio != 1.0:
        pods += tally.missing
        request += tally.missing_request_milli
        if not growing:
            usage += tally.missing_request_milli * max(100, target) // 100
    if with_unready:
        pods += tally.unready
        request += tally.unready_request_milli
    softened = _ratio(usage, request, target)
    reversed_ = (softened < 1.0) if growing else (ratio < 1.0 < softened)
    if _within(softened, tolerances) or reversed_:
        return current
    replicas = math.ceil(softened * pods)
    # More pods are counted than were measured, so the direction can still turn round here.
    if (softened < 1.0 and replicas > current) or (softened > 1.0 and replicas < current):
        return current
    return replicas


def _too_young(pod: Pod, initialization_s: float, readiness_delay_s: float, window_s: float) -> bool:
    """Whether the metric may still show the start-up instead of the load."""
    if pod.age_s < initialization_s:
        return not pod.ready or pod.ready_age_s < window_s
    was_never_ready = pod.age_s - pod.ready_age_s < readiness_delay_s
    return not pod.ready and was_never_ready


def _ratio(usage_milli: int, request_milli: int, target: int) -> float:
    """Utilisation in whole per cent, relative to the target."""
    return (100 * usage_milli // request_milli) / target


def _within(ratio: float, tolerances: tuple[float, float]) -> bool:
    up, down = tolerances
    return 1.0 - down <= ratio <= 1.0 + up
