"""What an earlier occasion lets expect of one to come."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autoscaler.forecasting.compile import compile_settings
from autoscaler.forecasting.forecaster import Interval, Repeat
from autoscaler.forecasting.known.occasions import Occasion, at_least, known_load, known_peaks
from autoscaler.series import Floats, Series
from autoscaler.spec import PredictiveAutoscaler

DAY_S = 86_400
EARLIER_S, START_S = 10 * DAY_S, 20 * DAY_S
LAUNCH = Repeat("launch", START_S, START_S + 1800, EARLIER_S, 1.5)


def recorded(values: list[float] | Floats, start_s: int = EARLIER_S) -> Series:
    return Series("", start_s, 300, np.asarray(values, np.float64))


def times(*minutes: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([START_S + 60 * minute for minute in minutes], np.int64)


def test_the_load_as_long_after_the_beginning_comes_again_times_the_factor() -> None:
    occasion = Occasion.of(LAUNCH, recorded([10.0, 20.0, 30.0, 40.0, 50.0, 60.0]))
    assert occasion.at(times(0, 5, 9, 29)).tolist() == [15.0, 30.0, 30.0, 90.0]
    assert occasion.lacking == ""


def test_outside_of_the_occasion_nothing_is_known() -> None:
    occasion = Occasion.of(LAUNCH, recorded([10.0] * 6))
    assert np.isnan(occasion.at(times(-1, 30, 1000))).all()


def test_what_came_before_and_after_the_earlier_occasion_has_no_part_in_it() -> None:
    around = np.full(12, 1e9)
    around[3:9] = 10.0
    occasion = Occasion.of(LAUNCH, recorded(around, EARLIER_S - 900))
    assert occasion.course.tolist() == [15.0] * 6


@pytest.mark.parametrize(
    ("values", "start_s", "told"),
    [
        pytest.param(
            [10.0] * 6, EARLIER_S - DAY_S, "nothing of the load from 1970-01-11T00:00Z", id="elsewhere"
        ),
        pytest.param([math.nan] * 6, EARLIER_S, "event launch: nothing", id="a gap"),
        pytest.param([-1.0] * 6, EARLIER_S, "event launch: nothing", id="no load at all"),
        pytest.param([10.0] * 3, EARLIER_S, "event launch: 50%", id="the beginning alone"),
    ],
)
def test_what_was_not_recorded_is_unknown_and_named(values: list[float], start_s: int, told: str) -> None:
    occasion = Occasion.of(LAUNCH, recorded(values, start_s))
    assert told in occasion.lacking
    assert np.isnan(occasion.at(times(29)))[0]


def test_a_short_gap_is_bridged() -> None:
    occasion = Occasion.of(LAUNCH, recorded([10.0, math.nan, 30.0, 30.0, 30.0, 30.0]))
    assert occasion.at(times(5)).tolist() == [30.0]


def test_of_two_occasions_the_larger_counts_and_one_alone_is_enough() -> None:
    night = Repeat("night", START_S - 600, START_S + 600, EARLIER_S, 1.0)
    both = [Occasion.of(LAUNCH, recorded([10.0] * 6)), Occasion.of(night, recorded([40.0, 40.0, 1.0, 1.0]))]
    np.testing.assert_array_equal(known_load(both, times(-5, 0, 15, 60)), [40.0, 15.0, 15.0, math.nan])


def test_the_peak_over_the_lead_time_is_known_before_the_occasion_begins() -> None:
    load = recorded(np.ones(6), START_S - 900)
    found = known_peaks([Occasion.of(LAUNCH, recorded([10.0, 20.0, 30.0, 40.0, 50.0, 60.0]))], load, 2)
    np.testing.assert_array_equal(found, [math.nan, 15.0, 30.0, 45.0, 60.0, 75.0])


def test_without_occasions_nothing_is_known() -> None:
    assert np.isnan(known_peaks([], recorded(np.ones(4)), 3)).tolist() == [True] * 4


@pytest.mark.parametrize(
    ("peak", "known", "raised"),
    [
        (5.0, 3.0, 5.0),
        (3.0, 5.0, 5.0),
        (math.nan, 5.0, 5.0),
        (5.0, math.nan, 5.0),
        (math.nan, math.nan, math.nan),
    ],
)
def test_a_forecast_is_only_ever_raised(peak: float, known: float, raised: float) -> None:
    assert at_least(peak, known) == pytest.approx(raised, nan_ok=True)


def test_an_event_that_is_like_another_is_left_out_of_learning_and_one_that_is_not_stays_in() -> None:
    when = {"start": "2026-11-27T00:00:00Z", "end": "2026-11-28T00:00:00Z"}
    document = {
        "apiVersion": "predictive-autoscaler.dev/v1alpha1",
        "kind": "PredictiveAutoscaler",
        "metadata": {"name": "checkout"},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "checkout"},
            "maxReplicas": 60,
            "load": {"query": "up", "perReplica": 120},
            "events": [
                {"name": "sale", **when, "minReplicas": 3},
                {"name": "launch", **when, "like": {"start": "2025-11-28T00:00:00Z", "factor": "1.3"}},
            ],
        },
    }
    settings = compile_settings(PredictiveAutoscaler.model_validate(document), 3)
    start_s, end_s = 1_795_737_600.0, 1_795_824_000.0
    assert settings.events == (Interval(start_s, end_s, "sale"),)
    assert settings.excluded == (Interval(start_s, end_s, "launch"),)
    assert settings.repeats == (Repeat("launch", start_s, end_s, 1_764_288_000.0, 1.3),)
