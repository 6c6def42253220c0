"""The models by the names users give them."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from autoscaler.forecasting.auto import by_pinball
from autoscaler.forecasting.calibration import Calibrated, Candidate, the_only_one
from autoscaler.forecasting.classic.fourier import Fourier
from autoscaler.forecasting.classic.holt_winters import HoltWinters
from autoscaler.forecasting.classic.prophet import ProphetModel, installed
from autoscaler.forecasting.classic.seasonal_naive import SeasonalNaive
from autoscaler.forecasting.classic.stl import SeasonalTrend
from autoscaler.forecasting.classic.trend import Trend
from autoscaler.forecasting.forecaster import Forecaster, ForecastSettings
from autoscaler.forecasting.isolation import Isolated
from autoscaler.forecasting.known.ordinary import Ordinary
from autoscaler.forecasting.peaks.learned_peaks import LEARNED, LearnedPeaks, ModelFor
from autoscaler.forecasting.peaks.shipped import shipped_model
from autoscaler.forecasting.peaks.source import RIDGE, PeakSource, RidgePeaks
from autoscaler.forecasting.reaching import Reaching
from autoscaler.forecasting.residuals import Residuals
from autoscaler.forecasting.sharpened import Sharpened
from autoscaler.series import Floats, Ints

AUTO = "auto"
FAST = ("trend", "seasonal-naive", "fourier")
"""Models that fit thousands of workloads at once, simplest first: what `auto` chooses among."""
SLOW = ("holt-winters", "stl", "prophet")
"""Models that are fitted workload by workload."""
NAMES = (AUTO, LEARNED, RIDGE, *FAST, *SLOW)
_MOST_KEPT = 4
"""Shared models whose findings about workloads are kept: more than are ever in use at once."""


def forecaster(
    name: str,
    deadline_s: float | None = None,
    include_slow: bool = False,
    model_for: ModelFor = shipped_model,
) -> Forecaster:
    """The model of that name.

    deadline_s: with it, a slow model is fitted in a worker process and given so long per workload,
    after which seasonal-naive serves instead. include_slow: let `auto` also try the slow models.
    model_for: the shared model that `learned` and `auto` use; equal ones share what they found out.
    Settings whose horizon reaches beyond their lead get a fast model for what lies beyond.
    Raises ValueError, listing the names, for an unknown one.
    """
    if name not in NAMES:
        raise ValueError(f"unknown model {name!r}: choose one of {', '.join(NAMES)}")
    naive = _alone("seasonal-naive")
    if name == RIDGE:
        return Ordinary(Reaching(Sharpened(name, naive, RidgePeaks(), always=True), naive))
    if name == LEARNED:
        return Ordinary(Reaching(Sharpened(name, naive, _learned(model_for), always=True), naive))
    if name == AUTO:
        tried = (*FAST, *(slow for slow in SLOW if include_slow and (slow != "prophet" or installed())))
        model: Forecaster = _sharpened(tried, model_for)
        beyond: Forecaster = _chosen(FAST)
    elif name == "prophet" and not installed():
        model = beyond = Calibrated(name, (_candidate("seasonal-naive"),), _without_prophet)
    else:
        model = _alone(name)
        beyond = naive if name in SLOW else model
    slow = name in SLOW or (name == AUTO and include_slow)
    if deadline_s is not None and slow and model is not beyond:
        model = Isolated(model, naive, deadline_s)
    return Ordinary(Reaching(model, beyond), seasonal=name != "trend")


@functools.lru_cache(_MOST_KEPT)
def _learned(model_for: ModelFor) -> PeakSource:
    """One for all, since it keeps what it grew for each workload until the next day."""
    return LearnedPeaks(model_for)


@functools.lru_cache(_MOST_KEPT)
def _sharpened(names: tuple[str, ...], model_for: ModelFor) -> Forecaster:
    """One for all, since it keeps what it found out about each workload until the next day."""
    return Sharpened(AUTO, _chosen(names), _learned(model_for))


def _alone(name: str) -> Forecaster:
    return Calibrated(name, (_candidate(name),), the_only_one)


def _chosen(names: Sequence[str]) -> Forecaster:
    return Calibrated(AUTO, tuple(_candidate(name) for name in names), by_pinball)


def _candidate(name: str) -> Candidate:
    return {
        "trend": Candidate(Trend(), learns=False),
        "seasonal-naive": Candidate(SeasonalNaive(), learns=False),
        "fourier": Candidate(Fourier(), learns=True),
        "holt-winters": Candidate(HoltWinters(), learns=True),
        "stl": Candidate(SeasonalTrend(), learns=True),
        "prophet": Candidate(ProphetModel(), learns=True),
    }[name]


def _without_prophet(
    names: Sequence[str], measured: Sequence[Residuals], eps: Floats, settings: ForecastSettings
) -> tuple[Ints, list[str]]:
    reason = "prophet is not installed (pip install 'predictive-autoscaler[prophet]'): seasonal-naive instead"
    return np.zeros(len(eps), np.int64), [reason] * len(eps)
