"""A thousand policies on the end of every recorded trace, on a Dask cluster of one worker and of two.

python tests/bench/dask_sweep.py --traces ../shared/traces [--policies 1000] [--steps 200] [--workers 1 2]

Starts a scheduler and single-threaded workers of its own, checks that both clusters find the same, and prints
how long they took.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import time
from pathlib import Path

import numpy as np
from distributed import LocalCluster

from autoscaler.backtest.candidate import Candidate, default_candidate
from autoscaler.backtest.case import Case
from autoscaler.backtest.result import Scores
from autoscaler.backtest.simulation import World
from autoscaler.backtest.tuning.sweep import sweep
from autoscaler.backtest.workforce import workforce
from autoscaler.signals.recorded import read_recorded

_WINDOWS_S = (60.0, 180.0, 300.0, 600.0, 900.0)


def _policies(base: Candidate, count: int) -> list[Candidate]:
    """Quantiles crossed with scale-down windows."""
    levels = np.linspace(0.5, 0.995, -(-count // len(_WINDOWS_S)))
    made = []
    for level, window_s in itertools.islice(itertools.product(levels, _WINDOWS_S), count):
        behavior = dataclasses.replace(base.policy.scale_down, stabilization_s=window_s)
        policy = dataclasses.replace(base.policy, quantile=round(float(level), 4), scale_down=behavior)
        made.append(dataclasses.replace(base, policy=policy))
    return made


def _case(file: Path, policies: int, steps: int) -> Case:
    whole = read_recorded(file)
    series = whole.between(max(0, len(whole) - steps), len(whole))
    mean = float(np.nanmean(series.values))
    world = World(per_replica=max(mean, 1e-9) / 20, start_up_s=float(series.step_s))
    base = default_candidate(series, world, "trend")
    return Case(series, world, 0.12, len(series) // 2, tuple(_policies(base, policies)))


def _timed(cases: list[Case], workers: int) -> tuple[float, list[list[Scores]]]:
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
        workforce(1, lambda _: None, cluster.scheduler_address) as crew,
    ):
        began = time.perf_counter()
        found = sweep(cases, crew)
        return time.perf_counter() - began, found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--traces", type=Path, required=True)
    parser.add_argument("--policies", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    chosen = parser.parse_args()
    files = sorted(chosen.traces.glob("*.csv.gz"))
    cases = [_case(file, chosen.policies, chosen.steps) for file in files]
    print(f"{chosen.policies} policies on {len(cases)} traces of {chosen.steps} steps", flush=True)
    first: tuple[float, list[list[Scores]]] | None = None
    for workers in chosen.workers:
        seconds, found = _timed(cases, workers)
        figures = [[dataclasses.astuple(one) for one in row] for row in found]
        if first is None:
            first = seconds, found
            print(f"{workers} worker(s): {seconds:.0f} s", flush=True)
            continue
        np.testing.assert_equal(figures, [[dataclasses.astuple(one) for one in row] for row in first[1]])
        print(
            f"{workers} worker(s): {seconds:.0f} s, {first[0] / seconds:.2f} times as fast, the same figures"
        )


if __name__ == "__main__":
    main()
