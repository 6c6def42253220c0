"""The models by name."""

from __future__ import annotations

from autoscaler.forecasting.auto import by_pinball
from autoscaler.forecasting.calibration import Calibrated, Candidate, the_only_one
from autoscaler.forecasting.forecaster import Forecaster
from autoscaler.forecasting.fourier import Fourier
from autoscaler.forecasting.seasonal_naive import SeasonalNaive
from autoscaler.forecasting.trend import Trend

AUTO = "auto"

def forecaster(name: str) -> Forecaster:
    if name == AUTO:
        return Calibrated(AUTO, (Candidate(Trend(), False), Candidate(SeasonalNaive(), False), Candidate(Fourier(), True)), by_pinball)
    model = {"trend": Candidate(Trend(), False), "seasonal-naive": Candidate(SeasonalNaive(), False), "fourier": Candidate(Fourier(), True)}[name]
    return Calibrated(name, (model,), the_only_one)
