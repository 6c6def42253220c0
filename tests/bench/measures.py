"""One measurement in a process of its own, so that its peak memory is its own; answers in JSON.

python tests/bench/measures.py decide|decide-full|week FILE MODEL [JOBS]|tick WORKLOADS TICKS
"""

from __future__ import annotations

import json
import math
import resource
import statistics
import sys
import time
from pathlib import Path


def _decide(full: bool) -> dict[str, float]:
    from deciding import DEFAULT, FULL, decisions_per_second

    policy = FULL if full else DEFAULT
    decisions_per_second(policy)
    wall, cpu = decisions_per_second(policy)
    return {"wall": wall, "cpu": cpu}


def _week(file: Path, model: str, jobs: int | None) -> dict[str, float]:
    from autoscaler.backtest.workforce import get_ready

    jobs = get_ready(jobs, "")
    from autoscaler.cli.backtest import Options, backtest

    wall, cpu = time.perf_counter(), time.process_time()
    backtest(Options(traces=(file,), baselines="none", warm_up="1d", quiet=True, model=model, jobs=jobs))
    alone = jobs == 1  # what other processes took is not known here
    taken = time.process_time() - cpu if alone else math.nan
    return {"wall": time.perf_counter() - wall, "cpu": taken}


def _tick(workloads: int, ticks: int) -> dict[str, float]:
    from ticking import run_ticks

    measured = run_ticks(workloads, ticks)
    return {
        "wall": statistics.median(measured.wall_s),
        "cpu": statistics.median(measured.cpu_s),
        "fit_wall": measured.fit_s,
        "fit_cpu": measured.fit_cpu_s,
    }


def main(name: str, *arguments: str) -> None:
    """Measure and print."""
    if name == "week":
        file, model, *jobs = arguments
        found = _week(Path(file), model, int(jobs[0]) if jobs else None)
    elif name == "tick":
        found = _tick(int(arguments[0]), int(arguments[1]))
    else:
        found = _decide(full=name == "decide-full")
    found["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
