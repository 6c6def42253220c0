"""A horizon beyond the lead: decisions see the same, and what lies beyond joins on to it."""

import dataclasses

import numpy as np
import pytest
from loads import daily

from autoscaler.forecasting.classic.prophet import installed
from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.forecasting.isolation import Isolated
from autoscaler.forecasting.known.ordinary import Ordinary
from autoscaler.forecasting.reaching import Reaching
from autoscaler.forecasting.registry import NAMES, forecaster
from autoscaler.series import Batch, Forecast, Series

LEAD, HORIZON = 4, 40
AT_LEAD = ForecastSettings(horizon=LEAD)
FURTHER = ForecastSettings(horizon=HORIZON, lead=LEAD)
UNUSUAL = [
    pytest.param(name, marks=pytest.mark.slow) if name in ("prophet", "stl") else name for name in NAMES
]


def climbing(days: float) -> Series:
    """A daily wave in which the load now and then climbs for two hours."""
    series = daily(days)
    values = series.values.copy()
    for start in range(200, len(values) - 24, 170):
        values[start : start + 24] *= 1.05 ** np.arange(24)
    return dataclasses.replace(series, values=values)


def made(name: str, series: Series, settings: ForecastSettings) -> Forecast:
    cut = len(series) - 12
    fitted = forecaster(name).fit(Batch.of(series.between(0, cut)), settings)
    return fitted.predict(Batch.rolling(series, cut, cut + 12, cut), np.zeros(12, np.int64))


@pytest.mark.parametrize("days", [0.02, 0.2, 3, 15])
@pytest.mark.parametrize("name", UNUSUAL)
def test_up_to_the_lead_a_longer_horizon_changes_nothing(name: str, days: float) -> None:
    if name == "prophet" and not installed():
        pytest.skip("prophet is not installed")
    short, long = (made(name, climbing(days + 0.1), settings) for settings in (AT_LEAD, FURTHER))
    np.testing.assert_array_equal(long.peaks[:, :LEAD], short.peaks)
    np.testing.assert_array_equal(long.values[:, :LEAD], short.values)
    assert (long.models, long.grades, long.notes) == (short.models, short.grades, short.notes)


@pytest.mark.parametrize("name", ["auto", "ridge", "trend", "holt-winters"])
def test_beyond_the_lead_peaks_only_rise_with_lead_and_level(name: str) -> None:
    long = made(name, climbing(9), FURTHER)
    assert long.peaks.shape == long.values.shape == (12, HORIZON, len(FURTHER.levels))
    assert (np.diff(long.peaks, axis=1) >= 0).all()
    assert (np.diff(long.peaks, axis=2) >= 0).all()
    assert (long.values <= long.peaks).all()


def test_beyond_the_lead_lies_what_a_model_for_the_whole_horizon_expects() -> None:
    series = climbing(9)
    whole = made("seasonal-naive", series, ForecastSettings(horizon=HORIZON))
    for name in ("ridge", "seasonal-naive", "holt-winters"):
        long = made(name, series, FURTHER)
        np.testing.assert_array_equal(long.values[:, LEAD:], whole.values[:, LEAD:])


@pytest.mark.parametrize("lead", [0, HORIZON + 1])
def test_a_lead_outside_the_horizon_is_refused(lead: int) -> None:
    with pytest.raises(ValueError, match="within the horizon"):
        made("trend", daily(1), ForecastSettings(horizon=HORIZON, lead=lead))


@pytest.mark.parametrize("name", ["holt-winters", "stl"])
def test_a_slow_model_is_watched_and_a_fast_one_serves_beyond_it(name: str) -> None:
    model = forecaster(name, deadline_s=5.0)
    assert isinstance(model, Ordinary)
    model = model.base
    assert isinstance(model, Reaching)
    assert isinstance(model.near, Isolated)
    assert model.beyond.name == "seasonal-naive"
