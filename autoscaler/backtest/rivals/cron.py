"""A schedule by local hour of day: learned from the warm-up once, or as given.

Learned, it is what someone would write down from a dashboard: for each hour of the day the 95th
percentile of what was needed in that hour. It starts each hour's replicas one start-up time early,
and knows neither weekdays nor holidays nor what happens today.
"""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from autoscaler.backtest.result import Kind
from autoscaler.backtest.rivals.learned import RunningPeak, needs_of_warm_up
from autoscaler.backtest.rivals.rival import RivalContext
from autoscaler.backtest.rivals.settings import (
    MOST_REPLICAS,
    Pairs,
    number,
    refused,
    suggest,
    whole,
)
from autoscaler.backtest.scaler import Moment
from autoscaler.series import Floats
from autoscaler.signals.errors import InputError

_HOURS = 24
_REPLICAS = whole(0, MOST_REPLICAS)
_PERCENTILE = number(0, 100)

Hours = tuple[int, ...]
"""Replicas for each of the 24 local hours."""


@dataclass(frozen=True, slots=True)
class CronSettings:
    """percentile: of the need in each hour of the warm-up. hours: the schedule as given, else None."""

    percentile: float = 95.0
    hours: Hours | None = None


def read_cron(rival: str, pairs: Pairs) -> CronSettings:
    """`percentile=90`, or windows such as `8-18=20` and `default=5` for all other hours.

    A window runs from its first hour up to, not including, its last, past midnight where that is
    smaller. Where windows overlap the larger count holds, as with several cron triggers in KEDA.
    """
    percentile, default = None, None
    windows: list[tuple[list[int], int]] = []
    for name, text in pairs:
        try:
            if name == "percentile":
                percentile = _PERCENTILE(text)
            elif name == "default":
                default = _REPLICAS(text)
            else:
                windows.append((_window(rival, name), _REPLICAS(text)))
        except ValueError as wrong:
            if isinstance(wrong, InputError):
                raise
            raise refused(rival, name, text, wrong) from wrong
    if not windows and default is None:
        return CronSettings() if percentile is None else CronSettings(percentile)
    if percentile is not None:
        raise InputError(f"baseline {rival}: give either percentile or windows, not both")
    hours = [1 if default is None else default] * _HOURS
    for hour in range(_HOURS):
        counts = [count for window, count in windows if hour in window]
        hours[hour] = max(counts, default=hours[hour])
    return CronSettings(hours=tuple(hours))


class CronRival:
    """Follows the schedule; during the warm-up that it is learned from, the peak so far."""

    kind = Kind.BASELINE

    def __init__(self, name: str, settings: CronSettings, context: RivalContext) -> None:
        self.name = name
        self._scored_from = context.scored_from
        self._ahead_s = context.start_up_s
        self._zone = ZoneInfo(context.time_zone)
        self._peak = RunningPeak(context.per_replica)
        self._given = settings.hours is not None
        if settings.hours is not None:
            self._hours = settings.hours
            self.note = f"cron schedule as given, {context.time_zone}"
        else:
            needs, times_s = needs_of_warm_up(name, "windows such as 8-18=20", context)
            self._hours = _learned(needs, times_s, self._zone, settings.percentile)
            self.note = (
                f"cron schedule by hour, p{settings.percentile:g} of the need in the warm-up, "
                f"{context.time_zone}"
            )

    def start(self, first_load: float) -> int:
        """What the first load needs: the schedule says nothing of how it was before."""
        return self._peak.see(first_load)

    def decide(self, moment: Moment) -> int:
        """The larger of this hour's count and the one that must be ready a start-up time from now."""
        peak = self._peak.see(moment.load)
        if not self._given and moment.index < self._scored_from:
            return peak
        now, soon = (_hour(at_s, self._zone) for at_s in (moment.now_s, moment.now_s + self._ahead_s))
        return max(self._hours[now], self._hours[soon])


def _window(rival: str, name: str) -> list[int]:
    """The hours of `8-18`."""
    first, dash, last = name.partition("-")
    if not (dash and first.isdecimal() and last.isdecimal()):
        raise InputError(f"baseline {rival} has no setting {name!r}{suggest(name, _KNOWN)}")
    begin, end = int(first), int(last)
    if begin >= _HOURS or end > _HOURS or begin == end:
        raise ValueError("a window must be FIRST-LAST in hours from 0 to 24")
    return [hour % _HOURS for hour in range(begin, end if end > begin else end + _HOURS)]


_KNOWN = ("percentile", "default", "8-18")


def _learned(needs: Floats, times_s: Floats, zone: ZoneInfo, percentile: float) -> Hours:
    """The percentile for each local hour; for hours that never occurred, that of the whole."""
    hours = np.array([_hour(at_s, zone) for at_s in times_s.tolist()])
    return tuple(
        math.ceil(np.percentile(chosen if len(chosen := needs[hours == hour]) else needs, percentile) - 1e-9)
        for hour in range(_HOURS)
    )


def _hour(at_s: float, zone: ZoneInfo) -> int:
    return datetime.datetime.fromtimestamp(at_s, zone).hour
