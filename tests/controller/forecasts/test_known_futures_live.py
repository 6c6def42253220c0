"""Holidays, known changes and excluded spans in the live feed: forecast as in a backtest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from feed_in_hand import Running
from known_source import END_S, HORIZON, LEAD, Known, request, wave

from autoscaler.controller.forecasts import feed
from autoscaler.forecasting.forecaster import Change, ForecastSettings, Interval
from autoscaler.forecasting.registry import forecaster
from autoscaler.series import Batch, Floats, Series

HISTORY_S = 12 * 86_400.0
STEPS = 12 * 1440
FUTURES = {
    "a change to come": {"changes": (Change(float(END_S + 180), 3.0),)},
    "a change in the history": {"changes": (Change(float(END_S - 30_000), 3.0),)},
    "holidays in the history": {"holidays": "ES"},
    "an excluded hour": {"excluded": (Interval(float(END_S - 7200), float(END_S - 3600)),)},
    "an excluded span that ends": {"excluded": (Interval(float(END_S - 600), float(END_S + 240)),)},
}


@pytest.mark.parametrize("known", FUTURES.values(), ids=FUTURES.keys())
@pytest.mark.parametrize("model", ["seasonal-naive", "ridge"])
def test_a_fan_says_what_the_model_says_in_a_backtest_at_the_same_moment(
    model: str, known: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "rehearse", lambda workload: None)
    load = wave(STEPS + 12)
    settings = ForecastSettings(horizon=HORIZON, lead=LEAD, **known)  # type: ignore[arg-type]
    running = Running(
        Known({"shop/web": load}, end_s=END_S + 720),
        request(model=model, history_s=HISTORY_S, settings=settings),
    )
    running.run(10 * 60 - 5)
    series = Series("", END_S - (STEPS - 1) * 60, 60, load[:STEPS])
    fitted = forecaster(model).fit(_batch(series, STEPS), settings)
    plain = forecaster(model).fit(_batch(series, STEPS), ForecastSettings(horizon=HORIZON, lead=LEAD))
    whole = replace(series, values=load)
    differs = False
    for fan in running.fans["shop/web"]:
        recent = _batch(whole, STEPS + int(fan.made_at_s - END_S) // 60, STEPS)
        said = fitted.predict(recent, np.zeros(1, np.int64))
        np.testing.assert_allclose(fan.peaks, said.peaks[0], rtol=1e-4)
        differs |= not np.allclose(
            fan.peaks, plain.predict(recent, np.zeros(1, np.int64)).peaks[0], rtol=1e-3
        )
    assert differs
    assert len(running.fans["shop/web"]) == 10


def _batch(series: Series, last: int, width: int = STEPS) -> Batch:
    return Batch.of(series.between(last - width, last))


def with_a_test(load: Floats, first: int, steps: int) -> Floats:
    """The same with a load test."""
    values = load.copy()
    values[first : first + steps] *= 6.0
    return values


def test_a_load_test_that_is_excluded_leaves_the_record_of_the_forecasts_alone() -> None:
    """Without the exclusion it is held against them, after a restart and while it is seen alike."""
    load = wave(STEPS + 200)
    begin = len(load) - 200 + 30
    span = Interval(float(END_S + 31 * 60), float(END_S + 91 * 60))
    plain = ForecastSettings(horizon=HORIZON, lead=LEAD)
    seen = {}
    for name, values, settings in (
        ("quiet", load, plain),
        ("excluded", with_a_test(load, begin, 60), replace(plain, excluded=(span,))),
        ("told of nothing", with_a_test(load, begin, 60), plain),
    ):
        known = Known({"shop/web": values}, end_s=END_S + 200 * 60)
        running = Running(known, request(model="seasonal-naive", settings=settings, refit_s=86_400.0))
        running.run(190 * 60)
        seen[name] = running.fan()
    quiet, excluded, untold = (
        seen[name].peak(LEAD, 0.95) for name in ("quiet", "excluded", "told of nothing")
    )
    assert excluded == pytest.approx(quiet, rel=0.02)
    assert abs(untold / quiet - 1) > 2 * abs(excluded / quiet - 1)
    assert seen["excluded"].coverage == pytest.approx(seen["quiet"].coverage, abs=0.03)


def test_after_a_start_what_was_excluded_earlier_is_not_held_against_the_model() -> None:
    load = wave(STEPS)
    begin = STEPS - 1440
    span = Interval(float(END_S - 1440 * 60), float(END_S - 1080 * 60))
    plain = ForecastSettings(horizon=HORIZON, lead=LEAD)
    told = {}
    for name, values, settings in (
        ("quiet", load, replace(plain, excluded=(span,))),
        ("excluded", with_a_test(load, begin, 300), replace(plain, excluded=(span,))),
        ("told of nothing", with_a_test(load, begin, 300), plain),
    ):
        running = Running(Known({"shop/web": values}), request(model="ridge", settings=settings))
        running.run(8)
        told[name] = running.fan()
    np.testing.assert_allclose(told["excluded"].peaks, told["quiet"].peaks, rtol=1e-6)
    assert told["excluded"].doubt == told["quiet"].doubt == ""
    assert not np.allclose(told["told of nothing"].peaks, told["quiet"].peaks, rtol=0.01)
