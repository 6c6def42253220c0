"""Models against the libraries and against scalar loops."""

import numpy as np
import pytest
from loads import daily, recorded
from statsmodels.tsa.holtwinters import ExponentialSmoothing
from statsmodels.tsa.seasonal import STL

from autoscaler.forecasting.classic.fourier import Fourier
from autoscaler.forecasting.classic.holt_winters import smoothed
from autoscaler.forecasting.classic.seasonal_naive import SeasonalNaive
from autoscaler.forecasting.classic.stl import decomposed
from autoscaler.forecasting.classic.tables import Row
from autoscaler.forecasting.classic.trend import Trend
from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.series import Batch


@pytest.mark.traces
@pytest.mark.parametrize("trace", ["tencent_crane_13_1min", "ms_mongo_machine_01_1min"])
def test_holt_winters_is_that_of_statsmodels(trace: str) -> None:
    load = np.log(recorded(trace).values[: 10 * 1440].reshape(-1, 30).mean(axis=1))
    model = ExponentialSmoothing(
        load,
        trend="add",
        damped_trend=True,
        seasonal="add",
        seasonal_periods=48,
        initialization_method="heuristic",
    )
    ours = smoothed(Row(load, (48,), 96))
    assert ours is not None
    np.testing.assert_allclose(ours, model.fit().forecast(96), rtol=1e-9)


@pytest.mark.traces
@pytest.mark.parametrize("trace", ["tencent_crane_13_1min", "ms_mongo_machine_01_1min"])
def test_stl_is_that_of_statsmodels(trace: str) -> None:
    load = np.log(recorded(trace).values[: 10 * 1440].reshape(-1, 30).mean(axis=1))
    parts = STL(load, period=48, seasonal=11, robust=True).fit(inner_iter=1, outer_iter=3)
    ours = decomposed(Row(load, (48,), 48))
    assert ours is not None
    np.testing.assert_allclose(ours, parts.trend[-1] + parts.seasonal[-48:], rtol=1e-9)


def test_seasonal_naive_is_the_median_of_the_same_time_on_seven_days() -> None:
    # Hourly steps: no smoothing, and the level window is one step.
    series = daily(20, 3600, 0.1)
    settings = ForecastSettings(horizon=5, seasons_s=(86_400,))
    path = SeasonalNaive().fit_path(Batch.of(series), settings)
    ours = path.path(Batch.of(series), np.zeros(1, np.int64), 5)[0]
    now = len(series) - 1
    eps = 0.02 * series.values.mean()

    def usual(step: int) -> float:
        return float(np.median([series.values[step - 24 * day] for day in range(1, 8)]))

    ratio = (series.values[now] + eps) / (usual(now) + eps)
    for ahead in range(1, 6):
        expected = (usual(now + ahead) + eps) * ratio ** (2 ** (-ahead / 6)) - eps
        assert ours[ahead - 1] == pytest.approx(expected)


def test_fourier_finds_the_harmonics_it_was_given() -> None:
    times = 1_700_438_400 + 900 * np.arange(21 * 96)
    phase = 2 * np.pi * times / 86_400
    load = np.exp(5 + 0.8 * np.sin(phase) - 0.3 * np.cos(3 * phase))
    settings = ForecastSettings(horizon=96, seasons_s=(86_400,))
    path = Fourier().fit_path(Batch(load[None, : 20 * 96], times[20 * 96 - 1 : 20 * 96], 900), settings)
    recent = Batch(load[None, : 20 * 96], times[20 * 96 - 1 : 20 * 96], 900)
    ours = path.path(recent, np.zeros(1, np.int64), 96)[0]
    np.testing.assert_allclose(ours, load[20 * 96 :], rtol=0.02)


def test_fourier_with_gaps_is_weighted_least_squares_without_them() -> None:
    series = daily(20, 900, 0.05)
    settings = ForecastSettings(horizon=8, seasons_s=(86_400,))
    holes = series.values.copy()
    holes[np.random.default_rng(1).random(len(holes)) < 0.2] = np.nan
    # A companion without gaps makes the first row take the path of corrected Gram matrices.
    both = Batch(np.stack([holes, series.values]), np.full(2, series.end_s), 900)
    mostly = Batch(holes[None], np.array([series.end_s]), 900)
    together, alone = (
        Fourier().fit_path(batch, settings).path(batch, np.arange(len(batch)), 8)[0]
        for batch in (both, mostly)
    )
    np.testing.assert_allclose(together, alone, rtol=1e-8)


def test_trend_continues_a_ramp_and_holds_a_noisy_level() -> None:
    ramp = np.tile(np.linspace(100.0, 400.0, 300), 4)[:1100]
    noise = 100 * np.random.default_rng(1).lognormal(0, 0.1, 1100)
    batch = Batch(np.stack([ramp, noise]), np.full(2, 66_000), 60)
    path = Trend().fit_path(batch, ForecastSettings(horizon=10)).path(batch, np.arange(2), 10)
    assert path[0, -1] > ramp[-1] + 7
    assert path[1, -1] == pytest.approx(noise[-3:].mean(), rel=0.06)
