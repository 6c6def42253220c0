"""Trend: the present level and a damped part of the present slope. Needs minutes of history, no season.

How much of the slope to believe is learned per workload from its own recent past: on most
services next to nothing, on one with ramps nearly all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autoscaler.forecasting.classic.level import last_samples, mean_known, window_steps
from autoscaler.forecasting.forecaster import ForecastSettings, PathPredictor
from autoscaler.forecasting.origins import replay, spread
from autoscaler.series import Batch, Floats, Ints

_LEVEL_S = 180
_SLOPE_S = 900
_FEWEST_SLOPE_STEPS = 4
_DAMPING_S = 1800
"""Time after which a slope has lost all but 1/e of its strength."""
_SEARCH_S = 6 * 3600
"""How far back to look for a level when the last minutes are missing."""
_BELIEFS = (0.0, 0.25, 0.5, 0.75, 1.0)
_ORIGINS = 300
_LEARN_S = 7 * 86_400


@dataclass(slots=True)
class Trend:
    """Level plus damped slope."""

    name: str = "trend"

    def fit_path(self, history: Batch, settings: ForecastSettings) -> PathPredictor:
        """Learn how much of a slope each workload keeps."""
        typical = mean_known(history.values)
        untrained = TrendPath(np.zeros(len(history)), np.where(np.isfinite(typical), typical, 0.0))
        return TrendPath(_beliefs(untrained, history, settings.horizon), untrained.typical)


@dataclass(frozen=True, slots=True)
class TrendPath:
    """belief: share of the slope that is kept. typical: level where no sample is near. Both [workload]."""

    belief: Floats
    typical: Floats

    def path(self, recent: Batch, workload: Ints, horizon: int) -> Floats:
        """Level and damped slope, never below zero, shape [row, horizon]."""
        level, rise = self.parts(recent, workload, horizon)
        path: Floats = np.maximum(level[:, np.newaxis] + self.belief[workload, np.newaxis] * rise, 0.0)
        return path

    def parts(self, recent: Batch, workload: Ints, horizon: int) -> tuple[Floats, Floats]:
        """The level [row] and what the whole damped slope would add to it [row, horizon]."""
        level_steps = window_steps(recent.step_s, _LEVEL_S)
        slope_steps = window_steps(recent.step_s, _SLOPE_S, _FEWEST_SLOPE_STEPS)
        unlimited = np.full(len(recent), np.inf)
        samples = _without_slips(last_samples(recent, slope_steps, unlimited))
        level = mean_known(samples[:, -level_steps:])
        unknown = np.isnan(level)
        if unknown.any():
            level[unknown] = self._older_level(recent, workload, unknown)
        damping = np.exp(-recent.step_s / _DAMPING_S)
        ahead = np.cumsum(damping ** np.arange(1, horizon + 1)) + (level_steps - 1) / 2
        slope = np.where(unknown, 0.0, _slope(samples))
        return level, slope[:, np.newaxis] * ahead[np.newaxis, :]

    def reach(self, step_s: int) -> int:
        """Number of recent steps that `path` looks at."""
        return window_steps(step_s, _SEARCH_S, _FEWEST_SLOPE_STEPS)

    def _older_level(self, recent: Batch, workload: Ints, rows: NDArray[np.bool_]) -> Floats:
        """The last known sample within the search window, else the typical level."""
        block = _without_slips(recent.values[:, -self.reach(recent.step_s) :][rows])
        known = np.isfinite(block)
        last = block.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
        found = np.take_along_axis(block, last[:, np.newaxis], axis=1)[:, 0]
        return np.where(known.any(axis=1), found, self.typical[workload[rows]])


def _without_slips(samples: Floats) -> Floats:
    """Samples without a lone one a thousand times the others."""
    known = np.isfinite(samples)
    ordered = np.sort(np.where(known, samples, -np.inf), axis=1)
    second = ordered[:, -2] if samples.shape[1] > 1 else ordered[:, -1]
    limit = np.where(second > 0, 1000.0 * second, np.inf)
    return np.where(samples > limit[:, np.newaxis], np.nan, samples)


def _slope(samples: Floats) -> Floats:
    """Least-squares slope per step through the known samples, 0 with fewer than four, shape [row]."""
    known = np.isfinite(samples)
    count = known.sum(axis=1)
    at = np.arange(samples.shape[1], dtype=np.float64)
    filled = np.where(known, samples, 0.0)
    mean_at = (known * at).sum(axis=1) / np.maximum(count, 1)
    centred = np.where(known, at - mean_at[:, np.newaxis], 0.0)
    spread_at = (centred**2).sum(axis=1)
    slope = (centred * filled).sum(axis=1) / np.maximum(spread_at, 1e-9)
    return np.where(count >= _FEWEST_SLOPE_STEPS, slope, 0.0)


def _beliefs(untrained: TrendPath, history: Batch, horizon: int) -> Floats:
    """Per workload the share of the slope with the least mean absolute error at the horizon."""
    first = max(1, history.width - 1 - _LEARN_S // history.step_s)
    origins = spread(first, history.width - horizon, _ORIGINS)
    if len(origins) == 0:
        return untrained.belief
    errors = np.zeros((len(_BELIEFS), len(history), len(origins)))
    for moment in replay(history, origins, horizon):
        level, rise = untrained.parts(moment.recent, moment.workload, horizon)
        came = moment.ahead[:, -1]
        for index, belief in enumerate(_BELIEFS):
            path = np.maximum(level + belief * rise[:, -1], 0.0)
            errors[index, moment.place[0], moment.place[1]] = np.abs(came - path)
    known = np.isfinite(errors)
    total = np.where(known, errors, 0.0).sum(axis=2)
    best: Floats = np.array(_BELIEFS)[np.argmin(total, axis=0)]
    return best
