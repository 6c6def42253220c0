"""What the recent load says about the peak ahead: a level, and signs of how far above it the load will go.

Everything is relative to the present level and in logarithms, so that one set of weights serves day
and night. All signs come from a few short slices of the past, so thousands of rows, or thousands
of moments of one row as strided views, are looked at in one pass.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autoscaler.series import Batch, Floats

_MINUTE_S = 60
_LEVEL_S = 3 * _MINUTE_S
_MEANS_S = (10 * _MINUTE_S, 30 * _MINUTE_S, 120 * _MINUTE_S)
_SLOPES_S = (3 * _MINUTE_S, 5 * _MINUTE_S, 15 * _MINUTE_S, 30 * _MINUTE_S, 60 * _MINUTE_S)
_MAXIMA_S = (15 * _MINUTE_S, 60 * _MINUTE_S)
_SLOPE_MEAN_S = 5 * _MINUTE_S
_SMOOTHING_S = 7 * _MINUTE_S
_HOUR_S = 3600
_HOURS = 6
_CYCLES = 7
_COLUMNS_FOR_LONG_MEANS = 160
_NEGLIGIBLE_SHARE = 0.02
_MOST = 3.0
_UNIT = 0.1
"""Signs are clipped to a factor of e ** 3 and counted in steps of a tenth, where the ridge's penalty
is one."""


_Log = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class PeakView:
    """level: [row], mean of the last 3 minutes, never negligible; NaN where nothing was recorded.
    negligible: [row], 2 % of the mean load: below it differences mean nothing. weight: [row],
    level relative to the mean load. signs: [row, sign], the first of which is one.
    """

    level: Floats
    negligible: Floats
    weight: Floats
    signs: Floats

    @staticmethod
    def of(recent: Batch, lead: int, season_s: int, ceiling: Floats) -> PeakView:
        """Look at every row of `recent` with `lead` steps ahead in mind.

        season_s: shortest season; its last seven cycles are looked at as far as the rows reach.
        ceiling: [row], above which a sample is absurd and counts as missing.
        """
        past = _Past(recent.values, recent.step_s, ceiling)
        season = max(1, round(season_s / recent.step_s))
        mean = past.long_mean(_CYCLES * season)
        usual = np.fmax(past.long_mean(season), mean)
        negligible = np.maximum(_NEGLIGIBLE_SHARE * usual, 1e-9)

        def log(load: Floats) -> Floats:
            logarithm: Floats = np.log(np.fmax(load, negligible))
            return logarithm

        now = past.mean(0, past.steps(_LEVEL_S))
        level = np.where(np.isnan(now), np.nan, np.fmax(now, negligible))
        present = np.log(level)
        signs = [log(past.mean(0, 1)) - present]
        signs += [log(past.mean(0, past.steps(back_s))) - present for back_s in _MEANS_S]
        newest = log(past.mean(0, past.steps(_SLOPE_MEAN_S)))
        signs += [newest - log(past.mean(past.steps(b), past.steps(_SLOPE_MEAN_S))) for b in _SLOPES_S]
        signs += [log(past.maximum(0, past.steps(back_s))) - present for back_s in _MAXIMA_S]
        signs += _seasonal_signs(past, log, lead, season)
        columns = np.stack([np.full(len(level), _UNIT), *signs], axis=1)
        columns = np.clip(np.nan_to_num(columns), -_MOST, _MOST) / _UNIT
        weight = np.clip(level / np.fmax(mean, negligible), 0.02, 20.0)
        return PeakView(level, negligible, weight, columns)

    def rise(self, peak: Floats) -> Floats:
        """What is to be predicted: log of `peak` [row] over the level, NaN where either is unknown."""
        rise: Floats = np.log(np.maximum(peak, self.negligible)) - np.log(self.level)
        return rise


def _seasonal_signs(past: _Past, log: _Log, lead: int, season: int) -> list[Floats]:
    """How far the load rose from here at the same time in earlier cycles and hours.

    Median, last and seventh-last rise of the smoothed course, median rise of the raw one, and the
    median rise after the same minute of the last hours.
    """
    smoothed, raw = [], []
    reach = past.steps(_SMOOTHING_S)
    for cycle in range(1, _CYCLES + 1):
        back = cycle * season
        before = log(past.mean(back - reach, 2 * reach + 1))
        smoothed.append(log(past.smoothed_maximum(back, lead, reach)) - before)
        raw.append(_rise_after(past, log, back, lead))
    hours = [past.steps(_HOUR_S) * hour for hour in range(1, _HOURS + 1)]
    hourly = [_rise_after(past, log, back, lead) for back in hours if back >= lead]
    unknown = np.full(past.rows, np.nan)
    return [
        _median(smoothed),
        smoothed[0],
        smoothed[-1],
        _median(raw),
        _median(hourly) if hourly else unknown,
    ]


def _rise_after(past: _Past, log: _Log, back: int, lead: int) -> Floats:
    return log(past.maximum(back - lead, lead)) - log(past.mean(back, past.steps(_LEVEL_S)))


class _Past:
    """Slices of the past, counted backwards from the newest step; NaN where they hold nothing."""

    def __init__(self, values: Floats, step_s: int, ceiling: Floats) -> None:
        self._values = values
        self._step_s = step_s
        self._ceiling = ceiling[:, np.newaxis]
        self.rows = len(values)

    def steps(self, seconds: int) -> int:
        return max(1, round(seconds / self._step_s))

    def slice(self, back: int, width: int) -> Floats:
        """The `width` steps up to and including the one `back` steps ago, cut to what there is."""
        end = self._values.shape[1] - max(back, 0)
        first = max(0, self._values.shape[1] - back - width)
        return self._believable(self._values[:, first : max(end, first)])

    def mean(self, back: int, width: int) -> Floats:
        return _mean(self.slice(back, width))

    def maximum(self, back: int, width: int) -> Floats:
        part = self.slice(back, width)
        if part.shape[1] == 0:
            return np.full(self.rows, np.nan)
        highest: Floats = np.fmax.reduce(part, axis=1)
        return highest

    def smoothed_maximum(self, back: int, lead: int, reach: int) -> Floats:
        """Maximum, over the `lead` steps after `back`, of the mean over `reach` steps to both sides."""
        width = 2 * reach + 1
        part = self.slice(max(0, back - lead - reach), lead + 2 * reach)
        if part.shape[1] < width:
            return np.full(self.rows, np.nan)
        running = np.cumsum(part, axis=1)
        running[:, width:] -= running[:, :-width].copy()
        highest: Floats = np.fmax.reduce(running[:, width - 1 :], axis=1) / width
        return highest

    def long_mean(self, width: int) -> Floats:
        """Mean over a long span, from evenly thinned samples."""
        newest_first = self._values[:, -width:][:, ::-1]
        thinned = newest_first[:, :: max(1, math.ceil(width / _COLUMNS_FOR_LONG_MEANS))]
        return _mean(self._believable(thinned))

    def _believable(self, part: Floats) -> Floats:
        absurd = part > self._ceiling
        return np.where(absurd, np.nan, part) if absurd.any() else part


def _mean(part: Floats) -> Floats:
    """Mean of what is known; NaN where nothing is."""
    total: Floats = part.sum(axis=1)
    gaps = np.isnan(total)
    if part.shape[1] == 0:
        return np.full(len(part), np.nan)
    mean: Floats = total / part.shape[1]
    if gaps.any():
        some = part[gaps]
        known = np.isfinite(some)
        count = known.sum(axis=1)
        sums = np.where(known, some, 0.0).sum(axis=1)
        mean[gaps] = np.divide(sums, count, out=np.full(len(some), np.nan), where=count > 0)
    return mean


def _median(of: list[Floats]) -> Floats:
    """Element-wise median of what is known."""
    ordered = np.sort(np.stack(of), axis=0)  # NaN last
    count = np.isfinite(ordered).sum(axis=0)
    low = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0)[np.newaxis], axis=0)[0]
    high = np.take_along_axis(ordered, np.minimum(count // 2, len(of) - 1)[np.newaxis], axis=0)[0]
    middle: Floats = (low + high) / 2.0
    return middle
