"""The newest load of one workload, as little of it as a fitted model still looks at.

Models look at the last cycles of the shortest season in full, and of longer seasons only at the same
time in each of the last cycles. Stored in single precision, a thousand workloads with four weeks
of minutes take 60 MB instead of 320.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autoscaler.forecasting.forecaster import DAY_S, ForecastSettings
from autoscaler.forecasting.grid import visible_seasons
from autoscaler.series import Floats

_CYCLES_SHORTEST = 7
_CYCLES_LONGER = 4
_SHORTEST_S = 8 * 3600
_MARGIN_S = 3 * 3600
"""Room for windows around an instant and for a change of the local clock."""
_FEWEST_SPARE = 64


@dataclass(frozen=True, slots=True)
class Reach:
    """Steps before the newest that are looked at until the next fit.

    width: of the batch that a model is handed. near: newest steps that are kept whole.
    older: (furthest, nearest) step counted back from the newest at the time of the fit.
    """

    width: int
    near: int
    older: tuple[tuple[int, int], ...]

    @staticmethod
    def of(settings: ForecastSettings, step_s: int, width: int, ahead_s: float) -> Reach:
        """What a model looks at during `ahead_s` after a fit."""
        seasons = visible_seasons(settings, step_s) or (DAY_S,)
        margin = max(3, _MARGIN_S // step_s)
        near = max(_CYCLES_SHORTEST * seasons[0], _SHORTEST_S) // step_s + margin
        ahead = int(ahead_s // step_s) + settings.horizon + margin
        older = []
        for season_s in seasons[1:]:
            for cycle in range(1, _CYCLES_LONGER + 1):
                back = cycle * season_s // step_s
                furthest, nearest = min(width - 1, back + margin), max(0, back - ahead)
                if furthest > near and nearest < width:
                    older.append((furthest, nearest))
        if near + sum(furthest - nearest for furthest, nearest in older) >= width:
            return Reach(width, width, ())
        return Reach(width, near, tuple(older))


class Recent:
    """Load up to `end_s`, on steps of `step_s`; NaN where unknown. Not for several threads at once."""

    def __init__(self, history: Floats, end_s: int, step_s: int, reach: Reach) -> None:
        """history: [time], the newest last, at most as wide as `reach`."""
        self.end_s = end_s
        self.step_s = step_s
        self._reach = reach
        kept = history[-reach.near :]
        self._size = len(kept)
        self._newest = np.full(reach.near + max(_FEWEST_SPARE, reach.near // 16), np.nan, np.float32)
        self._newest[: self._size] = kept
        self._older: list[tuple[int, NDArray[np.float32]]] = []
        for furthest, nearest in reach.older:
            first = max(0, len(history) - 1 - furthest)
            piece = history[first : max(0, len(history) - nearest)].astype(np.float32)
            if len(piece):
                self._older.append((end_s - step_s * (len(history) - 1 - first), piece))

    def append(self, at_s: int, value: float) -> None:
        """The load at a later step than the newest; steps passed over stay unknown."""
        steps = (at_s - self.end_s) // self.step_s
        if self._size + steps <= len(self._newest):
            self._newest[self._size : self._size + steps] = np.nan
            self._size += steps
        else:
            near = self._reach.near
            unknown = np.full(min(steps, near), np.nan, np.float32)
            kept = np.concatenate([self.newest(near), unknown])[-near:]
            self._newest[: len(kept)] = kept
            self._size = len(kept)
        self._newest[self._size - 1] = value
        self.end_s = at_s

    def fill(self, start_s: int, values: Floats) -> None:
        """Put values where none are known, from the step `start_s` on; what is known stays."""
        first = self._size - 1 - (self.end_s - start_s) // self.step_s
        low, high = max(0, first), min(self._size, first + len(values))
        if high > low:
            part = self._newest[low:high]
            part[:] = np.where(np.isnan(part), values[low - first : high - first], part)

    def newest(self, steps: int) -> NDArray[np.float32]:
        """The last `steps` values, or as many as there are."""
        return self._newest[max(0, self._size - steps) : self._size]

    def write_into(self, row: Floats) -> None:
        """Lay the kept load out in `row` [width], which ends at `end_s`; the rest is unknown."""
        row[:] = np.nan
        last = len(row) - 1
        for start_s, piece in self._older:
            first = last - (self.end_s - start_s) // self.step_s
            low = max(0, first)
            high = min(len(row), first + len(piece))
            if high > low:
                row[low:high] = piece[low - first : high - first]
        kept = self.newest(len(row))
        if len(kept):
            row[-len(kept) :] = kept
