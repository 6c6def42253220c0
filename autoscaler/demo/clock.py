"""The clock of the demonstration: faster than the wall's, and never ahead of what has been played."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

STEP_S = 60
"""Seconds between two steps of the play, which are those of the recordings."""


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Time passes from `from_s`, where it was at `began_s` by the wall, up to `until_s`, and stands there."""

    from_s: float
    began_s: float
    until_s: float


class AcceleratedClock:
    """Stands at `start_s`, epoch seconds, until told to go on; then `speed` seconds pass in each real one.

    wall_s: real seconds from anywhere. Usable from any thread.
    """

    def __init__(self, start_s: float, speed: float, wall_s: Callable[[], float] = time.monotonic) -> None:
        self._speed = speed
        self._wall_s = wall_s
        self._stretch = _Stretch(start_s, wall_s(), start_s)

    def now_s(self) -> float:
        """Epoch seconds by this clock."""
        stretch = self._stretch
        passed_s = self._speed * (self._wall_s() - stretch.began_s)
        return min(stretch.from_s + passed_s, stretch.until_s)

    def go_on(self, until_s: float) -> None:
        """Let time pass up to `until_s`. For how long it had to stand before is not made up for."""
        self._stretch = _Stretch(self.now_s(), self._wall_s(), until_s)

    def real_seconds_until(self, at_s: float) -> float:
        """How long it takes until it is `at_s` by this clock; 0 where that is past."""
        return max(0.0, (at_s - self.now_s()) / self._speed)
