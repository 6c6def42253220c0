"""What predicts nothing but the peak over the lead time: the interface, and the ridge as the simplest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from autoscaler.forecasting.classic.seasonal_naive import ceiling
from autoscaler.forecasting.forecaster import DAY_S, ForecastSettings
from autoscaler.forecasting.peaks.own_ridges import OwnRidges
from autoscaler.forecasting.peaks.view import PeakView
from autoscaler.series import Batch, Floats, Ints

RIDGE = "ridge"


class PeakSource(Protocol):
    """A model of the peak that can be fitted to many workloads at once."""

    name: str

    def fit(self, history: Batch, settings: ForecastSettings) -> FittedPeaks:
        """Learn from a cleaned `history` [workload, time] for a lead of `settings.horizon` steps."""
        ...

    def replayed(self) -> PeakSource:
        """What stands in for it in replays: itself, or something cheaper that is no better."""
        ...


class FittedPeaks(Protocol):
    """A fitted model of the peak. Immutable."""

    @property
    def name(self) -> str:
        """The model that answers, as forecasts tell it."""
        ...

    @property
    def seasoned(self) -> bool:
        """Whether it was taught by many other loads, so that it can serve one without a past."""
        ...

    @property
    def note(self) -> str:
        """Why it answers, where nobody compared it with anything."""
        ...

    def peaks(self, recent: Batch, workload: Ints) -> Floats:
        """Quantiles at the settings' levels, rising, [row, level]; NaN in rows it cannot say anything of."""
        ...


@dataclass(slots=True)
class RidgePeaks:
    """Implements PeakSource: each workload's own ridge."""

    note: str = "as configured"
    name: str = RIDGE

    def fit(self, history: Batch, settings: ForecastSettings) -> FittedPeaks:
        """Fit a ridge for every workload that has enough of a past."""
        season_s = min(settings.seasons_s, default=DAY_S)
        levels = np.array(sorted(settings.levels))
        ridges = OwnRidges.fit(history, settings.horizon, season_s, levels)
        return _FittedRidges(ridges, settings.horizon, season_s, ceiling(history.values), self.note)

    def replayed(self) -> PeakSource:
        """A ridge is cheap."""
        return self


@dataclass(frozen=True, slots=True)
class _FittedRidges:
    ridges: OwnRidges
    lead: int
    season_s: int
    ceiling: Floats
    note: str
    name: str = RIDGE
    seasoned: bool = False

    def peaks(self, recent: Batch, workload: Ints) -> Floats:
        view = PeakView.of(recent, self.lead, self.season_s, self.ceiling[workload])
        return view.peaks(self.ridges.rises(view, workload))
