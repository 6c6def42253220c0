"""Simulated pods under recorded load: what a policy would have seen, and what it would have got.

One step of the trace at a time: pods that finished starting become ready, the load is served or
queues, the policy sees the step and asks for a count. A pod asked for at one step is ready at the
first step that starts at least its start-up time later; a pod no longer asked for is gone at the
next step, the youngest first. So nothing a policy does can change the step it has just seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from autoscaler.backtest.scaler import Moment, Scaler
from autoscaler.planning.fleet import Cohort, Fleet
from autoscaler.series import Floats, Ints, Series

SERVICE_TIME_S = 0.1
"""Response time of a request that does not wait."""


@dataclass(frozen=True, slots=True)
class World:
    """How the simulated cluster behaves; the same for every policy.

    per_replica: load one ready pod serves. start_up_s: from being asked for to ready, as policies plan
    for it; with `start_up_samples_s` (recorded) each pod's is drawn from those instead, with `seed`.
    metric_lag_s: age of everything a policy sees.
    """

    per_replica: float
    start_up_s: float
    metric_lag_s: float = 0.0
    start_up_samples_s: tuple[float, ...] = ()
    seed: int = 0

    @property
    def longest_start_up_s(self) -> float:
        """What the slowest pod may take."""
        return max(self.start_up_samples_s, default=self.start_up_s)


@dataclass(frozen=True, slots=True)
class Course:
    """What happened. desired: asked for after each step; ready: pods ready during it.

    backlog: load waiting at the end of each step (load times steps); latency_s: response time
    during it, NaN where the load is unknown. All [time].
    """

    desired: Ints
    ready: Ints
    backlog: Floats
    latency_s: Floats


def simulate(series: Series, world: World, scaler: Scaler) -> Course:
    """Run `scaler` over the whole of `series`."""
    loads = series.values.tolist()
    lag = math.ceil(world.metric_lag_s / series.step_s)
    desired: list[int] = []
    ready: list[int] = []
    backlogs: list[float] = []
    latencies: list[float] = []
    utilizations: list[float] = []
    pods = _Pods(scaler.start(next((load for load in loads if load == load), 0.0)), world)
    backlog = 0.0
    for index, load in enumerate(loads):
        now_s = float(series.start_s + index * series.step_s)
        pods.advance(now_s)
        fleet = pods.fleet
        backlog, utilization, latency_s = serve(load, backlog, fleet.ready, world.per_replica, series.step_s)
        ready.append(fleet.ready)
        backlogs.append(backlog)
        utilizations.append(utilization)
        latencies.append(latency_s)
        seen = max(0, index - lag)
        asked = scaler.decide(
            Moment(
                index=index,
                now_s=now_s,
                load=loads[seen],
                asked=fleet.asked,
                ready=fleet.ready,
                utilization=utilizations[seen],
                backlog=backlogs[seen],
                latency_s=latencies[seen],
                oldest_starting_s=fleet.oldest_starting_s(now_s),
            )
        )
        pods.ask(asked, now_s)
        desired.append(asked)
    return Course(
        np.array(desired, np.int64), np.array(ready, np.int64), np.array(backlogs), np.array(latencies)
    )


class _Pods:
    """A fleet whose pods start as those of a world do."""

    def __init__(self, ready: int, world: World) -> None:
        self.fleet = Fleet(ready, ready)
        self._world = world
        self._random = np.random.default_rng(world.seed)

    def advance(self, now_s: float) -> None:
        """Pods whose start-up is over become ready."""
        self.fleet = self.fleet.at(now_s)

    def ask(self, count: int, now_s: float) -> None:
        """Start or remove pods until `count` are asked for."""
        missing = count - self.fleet.asked
        if missing > 0:
            self.fleet = self.fleet.grown(self._started(missing, now_s))
        elif missing < 0:
            self.fleet = self.fleet.shrunk(count)

    def _started(self, count: int, now_s: float) -> tuple[Cohort, ...]:
        samples = self._world.start_up_samples_s
        if not samples:
            return ((now_s, now_s + self._world.start_up_s, count),)
        drawn = self._random.choice(np.asarray(samples), size=count)
        return tuple((now_s, now_s + float(start_up_s), 1) for start_up_s in drawn)


def serve(
    load: float, backlog: float, ready: int, per_replica: float, step_s: int
) -> tuple[float, float, float]:
    """Backlog after one step with so many ready pods, utilisation in per cent and response time in it.

    backlog: before it, load times steps. Where the load is NaN the backlog stands and the others are NaN.
    """
    if load != load:
        return backlog, math.nan, math.nan
    capacity = ready * per_replica
    backlog = max(0.0, backlog + load - capacity)
    utilization = 100.0 * load / capacity if capacity > 0 else math.nan
    return backlog, utilization, _latency_s(load, capacity, ready, backlog, step_s)


def _latency_s(load: float, capacity: float, servers: int, backlog: float, step_s: int) -> float:
    """Mean response time: service, waiting at this utilisation, and the backlog ahead.

    Waiting follows Sakasegawa's approximation for M/M/c, rho ** (sqrt(2 (c + 1)) - 1) / (c (1 - rho))
    service times (Sakasegawa, "An approximation formula L_q = alpha rho^beta / (1 - rho)", 1977).
    Infinite while there is load and no pod.
    """
    if capacity <= 0.0:
        return math.inf if load > 0.0 else SERVICE_TIME_S
    rho = min(load / capacity, 0.99)
    waiting: float = rho ** (math.sqrt(2.0 * (servers + 1)) - 1.0) / (servers * (1.0 - rho))
    return SERVICE_TIME_S * (1.0 + waiting) + backlog / capacity * step_s
