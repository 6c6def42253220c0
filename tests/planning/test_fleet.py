"""Simulated pods: when they become ready, and which of them go first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from autoscaler.planning.fleet import Fleet


def test_a_pod_is_ready_when_its_start_up_is_over_and_not_before() -> None:
    fleet = Fleet(2, 2).grown(((0.0, 180.0, 3),))
    assert (fleet.asked, fleet.ready) == (5, 2)
    assert fleet.at(179.9).ready == 2
    assert fleet.at(180.0) == Fleet(5, 5)


def test_the_youngest_go_first_and_those_that_serve_go_last() -> None:
    fleet = Fleet(2, 2).grown(((0.0, 60.0, 2),)).grown(((10.0, 70.0, 2),))
    assert fleet.shrunk(5) == Fleet(5, 2, ((0.0, 60.0, 2), (10.0, 70.0, 1)))
    assert fleet.shrunk(3) == Fleet(3, 2, ((0.0, 60.0, 1),))
    assert fleet.shrunk(1) == Fleet(1, 1)


def test_how_long_the_oldest_has_been_starting() -> None:
    assert Fleet(1, 1).oldest_starting_s(50.0) == 0.0
    assert Fleet(1, 1).grown(((10.0, 90.0, 1),)).oldest_starting_s(50.0) == 40.0


@given(st.lists(st.tuples(st.integers(0, 30), st.sampled_from([0.0, 15.0, 200.0])), max_size=30))
def test_what_was_asked_for_is_ready_or_on_its_way(steps: list[tuple[int, float]]) -> None:
    fleet, now_s = Fleet(3, 3), 0.0
    for count, pause_s in steps:
        now_s += pause_s
        fleet = fleet.at(now_s)
        missing = count - fleet.asked
        fleet = fleet.grown(((now_s, now_s + 100.0, missing),)) if missing > 0 else fleet.shrunk(count)
        assert fleet.asked == count == fleet.ready + sum(pods for _, _, pods in fleet.starting)
        assert all(pods > 0 and ready_s > now_s for _, ready_s, pods in fleet.starting)
