"""A forecast fan made by hand: yesterday's load, wider with every step."""

from __future__ import annotations

import numpy as np
from fixtures_report import START_S, STEP_S, daily_load

from autoscaler.forecasting.forecaster import LEVELS
from autoscaler.series import Forecast, Grade, Series

HORIZON = 120


def history() -> Series:
    """Two days of a shop front."""
    return Series("shop_front_1min", START_S, STEP_S, daily_load(2.0))


def fan(series: Series, horizon: int = HORIZON) -> Forecast:
    """One row, made at the end of `series`."""
    ahead = np.arange(1, horizon + 1)
    middle = np.resize(series.values[-1440:], horizon)
    levels = np.array(LEVELS)
    spread = (levels - 0.5)[np.newaxis, :] * np.sqrt(ahead)[:, np.newaxis] * 60
    values = np.maximum(middle[:, np.newaxis] + spread, 0.0)
    peaks = np.maximum.accumulate(values, axis=0)
    return Forecast(
        made_at_s=np.array([series.end_s]),
        step_s=series.step_s,
        levels=levels,
        values=values[np.newaxis],
        peaks=peaks[np.newaxis],
        models=("seasonal-naive",),
        grades=(Grade.DAILY,),
        notes=("2 d of history",),
    )
