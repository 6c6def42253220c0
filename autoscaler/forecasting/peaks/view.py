"""What the recent load says about the peak ahead: a level, and signs of how far above it the load will go.

Everything is relative to the present level and in logarithms, so that one set of weights serves day
and night. All signs come from a few short slices of the past, so thousands of rows, or thousands
of moments of one row as strided views, are looked at in one pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autoscaler.forecasting.peaks.past import Past, mean_of, median_of
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
_NEGLIGIBLE_SHARE = 0.02
_MOST = 3.0
_MOST_RISE = 10.0
_UNIT = 0.1
"""Signs are clipped to a factor of e ** 3 and counted in steps of a tenth, where the ridge's penalty
is one."""


SIGNS = 17
"""Number of signs, the constant one included."""

_Log = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class PeakView:
    """level: [row], mean of the last 3 minutes, never negligible; NaN where too little was recorded.
    raised: [row], how much more that is than what came; 0 unless next to nothing did. negligible: [row],
    2 % of the mean load: below it differences mean nothing. weight: [row], level relative to the mean
    load. signs: [row, sign], the first of which is one.
    """

    level: Floats
    raised: Floats
    negligible: Floats
    weight: Floats
    signs: Floats

    @staticmethod
    def of(recent: Batch, lead: int, season_s: int, ceiling: Floats) -> PeakView:
        """Look at every row of `recent` with `lead` steps ahead in mind.

        season_s: shortest season; its last seven cycles are looked at as far as the rows reach.
        ceiling: [row], above which a sample is absurd and counts as missing.
        """
        past = Past(recent, ceiling)
        season = max(1, round(season_s / recent.step_s))
        mean = mean_of(past.thinned(_CYCLES * season))
        usual = np.fmax(mean_of(past.thinned(season)), mean)
        negligible = np.fmax(_NEGLIGIBLE_SHARE * usual, 1e-9)

        def log(load: Floats) -> Floats:
            logarithm: Floats = np.log(np.fmax(load, negligible))
            return logarithm

        now = past.mean(0, past.steps(_LEVEL_S))
        level = np.where(np.isnan(now + usual), np.nan, np.fmax(now, negligible))
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
        return PeakView(level, level - now, negligible, weight, columns)

    def peaks(self, rises: Floats) -> Floats:
        """Rises [row, level] as loads: no rise from nothing is nothing. NaN where the level is unknown."""
        peaks = self.level[:, np.newaxis] * np.exp(np.clip(rises, -_MOST_RISE, _MOST_RISE))
        return np.maximum(peaks - self.raised[:, np.newaxis], 0.0)

    def rise(self, peak: Floats) -> Floats:
        """What is to be predicted: log of `peak` [row] over the level, NaN where either is unknown."""
        rise: Floats = np.log(np.maximum(peak, self.negligible)) - np.log(self.level)
        return rise


def _seasonal_signs(past: Past, log: _Log, lead: int, season: int) -> list[Floats]:
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
        median_of(smoothed),
        smoothed[0],
        smoothed[-1],
        median_of(raw),
        median_of(hourly) if hourly else unknown,
    ]


def _rise_after(past: Past, log: _Log, back: int, lead: int) -> Floats:
    return log(past.maximum(back - lead, lead)) - log(past.mean(back, past.steps(_LEVEL_S)))
