"""One recorded trace and everything that is to be run on it."""

from __future__ import annotations

from dataclasses import dataclass

from autoscaler.backtest.candidate import Candidate
from autoscaler.backtest.rivals import BaselineChoice
from autoscaler.backtest.simulation import World
from autoscaler.forecasting.peaks.learned_peaks import ModelFor
from autoscaler.forecasting.peaks.shipped import shipped_model
from autoscaler.series import Series


@dataclass(frozen=True, slots=True)
class Case:
    """Steps before `scored_from` are warm-up. price: of a replica-hour. model_for: the shared model that
    learned forecasts use."""

    series: Series
    world: World
    price: float
    scored_from: int
    candidates: tuple[Candidate, ...]
    baselines: tuple[BaselineChoice, ...] = ()
    time_zone: str = "UTC"
    model_for: ModelFor = shipped_model
