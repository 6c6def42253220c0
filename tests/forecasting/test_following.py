"""The follower's peak: what the front saw, then what is forecast of it, no surer than the relation is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autoscaler.forecasting.related.following import followed, reach
from autoscaler.forecasting.related.relation import Relation
from autoscaler.series import Floats

LEVELS = np.array([0.1, 0.5, 0.9])
STEP_S, WIDTH, HORIZON = 60, 70, 6
EXACT = Relation(
    lag=3, ratio=0.5, fixed=np.nan, strength=0.9, errors=np.zeros(3), step_errors=np.zeros(3), tolerance=0.2,
    own_base=1e-9, front_base=1e-9,
)  # fmt: skip


def told(relation: Relation | None, own: Floats, front: Floats, forecast: Floats) -> Floats:
    return followed([relation], own[np.newaxis], front[np.newaxis], forecast[np.newaxis], LEVELS, STEP_S)[0]


def steady(level: float) -> Floats:
    return np.full(WIDTH, level)


def fan(low: float, middle: float, high: float) -> Floats:
    return np.tile([low, middle, high], (HORIZON, 1))


def test_what_the_front_saw_comes_a_lag_later_and_then_what_is_forecast_of_it() -> None:
    front = steady(100.0)
    front[-2:] = 160.0, 120.0
    peaks = told(EXACT, steady(50.0), front, np.maximum.accumulate(fan(90.0, 200.0, 400.0)))
    # The step that is three old, the two newest, then the forecast.
    np.testing.assert_allclose(peaks[:, 1], [50.0, 80.0, 80.0, 100.0, 100.0, 100.0], rtol=0.05)
    np.testing.assert_allclose(peaks[2], [80.0, 80.0, 80.0], rtol=0.05)
    np.testing.assert_allclose(peaks[3] / peaks[3, 1], [0.8, 1.0, 2.0], rtol=0.05)


def test_of_single_steps_each_is_what_the_front_saw_a_lag_before() -> None:
    front = steady(100.0)
    front[-2:] = 160.0, 120.0
    loads = followed(
        [EXACT], steady(50.0)[np.newaxis], front[np.newaxis], fan(90.0, 110.0, 400.0)[np.newaxis], LEVELS,
        STEP_S, single=True,
    )[0]  # fmt: skip
    np.testing.assert_allclose(loads[:, 1], [50.0, 80.0, 60.0, 55.0, 55.0, 55.0], rtol=0.05)


def test_the_ratio_is_that_of_the_last_hour() -> None:
    peaks = told(EXACT, steady(80.0), steady(100.0), fan(100.0, 100.0, 100.0))
    np.testing.assert_allclose(peaks, 80.0)


def test_a_fixed_ratio_does_not_drift() -> None:
    fixed = replace(EXACT, fixed=0.5, tolerance=1.0)
    np.testing.assert_allclose(told(fixed, steady(80.0), steady(100.0), fan(100.0, 100.0, 100.0)), 50.0)


def test_spreads_add_up_in_squares() -> None:
    unsure = replace(EXACT, errors=np.log([0.8, 1.0, 1.25]))
    peaks = told(unsure, steady(50.0), steady(100.0), fan(100.0, 100.0, 150.0))
    np.testing.assert_allclose(peaks[0], [40.0, 50.0, 62.5])
    both = np.exp(np.hypot(np.log(1.25), np.log(1.5)))
    np.testing.assert_allclose(peaks[-1], [40.0, 50.0, 50.0 * both])


def test_a_ratio_that_is_changing_is_not_believed() -> None:
    own = steady(50.0)
    own[-15:] = 75.0
    assert np.isnan(told(EXACT, own, steady(100.0), fan(100.0, 100.0, 100.0))).all()
    # An hour later it is the new ratio.
    np.testing.assert_allclose(told(EXACT, steady(75.0), steady(100.0), fan(100.0, 100.0, 100.0)), 75.0)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_step_of_the_front_that_is_not_known_leaves_the_peak_unknown_from_there_on(steps: int) -> None:
    front = steady(100.0)
    front[-4 + steps] = np.nan
    peaks = told(EXACT, steady(50.0), front, fan(100.0, 100.0, 100.0))
    known = np.isfinite(peaks).all(axis=1)
    assert known.tolist() == [ahead < steps for ahead in range(1, HORIZON + 1)]


def test_beyond_the_forecast_of_the_front_nothing_is_said() -> None:
    forecast = fan(100.0, 100.0, 100.0)
    forecast[1:] = np.nan
    known = np.isfinite(told(EXACT, steady(50.0), steady(100.0), forecast)).all(axis=1)
    assert known.tolist() == [True] * 4 + [False] * 2


def test_without_a_relation_nothing_is_said_and_others_are_not_disturbed() -> None:
    own, front = np.tile(steady(50.0), (3, 1)), np.tile(steady(100.0), (3, 1))
    both = followed(
        [None, EXACT, None], own, front, np.tile(fan(90.0, 100.0, 120.0), (3, 1, 1)), LEVELS, STEP_S
    )
    assert np.isnan(both[[0, 2]]).all()
    np.testing.assert_array_equal(both[1], told(EXACT, own[0], front[0], fan(90.0, 100.0, 120.0)))


def test_what_reaches_back_far_enough_is_enough() -> None:
    relation = replace(EXACT, lag=15)
    width = reach(900.0, STEP_S)
    front = np.linspace(50, 100, 400)
    long, short = (
        told(relation, 0.5 * front[-steps:], front[-steps:], fan(100.0, 100.0, 100.0))
        for steps in (400, width)
    )
    np.testing.assert_array_equal(long, short)


_LOADS = hnp.arrays(
    np.float64, WIDTH, elements=st.one_of(st.just(np.nan), st.just(0.0), st.floats(0.0, 1e12))
)
_FANS = hnp.arrays(np.float64, (HORIZON, 3), elements=st.floats(0.0, 1e12)).map(
    lambda fan: np.maximum.accumulate(np.sort(fan, axis=1), axis=0)
)


@given(own=_LOADS, front=_LOADS, forecast=_FANS, lag=st.integers(0, 10), ratio=st.floats(1e-3, 1e3))
def test_peaks_rise_with_level_and_steps_and_are_never_negative(
    own: Floats, front: Floats, forecast: Floats, lag: int, ratio: float
) -> None:
    relation = replace(EXACT, lag=lag, fixed=ratio, errors=np.array([-0.3, 0.1, 0.4]), tolerance=50.0)
    peaks = told(relation, own, front, forecast)
    known = np.isfinite(peaks).all(axis=1)
    assert known.tolist() == sorted(known.tolist(), reverse=True)  # known up to a step, and none beyond
    assert np.isnan(peaks[~known]).all()
    assert (peaks[known] >= 0).all()
    assert (np.diff(peaks[known], axis=0) >= 0).all()
    assert (np.diff(peaks[known], axis=1) >= -1e-6 * (1 + peaks[known][:, 1:])).all()
