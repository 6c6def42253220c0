"""Forecasts as they really are: of a recorded trace that ships with the package, by the default model."""

from __future__ import annotations

from importlib.resources import as_file, files

import numpy as np

from autoscaler.controller.forecasts.fan import Fan
from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.forecasting.registry import forecaster
from autoscaler.series import Batch
from autoscaler.signals.recorded import read_recorded

_FILE = "ms_mongo_app_04_1min.csv.gz"
_LEAD, _BEYOND = 3, 60
_WEEK, _DAY, _EVERY = 7 * 1440, 1440, 5


def a_day_of_fans() -> list[Fan]:
    """One every five minutes of the eighth day, with what seven days of history tell."""
    with as_file(files("autoscaler.backtest") / "samples" / _FILE) as path:
        series = read_recorded(path)
    settings = ForecastSettings(
        horizon=_LEAD + _BEYOND,
        seasons_s=(86_400, 604_800),
        time_zone="UTC",
        quantile=0.95,
        lead=_LEAD,
    )
    predictor = forecaster("auto").fit(Batch.of(series.between(0, _WEEK)), settings)
    moments = Batch.rolling(series, _WEEK, _WEEK + _DAY, _WEEK)
    some = Batch(moments.values[::_EVERY], moments.end_s[::_EVERY], moments.step_s)
    forecast = predictor.predict(some, np.zeros(len(some), np.int64))
    median = int(np.argmin(np.abs(forecast.levels - 0.5)))
    return [
        Fan(
            made_at_s=float(made_at_s),
            step_s=series.step_s,
            lead=_LEAD,
            levels=forecast.levels,
            values=forecast.values[row],
            peaks=forecast.peaks[row],
            expected=np.concatenate([forecast.values[row, :1, median], forecast.values[row, :, median]]),
            model=forecast.models[row],
            grade=forecast.grades[row],
            note=forecast.notes[row],
            coverage=0.951,
            judged=1440,
        )
        for row, made_at_s in enumerate(forecast.made_at_s)
    ]
