"""How much room the store takes: simulates a day of decisions and writes what a controller keeps of it.

    .venv/bin/python tests/store/measure_size.py

Traffic: a daily rhythm of fivefold range with noise that lasts about two minutes, and forecasts that follow
the rhythm. Kept, much as in the live loop: a decision when the count or its reasons changed, an observation
every minute, a forecast every five, the newest memory. Prints bytes of an SQLite file, indexes included.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from autoscaler.planning.decide import accepted, decide
from autoscaler.planning.explain import explain
from autoscaler.planning.memory import Memory
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.policy import Policy, SignalPolicy, SignalType, SpendPolicy
from autoscaler.planning.record import memory_to_json, recorded
from autoscaler.series import Reading, State
from autoscaler.store.ids import new_id
from autoscaler.store.rows import DecisionMade, ForecastMade, MemoryKept, Observed, Row
from autoscaler.store.sizing import used_bytes
from autoscaler.store.store import Store

_START_S = 1_700_006_400.0
_PERIOD_S = 15.0
_DAY_S = 86_400.0
_LASTING = 0.88
_FRESH = math.sqrt(1 - _LASTING**2)


def _policy(number: int) -> Policy:
    return Policy(
        f"shop/service-{number}",
        min_replicas=2,
        max_replicas=60,
        load_per_replica=120.0,
        signals=(
            SignalPolicy("cpu", SignalType.CPU, target=70.0),
            SignalPolicy("errors", SignalType.ERRORS, target=0.05),
        ),
        cooldown_down_s=300.0,
        spend=SpendPolicy(0.12, hourly_cap=5.0, daily_budget=60.0),
    )


def _rhythm(at_s: float, shift_s: float) -> float:
    return 900.0 + 600.0 * math.sin(2 * math.pi * (at_s + shift_s) / _DAY_S)


def _day(number: int, hours: float, spread: float) -> Iterator[Row]:
    """What is kept of one workload's day, in the order of time."""
    noise = random.Random(number)
    policy = _policy(number)
    shift_s = noise.uniform(0, _DAY_S)
    memory, current, wobble, last = Memory(), 10, 0.0, ()
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
        outlook = Outlook(peak, _rhythm(now_s, shift_s), tick % 4 * _PERIOD_S, "peak-ridge")
        decision = decide(policy, observation, outlook, memory)
        news = (decision.replicas, current, tuple(change.reason for change in decision.changes))
        if news != last:
            last = news
            yield DecisionMade(
                workload=policy.name,
                id=new_id(now_s),
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
            yield Observed(policy.name, now_s, load, current, decision.replicas)
        if tick % 20 == 0:
            ahead = [
                [round(peak * (0.8 + 0.05 * level) * (1 + 0.01 * step), 1) for level in range(5)]
                for step in range(30)
            ]
            yield ForecastMade(policy.name, now_s, {"model": "peak-ridge", "step_s": 60, "peaks": ahead})
        memory = accepted(decision.memory, now_s, current, decision.replicas)
        current = decision.replicas
    yield MemoryKept(policy.name, now_s, memory_to_json(memory))


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


def main(arguments: Sequence[str]) -> None:
    """Simulate, write, and print."""
    parser = argparse.ArgumentParser(description="How much room the store takes.")
    parser.add_argument("--workloads", type=int, default=40)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--noise", type=float, default=0.05, help="standard deviation as a share of the load")
    chosen = parser.parse_args(arguments)
    kept = [row for number in range(chosen.workloads) for row in _day(number, chosen.hours, chosen.noise)]
    share = _DAY_S / (chosen.hours * 3600) / chosen.workloads
    print(f"{'':14}{'bytes/row':>10}{'rows/day':>10}{'MB/day: 1,000':>15}{'5,000':>8}{'rows/s':>9}")
    for kind in (DecisionMade, Observed, ForecastMade, MemoryKept):
        rows = [row for row in kept if isinstance(row, kind)]
        a_day = len(rows) * share
        if kind is MemoryKept:
            # Replaced and not added: one for each workload, here of a thousand.
            a_day = 1.0
            rows = [dataclasses.replace(rows[n % len(rows)], workload=f"shop/{n}") for n in range(1000)]
        size, took_s = _bytes_per_row(rows)
        megabytes = [count * a_day * size / 1e6 for count in (1000, 5000)]
        print(
            f"{kind.__name__:14}{size:10.0f}{a_day:10.0f}{megabytes[0]:15.0f}{megabytes[1]:8.0f}"
            f"{len(rows) / took_s:9,.0f}"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
