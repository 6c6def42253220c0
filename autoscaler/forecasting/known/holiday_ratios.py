"""How the load of a public holiday compares with that of the day of the week it falls on.

A holiday is taken for the day it resembles: the holidays that were seen, or, before one was, Sundays. Both
are compared with what is usual on its own day of the week, half-hour by half-hour, so that one which falls
on a Sunday is nothing special where holidays are like Sundays. Days are compared relative to the level of
the days around them, so that growth over the weeks is not taken for an effect of the calendar.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autoscaler.forecasting.classic.level import negligible
from autoscaler.forecasting.forecaster import DAY_S
from autoscaler.forecasting.grid import coarse
from autoscaler.forecasting.localtime import Clock
from autoscaler.series import Batch, Floats, Ints

_SLOT_S = 1800
_WEEK = 7
_SUNDAY = 6
_AROUND = 3
"""Days to both sides that tell the level of a day: with it, one of each day of the week."""
_WHOLE = 0.9
"""Share of a day that has to be known for its mean to say something."""
_MOST = 3.0
"""Ratios are believed up to a factor of e ** 3 in either direction."""


@dataclass(frozen=True, slots=True, eq=False)
class HolidayRatios:
    """log: [workload, weekday, slot], logarithm of a holiday's load over that of an ordinary day; 0 where
    nothing is known of either. seen: [workload], how many holidays it rests on; at 0 Sundays stand for them.
    """

    log: Floats
    seen: Ints

    @staticmethod
    def of(history: Batch, holidays: Collection[int], clock: Clock) -> HolidayRatios:
        """Learn from `history` [workload, time], rows ending together. holidays: local days since 1970."""
        load, days = _by_day(history, clock)
        weekday = (days + 3) % _WEEK  # 1970-01-01 was a Thursday
        holiday = np.isin(days, list(holidays))
        shape = load - _levels(load, weekday, holiday)[:, :, np.newaxis]
        usual = np.stack([_middle(shape[:, (weekday == day) & ~holiday], 1) for day in range(_WEEK)], axis=1)
        whole = np.isfinite(load).mean(axis=2) >= _WHOLE
        seen = np.where((holiday[np.newaxis] & whole)[:, :, np.newaxis], shape, np.nan)
        count = (holiday[np.newaxis] & whole).sum(axis=1)
        like = np.where((count > 0)[:, np.newaxis], _middle(seen, 1), usual[:, _SUNDAY])
        ratio = np.clip(like[:, np.newaxis] - usual, -_MOST, _MOST)
        return HolidayRatios(_smoothed(np.where(np.isfinite(ratio), ratio, 0.0)), count)

    def at(self, local_s: Ints, workload: Ints) -> Floats:
        """What they are at wall-clock times for workloads, whose shapes broadcast; linear between slots."""
        low, high, share = self._between(local_s)
        weekday = (local_s // DAY_S + 3) % _WEEK
        below, above = self.log[workload, weekday, low], self.log[workload, weekday, high]
        between: Floats = below + share * (above - below)
        return between

    def within_a_day(self, local_s: Ints, workload: Ints) -> Floats:
        """The same at wall-clock times of one day, [workload, moment], in a fraction of the time."""
        low, high, share = self._between(local_s)
        course = self.log[workload, (local_s[0] // DAY_S + 3) % _WEEK]
        below = course[:, low]
        between: Floats = below + share * (course[:, high] - below)
        return between

    def _between(self, local_s: Ints) -> tuple[Ints, Ints, Floats]:
        """The slots whose middles lie before and after, and how far from the one to the other."""
        slots = self.log.shape[2]
        position = np.clip(local_s % DAY_S * slots / DAY_S - 0.5, 0.0, slots - 1.0)
        low = position.astype(np.int64)
        return low, np.minimum(low + 1, slots - 1), position - low


def _by_day(history: Batch, clock: Clock) -> tuple[Floats, Ints]:
    """Logarithms of the load by local day and time of day, [workload, day, slot], and the days, [day]."""
    cells = coarse(history, _SLOT_S)
    slots = max(1, DAY_S // max(_SLOT_S, cells.cell_s))
    local_s = clock.local_s(cells.middles_s)
    day = local_s // DAY_S
    days = np.arange(day[0], day[-1] + 1)
    load = np.full((len(history), len(days), slots), np.nan)
    small = negligible(history.values)[:, np.newaxis]
    load[:, day - day[0], local_s % DAY_S * slots // DAY_S] = np.log(np.maximum(cells.values, 0.0) + small)
    return load, days


def _levels(load: Floats, weekday: Ints, holiday: NDArray[np.bool_]) -> Floats:
    """The level around each day, [workload, day], as if all days of the week were equally busy."""
    whole = np.isfinite(load).mean(axis=2) >= _WHOLE
    mean = np.where(
        whole & ~holiday, np.nansum(load, axis=2) / np.maximum(np.isfinite(load).sum(axis=2), 1), np.nan
    )
    overall = _middle(mean, 1)
    busier = np.stack([_middle(mean[:, weekday == day], 1) for day in range(_WEEK)], axis=1)
    even = mean - (busier - overall[:, np.newaxis])[:, weekday]
    padded = np.pad(even, ((0, 0), (_AROUND, _AROUND)), constant_values=np.nan)
    around = _middle(np.lib.stride_tricks.sliding_window_view(padded, 2 * _AROUND + 1, axis=1), 2)
    return np.where(np.isfinite(around), around, overall[:, np.newaxis])


def _middle(values: Floats, axis: int) -> Floats:
    """Median of the known values along an axis; NaN where there is none."""
    ordered = np.sort(values, axis=axis)
    count = np.isfinite(ordered).sum(axis=axis, keepdims=True)
    if values.shape[axis] == 0:
        return np.full(np.delete(values.shape, axis), np.nan)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis=axis)
    high = np.take_along_axis(ordered, np.minimum(count // 2, values.shape[axis] - 1), axis=axis)
    middle: Floats = np.where(count > 0, 0.5 * (low + high), np.nan).squeeze(axis)
    return middle


def _smoothed(ratio: Floats) -> Floats:
    """Means over three slots, two at either end of the day."""
    if ratio.shape[2] < 3:
        return ratio
    padded = np.pad(ratio, ((0, 0), (0, 0), (1, 1)), mode="edge")
    smooth: Floats = (padded[:, :, :-2] + padded[:, :, 1:-1] + padded[:, :, 2:]) / 3.0
    return smooth
