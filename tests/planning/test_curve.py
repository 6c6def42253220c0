"""What each place of the dial would have cost and left: replayed as decisions ask, and monotone by nature."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoscaler.planning.curve import LADDER, Stated, Terms, curve_of, replayed_steps
from autoscaler.planning.policy import Policy
from autoscaler.series import Floats
from autoscaler.trailing import trailing

STEP_S, DAY = 60, 1440
LEVELS = np.array([0.5, 0.8, 0.95, 0.995])
TERMS = Terms(per_replica=10.0, least=1, most=1000, spare=1.0, lead_s=120.0, hold_s=300.0)
HIGHEST_PLAIN = max(rung for rung, place in enumerate(LADDER) if place.headroom == 1.0)


def stated(loads: Floats, peaks: Floats | None = None, limits: Floats | None = None) -> Stated:
    """Forecasts of a load; without any given, its level at each quantile."""
    made = np.outer(loads, [1.0, 1.2, 1.5, 2.0]) if peaks is None else peaks
    free = np.full(len(loads), np.inf) if limits is None else limits
    return Stated(loads, made, free, LEVELS, STEP_S, float(STEP_S * len(loads)))


def test_a_constant_load_costs_what_the_quantile_of_the_forecast_asks_for() -> None:
    curve = curve_of(stated(np.full(2 * DAY, 100.0)), TERMS)
    assert curve is not None and curve.days == pytest.approx(2.0, abs=0.001)
    by_place = dict(zip(map(str, LADDER), curve.replica_hours, strict=True))
    assert (by_place["p50"], by_place["p80"], by_place["p95"]) == (10 * 24, 12 * 24, 15 * 24)
    assert (by_place["p99.5"], by_place["p99.5 x 1.5"]) == (20 * 24, 30 * 24)
    assert set(curve.unserved) == set(curve.short_minutes) == {0.0}


def test_what_is_asked_for_serves_a_lead_time_later() -> None:
    loads = np.full(DAY + 1, 100.0)
    loads[1000:] = 150.0
    blind = stated(loads, np.outer(np.full(len(loads), 100.0), np.ones(4)))
    curve = curve_of(blind, TERMS)
    assert curve is not None
    # Seen at step 1000, ready at 1002: two steps short by 50 each, as long as nothing is multiplied.
    assert curve.unserved[0] == pytest.approx(2 * 50.0 / loads.sum())
    assert curve.short_minutes[0] == pytest.approx(2 / len(loads) * 7 * DAY)
    assert curve.unserved[-1] == 0.0, "with half as much again there is enough"


@pytest.mark.parametrize(
    ("terms", "replicas"),
    [
        ({"least": 25}, 25),
        ({"most": 7}, 7),
        ({"spare": 1.5}, 15),
        ({"per_replica": 30.0}, 4),
    ],
    ids=lambda value: str(value),
)
def test_bounds_zones_and_capacity_are_those_of_the_policy(terms: dict[str, float], replicas: int) -> None:
    curve = curve_of(stated(np.full(2 * DAY, 100.0)), replace(TERMS, **terms))
    assert curve is not None and curve.replica_hours[0] == replicas * 24


def test_forecasts_that_were_limited_are_replayed_as_far_as_they_were_followed() -> None:
    loads = np.full(2 * DAY, 100.0)
    some = curve_of(stated(loads, limits=np.full(len(loads), 123.0)), TERMS)
    none = curve_of(stated(loads, limits=np.full(len(loads), np.nan)), TERMS)
    assert some is not None and none is not None
    assert some.replica_hours[-1] == 13 * 24
    assert set(none.replica_hours) == {10 * 24}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (stated(np.full(DAY - 1, 100.0)), "less than a day"),
        (stated(np.full(2 * DAY, np.nan)), "no load is known"),
        (stated(np.zeros(2 * DAY)), "no load came"),
        (stated(np.full(2 * DAY, 100.0), np.full((2 * DAY, 4), np.nan)), "nothing was forecast"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_there_is_no_curve_without_a_day_of_forecasts(given: Stated, why: str) -> None:
    assert curve_of(given, TERMS) is None, why


def test_there_is_no_curve_while_the_capacity_is_not_known() -> None:
    unknown = Terms.of(Policy("x", 1, 10, float("nan")))
    assert curve_of(stated(np.full(2 * DAY, 100.0)), unknown) is None


def test_an_unknown_load_is_neither_served_nor_short() -> None:
    loads = np.full(2 * DAY, 100.0)
    loads[500:900] = np.nan
    curve = curve_of(stated(loads), TERMS)
    assert curve is not None
    assert curve.unserved[0] == 0.0
    assert curve.replica_hours[0] == 10 * 24, "the count stands meanwhile"


def test_what_lies_further_back_than_a_week_changes_nothing() -> None:
    loads = np.random.default_rng(3).uniform(50.0, 150.0, 9 * DAY)
    older = loads.copy()
    older[: -replayed_steps(STEP_S)] = 1e9
    assert curve_of(stated(loads), TERMS) == curve_of(stated(older), TERMS)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 0.3), st.sampled_from([15.0, 120.0, 600.0]))
def test_a_safer_place_costs_no_less_and_leaves_no_more(seed: int, unknown: float, lead_s: float) -> None:
    random = np.random.default_rng(seed)
    loads = random.gamma(2.0, 50.0, 2 * DAY)
    peaks = np.sort(random.gamma(2.0, 60.0, (len(loads), 4)), axis=1)
    loads[random.random(len(loads)) < unknown] = np.nan
    peaks[random.random(len(loads)) < unknown] = np.nan
    limits = np.where(random.random(len(loads)) < unknown, 80.0, np.inf)
    curve = curve_of(stated(loads, peaks, limits), replace(TERMS, lead_s=lead_s))
    assert curve is not None
    assert list(curve.replica_hours) == sorted(curve.replica_hours)
    assert list(curve.unserved) == sorted(curve.unserved, reverse=True)
    assert list(curve.short_minutes) == sorted(curve.short_minutes, reverse=True)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=40), st.integers(1, 50))
def test_a_trailing_extreme_is_that_of_the_last_values(values: list[int], width: int) -> None:
    found = trailing(np.maximum, np.array(values, np.float64), width).tolist()
    assert found == [max(values[max(0, at - width + 1) : at + 1]) for at in range(len(values))]
