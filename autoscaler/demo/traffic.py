"""The load of the demonstration: the recorded traces that ship with the package, shifted, scaled and summed.

Recordings go round: after the last step comes the first again, so that they never end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files

import numpy as np

from autoscaler.demo.clock import STEP_S
from autoscaler.series import Floats
from autoscaler.signals.recorded import read_recorded

_FILES = {"machine": "ms_mongo_machine_01_1min.csv.gz", "app": "ms_mongo_app_04_1min.csv.gz"}
_KEPT = 1440


@dataclass(frozen=True, slots=True)
class Part:
    """One recording's share of a load. recording: `machine` or `app`. ahead_h: it is so many hours ahead."""

    recording: str
    scale: float
    ahead_h: float = 0.0


class Traffic:
    """The load of one workload at any time; for one thread.

    recordings: by name, [time] each. begin_s: epoch seconds of their first step, on the grid.
    """

    def __init__(self, parts: tuple[Part, ...], recordings: Mapping[str, Floats], begin_s: int) -> None:
        self._parts = parts
        self._recordings = recordings
        self._begin_s = begin_s
        self._kept_from_s = begin_s
        self._kept: list[float] = []

    def between(self, start_s: int, end_s: int) -> Floats:
        """The load of every step from `start_s` to `end_s`, both included; [time]."""
        first, last = (start_s - self._begin_s) // STEP_S, (end_s - self._begin_s) // STEP_S
        total = np.zeros(last - first + 1)
        for part in self._parts:
            values = self._recordings[part.recording]
            ahead = round(part.ahead_h * 3600 / STEP_S)
            total += part.scale * values[np.arange(first + ahead, last + ahead + 1) % len(values)]
        return total

    def at(self, at_s: int) -> float:
        """The load of one step. Quick for steps in order: a day of them is laid out at once."""
        index = (at_s - self._kept_from_s) // STEP_S
        if not 0 <= index < len(self._kept):
            self._kept = self.between(at_s, at_s + (_KEPT - 1) * STEP_S).tolist()
            self._kept_from_s, index = at_s, 0
        return self._kept[index]


def read_recordings() -> dict[str, Floats]:
    """The shipped recordings by name, [time] each, on steps of `STEP_S`."""
    with as_file(files("autoscaler.backtest") / "samples") as folder:
        return {name: read_recorded(folder / file).values for name, file in _FILES.items()}
