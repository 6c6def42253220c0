"""Seasonal naive: what was seen at the same time on earlier days and weeks, corrected by the present level.

Needs no training beyond one number per workload and further season: how much the longer season
counts against the shorter. Everything else is read from the recent load itself, so the newest
days count at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autoscaler.forecasting.classic.level import corrected, last_samples, negligible, window_steps
from autoscaler.forecasting.forecaster import DAY_S, ForecastSettings, PathPredictor
from autoscaler.forecasting.grid import visible_seasons
from autoscaler.forecasting.localtime import Clock
from autoscaler.forecasting.origins import replay, spread
from autoscaler.series import Batch, Floats, Ints

_CYCLES_SHORTEST = 7
_CYCLES_LONGER = 4
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
_SMOOTH_S = 900
"""Window of the centred mean that takes the noise out of single minutes."""
_SMOOTH_SHARE = 16
"""… and at most this fraction of the season."""
_ORIGINS = 96
_LEARN_S = 7 * DAY_S
_MASK_CELL_S = 300
_CEILING = 10.0


@dataclass(slots=True)
class SeasonalNaive:
    """Median of the same time in recent seasons."""

    name: str = "seasonal-naive"

    def fit_path(self, history: Batch, settings: ForecastSettings) -> PathPredictor:
        """Learn how to blend the seasons, and remember which samples cleaning had removed."""
        seasons = visible_seasons(settings, history.step_s)
        path = SeasonalNaivePath(
            seasons=seasons,
            shares=np.zeros((max(0, len(seasons) - 1), len(history))),
            time_zone=settings.time_zone,
            eps=negligible(history.values),
            ceiling=ceiling(history.values),
            removed=_Removed.of(history),
        )
        for index in range(1, len(seasons)):
            path = path.with_share(index, history, settings.horizon)
        return path


@dataclass(frozen=True, slots=True)
class _Removed:
    """Samples that were missing after cleaning, on cells of about five minutes.

    cells: [workload, cell], True where most of the cell was missing.
    """

    cells: NDArray[np.bool_]
    start_s: int
    cell_s: int

    @staticmethod
    def of(history: Batch) -> _Removed | None:
        """None when next to nothing is missing."""
        per_cell = max(1, _MASK_CELL_S // history.step_s)
        count = history.width // per_cell
        missing = ~np.isfinite(history.values[:, history.width - count * per_cell :])
        cells = missing.reshape(len(history), count, per_cell).mean(axis=2) > 0.5
        if not cells.any():
            return None
        start_s = int(history.end_s[0]) - history.step_s * (count * per_cell - 1)
        return _Removed(cells, start_s, per_cell * history.step_s)

    def hit(self, times_s: Ints, workload: Ints) -> NDArray[np.bool_]:
        """Which of `times_s` [row, step] had been removed."""
        cell = (times_s - self.start_s) // self.cell_s
        inside = (cell >= 0) & (cell < self.cells.shape[1])
        hit: NDArray[np.bool_] = inside & self.cells[workload[:, np.newaxis], np.where(inside, cell, 0)]
        return hit


@dataclass(frozen=True, slots=True)
class SeasonalNaivePath:
    """shares: [season - 1, workload], weight of each further season against the ones before it."""

    seasons: tuple[int, ...]
    shares: Floats
    time_zone: str
    eps: Floats
    ceiling: Floats
    removed: _Removed | None

    def path(self, recent: Batch, workload: Ints, horizon: int) -> Floats:
        """Median of the same time in recent seasons at today's level, [row, horizon]; NaN if never seen."""
        if not self.seasons:
            return np.full((len(recent), horizon), np.nan)
        profile = self._blended(recent, workload, horizon, len(self.seasons))
        return self._at_level(profile, recent, workload)

    def with_share(self, index: int, history: Batch, horizon: int) -> SeasonalNaivePath:
        """The same with the weight of season `index` chosen by its errors on `history`."""
        span = min(history.width // 2, _LEARN_S // history.step_s)
        first = max(history.width - span, self.seasons[index] // history.step_s)
        origins = spread(first, history.width - horizon, _ORIGINS, self.seasons[0] // history.step_s)
        shares = self.shares.copy()
        if len(origins):
            errors = np.zeros((len(_SHARES), len(history), len(origins)))
            for moment in replay(history, origins, horizon):
                shorter = self._blended(moment.recent, moment.workload, horizon, index)
                longer = self._profile(moment.recent, moment.workload, horizon, index)
                for choice, share in enumerate(_SHARES):
                    weights = np.full(len(moment.workload), share)
                    path = self._at_level(_blend(shorter, longer, weights), moment.recent, moment.workload)
                    errors[(choice, *moment.place)] = _mean_error(path, moment.ahead)
            total = np.where(np.isfinite(errors), errors, 0.0).sum(axis=2)
            shares[index - 1] = np.array(_SHARES)[np.argmin(total, axis=0)]
        return SeasonalNaivePath(self.seasons, shares, self.time_zone, self.eps, self.ceiling, self.removed)

    def _at_level(self, profile: Floats, recent: Batch, workload: Ints) -> Floats:
        past = window_steps(recent.step_s)
        seen = last_samples(recent, past, self.ceiling[workload])
        return corrected(seen, profile[:, :past], profile[:, past:], self.eps[workload], step_s=recent.step_s)

    def _blended(self, recent: Batch, workload: Ints, horizon: int, seasons: int) -> Floats:
        """The profiles of the first `seasons` seasons in one, [row, past + horizon]."""
        profile = self._profile(recent, workload, horizon, 0)
        for index in range(1, seasons):
            weights = self.shares[index - 1][workload]
            if weights.any() or np.isnan(profile).any():
                longer = self._profile(recent, workload, horizon, index)
                profile = _blend(profile, longer, weights)
        return profile

    def _profile(self, recent: Batch, workload: Ints, horizon: int, index: int) -> Floats:
        """Median over recent cycles of one season, for the level window and the horizon."""
        season_s = self.seasons[index]
        step_s = recent.step_s
        wanted = _CYCLES_LONGER if index else _CYCLES_SHORTEST
        cycles = min(wanted, max(1, recent.width * step_s // season_s))
        half = min(_SMOOTH_S, season_s // _SMOOTH_SHARE) // (2 * step_s)
        offsets = np.arange(1 - window_steps(step_s), horizon + 1)
        times = recent.end_s[:, np.newaxis] + step_s * offsets[np.newaxis, :]
        clock = Clock.of(self.time_zone, int(times.min()) - cycles * season_s, int(times.max()))
        limit = self.ceiling[workload]
        layers = []
        for cycle in range(1, cycles + 1):
            if clock.steady or season_s % DAY_S:
                back_s: Ints = cycle * season_s - step_s * offsets[np.newaxis, :]
            else:
                back_s = recent.end_s[:, np.newaxis] - clock.before(times, season_s, cycle)
            layer = _smoothed_at(recent, np.rint(back_s / step_s).astype(np.int64), half, limit)
            if self.removed is not None:
                layer[self.removed.hit(times - cycle * season_s, workload)] = np.nan
            # A cycle that counts ahead but not for the present would tear the two apart.
            past = np.isfinite(layer[:, : window_steps(step_s)])
            if not past.all():
                layer[2 * past.sum(axis=1) < past.shape[1]] = np.nan
            layers.append(layer)
        return _median(np.stack(layers))


def ceiling(history: Floats) -> Floats:
    """Ten times the largest sample of each cleaned row, [row]: hardly ever reached. Infinite if unknown."""
    known = np.isfinite(history)
    largest = np.where(known, history, 0.0).max(axis=1, initial=0.0)
    return np.where(largest > 0, _CEILING * largest, np.inf)


def _smoothed_at(recent: Batch, back: Ints, half: int, limit: Floats) -> Floats:
    """Centred mean over `2 * half + 1` samples, `back` steps before each row's end, [row, step].

    back: [row or 1, step]. NaN where nothing was recorded or the sample lies outside the row.
    """
    width = recent.width
    first = width - 1 - int(back.max()) - half
    last = width - 1 - int(back.min()) + half + 1
    low, high = max(0, first), min(width, last)
    if high <= low:
        return np.full((len(recent), back.shape[1]), np.nan)
    block = np.minimum(recent.values[:, low:high], limit[:, np.newaxis])
    if low > first or high < last:
        block = np.pad(block, ((0, 0), (low - first, last - high)), constant_values=np.nan)
    smooth = _moving_mean(block, 2 * half + 1)
    column = (width - 1 - back - half) - first
    if len(back) == 1:
        return smooth[:, column[0]]
    return np.take_along_axis(smooth, column, axis=1)


def _moving_mean(block: Floats, window: int) -> Floats:
    """Mean of the known among every `window` consecutive samples, NaN where fewer than half are known."""
    known = np.isfinite(block)
    complete = bool(known.all())
    total = _moving_sum(block if complete else np.where(known, block, 0.0), window)
    if complete:
        return total / window
    count = _moving_sum(known.astype(np.float64), window)
    return np.where(2 * count >= window, total / np.maximum(count, 1.0), np.nan)


def _moving_sum(block: Floats, window: int) -> Floats:
    sums = np.zeros((block.shape[0], block.shape[1] + 1))
    np.cumsum(block, axis=1, out=sums[:, 1:])
    # Rounding may leave a sum of zeros just below zero.
    moved: Floats = np.maximum(sums[:, window:] - sums[:, :-window], 0.0)
    return moved


def _median(layers: Floats) -> Floats:
    """Median over the first axis, of the known values only."""
    ordered = np.sort(layers, axis=0)
    count = np.isfinite(ordered).sum(axis=0)[np.newaxis]
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=0)[0]
    high = np.take_along_axis(ordered, np.minimum(count // 2, len(layers) - 1), axis=0)[0]
    return np.where(count[0] > 0, 0.5 * (low + high), np.nan)


def _blend(shorter: Floats, longer: Floats, share: Floats) -> Floats:
    """Weighted mean, or the one that is known."""
    weight = share[:, np.newaxis]
    both = (1 - weight) * shorter + weight * longer
    return np.where(np.isnan(shorter), longer, np.where(np.isnan(longer), shorter, both))


def _mean_error(path: Floats, ahead: Floats) -> Floats:
    """Mean absolute error over the known steps, [row]."""
    error = np.abs(path - ahead)
    known = np.isfinite(error)
    mean: Floats = np.where(known, error, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return mean
