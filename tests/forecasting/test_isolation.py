"""A slow model that fails is discarded, said, and replaced; the other workloads keep theirs."""

import os
import time
from dataclasses import dataclass, replace

import numpy as np
import pytest
from loads import daily

from autoscaler.forecasting.forecaster import ForecastSettings, Predictor
from autoscaler.forecasting.isolation import Isolated
from autoscaler.forecasting.registry import forecaster
from autoscaler.series import Batch, Forecast, Ints

SETTINGS = ForecastSettings(horizon=4)


@dataclass(frozen=True)
class Twisted:
    """A predictor whose forecast is spoilt."""

    inner: Predictor
    factor: float

    def predict(self, recent: Batch, workload: Ints) -> Forecast:
        forecast = self.inner.predict(recent, workload)
        return replace(forecast, values=forecast.values * self.factor)


@dataclass
class Fragile:
    """Works, except for workloads whose first sample is negative, which fail in the given way."""

    how: str
    name: str = "fragile"

    def fit(self, history: Batch, settings: ForecastSettings) -> Predictor:
        good = forecaster("trend").fit(history, settings)
        if history.values[0, 0] >= 0:
            return good
        if self.how == "raises":
            raise RuntimeError("no convergence")
        if self.how == "hangs":
            time.sleep(600)
        if self.how == "dies":
            os._exit(9)
        return Twisted(good, {"nan": np.nan, "negative": -1.0, "huge": 1e12}[self.how])


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("raises", "failed (RuntimeError: no convergence)"),
        ("hangs", "took longer than 2 s"),
        ("dies", "ended without an answer"),
        ("nan", "gave nonsense"),
        ("negative", "gave nonsense"),
        ("huge", "gave nonsense"),
    ],
)
@pytest.mark.slow
def test_a_failing_fit_is_replaced_and_said(how: str, said: str) -> None:
    series = daily(3)
    rows = np.tile(series.values, (3, 1))
    rows[1, 0] = -1.0
    batch = Batch(rows, np.full(3, series.end_s), series.step_s)
    isolated = Isolated(Fragile(how), forecaster("seasonal-naive"), deadline_s=2.0)
    result = isolated.fit(batch, SETTINGS).predict(batch, np.arange(3))
    assert said in result.notes[1]
    assert "seasonal-naive instead" in result.notes[1]
    assert result.models == ("trend", "seasonal-naive", "trend")
    assert np.isfinite(result.peaks).all()


@pytest.mark.slow
def test_isolation_changes_no_number() -> None:
    batch = Batch.of(daily(9))
    plain, isolated = (
        model.fit(batch, SETTINGS).predict(batch, np.zeros(1, np.int64))
        for model in (forecaster("holt-winters"), forecaster("holt-winters", deadline_s=60))
    )
    np.testing.assert_array_equal(plain.peaks, isolated.peaks)
