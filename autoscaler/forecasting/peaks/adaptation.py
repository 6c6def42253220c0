"""Trees of its own for each workload that is old enough, grown from the moments of its last two weeks.

They are grown anew each day, from what was known at midnight (UTC), and kept until the next: growing
them takes as long as ten other fits.
"""

from __future__ import annotations

import numpy as np

from autoscaler.forecasting.daily import Daily
from autoscaler.forecasting.forecaster import DAY_S, ForecastSettings
from autoscaler.forecasting.history import own_series
from autoscaler.forecasting.origins import spread
from autoscaler.forecasting.peaks.model import PeakModel, Table, at_levels
from autoscaler.forecasting.peaks.own_trees import LEVELS, OwnTrees
from autoscaler.forecasting.peaks.witness import Told, Witness
from autoscaler.series import Batch, Floats, Series

SPAN_S = 14 * DAY_S
ABOUT_MOMENTS = 2000
_FEWEST_MOMENTS = 500
_YOUNGEST_S = 3 * DAY_S
_WEIGHTS = (0.2, 5.0)


class Adaptation:
    """Grows trees for workloads."""

    def __init__(self) -> None:
        self._daily: Daily[OwnTrees | None] = Daily()

    def trees(
        self, model: PeakModel, history: Batch, row: int, settings: ForecastSettings
    ) -> OwnTrees | None:
        """The trees of one row of a cleaned history, on top of `model`; None where it is too young.

        The model has to be the same for the same lead.
        """

        def grow(days: Series) -> OwnTrees | None:
            return _grown(model, days, settings) if len(days) * days.step_s >= _YOUNGEST_S else None

        return self._daily.of(own_series(history, row), (settings.horizon, settings.seasons_s), grow)


def shared_rises(model: PeakModel, told: Told) -> Floats:
    """Quantiles of the rise as the shared model sees them, [row, level]; they may cross."""
    return told.expected[:, np.newaxis] + model.surplus(told.table)


def adapted(shared: Floats, levels: Floats, table: Table, level: Floats, rise: Floats) -> OwnTrees | None:
    """Trees for one workload from its earlier moments; None where there are too few.

    shared: [moment, level], what the shared model says of them. table: what it was told. level:
    [moment], of the load. rise: [moment], what came. High levels weigh more: that is where shortages hurt.
    """
    known = np.isfinite(rise)
    if known.sum() < _FEWEST_MOMENTS:
        return None
    left_over = rise[known, np.newaxis] - at_levels(shared[known], levels, np.array(LEVELS))
    weight = np.sqrt(np.clip(level[known] / np.mean(level[known]), *_WEIGHTS))
    return OwnTrees.grow(table[known], left_over, weight)


def _grown(model: PeakModel, own: Series, settings: ForecastSettings) -> OwnTrees | None:
    history, lead = Batch.of(own), settings.horizon
    at = spread(max(1, len(own) - SPAN_S // own.step_s), len(own) - lead, ABOUT_MOMENTS)
    if len(at) < _FEWEST_MOMENTS:
        return None
    every = Batch.rolling(own, at[0], at[-1] + 1, len(own))
    recent = Batch(every.values[:: at.step], every.end_s[:: at.step], own.step_s)
    told = Witness.fit(history, settings).tell(recent, np.zeros(len(at), np.int64))
    ahead = np.lib.stride_tricks.sliding_window_view(own.values[1:], lead)
    rise = told.view.rise(np.fmax.reduce(ahead[at.start : at.stop : at.step], axis=1))
    return adapted(shared_rises(model, told), model.levels, told.table, told.view.level, rise)
