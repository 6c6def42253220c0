"""Models that learn a course of expected load over time and are corrected by the present level.

A model provides a `Course`: what it expects at any instant. `ProfilePath` turns that into a path
for every row of a batch, evaluating the course once per distinct instant.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from autoscaler.forecasting.classic.level import corrected, last_samples, window_steps
from autoscaler.forecasting.localtime import Clock, follows_the_clock
from autoscaler.series import Batch, Floats, Ints


class Course(Protocol):
    """Expected load as a function of time, learned from a history."""

    def at(self, times_s: Ints, workloads: Ints) -> Floats:
        """Expected load at the middle of the steps beginning at `times_s`, [workload, time]; or NaN."""
        ...


@dataclass(frozen=True, slots=True)
class ProfilePath:
    """A course, corrected by the last samples of each row. eps, ceiling: [workload]."""

    course: Course
    eps: Floats
    ceiling: Floats

    def path(self, recent: Batch, workload: Ints, horizon: int) -> Floats:
        """Expected load of the next `horizon` steps after each row's end, shape [row, horizon]."""
        past = window_steps(recent.step_s)
        offsets_s = recent.step_s * np.arange(1 - past, horizon + 1)
        ends, row_end = np.unique(recent.end_s, return_inverse=True)
        times, position = np.unique(ends[:, np.newaxis] + offsets_s[np.newaxis, :], return_inverse=True)
        workloads, row_workload = np.unique(workload, return_inverse=True)
        table = self.course.at(times, workloads)
        position = position.reshape(len(ends), len(offsets_s))
        expected = table[row_workload[:, np.newaxis], position[row_end]]
        seen = last_samples(recent, past, self.ceiling[workload])
        return corrected(
            seen, expected[:, :past], expected[:, past:], self.eps[workload], step_s=recent.step_s
        )

    def reach(self, step_s: int) -> int:
        """Number of recent steps that `path` looks at."""
        return window_steps(step_s)


@dataclass(frozen=True, slots=True)
class TableCourse:
    """A course given as numbers on a grid, repeated by whole seasons beyond its end.

    values: [workload, cell], expected load at `first_s + i * cell_s`. season_s: by which it
    repeats; 0 to hold the last value instead.
    """

    values: Floats
    first_s: float
    cell_s: int
    season_s: int
    step_s: int
    time_zone: str

    def at(self, times_s: Ints, workloads: Ints) -> Floats:
        """Linear between the cells, shape [workload, time]."""
        middles = times_s + self.step_s / 2
        last_s = self.first_s + self.cell_s * (self.values.shape[1] - 1)
        late = middles > last_s
        if self.season_s and late.any():
            middles = np.where(late, self._wrapped(times_s, last_s) + self.step_s / 2, middles)
        position = np.clip((middles - self.first_s) / self.cell_s, 0, self.values.shape[1] - 1)
        low = np.floor(position).astype(np.int64)
        high = np.minimum(low + 1, self.values.shape[1] - 1)
        share = position - low
        rows = self.values[workloads]
        course: Floats = rows[:, low] * (1 - share) + rows[:, high] * share
        return course

    def _wrapped(self, times_s: Ints, last_s: float) -> Ints:
        """The latest instant within the table that is whole seasons before."""
        cycles = np.ceil((times_s + self.step_s / 2 - last_s) / self.season_s).astype(np.int64)
        back = np.maximum(cycles, 0) * self.season_s
        if not follows_the_clock(self.season_s):
            steady: Ints = times_s - back
            return steady
        clock = Clock.of(self.time_zone, int(times_s.min() - back.max()), int(times_s.max()))
        return clock.utc_s(clock.local_s(times_s) - back)
