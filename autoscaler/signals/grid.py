"""Put timed samples on the regular grid that a `Series` is, or say why they do not fit one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autoscaler.series import Floats, Ints
from autoscaler.signals.errors import InputError

MICRO = 1_000_000
"""Times are compared as whole microseconds: exact, and fine enough for any recorder."""

_LONGEST_STEP_S = 86_400
_MOST_POINTS = 10_000_000


@dataclass(frozen=True, slots=True)
class Grid:
    """Where samples belong: `places[i]` is the step that sample i fills; `size` steps in all."""

    start_s: int
    step_s: int
    size: int
    places: Ints

    def spread(self, values: Floats) -> Floats:
        """Values by step, NaN where no sample was recorded. Shape [size]."""
        if len(values) == self.size:
            return values
        spread = np.full(self.size, np.nan)
        spread[self.places] = values
        return spread


def regular_grid(times_us: Ints, source: str, place: Callable[[int], str]) -> Grid:
    """The grid whose step is the most common distance of `times_us` (epoch microseconds).

    `source` and `place(i)` name the file and sample i in messages. Raises InputError for a single
    sample, for unsorted, duplicate or irregular times, and for steps outside 1 s to 1 d.
    """
    if len(times_us) < 2:
        raise InputError(f"{source}: holds a single sample; record at least two, better days of them")
    gaps = np.diff(times_us)
    _check_order(gaps, source, place)
    step_us = _most_common(gaps)
    if step_us % MICRO or not MICRO <= step_us <= _LONGEST_STEP_S * MICRO:
        raise InputError(
            f"{source}: samples are {_seconds(step_us)} apart; record at a step of whole seconds "
            "between 1 s and 1 d"
        )
    odd = np.flatnonzero(gaps % step_us)
    if len(odd):
        at = int(odd[0])
        raise InputError(
            f"{source}: {place(at + 1)} comes {_seconds(int(gaps[at]))} after the one before, but the step "
            f"is {_seconds(step_us)}; resample to a regular step"
        )
    places = (times_us - times_us[0]) // step_us
    size = int(places[-1]) + 1
    if size > _MOST_POINTS:
        far = int(np.argmax(gaps))
        raise InputError(
            f"{source}: spans {size:,} steps of {_seconds(step_us)}, more than {_MOST_POINTS:,}; the longest "
            f"gap is before {place(far + 1)}: check that timestamp or cut the file"
        )
    return Grid(int(times_us[0] // MICRO), step_us // MICRO, size, places)


def _check_order(gaps: Ints, source: str, place: Callable[[int], str]) -> None:
    wrong = np.flatnonzero(gaps <= 0)
    if not len(wrong):
        return
    at = int(wrong[0])
    if gaps[at] == 0:
        raise InputError(f"{source}: {place(at + 1)} repeats the timestamp before it; keep one of the two")
    raise InputError(f"{source}: {place(at + 1)} is earlier than the one before; sort by timestamp")


def _most_common(gaps: Ints) -> int:
    distances, counts = np.unique(gaps, return_counts=True)
    return int(distances[np.argmax(counts)])


def _seconds(micros: int) -> str:
    return f"{micros / MICRO:.10g} s"
