"""How good forecasts were. Every function ignores steps where either side is NaN; none known gives NaN.

Sources: Hyndman and Koehler (2006), "Another look at measures of forecast accuracy"; Koenker and
Bassett (1978), "Regression quantiles", for the pinball loss.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from autoscaler.series import Floats


def wape(actual: Floats, forecast: Floats) -> float:
    """Weighted absolute percentage error: sum |actual - forecast| / sum |actual|, as a fraction."""
    came, said = _both(actual, forecast)
    total = float(np.abs(came).sum())
    return float(np.abs(came - said).sum()) / total if total > 0 else math.nan


def bias(actual: Floats, forecast: Floats) -> float:
    """sum (forecast - actual) / sum |actual|, as a fraction; positive means too much was forecast."""
    came, said = _both(actual, forecast)
    total = float(np.abs(came).sum())
    return float((said - came).sum()) / total if total > 0 else math.nan


def mase(actual: Floats, forecast: Floats, history: Floats, cycle: int = 1) -> float:
    """Mean absolute scaled error: mean |actual - forecast| / mean |history[t] - history[t - cycle]|.

    cycle: season in steps. NaN when the history never changes over a cycle.
    """
    came, said = _both(actual, forecast)
    change = np.abs(history[cycle:] - history[:-cycle])
    change = change[np.isfinite(change)]
    scale = float(change.mean()) if len(change) else 0.0
    return float(np.abs(came - said).mean()) / scale if scale > 0 and len(came) else math.nan


def pinball_loss(actual: Floats, quantile: Floats, level: float) -> float:
    """Mean of level * (actual - quantile) above the quantile, (1 - level) * (quantile - actual) below."""
    came, said = _both(actual, quantile)
    return float(pinball_each(came, said, level).mean()) if len(came) else math.nan


def pinball_each(actual: Floats, quantile: Floats, level: float) -> Floats:
    """Pinball loss of every element."""
    over = actual - quantile
    loss: Floats = np.maximum(level * over, (level - 1.0) * over)
    return loss


def coverage(actual: Floats, quantile: Floats) -> float:
    """Share of actual values that stayed at or below the quantile: near its level when calibrated."""
    came, said = _both(actual, quantile)
    return float((came <= said).mean()) if len(came) else math.nan


def peak_ahead(load: Floats, steps: int) -> Floats:
    """What came after each step: maximum load over the next `steps` steps, [time].

    NaN where any of them is missing or past the end.
    """
    peaks = np.full(len(load), np.nan)
    if len(load) > steps:
        peaks[: len(load) - steps] = sliding_window_view(load[1:], steps).max(axis=1)
    return peaks


def _both(actual: Floats, forecast: Floats) -> tuple[Floats, Floats]:
    known = np.isfinite(actual) & np.isfinite(forecast)
    return actual[known], forecast[known]
