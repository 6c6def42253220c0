"""What numbers look like inside: a load series, a single reading, a forecast.

Everything here is plain data on a regular UTC grid. A missing sample is NaN and a missing
reading is a state of its own: neither is ever zero. Parsing and checking happen where numbers
enter (`autoscaler.signals`), so nothing here validates again.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Series:
    """One recorded quantity on a regular UTC grid.

    `values[i]` belongs to the interval that starts at `start_s + i * step_s` (epoch seconds) and
    is known when that interval has ended. `columns` holds further recorded quantities of the same
    length by name, for reactive signals.
    """

    name: str
    start_s: int
    step_s: int
    values: Floats
    columns: Mapping[str, Floats] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def times_s(self) -> Ints:
        """Start of each interval, epoch seconds, shape [time]."""
        return self.start_s + self.step_s * np.arange(len(self.values), dtype=np.int64)

    @property
    def end_s(self) -> int:
        """Start of the last interval, epoch seconds."""
        return self.start_s + self.step_s * (len(self.values) - 1)

    def between(self, first: int, last: int) -> Series:
        """The steps `first` up to, not including, `last`, with their columns."""
        return Series(
            name=self.name,
            start_s=self.start_s + first * self.step_s,
            step_s=self.step_s,
            values=self.values[first:last],
            columns={name: column[first:last] for name, column in self.columns.items()},
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """Recent load of many rows at once, each row ending at its own instant.

    `values[row, -1]` is the load of the interval starting at `end_s[row]`; earlier columns are
    earlier steps. In the live loop a row is a workload and all rows end together. In a backtest
    the rows are successive moments of one workload, as a strided view of its history, so a row
    cannot hold anything that had not arrived at its own `end_s`.

    values: [row, time], NaN where missing. end_s: [row], epoch seconds.
    """

    values: Floats
    end_s: Ints
    step_s: int

    def __len__(self) -> int:
        return len(self.end_s)

    @property
    def width(self) -> int:
        """Number of steps each row reaches back."""
        return int(self.values.shape[1])

    @staticmethod
    def of(series: Series) -> Batch:
        """A batch of one row: the whole of `series`."""
        return Batch(series.values[np.newaxis, :], np.array([series.end_s]), series.step_s)

    @staticmethod
    def rolling(series: Series, first: int, last: int, width: int) -> Batch:
        """One row per moment: `width` steps ending at step `first`, `first + 1`, … `last - 1`.

        A zero-copy view wherever the series reaches back far enough; steps before its beginning
        are NaN.
        """
        lead_in = max(0, width - 1 - first)
        values = series.values[max(0, first - width + 1) : last]
        if lead_in:
            values = np.concatenate([np.full(lead_in, np.nan), values])
        windows = np.lib.stride_tricks.sliding_window_view(values, width)
        ends = series.start_s + series.step_s * np.arange(first, last, dtype=np.int64)
        return Batch(windows, ends, series.step_s)


class State(enum.StrEnum):
    """What came of asking for one number. Only VALUE counts as known."""

    VALUE = "Value"
    PARTIAL = "Partial"  # a number, but the source warned that it is incomplete
    STALE = "Stale"  # a number older than the signal allows
    EMPTY = "Empty"
    NOT_A_NUMBER = "NotANumber"
    SEVERAL_SERIES = "SeveralSeries"
    FAILED = "Failed"


@dataclass(frozen=True, slots=True)
class Reading:
    """One number as it was read, or the reason why there is none.

    `value` is finite for VALUE, PARTIAL and STALE and NaN otherwise; `age_s` is how long before
    the decision it was sampled (infinite when it never was); `detail` says in words what was wrong.
    """

    state: State
    value: float = math.nan
    age_s: float = math.inf
    detail: str = ""

    @property
    def known(self) -> bool:
        """Whether the value may justify removing capacity."""
        return self.state is State.VALUE

    @property
    def may_add(self) -> bool:
        """Whether the value may justify adding capacity: a partial sum is at least a lower bound."""
        return self.state is State.VALUE or self.state is State.PARTIAL


class Grade(enum.StrEnum):
    """How much history a forecast could rest on, poorest first."""

    NONE = "None"  # nothing usable: reactive only
    LEVEL = "Level"  # minutes: present level with spread
    TREND = "Trend"  # an hour or more: level and slope
    DAILY = "Daily"  # at least one full shortest season
    WEEKLY = "Weekly"  # at least one full longest season


@dataclass(frozen=True, slots=True)
class Forecast:
    """Quantiles of the load to come, for a batch of rows.

    Step h (from 0) of the horizon is the interval that starts `(h + 1) * step_s` after
    `made_at_s[row]`, which is the start of the last interval that had been seen.

    values: [row, horizon, quantile], load in each single step.
    peaks:  [row, horizon, quantile], maximum load over the steps 0..h. The quantile of a maximum
            is not the maximum of quantiles, hence both.
    levels: [quantile], ascending, within (0, 1).
    models, grades: one per row; `notes` says in words why that model was used.
    A row with grade NONE is all NaN.
    """

    made_at_s: Ints
    step_s: int
    levels: Floats
    values: Floats
    peaks: Floats
    models: tuple[str, ...]
    grades: tuple[Grade, ...]
    notes: tuple[str, ...]

    @property
    def horizon(self) -> int:
        """Number of steps ahead."""
        return int(self.values.shape[1])

    def peak(self, steps: int, level: float) -> Floats:
        """The `level` quantile of the maximum load over the first `steps` steps, per row.

        Interpolates linearly between the stored levels; beyond them the outermost one is
        returned, never an extrapolation. `steps` past the horizon gives NaN: a forecast is not
        stretched. Shape [row].
        """
        if steps < 1 or steps > self.horizon:
            return np.full(len(self.made_at_s), np.nan)
        at = self.peaks[:, steps - 1, :]
        position = float(np.interp(level, self.levels, np.arange(len(self.levels))))
        low = int(position)
        high = min(low + 1, len(self.levels) - 1)
        blend: Floats = at[:, low] + (position - low) * (at[:, high] - at[:, low])
        return blend
