"""How many decisions a second: two policies, fed with wandering load so that guards really act."""

from __future__ import annotations

import time

import numpy as np

from autoscaler.planning.decide import accepted, decide
from autoscaler.planning.memory import Memory
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.policy import (
    KnownEvent,
    OutagePolicy,
    Policy,
    SignalPolicy,
    SignalType,
    SpendPolicy,
)
from autoscaler.series import Reading, State

WORKLOADS, TICKS, STEP_S = 100, 120, 60.0
_START_S = 1_750_000_000.0
_PER_REPLICA = 100.0

DEFAULT = Policy("default", min_replicas=2, max_replicas=200, load_per_replica=_PER_REPLICA)

FULL = Policy(
    "full",
    min_replicas=2,
    max_replicas=200,
    load_per_replica=_PER_REPLICA,
    signals=(
        SignalPolicy("cpu", SignalType.CPU, target=70.0),
        SignalPolicy("queue", SignalType.QUEUE_DEPTH, drain_within_s=60.0, per_replica=15.0),
        SignalPolicy("latency", SignalType.LATENCY, target=0.25),
        SignalPolicy("errors", SignalType.ERRORS, target=0.05),
    ),
    cooldown_down_s=300.0,
    outage=OutagePolicy(drop=0.5, recovery_s=900.0),
    zones=3,
    zones_lost=1,
    pending_cap=50,
    spend=SpendPolicy(0.12, hourly_cap=10.0, daily_budget=200.0, monthly_budget=5_000.0),
    events=(KnownEvent("sale", _START_S + 3_600.0, _START_S + 5_400.0, 40),),
)


def decisions_per_second(policy: Policy) -> tuple[float, float]:
    """Decisions per second of wall-clock and of processor time, over two hours of 100 workloads.

    Only `decide` and `accepted` are timed; the inputs are made beforehand, except for the present
    count, which follows from the decision before.
    """
    inputs = _inputs(policy)
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    for moments in inputs:
        memory, current = Memory(), 20
        for now_s, load, signals, outlook in moments:
            observation = Observation(now_s, load, current, current, signals)
            decision = decide(policy, observation, outlook, memory)
            memory = accepted(decision.memory, now_s, current, decision.replicas)
            current = decision.replicas
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    count = WORKLOADS * TICKS
    return count / wall_s, count / cpu_s


_Moment = tuple[float, Reading, tuple[Reading, ...], Outlook]


def _inputs(policy: Policy) -> list[list[_Moment]]:
    """[workload][tick]: loads that swing between 10 and 40 replicas' worth, with noise."""
    random = np.random.default_rng(7)
    ticks = np.arange(TICKS)
    phase = random.uniform(0.0, 2.0 * np.pi, (WORKLOADS, 1))
    swing = 2_500.0 + 1_500.0 * np.sin(2.0 * np.pi * ticks / 60.0 + phase)
    loads = swing * random.lognormal(0.0, 0.1, swing.shape)
    return [[_moment(policy, tick, load) for tick, load in enumerate(row)] for row in loads.tolist()]


def _moment(policy: Policy, tick: int, load: float) -> _Moment:
    shown = {
        SignalType.CPU: load / 50.0,
        SignalType.QUEUE_DEPTH: load / 10.0,
        SignalType.LATENCY: load / 12_000.0,
        SignalType.ERRORS: load / 60_000.0,
    }
    signals = tuple(Reading(State.VALUE, shown[signal.type], 5.0) for signal in policy.signals)
    outlook = Outlook(peak=1.15 * load, expected=load, age_s=0.0, model="auto")
    return _START_S + STEP_S * tick, Reading(State.VALUE, load, 5.0), signals, outlook
