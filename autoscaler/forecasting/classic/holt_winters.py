"""Holt-Winters: level, damped trend and one season, exponentially smoothed (statsmodels).

Fitted to the log load (so that the season multiplies) on a grid of up to half an hour: slow compared
with the batched models, but known to everyone. Handles the shortest season only.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from autoscaler.forecasting.classic.tables import Row, fit_rows
from autoscaler.forecasting.forecaster import DAY_S, ForecastSettings, PathPredictor
from autoscaler.series import Batch, Floats

_CELL_S = 1800
_LONGEST_S = 14 * DAY_S


@dataclass(slots=True)
class HoltWinters:
    """Additive damped Holt-Winters of the log load."""

    name: str = "holt-winters"

    def fit_path(self, history: Batch, settings: ForecastSettings) -> PathPredictor:
        """Fit every row that has seen its shortest season twice."""
        return fit_rows(history, settings, _CELL_S, _LONGEST_S, smoothed)


def smoothed(row: Row) -> Floats | None:
    """Expected log load after the row; None where the smoother diverges or refuses."""
    if np.ptp(row.values) == 0:
        return np.full(row.ahead, row.values[-1])
    # Loaded when used: it takes longer than a whole backtest of the batched models.
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    with warnings.catch_warnings():
        # A smoother that has not converged is still judged by calibration on held-out load.
        warnings.simplefilter("ignore")
        try:
            model = ExponentialSmoothing(
                row.values,
                trend="add",
                damped_trend=True,
                seasonal="add",
                seasonal_periods=row.periods[0],
                initialization_method="heuristic" if len(row.values) >= 3 * row.periods[0] else "estimated",
            )
            ahead = np.asarray(model.fit(optimized=True).forecast(row.ahead), dtype=np.float64)
        except (ValueError, np.linalg.LinAlgError, FloatingPointError):
            return None
    return ahead if np.isfinite(ahead).all() else None
