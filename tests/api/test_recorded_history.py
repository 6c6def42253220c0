"""Observations at any second become rows of a regular grid."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.api.recorded import Grid, fitting_step_s, grid, needed, on_grid
from autoscaler.store.rows import HourObserved, Observed

MINUTE = 60
DAY_S = 86_400.0
NOW_S = 1_795_802_400.0


def observed(at_s: float, load: float = 100.0, ready: int | None = 3, asked: int = 4) -> Observed:
    return Observed("shop/checkout", at_s, load, ready, asked)


def numbers(values: np.ndarray) -> list[float | None]:  # type: ignore[type-arg]  # of any numbers
    return [None if math.isnan(value) else value for value in values.tolist()]


def test_a_grid_begins_at_multiples_of_its_step_within_the_range() -> None:
    assert grid(119.0, 300.0, MINUTE) == Grid(120, MINUTE, 3)
    assert grid(120.0, 301.0, MINUTE) == Grid(120, MINUTE, 4)
    assert grid(121.0, 130.0, MINUTE).count == 0


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0, 1e6), st.integers(1, 10_000))
def test_ranges_that_meet_share_no_row_and_leave_none_out(a: float, b: float, c: float, step_s: int) -> None:
    a, b, c = sorted((a, b, c))
    parts = [*grid(a, b, step_s).times_s, *grid(b, c, step_s).times_s]
    assert parts == list(grid(a, c, step_s).times_s)


def test_a_step_shows_mean_load_fewest_ready_and_most_asked() -> None:
    steps = Grid(0, 300, 1)
    seen = on_grid(
        steps, [observed(10.0, 100.0, 3, 4), observed(70.0, 200.0, 5, 6), observed(130.0, 600.0, 4, 5)]
    )
    assert (numbers(seen.load), numbers(seen.ready), numbers(seen.asked)) == ([300.0], [3.0], [6.0])
    assert numbers(seen.peak) == [600.0]


def test_what_lies_outside_is_left_out() -> None:
    seen = on_grid(Grid(600, MINUTE, 2), [observed(599.0, 1.0), observed(600.0, 2.0), observed(720.0, 3.0)])
    assert numbers(seen.load) == [2.0, 2.0]


def test_unknown_numbers_stay_unknown() -> None:
    seen = on_grid(Grid(0, MINUTE, 1), [observed(0.0, math.nan, None, 4)])
    assert (numbers(seen.load), numbers(seen.ready), numbers(seen.asked)) == ([None], [None], [4.0])


def test_one_observation_stands_for_the_two_minutes_after_it_and_no_longer() -> None:
    seen = on_grid(Grid(0, MINUTE, 5), [observed(30.0)])
    assert numbers(seen.load) == [100.0, 100.0, 100.0, None, None]


def test_an_observation_whose_load_is_unknown_hides_the_one_before() -> None:
    seen = on_grid(Grid(0, MINUTE, 3), [observed(30.0), observed(90.0, math.nan, None, 9)])
    assert numbers(seen.load) == [100.0, None, None]
    assert numbers(seen.asked) == [4.0, 9.0, 9.0]


def test_nothing_was_seen_in_a_store_without_rows() -> None:
    assert numbers(on_grid(Grid(0, MINUTE, 3), []).load) == [None] * 3


def test_hours_fill_the_time_whose_observations_are_gone() -> None:
    hour = HourObserved("shop/checkout", 0.0, 60, 50.0, 90.0, 2, 3.5, 5)
    seen = on_grid(Grid(0, 3600, 2), [observed(3700.0)], [hour])
    assert numbers(seen.load) == [50.0, 100.0]
    assert numbers(seen.peak) == [90.0, 100.0]
    assert numbers(seen.ready) == [2.0, 3.0]
    assert numbers(seen.asked) == [5.0, 4.0]


def test_replicas_are_needed_for_the_highest_load() -> None:
    assert numbers(needed(np.array([0.0, 120.0, 120.1, np.nan]), 120.0)) == [0.0, 1.0, 2.0, None]
    assert numbers(needed(np.array([100.0]), math.nan)) == [None]


@pytest.mark.parametrize(
    ("days_ago", "days", "wanted_s", "expected_s"),
    [
        pytest.param(1.0, 1.0, None, 60, id="a day by the minute"),
        pytest.param(7.0, 7.0, None, 300, id="a week by five"),
        pytest.param(1.0, 1.0, 15, 15, id="as wanted"),
        pytest.param(20.0, 1.0, None, 3600, id="hours are all there is of then"),
        pytest.param(20.0, 20.0, 60, 3600, id="hours are all there is of the beginning"),
        pytest.param(20.0, 20.0, 5400, 7200, id="whole hours"),
        pytest.param(400.0, 400.0, None, 14_400, id="a year"),
    ],
)
def test_a_step_fits_the_range(days_ago: float, days: float, wanted_s: int | None, expected_s: int) -> None:
    start_s = NOW_S - days_ago * DAY_S
    hours_until_s = NOW_S - 14 * DAY_S
    assert fitting_step_s(start_s, start_s + days * DAY_S, hours_until_s, wanted_s) == expected_s
