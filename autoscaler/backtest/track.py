"""How good the forecasts were that a run's decisions rested on."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from autoscaler.backtest.foresight import Foresight
from autoscaler.backtest.result import ForecastTrack
from autoscaler.forecasting.accuracy import coverage, pinball_loss
from autoscaler.series import Floats


def track(foresight: Foresight, load: Floats, quantile: float, scored_from: int) -> ForecastTrack:
    """The forecast of the peak over the lead time at every step, against the peak that came.

    load: [time]. Steps whose following lead time has a missing load are not scored.
    """
    upper = foresight.at_quantile(quantile)
    actual = peak_ahead(load, foresight.lead_steps)[scored_from:]
    stated = upper[scored_from:]
    scored = np.isfinite(actual) & np.isfinite(stated)
    return ForecastTrack(
        model=foresight.model,
        note=foresight.note,
        quantile=quantile,
        lead_steps=foresight.lead_steps,
        median=foresight.at_quantile(0.5),
        upper=upper,
        coverage=coverage(actual[scored], stated[scored]),
        pinball=pinball_loss(actual[scored], stated[scored], quantile),
    )


def peak_ahead(load: Floats, steps: int) -> Floats:
    """Maximum load over the `steps` steps after each one; NaN where any of them is missing or
    past the end. Shape [time]."""
    peaks = np.full(len(load), np.nan)
    if len(load) > steps:
        peaks[: len(load) - steps] = sliding_window_view(load[1:], steps).max(axis=1)
    return peaks
