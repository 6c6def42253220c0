"""How good the forecasts were that a run's decisions rested on."""

from __future__ import annotations

import numpy as np

from autoscaler.backtest.foresight import Foresight
from autoscaler.backtest.result import ForecastTrack
from autoscaler.forecasting.accuracy import coverage, peak_ahead, pinball_loss
from autoscaler.series import Floats


def track(foresight: Foresight, load: Floats, quantile: float, scored_from: int) -> ForecastTrack:
    """The forecast of the peak over the lead time at every step, against the peak that came.

    load: [time]. Steps whose following lead time has a missing load are not scored.
    """
    upper = np.fmax(foresight.at_quantile(quantile), foresight.known)
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
