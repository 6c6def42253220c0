"""STL: seasonal-trend decomposition by Loess (Cleveland et al. 1990; statsmodels), robust to outliers.

The last cycle of each seasonal component is repeated and the last trend is held. Seasons are taken
out one after the other, shortest first, as MSTL does (Bandara, Hyndman and Bergmeir, 2021), in one
pass.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoscaler.forecasting.classic.tables import Row, fit_rows
from autoscaler.forecasting.forecaster import DAY_S, ForecastSettings, PathPredictor
from autoscaler.series import Batch, Floats

_CELL_S = 1800
_LONGEST_S = 28 * DAY_S
_SEASONAL_WINDOW = 11
_ROBUST_ROUNDS = 3


@dataclass(slots=True)
class SeasonalTrend:
    """Robust STL of the log load."""

    name: str = "stl"

    def fit_path(self, history: Batch, settings: ForecastSettings) -> PathPredictor:
        """Fit every row that has seen its shortest season twice."""
        return fit_rows(history, settings, _CELL_S, _LONGEST_S, decomposed)


def decomposed(row: Row) -> Floats | None:
    """Expected log load after the row: the last trend and the last cycle of each season."""
    # Loaded when used: it takes longer than a whole backtest of the batched models.
    from statsmodels.tsa.seasonal import STL

    rest = row.values
    ahead = np.zeros(row.ahead)
    for period in row.periods:
        parts = STL(rest, period=period, seasonal=_SEASONAL_WINDOW, robust=True).fit(
            inner_iter=1, outer_iter=_ROBUST_ROUNDS
        )
        season = np.asarray(parts.seasonal, dtype=np.float64)
        ahead += np.resize(season[-period:], row.ahead)
        trend = np.asarray(parts.trend, dtype=np.float64)
        rest = rest - season
    ahead += trend[-1]
    return ahead if np.isfinite(ahead).all() else None
