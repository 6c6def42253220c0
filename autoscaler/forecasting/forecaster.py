"""The one interface every forecasting model is used through.

Two clocks: `fit` is slow and happens every few hours; `predict` is fast and happens at every
tick. Both take many rows at once. A model sees only what it is handed: `fit` a history, `predict`
for each row the load up to that row's own end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from autoscaler.series import Batch, Floats, Forecast, Ints

DAY_S = 86_400
WEEK_S = 7 * DAY_S

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995)
"""Quantile levels that every forecast carries unless the caller asks for others."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A named span of time, `start_s` inclusive to `end_s` exclusive, epoch seconds."""

    start_s: float
    end_s: float
    name: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """From `at_s` on, epoch seconds, the load is `factor` times what it would have been."""

    at_s: float
    factor: float


@dataclass(frozen=True, slots=True)
class Repeat:
    """An occasion from `start_s` up to `end_s` that brings what came from `earlier_s` on, times `factor`.

    Epoch seconds; `earlier_s` is at least a day before `start_s`.
    """

    name: str
    start_s: float
    end_s: float
    earlier_s: float
    factor: float


@dataclass(frozen=True, slots=True)
class ForecastSettings:
    """What a model needs to know besides the numbers; the same for all rows of a batch.

    horizon: steps ahead. seasons_s: season lengths in seconds, shortest first. time_zone: IANA
    name in whose local time the seasons repeat. holidays: ISO country code or empty.
    excluded: spans that nothing is learned from. events: known future (and past) occasions whose effect a
    model may learn. repeats: those whose load is known from an earlier one; no model learns from them.
    changes: known changes of the level, past and to come.
    lead: steps ahead that decisions look at, when the horizon reaches further; None: the horizon.
    The forecasters of the registry are tuned to it; a single model knows the horizon only.
    """

    horizon: int
    levels: tuple[float, ...] = LEVELS
    seasons_s: tuple[int, ...] = (DAY_S, WEEK_S)
    time_zone: str = "UTC"
    holidays: str = ""
    excluded: tuple[Interval, ...] = ()
    events: tuple[Interval, ...] = ()
    repeats: tuple[Repeat, ...] = ()
    changes: tuple[Change, ...] = ()
    quantile: float = 0.95
    lead: int | None = None


class Predictor(Protocol):
    """A fitted model. Immutable: the same recent load gives the same forecast."""

    def predict(self, recent: Batch, workload: Ints) -> Forecast:
        """Forecast every row of `recent`.

        workload: [row], which workload of the fitted batch each row belongs to.
        """
        ...


class Forecaster(Protocol):
    """A model that can be fitted to many histories at once."""

    name: str

    def fit(self, history: Batch, settings: ForecastSettings) -> Predictor:
        """Learn from `history` [workload, time]; never raises for want of data, but degrades."""
        ...


class PathModel(Protocol):
    """What a single model file has to provide: a fitted point path; quantiles come from calibration."""

    name: str

    def fit_path(self, history: Batch, settings: ForecastSettings) -> PathPredictor:
        """Learn from cleaned `history` [workload, time]."""
        ...


class PathPredictor(Protocol):
    """A fitted point forecast."""

    def path(self, recent: Batch, workload: Ints, horizon: int) -> Floats:
        """Expected load of the next `horizon` steps after each row's end, shape [row, horizon]."""
        ...
