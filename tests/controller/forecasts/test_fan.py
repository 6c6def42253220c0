"""What a fan says for a decision, from its first second to the end of its use."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import replace

import numpy as np
import pytest
from known_source import SOURCE

from autoscaler.controller.forecasts.coverage import Coverage
from autoscaler.controller.forecasts.fan import Fan, as_expected_earlier
from autoscaler.controller.forecasts.request import forecast_request, lead_steps
from autoscaler.controller.forecasts.schedule import Pace, seconds_to_next_fit, seconds_to_retry
from autoscaler.forecasting.forecaster import Interval
from autoscaler.forecasting.related.relation import Follows
from autoscaler.series import Grade
from autoscaler.spec import PredictiveAutoscaler

MADE_S = 1_700_000_040.0
LEVELS = np.array([0.5, 0.9])
STEPS = np.arange(1.0, 11.0)
FAN = Fan(
    made_at_s=MADE_S,
    step_s=60,
    lead=3,
    levels=LEVELS,
    values=np.stack([STEPS, STEPS + 100], axis=1),
    peaks=np.stack([STEPS, STEPS + 100], axis=1),
    expected=np.arange(11.0),
    model="ridge",
    grade=Grade.WEEKLY,
    note="why",
)


def test_what_an_occasion_brings_is_neither_multiplied_nor_limited_and_is_shown() -> None:
    """As in a backtest: headroom and limit are about the model, which knows nothing of the occasion."""
    known = np.full(10, np.nan)
    known[1:4] = 50.0
    fan = replace(FAN, known=known, limit=20.0)
    assert fan.outlook(MADE_S, 60.0, 0.5, headroom=1.5).peak == 1.5
    assert fan.outlook(MADE_S, 180.0, 0.5, headroom=1.5).peak == 50.0
    assert fan.outlook(MADE_S, 180.0, 0.9, headroom=1.5).peak == 50.0
    values, peaks = fan.shown()
    assert values[:5, 0].tolist() == [1.0, 50.0, 50.0, 50.0, 5.0]
    assert peaks[:5, 0].tolist() == [1.0, 50.0, 50.0, 50.0, 50.0]


@pytest.mark.parametrize(
    ("age_s", "steps"),
    [
        (0, 3),
        (5, 3),
        (60, 3),
        (74, 3),
        (75, 4),
        (134, 4),
        (135, 5),
        (400, 9),
        (434, 9),
        (495, None),
        (9999, None),
    ],
)
def test_an_older_fan_is_asked_for_as_many_more_steps_and_never_past_its_horizon(
    age_s: float, steps: int | None
) -> None:
    outlook = FAN.outlook(MADE_S + age_s, 180.0, 0.5)
    assert outlook.age_s == age_s
    assert outlook.model == "ridge"
    if steps is None:
        assert math.isnan(outlook.peak)
        assert "old and reaches 600 s ahead" in outlook.note
    else:
        assert (outlook.peak, outlook.note) == (steps, "why")


@pytest.mark.parametrize(("lead_time_s", "steps"), [(0, 1), (60, 1), (61, 2), (180, 3), (600, 10)])
def test_the_lead_time_is_covered_by_whole_steps(lead_time_s: float, steps: int) -> None:
    assert lead_steps(lead_time_s, 60) == steps
    assert FAN.outlook(MADE_S + 5, lead_time_s, 0.5).peak == steps


@pytest.mark.parametrize(("quantile", "peak"), [(0.1, 3), (0.5, 3), (0.7, 53), (0.9, 103), (0.99, 103)])
def test_between_levels_is_interpolated_and_beyond_them_nothing_is(quantile: float, peak: float) -> None:
    assert FAN.outlook(MADE_S + 5, 180.0, quantile).peak == pytest.approx(peak)


@pytest.mark.parametrize(("age_s", "expected"), [(0, 0), (59, 0), (60, 1), (600, 10), (660, math.nan)])
def test_what_is_expected_is_that_of_the_present_step(age_s: float, expected: float) -> None:
    assert FAN.outlook(MADE_S + age_s, 180.0, 0.5).expected == pytest.approx(expected, nan_ok=True)


def test_a_clock_that_is_behind_makes_a_fan_no_younger_than_new() -> None:
    assert FAN.outlook(MADE_S - 30, 180.0, 0.5).age_s == 0


@pytest.mark.parametrize(
    ("steps", "wanted"),
    [
        (1, [1.0, 2.0, 12.0, 13.0, 14.0]),
        (2, [2.0, 3.0, 12.0, 13.0, 14.0]),
        (4, [4.0, math.nan, 12.0, 13.0, 14.0]),
        (9, [math.nan, math.nan, 12.0, 13.0, 14.0]),
    ],
)
def test_steps_nearer_than_the_lead_keep_what_was_expected_of_them(steps: int, wanted: list[float]) -> None:
    found = as_expected_earlier(np.arange(5.0), steps, 2, np.array([11.0, 12.0, 13.0, 14.0]))
    np.testing.assert_array_equal(found, wanted)


def test_only_peaks_that_are_wholly_known_are_judged() -> None:
    coverage = Coverage(lead=2, step_s=60)
    coverage.state(0, 10.0)
    coverage.state(60, 10.0)
    coverage.state(120, 10.0)
    coverage.state(180, math.nan)
    for now_s, lately in ((120, [9, 10]), (180, [10, math.nan]), (240, [9, 11]), (300, [1, 1])):
        coverage.judge(now_s, np.array(lately, np.float32))
    assert (coverage.share, coverage.judged) == (0.5, 2)


def test_coverage_is_that_of_the_last_day() -> None:
    coverage = Coverage(lead=1, step_s=3600)
    for hour in range(100):
        coverage.state(hour * 3600, 1.0)
        coverage.judge((hour + 1) * 3600, np.array([2.0 if hour < 82 else 1.0], np.float32))
    assert (coverage.share, coverage.judged) == (0.75, 24)


def asked(forecast: dict[str, object] | None = None, **load: object) -> PredictiveAutoscaler:
    spec = {
        "scaleTargetRef": {"kind": "Deployment", "name": "web"},
        "maxReplicas": 60,
        "load": {"query": "sum(rate(x[2m]))", "perReplica": 120} | load,
        "forecast": forecast or {},
    }
    kind = {"apiVersion": "predictive-autoscaler.dev/v1alpha1", "kind": "PredictiveAutoscaler"}
    return PredictiveAutoscaler.model_validate(kind | {"metadata": {"name": "web"}, "spec": spec})


def test_a_request_holds_what_the_resource_says() -> None:
    exclude = [{"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z", "reason": "test"}]
    forecast = {"model": "fourier", "history": "7d", "step": "30s", "quantile": "0.9", "refit": "2h"}
    zone = {"timeZone": "Europe/Berlin", "holidays": "DE", "seasons": ["24h"], "exclude": exclude}
    made = forecast_request("shop/web", asked(forecast=forecast | zone), SOURCE, 100.0)
    assert made is not None
    assert (made.key, made.source, made.query) == ("shop/web", SOURCE, "sum(rate(x[2m]))")
    assert (made.model, made.history_s, made.step_s, made.refit_s) == ("fourier", 7 * 86_400, 30, 7200)
    assert (made.lead, made.settings.horizon, made.width) == (4, 64, 20_160)
    settings = made.settings
    assert (settings.quantile, settings.seasons_s, settings.time_zone) == (0.9, (86_400,), "Europe/Berlin")
    assert settings.holidays == "DE"
    assert settings.excluded == (Interval(1_767_225_600.0, 1_767_312_000.0, "test"),)


def test_a_request_names_the_tier_in_front_beside_it() -> None:
    written = {"name": "front", "ratio": "0.4", "maxLag": "5m"}
    made = forecast_request("shop/web", asked(follows=written), SOURCE, 100.0)
    assert made is not None
    assert made.follows == Follows("front", 0.4, 300.0)
    assert made.beside("front") == "shop/front"
    plain = forecast_request("shop/web", asked(), SOURCE, 100.0)
    assert plain is not None and plain.follows is None


def test_what_is_taken_from_the_tier_in_front_is_told_with_the_outlook() -> None:
    fan = dataclasses.replace(FAN, relation="follows front")
    assert fan.outlook(MADE_S, 180.0, 0.5).note == "follows front; why"
    assert FAN.outlook(MADE_S, 180.0, 0.5).note == "why"


def test_a_resource_without_a_model_asks_for_no_forecast() -> None:
    assert forecast_request("shop/web", asked(forecast={"model": "none"}), SOURCE, 100.0) is None


def test_a_fan_reaches_further_than_the_lead_time_at_any_step() -> None:
    for step, beyond in (("1s", 60), ("1m", 60), ("5m", 12), ("1h", 1)):
        made = forecast_request("shop/web", asked(forecast={"step": step}), SOURCE, 7200.0)
        assert made is not None
        assert made.settings.horizon - made.lead == beyond


def test_another_lead_time_asks_for_the_same_load() -> None:
    one, other = (forecast_request("shop/web", asked(), SOURCE, lead) for lead in (60.0, 600.0))
    assert one is not None
    assert other is not None
    assert one != other
    assert one.same_load(other)
    assert not one.same_load(dataclasses.replace(one, query="up"))


def test_young_histories_are_fitted_sooner_and_old_ones_on_schedule_but_not_all_at_once() -> None:
    waits = [seconds_to_next_fit("shop/web", age_s, 6 * 3600.0, 60) for age_s in (0, 100, 700, 4000)]
    assert waits == [600, 500, 1100, 3 * 3600 - 4000]
    regular = [seconds_to_next_fit(f"shop/w{n}", 30 * 86_400, 6 * 3600.0, 60) for n in range(200)]
    assert 0.8 * 21_600 <= min(regular) < 0.82 * 21_600
    assert 0.98 * 21_600 < max(regular) <= 21_600
    assert seconds_to_next_fit("a/b", 9e9, 60.0, 3600) > 70 * 3600


def test_retries_become_rarer() -> None:
    assert [seconds_to_retry(n) for n in (1, 2, 3, 99)] == [15, 30, 60, 300]


def test_a_pace_allows_a_burst_and_then_its_rate() -> None:
    pace, sent = Pace(per_s=2.0, burst=3.0), []
    for tick in range(40):
        if pace.wait_s(tick / 10) == 0:
            pace.spend(1)
            sent.append(tick)
    assert sent[:3] == [0, 1, 2]
    assert len(sent) == 3 + 7
