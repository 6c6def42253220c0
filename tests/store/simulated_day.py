"""A day of decisions, simulated, and the rows that a controller keeps of it.

Traffic: a daily rhythm of fivefold range with noise that lasts about two minutes. Decisions see forecasts
that follow the rhythm; those kept are of a recorded trace. Kept, much as in the live loop: a decision when
the count or its reasons changed, an observation every minute, a forecast every five, the newest memory, and
what is shown.
"""

from __future__ import annotations

import dataclasses
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from recorded_fans import a_day_of_fans

from autoscaler.controller.acting.dials import Setting
from autoscaler.controller.acting.foreign import ForeignWrites
from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.observing.workload import Workload, parse_workload
from autoscaler.controller.outcome import Outcome, Write
from autoscaler.controller.running import Running
from autoscaler.controller.telling.forecast_record import forecast_made
from autoscaler.controller.telling.state_keeping import StateKeeping
from autoscaler.planning.decide import accepted, decide
from autoscaler.planning.decision import Decision
from autoscaler.planning.explain import explain
from autoscaler.planning.memory import Memory
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.record import memory_to_json, recorded
from autoscaler.series import Reading, State
from autoscaler.store.ids import new_id
from autoscaler.store.rows import (
    DecisionMade,
    ForecastMade,
    ManifestKept,
    MemoryKept,
    Observed,
    Row,
    StateKept,
)

START_S = 1_700_006_400.0
PERIOD_S = 15.0
DAY_S = 86_400.0
_LASTING = 0.88
_FRESH = math.sqrt(1 - _LASTING**2)


NEWEST_ONLY = (MemoryKept, StateKept, ManifestKept)
LOOKED_AT = 1000


def made_up_workload(number: int) -> Workload:
    """A resource with two signals and a budget."""
    cpu = {"type": "CPU", "query": f'avg(cpu{{app="service-{number}"}})', "targetUtilization": 70}
    errors = {
        "type": "Errors",
        "query": f'sum(rate(errors{{app="service-{number}"}}[2m]))',
        "threshold": "5%",
    }
    spec = {
        "scaleTargetRef": {"kind": "Deployment", "name": f"service-{number}"},
        "mode": "Active",
        "minReplicas": 2,
        "maxReplicas": 60,
        "load": {
            "query": f'sum(rate(http_requests_total{{service="service-{number}"}}[2m]))',
            "perReplica": 120,
        },
        "signals": [cpu, errors],
        "cooldown": {"scaleDown": "300s"},
        "spend": {"replicaHourPrice": "0.12", "hourlyCap": "5", "dailyBudget": "60"},
    }
    metadata = {
        "namespace": "shop",
        "name": f"service-{number}",
        "uid": f"0b3c6f6e-5a1e-4b8e-9d2a-{number:012x}",
        "generation": 3,
        "labels": {"app.kubernetes.io/name": f"service-{number}", "team": "checkout"},
    }
    return parse_workload({"metadata": metadata, "spec": spec, **_KIND})


_KIND = {"apiVersion": "predictive-autoscaler.dev/v1alpha1", "kind": "PredictiveAutoscaler"}


def _rhythm(at_s: float, shift_s: float) -> float:
    return 900.0 + 600.0 * math.sin(2 * math.pi * (at_s + shift_s) / DAY_S)


def made_up_outcome(workload: Workload, decision: Decision) -> Outcome:
    """As if what was decided had been written."""
    observation = decision.observation
    changes = decision.replicas != observation.current
    names = ("cpu", "errors")
    return Outcome(
        workload,
        observation.now_s,
        Setting("uid", "1", observation.current, "app=web"),
        decision,
        workload.policy,
        decision.replicas,
        Write.DONE if changes else Write.UNNEEDED,
        signals=dict(zip(names, observation.signals, strict=True)),
        id=new_id(observation.now_s),
    )


def day_of(number: int, hours: float, spread: float, fans: Sequence[Fan]) -> Iterator[Row]:
    """What is kept of one workload's day, in the order of time."""
    noise = random.Random(number)
    workload = made_up_workload(number)
    policy = workload.policy
    assert policy is not None
    running = Running(workload, Memory(), ForeignWrites(), lead_time_s=policy.lead_time_s)
    shift_s = noise.uniform(0, DAY_S)
    memory, current, wobble, last, newest = Memory(), 10, 0.0, (), ""
    states = StateKeeping(lambda _: fans[0])
    for tick in range(int(hours * 3600 / PERIOD_S)):
        now_s = START_S + tick * PERIOD_S + round(noise.uniform(0, 0.5), 3)
        wobble = _LASTING * wobble + noise.gauss(0, spread * _FRESH)
        load = _rhythm(now_s, shift_s) * (1 + wobble)
        age_s = round(noise.uniform(0, 15), 3)
        cpu = 60.0 * load / (current * 120.0) * noise.uniform(0.97, 1.03)
        observation = Observation(
            now_s,
            Reading(State.VALUE, load, age_s),
            current,
            current,
            (Reading(State.VALUE, cpu, age_s), Reading(State.VALUE, noise.random() * 0.01, age_s)),
        )
        peak = _rhythm(now_s + 300, shift_s) * 1.15
        outlook = Outlook(peak, _rhythm(now_s, shift_s), tick % 4 * PERIOD_S, "ridge")
        decision = decide(policy, observation, outlook, memory)
        outcome = made_up_outcome(workload, decision)
        news = (decision.replicas, current, tuple(change.reason for change in decision.changes))
        if news != last:
            last, newest = news, outcome.id
            yield DecisionMade(
                workload=workload.key,
                id=outcome.id,
                at_s=now_s,
                before=current,
                after=decision.replicas,
                reasons=tuple(change.reason.value for change in decision.changes),
                sentence=explain(decision),
                payload=recorded(policy, memory, decision),
                outcome="Done",
                shared=("policy",),
            )
        if tick % 4 == 0:
            yield Observed(workload.key, now_s, load, current, decision.replicas)
        if tick % 20 == 0:
            fan = dataclasses.replace(fans[(tick // 20 + number) % len(fans)], made_at_s=now_s)
            yield forecast_made(workload.key, fan, policy.quantile)
        yield from states.after(outcome, running, newest)
        memory = accepted(decision.memory, now_s, current, decision.replicas)
        current = decision.replicas
    yield MemoryKept(workload.key, now_s, memory_to_json(memory))


def simulated(workloads: int, hours: float, spread: float) -> tuple[dict[type, list[Row]], Counter[type]]:
    """Rows by kind, and how many there were; of those that replace each other only some."""
    fans = a_day_of_fans()
    kept: dict[type, list[Row]] = defaultdict(list)
    counts: Counter[type] = Counter()
    for number in range(workloads):
        for row in day_of(number, hours, spread, fans):
            kind = type(row)
            counts[kind] += 1
            if kind not in NEWEST_ONLY or len(kept[kind]) < LOOKED_AT:
                kept[kind].append(row)
    return kept, counts


def time_of(row: Row) -> float:
    """When a row is from, in epoch seconds."""
    return row.made_at_s if isinstance(row, ForecastMade) else getattr(row, "at_s", 0.0)
