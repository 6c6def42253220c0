"""A forecast that reaches further than decisions look, without changing what they see.

Tuning depends on how far ahead a model is asked: the weights, the choice among models and the
calibration differ between five minutes and an hour. So what decisions look at comes from a model
fitted for exactly that lead, and what lies beyond from another one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from autoscaler.forecasting.forecaster import Forecaster, ForecastSettings, Predictor
from autoscaler.series import Batch, Forecast, Ints


@dataclass(slots=True)
class Reaching:
    """Implements Forecaster. near: serves up to the lead. beyond: serves the rest of the horizon."""

    near: Forecaster
    beyond: Forecaster
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = self.near.name

    def fit(self, history: Batch, settings: ForecastSettings) -> Predictor:
        """Fit `near` for the lead and, only where the horizon reaches further, `beyond` for the horizon.

        Raises ValueError for a lead that is not within the horizon.
        """
        lead = settings.horizon if settings.lead is None else settings.lead
        if not 1 <= lead <= settings.horizon:
            raise ValueError(f"a lead of {lead} steps is not within the horizon of {settings.horizon}")
        near = self.near.fit(history, replace(settings, horizon=lead, lead=None))
        if lead == settings.horizon:
            return near
        return _ReachingPredictor(near, self.beyond.fit(history, replace(settings, lead=None)), lead)


@dataclass(frozen=True, slots=True)
class _ReachingPredictor:
    near: Predictor
    beyond: Predictor
    lead: int

    def predict(self, recent: Batch, workload: Ints) -> Forecast:
        """Forecast every row; no peak beyond the lead lies below the one at the lead."""
        near, beyond = self.near.predict(recent, workload), self.beyond.predict(recent, workload)
        later = np.maximum(beyond.peaks[:, self.lead :], near.peaks[:, -1:])
        return replace(
            near,
            values=np.concatenate([near.values, beyond.values[:, self.lead :]], axis=1),
            peaks=np.concatenate([near.peaks, later], axis=1),
        )
