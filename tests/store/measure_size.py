"""How much room the store takes: simulates a day of decisions and writes what a controller keeps of it.

    .venv/bin/python tests/store/measure_size.py

Traffic: a daily rhythm of fivefold range with noise that lasts about two minutes. Decisions see forecasts
that follow the rhythm; those kept are of a recorded trace. Kept, much as in the live loop: a decision when
the count or its reasons changed, an observation every minute, a forecast every five, the newest memory, and
what is shown. Prints bytes of an SQLite file, indexes included, and the time that making a state takes.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import random
import sys
import tempfile
import time
import timeit
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from recorded_fans import a_day_of_fans

from autoscaler.controller.acting.dials import Setting
from autoscaler.controller.acting.foreign import ForeignWrites
from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.observing.workload import Workload, parse_workload
from autoscaler.controller.outcome import Outcome, Write
from autoscaler.controller.running import Running
from autoscaler.controller.telling.forecast_record import forecast_made
from autoscaler.controller.telling.live_state import live_state
from autoscaler.controller.telling.state_keeping import StateKeeping
from autoscaler.controller.telling.status import status_of
from autoscaler.planning.decide import accepted, decide
from autoscaler.planning.decision import Decision
from autoscaler.planning.explain import explain
from autoscaler.planning.memory import Memory
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.record import memory_to_json, recorded
from autoscaler.series import Reading, State
from autoscaler.spec.status import Status
from autoscaler.store.encoding import encoded
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
from autoscaler.store.sizing import used_bytes
from autoscaler.store.store import Store

_START_S = 1_700_006_400.0
_PERIOD_S = 15.0
_DAY_S = 86_400.0
_LASTING = 0.88
_FRESH = math.sqrt(1 - _LASTING**2)


_NEWEST_ONLY = (MemoryKept, StateKept, ManifestKept)
_LOOKED_AT = 1000


def _workload(number: int) -> Workload:
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
    return 900.0 + 600.0 * math.sin(2 * math.pi * (at_s + shift_s) / _DAY_S)


def _outcome(workload: Workload, decision: Decision) -> Outcome:
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


def _day(number: int, hours: float, spread: float, fans: Sequence[Fan]) -> Iterator[Row]:
    """What is kept of one workload's day, in the order of time."""
    noise = random.Random(number)
    workload = _workload(number)
    policy = workload.policy
    assert policy is not None
    running = Running(workload, Memory(), ForeignWrites(), lead_time_s=policy.lead_time_s)
    shift_s = noise.uniform(0, _DAY_S)
    memory, current, wobble, last, newest = Memory(), 10, 0.0, (), ""
    states = StateKeeping(lambda _: fans[0])
    for tick in range(int(hours * 3600 / _PERIOD_S)):
        now_s = _START_S + tick * _PERIOD_S + round(noise.uniform(0, 0.5), 3)
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
        outlook = Outlook(peak, _rhythm(now_s, shift_s), tick % 4 * _PERIOD_S, "ridge")
        decision = decide(policy, observation, outlook, memory)
        outcome = _outcome(workload, decision)
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


def _simulated(workloads: int, hours: float, spread: float) -> tuple[dict[type, list[Row]], Counter[type]]:
    """Rows by kind, and how many there were; of those that replace each other only some."""
    fans = a_day_of_fans()
    kept: dict[type, list[Row]] = defaultdict(list)
    counts: Counter[type] = Counter()
    for number in range(workloads):
        for row in _day(number, hours, spread, fans):
            kind = type(row)
            counts[kind] += 1
            if kind not in _NEWEST_ONLY or len(kept[kind]) < _LOOKED_AT:
                kept[kind].append(row)
    return kept, counts


def _time(row: Row) -> float:
    return row.made_at_s if isinstance(row, ForecastMade) else getattr(row, "at_s", 0.0)


def _bytes_per_row(rows: Sequence[Row]) -> tuple[float, float]:
    """Of a store that holds only these, written a tick at a time; and seconds it took."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{Path(folder) / 'store.db'}")
        store.migrate()
        with store.engine.connect() as connection:
            empty = used_bytes(connection, 0)
        began_s = time.perf_counter()
        ordered = sorted(rows, key=_time)
        for start in range(0, len(ordered), 1000):
            store.write(ordered[start : start + 1000])
        took_s = time.perf_counter() - began_s
        with store.engine.connect() as connection:
            used = used_bytes(connection, 0) - empty
        store.close()
    return used / len(rows), took_s


def _print_cost_of_a_state() -> None:
    """Microseconds of processor time, the quickest of several rounds."""
    workload = _workload(0)
    policy = workload.policy
    assert policy is not None
    running = Running(workload, Memory(), ForeignWrites(), lead_time_s=policy.lead_time_s)
    known = Reading(State.VALUE, 60.0, 3.0)
    observation = Observation(_START_S, Reading(State.VALUE, 900.0, 3.0), 8, 8, (known, known))
    outlook = Outlook(1000.0, 900.0, 20.0, "ridge")
    outcome = _outcome(workload, decide(policy, observation, outlook, Memory()))
    fan = a_day_of_fans()[0]
    status = status_of(Status(), outcome, running, None)
    state = live_state(outcome, status, fan, outcome.id)
    keeping = StateKeeping(lambda _: fan)
    keeping.after(outcome, running, "")
    for name, work in (
        ("finding that nothing has to be kept", lambda: keeping.after(outcome, running, "")),
        ("making a state", lambda: live_state(outcome, status, fan, outcome.id)),
        ("packing it", lambda: encoded(StateKept(workload.key, _START_S, state))),
        ("making and packing a forecast", lambda: encoded(forecast_made(workload.key, fan, 0.95))),
    ):
        took_s = min(timeit.repeat(work, timer=time.process_time, number=200, repeat=15)) / 200
        print(f"{name}: {took_s * 1e6:.0f} µs")


def main(arguments: Sequence[str]) -> None:
    """Simulate, write, and print."""
    parser = argparse.ArgumentParser(description="How much room the store takes.")
    parser.add_argument("--workloads", type=int, default=40)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--noise", type=float, default=0.05, help="standard deviation as a share of the load")
    chosen = parser.parse_args(arguments)
    kept, counts = _simulated(chosen.workloads, chosen.hours, chosen.noise)
    share = _DAY_S / (chosen.hours * 3600) / chosen.workloads
    print(f"{'':14}{'bytes/row':>10}{'rows/day':>10}{'MB/day: 1,000':>15}{'5,000':>8}{'rows/s':>9}")
    for kind in (DecisionMade, Observed, ForecastMade, *_NEWEST_ONLY):
        rows = kept[kind]
        written = stored = counts[kind] * share
        if kind in _NEWEST_ONLY:
            # Replaced and not added: one for each workload, here of a thousand.
            stored = 1.0
            rows = [dataclasses.replace(rows[n % len(rows)], workload=f"shop/{n}") for n in range(_LOOKED_AT)]
        size, took_s = _bytes_per_row(rows)
        megabytes = [count * stored * size / 1e6 for count in (1000, 5000)]
        print(
            f"{kind.__name__:14}{size:10.0f}{written:10.0f}{megabytes[0]:15.1f}{megabytes[1]:8.1f}"
            f"{len(rows) / took_s:9,.0f}"
        )
    _print_cost_of_a_state()


if __name__ == "__main__":
    main(sys.argv[1:])
