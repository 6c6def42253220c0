"""The yardstick against its definition written as plain loops, and its claims about fronts."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.backtest import yardstick
from autoscaler.backtest.yardstick import Front, Point
from autoscaler.series import Floats, Ints

NAN = math.nan


def measured_by_loops(load: Floats, asked: Ints, capacity: float, lead: int, begin: int) -> Point:
    """ready = min of asked over t-L … t; cost = sum asked / sum need; overload in per cent."""
    asked_sum = need_sum = lost = total = 0.0
    for t in range(begin, len(load)):
        if math.isnan(load[t]):
            continue
        ready = min(int(a) for a in asked[max(0, t - lead) : t + 1])
        asked_sum += int(asked[t])
        need_sum += max(1, math.ceil(load[t] / capacity))
        lost += max(0.0, load[t] - ready * capacity)
        total += load[t]
    return Point(asked_sum / need_sum, 100 * lost / total if total else 0.0)


def rival_by_loops(load: Floats, capacity: float, headroom: float) -> list[int]:
    """Mean of the last 3 minutes x headroom, rounded up; maximum of the last 6; steps of a minute."""
    seen: list[float] = []
    wishes: list[int] = []
    asked: list[int] = []
    for value in load:
        seen.append(float(value) if not math.isnan(value) else (seen[-1] if seen else NAN))
        window = [level for level in seen[-3:] if not math.isnan(level)]
        level = sum(window) / len(window) if window else 0.0
        wishes.append(max(1, math.ceil(level * headroom / capacity * (1 - 1e-9))))
        asked.append(max(wishes[-6:]))
    return asked


def a_load(seed: int, length: int) -> Floats:
    random = np.random.default_rng(seed)
    load = random.integers(1, 90, length).astype(np.float64)
    load[random.random(length) < 0.1] = np.nan
    load[-1] = 30.0
    return load


@given(st.integers(0, 2**32 - 1), st.integers(1, 80), st.integers(0, 20), st.integers(0, 40))
def test_measure_equals_its_definition(seed: int, length: int, lead: int, begin: int) -> None:
    load = a_load(seed, length)
    asked = np.random.default_rng(seed + 1).integers(1, 9, length)
    begin = min(begin, length - 1)
    got = yardstick.measure(load, asked, 10.0, lead, begin)
    wanted = measured_by_loops(load, asked, 10.0, lead, begin)
    assert got.cost == pytest.approx(wanted.cost)
    assert got.overload == pytest.approx(wanted.overload)


@given(st.integers(0, 2**32 - 1), st.integers(1, 80), st.sampled_from([0.7, 1.0, 1.13, 3.0]))
def test_the_rival_equals_its_definition(seed: int, length: int, headroom: float) -> None:
    load = a_load(seed, length)
    assert yardstick.reactive_asked(load, 7.0, 60.0, headroom).tolist() == rival_by_loops(load, 7.0, headroom)


def test_the_rival_asks_for_one_replica_before_anything_is_known() -> None:
    load = np.array([NAN, NAN, 50.0, NAN])
    assert yardstick.reactive_asked(load, 10.0, 60.0, 1.0).tolist() == [1, 1, 5, 5]


@pytest.mark.parametrize(
    ("seconds", "step_s", "steps"),
    [
        pytest.param(180, 60, 3, id="minutes"),
        pytest.param(180, 1, 180, id="seconds"),
        pytest.param(360, 300, 1, id="five-minutes"),
        pytest.param(180, 3600, 1, id="never-less-than-one-step"),
    ],
)
def test_windows_map_to_the_step_of_the_trace(seconds: float, step_s: float, steps: int) -> None:
    assert yardstick.steps_of(seconds, step_s) == steps


@pytest.mark.parametrize(
    ("start_up_s", "step_s", "steps"),
    [
        pytest.param(0, 60, 0, id="at-once"),
        pytest.param(300, 60, 5, id="whole-steps"),
        pytest.param(301, 60, 6, id="a-step-begun-counts"),
        pytest.param(30, 3600, 1, id="less-than-a-step"),
    ],
)
def test_start_up_in_steps(start_up_s: float, step_s: float, steps: int) -> None:
    assert yardstick.start_up_steps(start_up_s, step_s) == steps


def test_pods_come_late_and_go_at_once() -> None:
    asked = np.array([2, 5, 5, 5, 1, 4])
    assert yardstick.ready_after(asked, 2).tolist() == [2, 2, 2, 5, 1, 1]


def test_a_front_is_log_linear_between_its_points() -> None:
    front = Front.of([Point(1.2, 0.098), Point(1.0, 9.998)])
    assert front.at([1.1])[0] == pytest.approx(math.sqrt(10.0 * 0.1) - 0.002)


def test_outside_the_reach_of_a_front_there_is_no_figure() -> None:
    front = Front.of([Point(1.1, 1.0), Point(1.2, 0.5)])
    assert np.isnan(front.at([1.0, 1.3])).all()
    assert math.isnan(yardstick.equal_cost_ratio(Point(1.5, 0.1), front))
    assert math.isnan(yardstick.equal_cost_ratio(Point(NAN, NAN), front))
    assert np.isnan(Front.of([]).at([1.1])).all()


def test_two_perfect_policies_are_level() -> None:
    front = Front.of([Point(1.0, 0.0), Point(2.0, 0.0)])
    assert yardstick.equal_cost_ratio(Point(1.2, 0.0), front) == pytest.approx(1.0)


def test_the_rival_is_level_with_itself() -> None:
    load = a_load(3, 3000) + 40.0
    front = yardstick.reactive_front(load, 4.0, 60.0, 5, 100)
    ratios = yardstick.equal_cost_ratios(front, front)
    assert np.nanmax(np.abs(ratios - 1.0)) < 1e-12
    one = yardstick.measure(
        load, yardstick.reactive_asked(load, 4.0, 60.0, yardstick.HEADROOMS[20]), 4.0, 5, 100
    )
    assert yardstick.equal_cost_ratio(one, front) == pytest.approx(1.0)


def test_a_trace_figure_is_the_median_over_the_costs_reached() -> None:
    assert yardstick.trace_figure(np.array([NAN, 0.2, 0.9, 0.4, NAN])) == pytest.approx(0.4)
    assert math.isnan(yardstick.trace_figure(np.array([NAN, NAN])))


def test_the_mean_over_traces_is_geometric_and_leaves_out_the_unreached() -> None:
    assert yardstick.geometric_mean([0.5, NAN, 2.0]) == pytest.approx(1.0)
    assert math.isnan(yardstick.geometric_mean([]))


@pytest.mark.parametrize(
    ("days", "warm_up_days"), [pytest.param(11.9, 2, id="short"), pytest.param(12, 7, id="long")]
)
def test_warm_up(days: float, warm_up_days: float) -> None:
    assert yardstick.warm_up_s(days * 86_400) == warm_up_days * 86_400


@pytest.mark.slow
def test_sweeping_a_quarter_of_a_year_takes_about_a_second() -> None:
    load = 50 + 40 * np.sin(np.arange(125_000) / 229.0) + np.random.default_rng(1).normal(0, 5, 125_000)
    begun = time.perf_counter()
    front = yardstick.reactive_front(np.maximum(load, 0), 2.5, 60.0, 15, 10_080)
    assert len(front.costs) == len(yardstick.HEADROOMS)
    assert time.perf_counter() - begun < 5.0, "a generous multiple of what it takes on an idle machine"
