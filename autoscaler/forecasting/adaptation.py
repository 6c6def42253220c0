"""Trees of its own for each workload that is old enough, grown from the moments of its last two weeks.

They are grown anew each day, from what was known at midnight (UTC), and kept until the next: growing
them takes as long as ten other fits.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict

import numpy as np

from autoscaler.forecasting.forecaster import DAY_S, ForecastSettings
from autoscaler.forecasting.history import own_series
from autoscaler.forecasting.origins import spread
from autoscaler.forecasting.own_trees import LEVELS, OwnTrees
from autoscaler.forecasting.peak_model import PeakModel, Table, at_levels
from autoscaler.forecasting.witness import Told, Witness
from autoscaler.series import Batch, Floats, Series

SPAN_S = 14 * DAY_S
ABOUT_MOMENTS = 2000
_FEWEST_MOMENTS = 500
_YOUNGEST_S = 3 * DAY_S
_LOOKED_BACK_S = 7 * DAY_S
_WEIGHTS = (0.2, 5.0)
_MOST_KEPT = 2048


class Adaptation:
    """Grows trees for workloads. What it keeps saves time and changes no answer."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, OwnTrees | None] = OrderedDict()
        self._lock = threading.Lock()

    def trees(
        self, model: PeakModel, history: Batch, row: int, settings: ForecastSettings
    ) -> OwnTrees | None:
        """The trees of one row of a cleaned history, on top of `model`; None where it is too young.

        The model has to be the same for the same lead.
        """
        own = _until_midnight(own_series(history, row))
        if len(own) * own.step_s < _YOUNGEST_S:
            return None
        key = _digest(own, settings)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        grown = _grown(model, own, settings)
        with self._lock:
            self._kept[key] = grown
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return grown


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


def _until_midnight(own: Series) -> Series:
    """What is looked at of a history: whole days, the newest three weeks of them."""
    after_s = (own.end_s + own.step_s) % DAY_S
    last = max(0, len(own) - after_s // own.step_s)
    return own.between(max(0, last - (SPAN_S + _LOOKED_BACK_S) // own.step_s), last)


def _digest(own: Series, settings: ForecastSettings) -> bytes:
    about = f"{own.start_s} {own.step_s} {settings.horizon} {settings.seasons_s}"
    return hashlib.blake2b(own.values.tobytes(), key=about.encode()[:64], digest_size=16).digest()
