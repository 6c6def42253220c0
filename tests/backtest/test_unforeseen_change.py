"""A load that changes for good, without anybody having said so: how soon forecasts are what they were."""

from __future__ import annotations

import numpy as np
import pytest
from worlds import trace

from autoscaler.backtest.foresight import foresee
from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.forecasting.registry import forecaster
from autoscaler.forecasting.worth import Trial, limited
from autoscaler.series import Floats, Series

STEP_S, DAY, HOUR, LEAD = 300, 288, 12, 3
CHANGE = 6 * DAY + 120


def load(factor: float) -> Series:
    """A daily rhythm, `factor` times as high from ten in the morning of the seventh day on."""
    steps = np.arange(10 * DAY)
    noise = np.random.default_rng(7).lognormal(0, 0.05, len(steps))
    values = (100 + 80 * np.sin(2 * np.pi * steps / DAY - 1.5)) * noise
    values[CHANGE:] *= factor
    return trace(values, STEP_S)


def shortage_and_excess(series: Series, model: str) -> tuple[Floats, Floats]:
    """By what share of the peak over the lead time what was asked for fell short of it, or went beyond."""
    seen = foresee(series, forecaster(model), ForecastSettings(horizon=LEAD), 28 * 86_400.0, 6 * 3600.0)
    stated, trial = seen.at_quantile(0.95), Trial(0.95, LEAD, STEP_S)
    asked = np.empty(len(series))
    for step, value in enumerate(series.values.tolist()):
        said = float(stated[step])
        trial.note(series.start_s + step * STEP_S, value, said, said)
        asked[step] = np.fmax(limited(said, trial.limit(said)), value)
    came = np.lib.stride_tricks.sliding_window_view(series.values[1:], LEAD).max(axis=1)
    over = asked[: len(came)] / came - 1.0
    return np.maximum(-over, 0.0), np.maximum(over, 0.0)


@pytest.mark.parametrize("factor", [5.0, 0.2])
@pytest.mark.parametrize("model", ["auto", "learned", "ridge", "trend", "seasonal-naive", "fourier"])
def test_forecasts_are_soon_what_they_were(model: str, factor: float) -> None:
    shortage, excess = shortage_and_excess(load(factor), model)

    def mean(first_h: float, last_h: float) -> tuple[float, float]:
        hours = slice(int(CHANGE + first_h * HOUR) + 1, int(CHANGE + last_h * HOUR))
        return float(shortage[hours].mean()), float(excess[hours].mean())

    usual_shortage, usual_excess = mean(-72, -1)
    for first_h, last_h, most_short, most_excess in (
        (0, 1, 0.02, 1.5),
        (1, 12, 0.01, 0.35),
        (12, 48, 0.01, 0.25),
        (48, 84, usual_shortage + 0.002, usual_excess + 0.05),
    ):
        short, over = mean(first_h, last_h)
        assert short < most_short, f"{first_h} to {last_h} hours after it"
        assert over < most_excess, f"{first_h} to {last_h} hours after it"
