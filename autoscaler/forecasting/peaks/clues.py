"""Everything a shared model is told about a moment: how the load got here, and what followed at like times.

All clues are logarithms relative to the present level, or logarithms of spans of time, so that one
model serves workloads of any size. What the past does not reach back to is NaN, and the model was trained
on such moments too: a young workload is asked with fewer clues.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from autoscaler.forecasting.peaks.past import (
    THINNED_TO,
    Past,
    deviation_of,
    maximum_after,
    mean_of,
    median_of,
    quantiles_of,
)
from autoscaler.forecasting.peaks.view import PeakView
from autoscaler.series import Batch, Floats

_MINUTE_S = 60
_HOUR_S = 3600
_LEVEL_S = 3 * _MINUTE_S
_SMOOTHING_S = 7 * _MINUTE_S
_CYCLES = 7
_NEAR_S = 4 * _HOUR_S
_LEAST_UNREST = 1e-3
_MOST = 12.0

_SIGNS = (
    "now",
    "mean 10m",
    "mean 30m",
    "mean 2h",
    "slope 3m",
    "slope 5m",
    "slope 15m",
    "slope 30m",
    "slope 1h",
    "max 15m",
    "max 1h",
    "smooth rise median",
    "smooth rise 1",
    "smooth rise 7",
    "rise median",
    "hourly median",
)
"""Names of the signs of `view` after the first, which is constant."""


@dataclass(slots=True)
class Clues:
    """Columns by name, in the order in which they were added."""

    columns: dict[str, Floats] = field(default_factory=dict)

    def add(self, name: str, column: Floats) -> None:
        """One more clue: [row]."""
        self.columns[name] = column

    def table(self) -> Floats:
        """[row, clue], bounded."""
        table: Floats = np.clip(np.stack(list(self.columns.values()), axis=1), -_MOST, _MOST)
        return table


def clues(recent: Batch, view: PeakView, lead: int, season_s: int, ceiling: Floats) -> Clues:
    """What every row of `recent` shows with `lead` steps ahead in mind; arguments as of `PeakView.of`."""
    seen = _Seen(Past(recent, ceiling), view, lead, max(1, round(season_s / recent.step_s)))
    told = Clues()
    told.add("lead", np.full(len(recent), np.log(lead * recent.step_s / _MINUTE_S)))
    told.add("step", np.full(len(recent), np.log(recent.step_s / _MINUTE_S)))
    for place, name in enumerate(_SIGNS):
        told.add(name, view.signs[:, place + 1] / 10.0)
    _levels(seen, told)
    _unrest(seen, told)
    _recent_rises(seen, told)
    _like_times(seen, told)
    _like_minutes(seen, told)
    return told


class _Seen:
    """The past as logarithms over the present level."""

    def __init__(self, past: Past, view: PeakView, lead: int, season: int) -> None:
        self.past = past
        self.lead = lead
        self.season = season
        self.present = np.log(view.level)
        self._floor = view.negligible

    def log(self, load: Floats) -> Floats:
        """Of [row] or [row, time]; loads too small to matter count as the least that does."""
        floor = self._floor if load.ndim == 1 else self._floor[:, np.newaxis]
        return np.where(np.isnan(load), np.nan, np.log(np.fmax(load, floor)))

    def over(self, load: Floats) -> Floats:
        """The same over the present level."""
        present = self.present if load.ndim == 1 else self.present[:, np.newaxis]
        return self.log(load) - present

    def mean(self, back_s: float, width_s: float) -> Floats:
        """Logarithm of a mean that ended `back_s` ago."""
        back = self.past.steps(back_s) if back_s else 0
        return self.log(self.past.mean(back, self.past.steps(width_s)))

    def rise_after(self, back: int) -> Floats:
        """How far the load rose within the lead time after `back` steps ago."""
        peak = self.past.maximum(back - self.lead, self.lead)
        return self.log(peak) - self.log(self.past.mean(back, self.past.steps(_LEVEL_S)))

    def rises_around(self, back: int, reach: int) -> Floats:
        """The same for every moment from `reach` steps before to `reach` steps after: [row, moment]."""
        reach = min(reach, back - self.lead)
        level_steps = self.past.steps(_LEVEL_S)
        part = self.past.whole_slice(back - self.lead - reach, self.lead + 2 * reach + level_steps)
        return self._rises_within(part, level_steps)

    def near_rises(self) -> Floats:
        """The same for every moment of the last hours whose lead time is over, oldest first."""
        level_steps = self.past.steps(_LEVEL_S)
        part = self.past.whole_slice(0, self.past.steps(_NEAR_S) + self.lead + level_steps)
        return self._rises_within(part, level_steps)

    def _rises_within(self, part: Floats, level_steps: int) -> Floats:
        """Rises from every step of `part` that has its level before and its lead time after it."""
        peaks = self.log(maximum_after(part, self.lead)[:, level_steps - 1 :])
        levels = np.zeros(peaks.shape)
        for back in range(level_steps):
            levels += part[:, level_steps - 1 - back : part.shape[1] - self.lead - back]
        return peaks - self.log(levels / level_steps)


def _levels(seen: _Seen, told: Clues) -> None:
    """Means, extremes and slopes of the last minutes to the last week."""
    past, season = seen.past, seen.season
    for minutes in (5, 15, 60, 240):
        told.add(f"mean {minutes}m", seen.mean(0, minutes * _MINUTE_S) - seen.present)
    day = past.thinned(season)
    told.add("mean 1 season", seen.over(mean_of(day)))
    told.add("mean 7 seasons", seen.over(mean_of(past.thinned(_CYCLES * season))))
    told.add("median 1 season", seen.over(quantiles_of(day, (0.5,))[0]))
    for minutes in (5, 30, 180, 720):
        told.add(f"max {minutes}m", seen.over(past.maximum(0, past.steps(minutes * _MINUTE_S))))
    told.add("max 1 season", seen.over(past.maximum(0, season)))
    for minutes in (15, 60):
        told.add(f"min {minutes}m", seen.over(past.minimum(0, past.steps(minutes * _MINUTE_S))))
    told.add("min 1 season", seen.over(past.minimum(0, season)))
    newest = seen.mean(0, 5 * _MINUTE_S)
    told.add("slope 3h", newest - seen.mean(180 * _MINUTE_S, 5 * _MINUTE_S))
    quarter = newest - seen.mean(15 * _MINUTE_S, 5 * _MINUTE_S)
    before = seen.mean(15 * _MINUTE_S, 5 * _MINUTE_S) - seen.mean(30 * _MINUTE_S, 5 * _MINUTE_S)
    told.add("acceleration", quarter - before)
    back = past.steps(15 * _MINUTE_S)
    five = past.steps(5 * _MINUTE_S)
    then = seen.log(past.mean(season, five)) - seen.log(past.mean(season + back, five))
    told.add("slope against 1 season ago", quarter - then)


def _unrest(seen: _Seen, told: Clues) -> None:
    """How much the load jumps from step to step, and strays from its mean."""
    past = seen.past
    recent = seen.log(past.whole_slice(0, past.steps(_NEAR_S) + 1))
    jumps = np.diff(recent, axis=1)
    for minutes in (15, 60, 240):
        span = past.steps(minutes * _MINUTE_S)
        told.add(f"jumps {minutes}m", np.log(deviation_of(jumps[:, -span:]) + _LEAST_UNREST))
    for minutes in (30, 240):
        span = past.steps(minutes * _MINUTE_S)
        told.add(f"deviation {minutes}m", np.log(deviation_of(recent[:, -span:]) + _LEAST_UNREST))
    hour = past.steps(_HOUR_S)
    told.add("unchanged 1h", mean_of((jumps[:, -hour:] == 0.0).astype(np.float64)))


def _recent_rises(seen: _Seen, told: Clues) -> None:
    """What would have been the right answer in the last minutes and hours."""
    past, near = seen.past, seen.near_rises()
    told.add("last rise", near[:, -1])
    told.add("rises 10m max", np.fmax.reduce(near[:, -past.steps(10 * _MINUTE_S) :], axis=1))
    for level, value in zip((50, 90), quantiles_of(near[:, -past.steps(_HOUR_S) :], (0.5, 0.9)), strict=True):
        told.add(f"rises 1h q{level}", value)
    sparse = near[:, :: max(1, near.shape[1] // THINNED_TO)]
    for level, value in zip((50, 90, 98), quantiles_of(sparse, (0.5, 0.9, 0.98)), strict=True):
        told.add(f"rises 4h q{level}", value)
    for minutes in (10, 15, 30):
        cycle = past.steps(minutes * _MINUTE_S)
        # near[:, -1] is the rise from `lead` steps ago.
        places = [cycle * i - seen.lead for i in range(1, 13) if 0 <= cycle * i - seen.lead < near.shape[1]]
        like = [near[:, near.shape[1] - 1 - place] for place in places]
        told.add(f"every {minutes}m median", median_of(like) if like else np.full(past.rows, np.nan))


def _like_times(seen: _Seen, told: Clues) -> None:
    """What followed at the same time of the last seven seasons, and how they compare with this one."""
    past, lead, season = seen.past, seen.lead, seen.season
    smoothing = past.steps(_SMOOTHING_S)
    half = past.steps(30 * _MINUTE_S)
    mean_now = seen.log(past.mean(0, half))
    rises, smooth, scaled, around = [], [], [], []
    for cycle in range(1, _CYCLES + 1):
        back = cycle * season
        peak, mean_then = seen.log(past.maximum(back - lead, lead)), seen.log(past.mean(back, half))
        before = seen.log(past.mean(back - smoothing, 2 * smoothing + 1))
        near = seen.rises_around(back, past.steps(15 * _MINUTE_S))
        rises.append(near[:, near.shape[1] // 2])
        smooth.append(seen.log(past.smoothed_maximum(back, lead, smoothing)) - before)
        scaled.append(peak - mean_then + mean_now - seen.present)
        around.append(np.fmax.reduce(near, axis=1))
        if cycle in (1, 7):
            told.add(f"peak {cycle} seasons ago", peak - seen.present)
        if cycle in (1, 2, 7):
            told.add(f"level against {cycle} seasons ago", mean_now - mean_then)
    told.add("rise 1", rises[0])
    told.add("rise 2", rises[1])
    told.add("rise 7", rises[-1])
    told.add("rise max", np.fmax.reduce(rises))
    told.add("rise spread", deviation_of(np.stack(rises, axis=1)))
    told.add("smooth rise 2", smooth[1])
    told.add("smooth rise max", np.fmax.reduce(smooth))
    for name, each in (("scaled peak", scaled), ("rise around", around)):
        told.add(f"{name} 1", each[0])
        told.add(f"{name} 7", each[-1])
        told.add(f"{name} median", median_of(each))
        told.add(f"{name} max", np.fmax.reduce(each))


def _like_minutes(seen: _Seen, told: Clues) -> None:
    """What followed at the same minute of the last hours."""
    hour = seen.past.steps(_HOUR_S)
    hourly = [seen.rise_after(hour * i) for i in range(1, 13) if hour * i >= seen.lead]
    told.add("hourly 1", hourly[0])
    told.add("hourly mean 3", mean_of(np.stack(hourly[:3], axis=1)))
    told.add("hourly median 12", median_of(hourly))
    told.add("hourly max 12", np.fmax.reduce(hourly))
