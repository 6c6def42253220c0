"""Fourier: ridge regression of the log load on harmonics of the seasons, for all workloads in one go.

The design matrix depends on time only, so a thousand workloads share it and the fit is one
closed-form solve (Hoerl and Kennard, 1970) per workload with a common Gram matrix. Learns a day
that differs by weekday from two weeks of history; smooth by nature, so it misses sharp edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoscaler.forecasting.classic.level import negligible
from autoscaler.forecasting.classic.profile import ProfilePath
from autoscaler.forecasting.classic.seasonal_naive import ceiling
from autoscaler.forecasting.forecaster import DAY_S, WEEK_S, ForecastSettings, PathPredictor
from autoscaler.forecasting.grid import coarse, visible_seasons
from autoscaler.forecasting.localtime import Clock
from autoscaler.series import Batch, Floats, Ints

_CELL_S = 900
_CELLS_PER_SEASON = 16
_HARMONICS = 12
_WEEKDAY_HARMONICS = 3
_FORGET_HALF_LIFE_S = 14 * DAY_S
_PENALTY = 1.0
_WEEKDAY_PENALTY = 4.0
"""A day of the week is believed to be like the others until it has shown otherwise twice."""
_LOG_RANGE = 3.0
"""How far, as a logarithm, a fitted course may leave the range that was seen."""


@dataclass(slots=True)
class Fourier:
    """Batched harmonic regression."""

    name: str = "fourier"

    def fit_path(self, history: Batch, settings: ForecastSettings) -> PathPredictor:
        """Solve the weighted ridge for every row."""
        seasons = visible_seasons(settings, history.step_s)
        cells = coarse(history, min(_CELL_S, min(seasons, default=DAY_S) // _CELLS_PER_SEASON))
        eps = negligible(history.values)
        weekdays = history.width * history.step_s > WEEK_S + DAY_S
        design = Design(seasons, settings.time_zone, weekdays, cells.cell_s)
        features = design.at(cells.middles_s)
        known = np.isfinite(cells.values)
        target = np.log(np.maximum(np.where(known, cells.values, 0.0), 0.0) + eps[:, np.newaxis])
        age_s = cells.middles_s[-1] - cells.middles_s
        recency = np.exp2(-age_s / _FORGET_HALF_LIFE_S)
        weights = recency * np.where(known, cells.weights, 0.0)
        full = recency * cells.weights.max(axis=0)
        coefficients = _solve(features, target, weights, full, design.penalties())
        low = np.where(known, target, np.inf).min(axis=1) - _LOG_RANGE
        high = np.where(known, target, -np.inf).max(axis=1) + _LOG_RANGE
        course = FourierCourse(design, coefficients, low, high, eps, history.step_s)
        return ProfilePath(course, eps, ceiling(history.values))


@dataclass(frozen=True, slots=True)
class Design:
    """Which features describe an instant: a constant, harmonics of each season, days of the week.

    weekdays: whether a week is described by its days and how they differ in shape, which takes
    more than a week of history; otherwise a week is left out.
    """

    seasons: tuple[int, ...]
    time_zone: str
    weekdays: bool
    cell_s: int

    def at(self, times_s: Ints) -> Floats:
        """The design matrix, [time, feature]."""
        clock = Clock.of(self.time_zone, int(times_s.min()), int(times_s.max()))
        columns = [np.ones((len(times_s), 1))]
        columns += [_harmonics(clock.phase_s(times_s, s) / s, self._count(s)) for s in self._smooth_seasons()]
        if self._by_weekday():
            day = np.eye(7)[clock.weekday(times_s)][:, 1:]
            columns.append(day)
            if DAY_S in self.seasons:
                shape = _harmonics(clock.phase_s(times_s, DAY_S) / DAY_S, _WEEKDAY_HARMONICS)
                columns.append((day[:, :, np.newaxis] * shape[:, np.newaxis, :]).reshape(len(times_s), -1))
        return np.concatenate(columns, axis=1)

    def penalties(self) -> Floats:
        """Ridge penalty of every feature; next to none on the constant."""
        smooth = sum(2 * self._count(s) for s in self._smooth_seasons())
        by_day = 0
        if self._by_weekday():
            by_day = 6 + (12 * _WEEKDAY_HARMONICS if DAY_S in self.seasons else 0)
        return np.concatenate([[1e-6], np.full(smooth, _PENALTY), np.full(by_day, _WEEKDAY_PENALTY)])

    def _by_weekday(self) -> bool:
        return self.weekdays and WEEK_S in self.seasons

    def _smooth_seasons(self) -> tuple[int, ...]:
        return tuple(s for s in self.seasons if s != WEEK_S)

    def _count(self, season_s: int) -> int:
        return max(1, min(_HARMONICS, season_s // (2 * self.cell_s)))


@dataclass(frozen=True, slots=True)
class FourierCourse:
    """coefficients: [workload, feature] of log(load + eps). low, high: [workload], bounds of that."""

    design: Design
    coefficients: Floats
    low: Floats
    high: Floats
    eps: Floats
    step_s: int

    def at(self, times_s: Ints, workloads: Ints) -> Floats:
        """Expected load, [workload, time]."""
        features = self.design.at(times_s + self.step_s // 2)
        fitted = self.coefficients[workloads] @ features.T
        bounded = np.clip(fitted, self.low[workloads, np.newaxis], self.high[workloads, np.newaxis])
        course: Floats = np.maximum(np.exp(bounded) - self.eps[workloads, np.newaxis], 0.0)
        return course


def _harmonics(phase: Floats, count: int) -> Floats:
    """sin and cos of the first `count` harmonics of a phase in [0, 1), [time, 2 * count]."""
    turn = np.exp(2j * np.pi * phase)
    powers = np.cumprod(np.repeat(turn[:, np.newaxis], count, axis=1), axis=1)
    return np.concatenate([powers.imag, powers.real], axis=1)


def _solve(features: Floats, target: Floats, weights: Floats, full: Floats, penalties: Floats) -> Floats:
    """Weighted ridge coefficients for every row of `target`, [row, feature].

    full: [time], the weights a complete row has. A row's Gram matrix is that of a complete row
    less the share of its missing cells; rows without anything known give NaN.
    """
    ridge = np.diag(penalties)
    gram = (features * full[:, np.newaxis]).T @ features
    right = (weights * target) @ features
    lacking = full[np.newaxis, :] - weights
    complete = ~(lacking > 0).any(axis=1)
    solved = np.empty((len(target), features.shape[1]))
    if complete.any():
        solved[complete] = np.linalg.solve(gram + ridge, right[complete].T).T
    for row in np.flatnonzero(~complete):
        gone = np.flatnonzero(lacking[row] > 0)
        if 2 * len(gone) < len(full):
            own = gram - (features[gone] * lacking[row, gone, np.newaxis]).T @ features[gone]
        else:
            own = (features * weights[row][:, np.newaxis]).T @ features
        solved[row] = np.linalg.solve(own + ridge, right[row]) if weights[row].any() else np.nan
    return solved
