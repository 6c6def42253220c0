"""What was stated of the peaks of one workload at every step of the last days: what a curve is drawn from."""

from __future__ import annotations

import numpy as np

from autoscaler.planning.curve import Stated, replayed_steps
from autoscaler.series import Floats, Ints

_LEAST_LEVEL = 0.5
"""The dial reads no lower."""


class StatedRecord:
    """A week of a workload with an objective, in single precision: 0.4 MB at a step of a minute.

    levels: ascending, of the peaks that are noted.
    """

    def __init__(self, levels: Floats, step_s: int) -> None:
        self._step_s = step_s
        self._kept = np.flatnonzero(levels >= _LEAST_LEVEL)
        self._levels = levels[self._kept]
        size = replayed_steps(step_s)
        self._steps: Ints = np.full(size, -1, np.int64)
        self._loads = np.full(size, np.nan, np.float32)
        self._limits = np.full(size, np.nan, np.float32)
        self._peaks = np.full((size, len(self._kept)), np.nan, np.float32)

    @property
    def reach(self) -> int:
        """Steps that are kept."""
        return len(self._steps)

    def note(self, at_s: Ints, loads: Floats, peaks: Floats, limits: Floats) -> None:
        """What was known and stated at some steps, [step], with peaks over the lead, [step, level].

        A step that was noted before keeps what was noted then.
        """
        steps = at_s // self._step_s
        new = self._steps[steps % self.reach] < steps
        steps = steps[new]
        at = steps % self.reach
        self._steps[at] = steps
        self._loads[at], self._limits[at] = loads[new], limits[new]
        self._peaks[at] = peaks[new][:, self._kept]

    def stated(self, end_s: int) -> Stated:
        """Everything up to `end_s`; NaN where nothing was noted."""
        newest = end_s // self._step_s
        steps = np.arange(newest - self.reach + 1, newest + 1)
        at = steps % self.reach
        missing = self._steps[at] != steps
        loads, limits, peaks = (
            part[at].astype(np.float64) for part in (self._loads, self._limits, self._peaks)
        )
        loads[missing], limits[missing], peaks[missing] = np.nan, np.nan, np.nan
        return Stated(loads, peaks, limits, self._levels, self._step_s, float(end_s))
