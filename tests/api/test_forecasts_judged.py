"""Forecasts held against what came."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from filled_store import END_S
from hypothesis import given
from hypothesis import strategies as st
from made_up_load import STEP_S, MadeUpLoad, made_up_load

from autoscaler.api.judging import judged
from autoscaler.api.stated import StatedPeak, stated_before
from autoscaler.controller.telling.forecast_record import forecast_made
from autoscaler.store.rows import ForecastMade, Observed

WORKLOAD = "shop/checkout"


def forecast(
    made_at_s: float, peaks: list[Any], levels: tuple[float, ...] = (0.5, 0.95), **more: Any
) -> StatedPeak:
    """Of two steps of a minute, which are the lead time, with those quantiles of the peak."""
    payload = {
        "stepSeconds": 60,
        "leadSteps": 2,
        "levels": list(levels),
        "values": [peaks, peaks],
        "peaks": [[1.0] * len(levels), peaks],
        **more,
    }
    return StatedPeak.of(ForecastMade(WORKLOAD, made_at_s, payload))


def observed(at_s: float, load: float) -> Observed:
    return Observed(WORKLOAD, at_s, load, 3, 4)


def test_a_forecast_is_read_as_the_operator_keeps_it() -> None:
    load = made_up_load(0.0, 60, 900.0, np.random.default_rng(1))
    made = StatedPeak.of(forecast_made(WORKLOAD, load.fan(10, 3), 0.95))
    assert (made.made_at_s, made.lead_s, made.due_s) == (600.0, 180.0, 780.0)
    assert made.levels == (0.05, 0.5, 0.9, 0.95, 0.99)
    assert made.at(0.95) == pytest.approx(float(load.fan(10, 3).peaks[2, 6]), rel=1e-3)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param({"peaks": [[None, None]]}, id="numbers that are not known"),
        pytest.param({"peaks": []}, id="no numbers"),
        pytest.param({"leadSteps": 3}, id="a lead time it does not reach"),
        pytest.param({"leadSteps": None}, id="no lead time"),
    ],
)
def test_a_forecast_of_nothing_states_nothing(payload: dict[str, Any]) -> None:
    told = {"stepSeconds": 60, "leadSteps": 1, "levels": [0.5, 0.95], "peaks": [[1.0, 2.0]], **payload}
    stated = StatedPeak.of(ForecastMade(WORKLOAD, 0.0, told))
    assert stated.levels == () and math.isnan(stated.at(0.95))
    assert StatedPeak.of(ForecastMade(WORKLOAD, 0.0, {})).levels == ()


def test_a_quantile_between_levels_lies_between_them() -> None:
    assert forecast(0.0, [100.0, 190.0]).at(0.725) == pytest.approx(145.0)
    assert forecast(0.0, [100.0, 190.0]).at(0.999) == 190.0
    assert forecast(0.0, [100.0, 190.0]).at(0.1) == 100.0
    assert forecast(0.0, [100.0, 190.0]).at(0.5) == 100.0


def test_each_moment_shows_what_was_stated_one_lead_time_before() -> None:
    forecasts = [forecast(0.0, [10.0, 20.0]), forecast(300.0, [30.0, 40.0])]
    times_s = np.array([60, 120, 300, 420, 1319, 1320])
    p50, p95 = stated_before(times_s, forecasts, (0.5, 0.95))
    assert np.nan_to_num(p50, nan=-1).tolist() == [-1, 10.0, 10.0, 30.0, 30.0, -1]
    assert np.nan_to_num(p95, nan=-1).tolist() == [-1, 20.0, 20.0, 40.0, 40.0, -1]


def test_without_forecasts_nothing_was_stated() -> None:
    assert np.isnan(stated_before(np.array([60, 120]), [], (0.5, 0.95))).all()


def test_forecasts_of_another_lead_time_are_put_in_the_order_in_which_they_fall_due() -> None:
    longer = forecast(0.0, [10.0, 20.0], stepSeconds=300)
    shorter = forecast(300.0, [30.0, 40.0])
    (p50,) = stated_before(np.array([420, 600]), [longer, shorter], (0.5,))
    assert p50.tolist() == [30.0, 10.0]


@given(st.lists(st.floats(1, 1e6), min_size=2, max_size=8).map(sorted), st.floats(0, 1))
def test_quantiles_rise_with_their_level(quantiles: list[float], level: float) -> None:
    levels = tuple((at + 1) / (len(quantiles) + 1) for at in range(len(quantiles)))
    stated = StatedPeak(0.0, 60.0, levels, tuple(quantiles))
    assert stated.at(level) == pytest.approx(float(np.interp(level, levels, quantiles)))


def every_minute(loads: list[float], from_s: float = 0.0) -> list[Observed]:
    return [observed(from_s + 60.0 * number, load) for number, load in enumerate(loads)]


def test_the_peak_within_the_lead_time_is_what_counts() -> None:
    found = judged([forecast(0.0, [100.0, 120.0])], every_minute([500.0, 90.0, 110.0, 700.0]), now_s=1000.0)
    assert found.judged == 1
    assert found.coverage == {0.5: 0.0, 0.95: 1.0}
    assert found.wape == pytest.approx(10 / 110)
    assert found.bias == pytest.approx(-10 / 110)
    assert found.pinball == pytest.approx((0.5 * 10 + 0.05 * 10) / 2)


@pytest.mark.parametrize(
    ("seen", "now_s"),
    [
        pytest.param(every_minute([1.0, 90.0, 110.0]), 119.0, id="its lead time is not over"),
        pytest.param([], 1000.0, id="nothing was seen"),
        pytest.param(every_minute([1.0, 90.0, math.nan]), 1000.0, id="a load is unknown"),
    ],
)
def test_what_cannot_be_known_is_not_judged(seen: list[Observed], now_s: float) -> None:
    found = judged([forecast(0.0, [100.0, 120.0])], seen, now_s)
    assert found.judged == 0
    assert math.isnan(found.wape) and math.isnan(found.coverage[0.95])


def test_a_hole_in_what_was_seen_may_have_held_the_peak() -> None:
    long = forecast(0.0, [100.0, 120.0], leadSteps=2, stepSeconds=300)
    whole = every_minute([50.0] * 11)
    assert judged([long], whole, 1000.0).judged == 1
    assert judged([long], whole[:3] + whole[7:], 1000.0).judged == 0


def test_a_level_is_judged_by_the_forecasts_that_stated_it() -> None:
    older, newer = forecast(0.0, [1.0, 40.0, 60.0], (0.1, 0.5, 0.9)), forecast(60.0, [60.0, 120.0])
    found = judged([older, newer], every_minute([50.0] * 10), 1000.0)
    assert found.judged == 2
    assert found.coverage == {0.1: 0.0, 0.5: 0.5, 0.9: 1.0, 0.95: 1.0}
    assert (found.wape, found.bias) == (0.2, 0.0)
    # By level: 0.1 * 49; the median is 10 off either way; 0.1 * 10; 0.05 * 70.
    assert found.pinball == pytest.approx((4.9 + 5.0 + 1.0 + 3.5) / 4)


def test_without_a_forecast_there_is_nothing_to_judge() -> None:
    assert judged([], [], 0.0).judged == 0


def test_calibrated_forecasts_are_found_to_be_calibrated() -> None:
    minutes = 3 * 1440
    load: MadeUpLoad = made_up_load(END_S - minutes * STEP_S, minutes, 900.0, np.random.default_rng(5))
    forecasts = [
        StatedPeak.of(forecast_made(WORKLOAD, load.fan(minute, 3), 0.95))
        for minute in range(0, minutes - 10, 5)
    ]
    seen = every_minute(load.values.tolist(), load.start_s)
    found = judged(forecasts, seen, END_S)
    assert found.judged == len(forecasts)
    for level, share in found.coverage.items():
        assert share == pytest.approx(level, abs=0.05)
    assert found.wape < 0.05
