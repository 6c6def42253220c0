"""How much room the store takes in an SQLite file: writes what a controller keeps of a simulated day.

    .venv/bin/python tests/store/measure_size.py

Prints bytes with indexes, and the time that making a state takes. On PostgreSQL: `measure_postgresql.py`.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
import timeit
from collections.abc import Sequence
from pathlib import Path

from recorded_fans import a_day_of_fans
from simulated_day import (
    DAY_S,
    LOOKED_AT,
    NEWEST_ONLY,
    START_S,
    made_up_outcome,
    made_up_workload,
    simulated,
    time_of,
)

from autoscaler.controller.acting.foreign import ForeignWrites
from autoscaler.controller.running import Running
from autoscaler.controller.telling.forecast_record import forecast_made
from autoscaler.controller.telling.live_state import live_state
from autoscaler.controller.telling.state_keeping import StateKeeping
from autoscaler.controller.telling.status import status_of
from autoscaler.planning.decide import decide
from autoscaler.planning.memory import Memory
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.series import Reading, State
from autoscaler.spec.status import Status
from autoscaler.store.encoding import encoded
from autoscaler.store.rows import (
    DecisionMade,
    ForecastMade,
    Observed,
    Row,
    StateKept,
)
from autoscaler.store.sizing import used_bytes
from autoscaler.store.store import Store


def _bytes_per_row(rows: Sequence[Row]) -> tuple[float, float]:
    """Of a store that holds only these, written a tick at a time; and seconds it took."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{Path(folder) / 'store.db'}")
        store.migrate()
        with store.engine.connect() as connection:
            empty = used_bytes(connection, 0)
        began_s = time.perf_counter()
        ordered = sorted(rows, key=time_of)
        for start in range(0, len(ordered), 1000):
            store.write(ordered[start : start + 1000])
        took_s = time.perf_counter() - began_s
        with store.engine.connect() as connection:
            used = used_bytes(connection, 0) - empty
        store.close()
    return used / len(rows), took_s


def _print_cost_of_a_state() -> None:
    """Microseconds of processor time, the quickest of several rounds."""
    workload = made_up_workload(0)
    policy = workload.policy
    assert policy is not None
    running = Running(workload, Memory(), ForeignWrites(), lead_time_s=policy.lead_time_s)
    known = Reading(State.VALUE, 60.0, 3.0)
    observation = Observation(START_S, Reading(State.VALUE, 900.0, 3.0), 8, 8, (known, known))
    outlook = Outlook(1000.0, 900.0, 20.0, "ridge")
    outcome = made_up_outcome(workload, decide(policy, observation, outlook, Memory()))
    fan = a_day_of_fans()[0]
    status = status_of(Status(), outcome, running, None)
    state = live_state(outcome, status, fan, outcome.id)
    keeping = StateKeeping(lambda _: fan)
    keeping.after(outcome, running, "")
    for name, work in (
        ("finding that nothing has to be kept", lambda: keeping.after(outcome, running, "")),
        ("making a state", lambda: live_state(outcome, status, fan, outcome.id)),
        ("packing it", lambda: encoded(StateKept(workload.key, START_S, state))),
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
    kept, counts = simulated(chosen.workloads, chosen.hours, chosen.noise)
    share = DAY_S / (chosen.hours * 3600) / chosen.workloads
    print(f"{'':14}{'bytes/row':>10}{'rows/day':>10}{'MB/day: 1,000':>15}{'5,000':>8}{'rows/s':>9}")
    for kind in (DecisionMade, Observed, ForecastMade, *NEWEST_ONLY):
        rows = kept[kind]
        written = stored = counts[kind] * share
        if kind in NEWEST_ONLY:
            # Replaced and not added: one for each workload, here of a thousand.
            stored = 1.0
            rows = [dataclasses.replace(rows[n % len(rows)], workload=f"shop/{n}") for n in range(LOOKED_AT)]
        size, took_s = _bytes_per_row(rows)
        megabytes = [count * stored * size / 1e6 for count in (1000, 5000)]
        print(
            f"{kind.__name__:14}{size:10.0f}{written:10.0f}{megabytes[0]:15.1f}{megabytes[1]:8.1f}"
            f"{len(rows) / took_s:9,.0f}"
        )
    _print_cost_of_a_state()


if __name__ == "__main__":
    main(sys.argv[1:])
