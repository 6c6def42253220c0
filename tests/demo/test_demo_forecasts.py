"""Forecasts of the played workloads: made ahead of time, of what had arrived by their own time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.forecasts.request import ForecastRequest
from autoscaler.demo import forecasts as under_test
from autoscaler.demo.clock import STEP_S
from autoscaler.demo.forecasts import Forecasts
from autoscaler.demo.traffic import Part, Traffic, read_recordings
from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.series import Floats
from autoscaler.signals.settings import ConnectionSettings

BEGIN_S = 1_700_438_400
NOW_S = BEGIN_S + 5 * 86_400
KEY = "shop/checkout"


def _request(lead: int = 3, model: str = "auto") -> ForecastRequest:
    settings = ForecastSettings(horizon=lead + 10, lead=lead)
    source = ConnectionSettings("http://nowhere:9090")
    return ForecastRequest(KEY, source, "load", model, 3 * 86_400, STEP_S, 86_400, settings)


def _fans(traffic: Traffic, steps: int, request: ForecastRequest | None = None) -> list[Fan]:
    """The fan of every step from NOW_S on."""
    forecasts = Forecasts({KEY: traffic})
    fans = []
    for at_s in range(NOW_S, NOW_S + steps * STEP_S, STEP_S):
        forecasts.see(at_s, {KEY: request or _request()})
        fan = forecasts.fan(KEY)
        assert fan is not None
        fans.append(fan)
    return fans


def _traffic(recordings: dict[str, Floats] | None = None) -> Traffic:
    return Traffic((Part("app", 1.0),), recordings or read_recordings(), BEGIN_S)


def _same(one: Fan, other: Fan) -> bool:
    arrays = ("values", "peaks", "expected")
    return one.made_at_s == other.made_at_s and all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in arrays
    )


def test_a_forecast_knows_nothing_of_what_comes_after_it() -> None:
    steps = 8
    changed = {name: values.copy() for name, values in read_recordings().items()}
    for values in changed.values():
        values[(NOW_S - BEGIN_S) // STEP_S + steps :] = 1e6
    before, after = _fans(_traffic(), steps), _fans(_traffic(changed), steps)
    assert all(_same(one, other) for one, other in zip(before, after, strict=True))


def test_a_forecast_is_the_same_however_many_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    together = _fans(_traffic(), 5)
    monkeypatch.setattr(under_test, "_AT_ONCE", 1)
    one_by_one = _fans(_traffic(), 5)
    for one, other in zip(together, one_by_one, strict=True):
        assert np.allclose(one.peaks, other.peaks)


def test_each_step_has_a_forecast_of_its_own_that_is_fresh() -> None:
    fans = _fans(_traffic(), 130)
    assert [fan.made_at_s for fan in fans] == list(range(NOW_S, NOW_S + 130 * STEP_S, STEP_S))
    assert fans[-1].outlook(NOW_S + 129 * STEP_S, 180.0, 0.95).age_s == 0.0


def test_what_was_stated_is_judged_once_it_has_come() -> None:
    fans = _fans(_traffic(), 130)
    assert fans[2].judged == 0
    assert fans[-1].judged == 127
    assert 0.8 < fans[-1].coverage <= 1.0


def test_a_new_lead_time_is_forecast_from_its_step_on() -> None:
    forecasts = Forecasts({KEY: _traffic()})
    forecasts.see(NOW_S, {KEY: _request(3)})
    forecasts.see(NOW_S + STEP_S, {KEY: _request(6)})
    fan = forecasts.fan(KEY)
    assert fan is not None
    assert (fan.lead, fan.made_at_s) == (6, NOW_S + STEP_S)


def test_what_nobody_wants_forecast_has_no_outlook() -> None:
    forecasts = Forecasts({KEY: _traffic()})
    forecasts.see(NOW_S, {})
    outlook = forecasts.outlook(KEY, NOW_S, 180.0, 0.95)
    assert math.isnan(outlook.peak)
    assert outlook.note
