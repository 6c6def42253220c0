"""The simulated cluster by hand-computed cases: when pods come and go, and what a policy sees."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from worlds import MONDAY_S, Script, trace

from autoscaler.backtest.simulation import SERVICE_TIME_S, Course, World, simulate
from autoscaler.backtest.yardstick import ready_after, start_up_steps


def run(
    counts: list[int],
    *,
    loads: list[float] | None = None,
    begin: int = 2,
    per_replica: float = 10.0,
    start_up_s: float = 120.0,
    **world: object,
) -> tuple[Course, Script]:
    script = Script(begin, counts)
    series = trace([10.0] * len(counts) if loads is None else loads)
    return simulate(series, World(per_replica, start_up_s, **world), script), script  # type: ignore[arg-type]  # tests pass known fields


@pytest.mark.parametrize(
    ("start_up_s", "ready"),
    [
        pytest.param(0.0, [2, 5, 5, 5, 5], id="at once: from the next step"),
        pytest.param(60.0, [2, 5, 5, 5, 5], id="one step"),
        pytest.param(61.0, [2, 2, 5, 5, 5], id="a step begun counts whole"),
        pytest.param(120.0, [2, 2, 5, 5, 5], id="two steps"),
        pytest.param(180.0, [2, 2, 2, 5, 5], id="three steps"),
    ],
)
def test_a_pod_is_ready_at_the_first_step_after_its_start_up(start_up_s: float, ready: list[int]) -> None:
    course, _ = run([5] * 5, start_up_s=start_up_s)
    assert course.ready.tolist() == ready
    assert course.desired.tolist() == [5] * 5


@pytest.mark.parametrize(
    ("counts", "ready"),
    [
        pytest.param([1, 1, 1], [4, 1, 1], id="ready pods are gone at the next step, not at this one"),
        pytest.param([6, 5, 5, 5], [4, 4, 5, 5], id="the youngest of those starting goes first"),
        pytest.param([6, 4, 6, 6, 6], [4, 4, 4, 4, 6], id="a pod asked for again starts anew"),
        pytest.param([5, 7, 6, 6, 6], [4, 4, 5, 6, 6], id="the older cohort stays on its way"),
        pytest.param([5, 3, 3, 3, 3], [4, 4, 3, 3, 3], id="ready ones only after all that are starting"),
        pytest.param([0, 0, 2, 2, 2], [4, 0, 0, 0, 2], id="from zero and back"),
    ],
)
def test_removal_takes_the_youngest_first(counts: list[int], ready: list[int]) -> None:
    course, _ = run(counts, begin=4)
    assert course.ready.tolist() == ready


def test_a_policy_sees_what_is_asked_for_ready_and_starting() -> None:
    _, script = run([5, 5, 5, 5])
    assert [moment.asked for moment in script.seen] == [2, 5, 5, 5]
    assert [moment.ready for moment in script.seen] == [2, 2, 5, 5]
    assert [moment.oldest_starting_s for moment in script.seen] == [0.0, 60.0, 0.0, 0.0]
    assert [moment.now_s for moment in script.seen] == [MONDAY_S + 60.0 * step for step in range(4)]


def test_with_metric_lag_everything_seen_is_late_but_counts_are_not() -> None:
    loads = [10.0, 20.0, 30.0, 40.0]
    course, script = run([2, 4, 4, 4], loads=loads, start_up_s=60.0, metric_lag_s=90.0)
    assert [moment.load for moment in script.seen] == [10.0, 10.0, 10.0, 20.0]  # 90 s are two steps
    assert [moment.utilization for moment in script.seen] == [50.0, 50.0, 50.0, 100.0]
    assert [moment.ready for moment in script.seen] == [2, 2, 4, 4]
    assert [moment.latency_s for moment in script.seen][3] == course.latency_s[1]


def test_a_gap_in_the_load_is_not_zero() -> None:
    course, script = run([2] * 4, loads=[30.0, math.nan, math.nan, 5.0])
    assert script.first_load == 30.0
    for moment in script.seen[1:3]:
        assert math.isnan(moment.load)
        assert math.isnan(moment.utilization)
        assert math.isnan(moment.latency_s)
    assert course.backlog.tolist() == [10.0, 10.0, 10.0, 0.0]  # what waits goes on waiting, unserved


def test_the_first_load_is_the_first_that_is_known() -> None:
    assert run([1, 1, 1], loads=[math.nan, 7.0, 9.0])[1].first_load == 7.0
    assert run([1, 1], loads=[math.nan, math.nan])[1].first_load == 0.0


def test_the_queue_fills_with_what_is_not_served_and_drains_with_what_is_spare() -> None:
    course, script = run([2, 3, 3, 3, 3], loads=[20.0, 35.0, 35.0, 10.0, 10.0], start_up_s=60.0)
    assert course.ready.tolist() == [2, 2, 3, 3, 3]
    assert course.backlog.tolist() == [0.0, 15.0, 20.0, 0.0, 0.0]
    assert [moment.backlog for moment in script.seen] == course.backlog.tolist()
    assert [moment.utilization for moment in script.seen] == pytest.approx(
        [100, 175, 350 / 3, 100 / 3, 100 / 3]
    )


def test_latency_rises_with_utilisation_and_waits_for_the_backlog() -> None:
    course, _ = run([2] * 6, loads=[0.0, 10.0, 16.0, 19.0, 20.0, 40.0])
    assert course.latency_s[0] == SERVICE_TIME_S
    assert (np.diff(course.latency_s) > 0).all()
    # One pod at half its capacity: rho ** (sqrt(4) - 1) / (1 - rho) = 1 service time of waiting.
    alone, _ = run([1], loads=[5.0], begin=1)
    assert alone.latency_s[0] == pytest.approx(2 * SERVICE_TIME_S)
    # A load of 20 above a capacity of 20 leaves 20 waiting: one step of 60 s at full capacity.
    assert course.latency_s[5] - course.latency_s[4] == pytest.approx(60.0)


def test_without_pods_a_load_waits_for_ever_and_no_load_does_not() -> None:
    course, script = run([0, 0, 0], loads=[5.0, 0.0, 5.0], begin=0)
    assert course.latency_s.tolist() == [math.inf, SERVICE_TIME_S, math.inf]
    assert course.backlog.tolist() == [5.0, 5.0, 10.0]
    assert all(math.isnan(moment.utilization) for moment in script.seen)


def test_drawn_start_up_times_come_from_the_samples_and_repeat_with_their_seed() -> None:
    counts = [52] * 12

    def ready(seed: int) -> list[int]:
        course, _ = run(counts, start_up_samples_s=(60.0, 300.0), seed=seed)
        return course.ready.tolist()

    first = ready(1)
    assert first == ready(1)
    assert first != ready(2)
    assert 2 < first[1] < 52  # some after one step, the others after five, none in between
    assert first[1:5] == [first[1]] * 4
    assert first[5:] == [52] * 7


counts_over_time = st.lists(st.integers(0, 30), min_size=1, max_size=60)


@given(counts_over_time, st.sampled_from([0.0, 60.0, 90.0, 300.0]), st.integers(0, 30))
def test_ready_pods_never_exceed_what_was_asked_for_and_never_come_early(
    counts: list[int], start_up_s: float, begin: int
) -> None:
    course, script = run(counts, begin=begin, start_up_s=start_up_s)
    lead = max(1, start_up_steps(start_up_s, 60.0))
    asked_before = [begin, *counts[:-1]]
    assert [moment.asked for moment in script.seen] == asked_before
    assert (course.ready <= asked_before).all()
    # The yardstick's simpler rule: least asked for over the lead time. It removes within the step, so
    # its answer for the step before is what is ready now.
    simple = ready_after(np.array([begin] * lead + counts), lead - 1)[lead - 1 : -1]
    assert course.ready.tolist() == simple.tolist()


@given(counts_over_time)
def test_load_is_conserved(counts: list[int]) -> None:
    loads = [float(7 * (index % 11)) for index in range(len(counts))]
    course, _ = run(counts, loads=loads, per_replica=3.0)
    served = np.cumsum(loads) - course.backlog
    assert (np.diff(served, prepend=0.0) >= -1e-9).all()
    assert (np.diff(served, prepend=0.0) <= course.ready * 3.0 + 1e-9).all()
