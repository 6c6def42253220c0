"""Simulated Deployments: pods obey the rules of the backtest, and teach the operator what real ones would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.backtest.scaler import Moment
from autoscaler.backtest.simulation import World, simulate
from autoscaler.controller.observing.lead_time import StartUps
from autoscaler.demo.target import Target, spread_start_ups_s
from autoscaler.series import Series

STEP_S = 60


class _Asking:
    """A policy in the backtest that asks for what it is told to."""

    name = "asking"

    def __init__(self, begin: int, counts: list[int]) -> None:
        self._begin, self._counts = begin, counts

    def start(self, first_load: float) -> int:
        return self._begin

    def decide(self, moment: Moment) -> int:
        return self._counts[moment.index]


def _played(
    world: World, begin: int, counts: list[int], loads: list[float]
) -> list[tuple[int, float, float]]:
    """Ready pods, backlog and response time of every step."""
    target = Target("shop/checkout", world, begin, 0.0)
    course = []
    for index, (count, load) in enumerate(zip(counts, loads, strict=True)):
        target.advance(index * STEP_S)
        served = target.serve(load, STEP_S)
        course.append((sum(pod.ready for pod in target.pods), served.backlog, served.latency_s))
        target.write(target.read(1.0), count, 1.0)
    return course


def _backtested(
    world: World, begin: int, counts: list[int], loads: list[float]
) -> list[tuple[int, float, float]]:
    course = simulate(Series("load", 0, STEP_S, np.array(loads)), world, _Asking(begin, counts))
    rows = zip(course.ready.tolist(), course.backlog.tolist(), course.latency_s.tolist(), strict=True)
    return [(ready, backlog, latency_s) for ready, backlog, latency_s in rows]


worlds = st.builds(
    World,
    per_replica=st.just(10.0),
    start_up_s=st.sampled_from([0.0, 30.0, 60.0, 150.0]),
    start_up_samples_s=st.sampled_from([(), (20.0, 90.0, 400.0)]),
    seed=st.integers(0, 3),
)
steps = st.lists(st.tuples(st.integers(0, 12), st.floats(0, 200)), min_size=1, max_size=30)


@given(world=worlds, begin=st.integers(1, 8), course=steps)
def test_pods_are_ready_and_serve_as_in_the_backtest(
    world: World, begin: int, course: list[tuple[int, float]]
) -> None:
    counts, loads = [count for count, _ in course], [load for _, load in course]
    assert _played(world, begin, counts, loads) == _backtested(world, begin, counts, loads)


@given(world=worlds, begin=st.integers(0, 8), counts=st.lists(st.integers(0, 12), max_size=20))
def test_the_count_is_always_the_one_that_was_asked_for(world: World, begin: int, counts: list[int]) -> None:
    target = Target("shop/checkout", world, begin, 0.0)
    for index, count in enumerate(counts):
        target.advance(index * STEP_S)
        target.write(target.read(1.0), count, 1.0)
        assert target.read(1.0).replicas == count == len(target.pods)


def test_the_operator_measures_how_long_pods_take_to_start() -> None:
    target = Target("shop/checkout", World(per_replica=10.0, start_up_s=130.0), 2, 0.0)
    start_ups = StartUps()
    target.write(target.read(1.0), 8, 1.0)
    for now_s in range(0, 600, STEP_S):
        target.advance(now_s)
        start_ups.watch(target.pods, now_s)
    measured = start_ups.measured()
    assert measured is not None
    assert (measured.seconds, measured.samples) == (130.0, 6)


def test_pods_that_were_there_from_the_beginning_tell_nothing_of_start_ups() -> None:
    target = Target("shop/checkout", World(per_replica=10.0, start_up_s=130.0), 20, 0.0)
    start_ups = StartUps()
    start_ups.watch(target.pods, 0.0)
    assert start_ups.measured() is None


def test_the_youngest_pods_go_first() -> None:
    target = Target("shop/checkout", World(per_replica=10.0, start_up_s=0.0), 2, 0.0)
    target.write(target.read(1.0), 4, 1.0)
    target.advance(STEP_S)
    eldest = [pod.name for pod in target.pods[:3]]
    target.write(target.read(1.0), 3, 1.0)
    assert [pod.name for pod in target.pods] == eldest


def test_start_ups_are_spread_around_their_middle_and_some_are_long() -> None:
    spread = np.array(spread_start_ups_s(100.0))
    assert np.median(spread) == pytest.approx(100.0, rel=0.01)
    assert spread.max() - 100.0 > 100.0 - spread.min() > 0.0
