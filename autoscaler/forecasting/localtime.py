"""Seasons in local wall-clock time: where an instant lies in a season, and when it was that late before.

People live by the clock on the wall, so a season that is a whole number of days repeats in the
workload's own time zone, right through a change of daylight saving time. A season of any other
length (40 minutes, 36 hours) belongs to a machine and is counted in UTC.

The rule for the odd hours is that of PEP 495 with `fold=0`: a wall-clock time that occurs twice
means its first occurrence, and one that was skipped is read with the offset in force before the
change (02:30 on the morning the clocks went from 02:00 to 03:00 is 03:30).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from autoscaler.forecasting.forecaster import DAY_S
from autoscaler.series import Ints

_MARGIN_S = 2 * DAY_S
"""Covers the largest distance between a local time and the instant it stands for."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The UTC offsets of one time zone over a span of time.

    changes_s: [change], epoch seconds at which the offset changes, ascending.
    offsets_s: [change + 1], local time minus UTC before, between and after the changes.
    """

    changes_s: Ints
    offsets_s: Ints

    @staticmethod
    def of(time_zone: str, first_s: int, last_s: int) -> Clock:
        """The clock of an IANA zone, valid from `first_s` to `last_s` and two days around.

        Raises zoneinfo.ZoneInfoNotFoundError for a name that is no time zone.
        """
        zone = ZoneInfo(time_zone)
        days = range(int(first_s) - _MARGIN_S, int(last_s) + _MARGIN_S + DAY_S, DAY_S)
        changes: list[int] = []
        offsets = [_offset_s(zone, days[0])]
        for start_s, end_s in pairwise(days):
            if _offset_s(zone, end_s) != offsets[-1]:
                changes.append(_change_s(zone, start_s, end_s))
                offsets.append(_offset_s(zone, end_s))
        return Clock(np.array(changes, np.int64), np.array(offsets, np.int64))

    @property
    def steady(self) -> bool:
        """Whether the offset never changes within the span."""
        return len(self.changes_s) == 0

    def local_s(self, times_s: Ints) -> Ints:
        """Wall-clock seconds: what the local calendar would show, counted as if it were UTC."""
        if self.steady:
            steady: Ints = times_s + self.offsets_s[0]
            return steady
        local_s: Ints = times_s + self.offsets_s[np.searchsorted(self.changes_s, times_s, side="right")]
        return local_s

    def utc_s(self, local_s: Ints) -> Ints:
        """The instant a wall-clock time stands for, odd hours as the module describes."""
        if self.steady:
            steady: Ints = local_s - self.offsets_s[0]
            return steady
        # With fold=0 the old offset holds up to the later of the two readings of the changing clock.
        until = self.changes_s + np.maximum(self.offsets_s[:-1], self.offsets_s[1:])
        utc_s: Ints = local_s - self.offsets_s[np.searchsorted(until, local_s, side="right")]
        return utc_s

    def before(self, times_s: Ints, season_s: int, cycles: int) -> Ints:
        """The instants `cycles` seasons before `times_s`, at the same wall-clock time for whole days."""
        if self.steady or not follows_the_clock(season_s):
            return times_s - cycles * season_s
        return self.utc_s(self.local_s(times_s) - cycles * season_s)

    def phase_s(self, times_s: Ints, season_s: int) -> Ints:
        """Seconds since the season began, 0 up to `season_s`; a week begins on Monday at midnight."""
        if not follows_the_clock(season_s):
            return times_s % season_s
        # 1970-01-01 was a Thursday, so four days later a Monday began.
        phase: Ints = (self.local_s(times_s) - 4 * DAY_S) % season_s
        return phase

    def weekday(self, times_s: Ints) -> Ints:
        """Local day of the week, 0 is Monday."""
        day: Ints = (self.local_s(times_s) // DAY_S + 3) % 7
        return day


def follows_the_clock(season_s: int) -> bool:
    """Whether a season is a whole number of days and so repeats in local time."""
    return season_s % DAY_S == 0


def _offset_s(zone: ZoneInfo, at_s: int) -> int:
    offset = datetime.fromtimestamp(at_s, UTC).astimezone(zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _change_s(zone: ZoneInfo, before_s: int, after_s: int) -> int:
    """The first second of the new offset, by bisection; at most one change lies in between."""
    old = _offset_s(zone, before_s)
    while after_s - before_s > 1:
        middle_s = (before_s + after_s) // 2
        if _offset_s(zone, middle_s) == old:
            before_s = middle_s
        else:
            after_s = middle_s
    return after_s
