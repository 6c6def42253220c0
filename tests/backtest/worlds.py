"""Small traces and scripted policies that the tests of the backtest share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autoscaler.backtest.scaler import Moment
from autoscaler.series import Series

MONDAY_S = 1_700_438_400  # 2023-11-20T00:00:00Z


def trace(values: Sequence[float] | np.ndarray, step_s: int = 60, name: str = "trace") -> Series:
    return Series(name, MONDAY_S, step_s, np.asarray(values, dtype=np.float64))


def wave(days: int, step_s: int = 300, seed: int = 1, name: str = "wave") -> Series:
    """A noisy daily rhythm with a short gap in it."""
    rng = np.random.default_rng(seed)
    steps = days * 86_400 // step_s
    phase = np.arange(steps) * step_s * 2 * np.pi / 86_400
    values = (100.0 + 60.0 * np.sin(phase)) * rng.lognormal(0, 0.08, steps)
    values[steps // 3 : steps // 3 + 4] = np.nan
    return trace(values, step_s, name)


class Script:
    """Asks for what it was told to, and keeps what it saw."""

    name = "script"

    def __init__(self, begin: int, counts: Sequence[int]) -> None:
        self._begin = begin
        self._counts = counts
        self.seen: list[Moment] = []
        self.first_load: float | None = None

    def start(self, first_load: float) -> int:
        self.first_load = first_load
        return self._begin

    def decide(self, moment: Moment) -> int:
        self.seen.append(moment)
        return self._counts[moment.index]
