"""A load test and an incident that are excluded: the forecasts of a backtest are as if they had not been."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import trace

from autoscaler.backtest.foresight import Foresight, foresee
from autoscaler.forecasting.forecaster import ForecastSettings, Interval
from autoscaler.forecasting.registry import forecaster
from autoscaler.series import Series

STEP_S, DAY, LEAD = 300, 288, 3
TEST, INCIDENT = 6 * DAY + 100, 8 * DAY + 140
LASTS = 36
MODELS = ["trend", "seasonal-naive", "fourier", "ridge", "learned", "auto"]


def quiet() -> Series:
    steps = np.arange(10 * DAY)
    noise = np.random.default_rng(4).lognormal(0, 0.05, len(steps))
    return trace((100 + 60 * np.sin(2 * np.pi * steps / DAY)) * noise, STEP_S)


def disturbed() -> Series:
    """Eight times the load for three hours, and two days later next to nothing for as long."""
    series = quiet()
    series.values[TEST : TEST + LASTS] *= 8.0
    series.values[INCIDENT : INCIDENT + LASTS] *= 0.3
    return series


def spans(series: Series) -> tuple[Interval, ...]:
    starts = (series.start_s + step * STEP_S for step in (TEST, INCIDENT))
    return tuple(Interval(float(start_s), float(start_s + LASTS * STEP_S)) for start_s in starts)


def clear(series: Series) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Steps from which neither is seen, nor lies ahead."""
    steps = np.arange(len(series))
    near = np.zeros(len(series), np.bool_)
    for begin in (TEST, INCIDENT):
        near |= (steps >= begin - LEAD - 1) & (steps < begin + LASTS)
    return (steps >= 5 * DAY) & ~near


def seen(series: Series, model: str, excluded: tuple[Interval, ...]) -> Foresight:
    asked = ForecastSettings(horizon=LEAD, excluded=excluded)
    return foresee(series, forecaster(model), asked, 28 * 86_400.0, 2 * 86_400.0)


@pytest.mark.parametrize("model", MODELS)
def test_what_is_excluded_and_over_leaves_no_trace_in_any_model_nor_in_its_record(model: str) -> None:
    excluded = spans(quiet())
    wanted, found = (seen(series, model, excluded) for series in (quiet(), disturbed()))
    at = clear(quiet())
    np.testing.assert_allclose(found.peaks[at], wanted.peaks[at], rtol=1e-9)
    assert np.isfinite(found.peaks[at]).all()


@pytest.mark.parametrize("model", ["seasonal-naive", "ridge"])
def test_without_the_exclusion_it_does(model: str) -> None:
    excluded = spans(quiet())
    wanted, found = seen(quiet(), model, excluded), seen(disturbed(), model, ())
    at = clear(quiet())
    assert not np.allclose(found.peaks[at], wanted.peaks[at], rtol=0.1)


def test_what_came_then_is_held_against_no_forecast() -> None:
    series = disturbed()
    found = seen(series, "trend", spans(series))
    beyond = np.flatnonzero(found.untold)
    assert beyond.tolist() == [
        step for begin in (TEST, INCIDENT) for step in range(begin - LEAD, begin + LASTS)
    ]
    assert not seen(series, "trend", ()).untold.any()
