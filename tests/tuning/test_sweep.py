"""A sweep gives each policy the scores that a backtest gives it, wherever the work is done."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from autoscaler.backtest.candidate import default_candidate
from autoscaler.backtest.case import Case
from autoscaler.backtest.result import Scores
from autoscaler.backtest.runner import compare
from autoscaler.backtest.simulation import World
from autoscaler.backtest.tuning.sweep import count_sweep_pieces, sweep
from autoscaler.backtest.workforce import Piece, workforce
from autoscaler.series import Series
from autoscaler.signals.errors import InputError

_LEVELS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98)


def _case(name: str, seed: int) -> Case:
    rng = np.random.default_rng(seed)
    steps = 2 * 288
    values = (100 + 60 * np.sin(np.arange(steps) * 2 * np.pi / 288)) * rng.lognormal(0, 0.08, steps)
    series = Series(name, 1_700_438_400, 300, values)
    world = World(per_replica=10.0, start_up_s=600.0)
    made = [default_candidate(series, world, model) for model in ("fourier", "none")]
    candidates = [one.at_quantile(level) for one in made for level in _LEVELS]
    return Case(series, world, 0.12, 288, tuple(candidates))


def _figures(scores: list[list[Scores]]) -> list[list[tuple[float, ...]]]:
    return [[dataclasses.astuple(one) for one in row] for row in scores]


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [_case("first", 1), _case("second", 2)]


@pytest.fixture(scope="module")
def here(cases: list[Case]) -> list[list[Scores]]:
    with workforce(1, lambda _: None) as crew:
        return sweep(cases, crew)


def test_every_policy_has_the_scores_of_a_backtest(cases: list[Case], here: list[list[Scores]]) -> None:
    results = compare(cases).traces
    for scores, result in zip(here, results, strict=True):
        for one, run in zip(scores, result.runs, strict=True):
            np.testing.assert_equal(dataclasses.astuple(one), dataclasses.astuple(run.scores))


def test_progress_is_told_for_every_piece(cases: list[Case]) -> None:
    told: list[str] = []
    with workforce(1, told.append) as crew:
        sweep(cases, crew)
    assert len(told) == count_sweep_pieces(cases)


class _DaskCluster:
    """A real scheduler and real workers, each a process."""

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self._folder, self._stack = folder, stack
        file = folder / "scheduler.json"
        self._start("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        self.file = file
        for _ in range(300):
            if file.exists() and file.stat().st_size:
                break
            time.sleep(0.1)
        self.address: str = json.loads(file.read_text())["address"]

    def worker(self) -> subprocess.Popen[bytes]:
        return self._start("worker", self.address, "--nthreads", "1", "--no-dashboard", "--no-nanny")

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            cwd=self._folder,
            # Workers are sent functions of this module by name.
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

        def end() -> None:
            process.kill()
            process.wait()

        self._stack.callback(end)
        return process


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_DaskCluster]:
    with contextlib.ExitStack() as stack:
        yield _DaskCluster(tmp_path_factory.mktemp("dask"), stack)


def _process(pause_s: float) -> int:
    time.sleep(pause_s)
    return os.getpid()


def _refused(number: int) -> int:
    raise InputError(f"{number} is no good; give another")


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_and_survives_a_lost_worker(
    cases: list[Case], here: list[list[Scores]], cluster: _DaskCluster
) -> None:
    workers = [cluster.worker(), cluster.worker()]
    told: list[str] = []
    with workforce(1, told.append, cluster.address) as crew:
        pieces = [Piece("who", _process, (0.2,)) for _ in range(8)]
        assert set(crew.do(pieces)) == {worker.pid for worker in workers}
        told.clear()
        np.testing.assert_equal(_figures(sweep(cases, crew)), _figures(here))
        assert len(told) == count_sweep_pieces(cases)
        with pytest.raises(InputError, match="7 is no good; give another"):
            crew.do([Piece("bad", _refused, (7,))])
        workers[0].kill()
        assert set(crew.do([Piece("who", _process, (0.2,)) for _ in range(4)])) == {workers[1].pid}


def test_an_address_without_a_scheduler_is_refused() -> None:
    with (
        pytest.raises(InputError, match=r"--dask tcp://127\.0\.0\.1:1: no scheduler answers there"),
        workforce(1, lambda _: None, "tcp://127.0.0.1:1"),
    ):
        pass


@pytest.mark.slow
def test_workers_with_another_version_are_refused(
    cluster: _DaskCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.worker()
    from autoscaler.backtest import dask_cluster

    monkeypatch.setattr(dask_cluster, "__version__", "0.0.1")
    with (
        pytest.raises(InputError, match=r"has predictive-autoscaler .* and this machine 0\.0\.1"),
        workforce(1, lambda _: None, cluster.address),
    ):
        pass
