"""A Deployment under the real HorizontalPodAutoscaler, and what that of the backtest does with its load."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType

import numpy as np
import requests
from control_plane import ControlPlane
from pod_metrics import PodMetrics
from recorded_day import RecordedLoad
from twins import Track
from workloads import Manifest

from autoscaler.backtest.rivals import HpaSettings, RivalContext
from autoscaler.backtest.rivals.behavior_form import Behavior
from autoscaler.backtest.rivals.controller import SYNC_S
from autoscaler.backtest.rivals.hpa import HpaRival
from autoscaler.backtest.scaler import Moment
from autoscaler.backtest.simulation import World, simulate
from autoscaler.planning.policy import DEFAULT_SCALE_DOWN, DEFAULT_SCALE_UP, ScalingRules
from autoscaler.series import Floats, Ints, Series

REQUEST = "1"
"""CPU that each pod asks for, as the backtest has it."""
_REQUEST_MILLI = 1000
_MOST = 100
_LOOK_S = 0.2
_BEFORE = 60
"""Steps before those of interest that the backtest begins with."""


def manifest(name: str, target: int, stabilization_s: int) -> Manifest:
    """An autoscaler of the Deployment `name` on its CPU, to `target` per cent; all else as by default."""
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": target}},
    }
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": 1,
            "maxReplicas": _MOST,
            "metrics": [metric],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": stabilization_s}},
        },
    }


class CpuOfLoad:
    """Reports what the pods of a Deployment use to serve a load, from entering until it is left.

    The ready ones share the load of the present step evenly, one that serves `per_replica` uses all it
    asked for, and those that start use nothing. What changes is reported within a fraction of a second.
    """

    def __init__(
        self, plane: ControlPlane, namespace: str, app: str, load: RecordedLoad, per_replica: float
    ) -> None:
        self._plane = plane
        self._metrics = PodMetrics(plane)
        self._namespace = namespace
        self._app = app
        self._load = load
        self._per_replica = per_replica
        self._reported: dict[str, str] = {}
        self._failed: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cpu", daemon=True)

    def __enter__(self) -> CpuOfLoad:
        self._metrics.install()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(10)
        self._metrics.remove()

    def check(self) -> None:
        """Raise what ended the reporting, if anything has."""
        if self._failed is not None:
            raise self._failed

    def _run(self) -> None:
        try:
            while not self._stop.wait(_LOOK_S):
                self._report()
        except (requests.RequestException, AssertionError) as error:
            self._failed = error

    def _report(self) -> None:
        path = f"/api/v1/namespaces/{self._namespace}/pods?labelSelector=app%3D{self._app}"
        pods = [
            pod
            for pod in self._plane.request("GET", path)["items"]
            if "deletionTimestamp" not in pod["metadata"]
        ]
        ready = {pod["metadata"]["name"] for pod in pods if _is_ready(pod)}
        used = f"{self._usage_milli(len(ready))}m"
        cpu = {name: used if name in ready else "0m" for name in (pod["metadata"]["name"] for pod in pods)}
        news = {name: usage for name, usage in cpu.items() if self._reported.get(name) != usage}
        if news:
            self._metrics.report(self._namespace, news)
        self._reported = cpu

    def _usage_milli(self, ready: int) -> int:
        if not ready:
            return 0
        load = float(self._load.values[self._load.step_at(time.time())])
        return math.floor(_REQUEST_MILLI * load / (ready * self._per_replica) + 0.5)


def _is_ready(pod: Manifest) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def backtested(
    load: RecordedLoad,
    steps: Sequence[int],
    per_replica: float,
    start_up_s: float,
    target: int,
    stabilization_s: int,
) -> Track:
    """The backtest's autoscaler under the same load, for `steps`.

    It syncs every 15 s and the real one here every second, so all of its times are 15 times as long.
    """
    first = steps[0] - _BEFORE
    series = Series(load.name, 0, int(SYNC_S), load.values[first : steps[-1] + 1])
    world = World(per_replica=per_replica, start_up_s=SYNC_S * start_up_s)
    course = simulate(series, world, _rival(series, world, target, stabilization_s))
    return Track(course.desired[_BEFORE:], course.ready[_BEFORE:])


def answers(load: Floats, live: Track, per_replica: float, target: int, stabilization_s: int) -> Ints:
    """What the backtest's autoscaler asks for at each step when it finds what the real one found there.

    The first step is answered by what was asked for, as the count before it is not known.
    """
    series = Series("load", 0, int(SYNC_S), load)
    rival = _rival(series, World(per_replica=per_replica, start_up_s=0.0), target, stabilization_s)
    asked = [int(live.asked[0])]
    for step in range(1, len(load)):
        ready = int(live.ready[step])
        moment = Moment(
            index=step,
            now_s=step * SYNC_S,
            load=float(load[step]),
            asked=int(live.asked[step - 1]),
            ready=ready,
            utilization=100.0 * float(load[step]) / (ready * per_replica) if ready else math.nan,
            backlog=0.0,
            latency_s=math.nan,
            oldest_starting_s=0.0,
        )
        asked.append(rival.decide(moment))
    return np.array(asked, np.int64)


def _rival(series: Series, world: World, target: int, stabilization_s: int) -> HpaRival:
    behavior = Behavior(
        name="as written",
        up=_slowed(DEFAULT_SCALE_UP),
        down=_slowed(replace(DEFAULT_SCALE_DOWN, stabilization_s=float(stabilization_s))),
    )
    context = RivalContext(series, 0, world.per_replica, world.start_up_s)
    return HpaRival("hpa", HpaSettings(target=target, min=1, max=_MOST, behavior=behavior), context)


def _slowed(rules: ScalingRules) -> ScalingRules:
    policies = tuple(replace(policy, period_s=SYNC_S * policy.period_s) for policy in rules.policies)
    return replace(rules, stabilization_s=SYNC_S * rules.stabilization_s, policies=policies)
