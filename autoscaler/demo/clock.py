"""A clock that runs faster than the wall's."""

from __future__ import annotations

import time
from collections.abc import Callable


class AcceleratedClock:
    """Stands at `start_s`, epoch seconds, until it is started; then passes `speed` seconds in each real one.

    monotonic: real seconds from anywhere. Usable from any thread.
    """

    def __init__(self, start_s: float, speed: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._start_s = start_s
        self._speed = speed
        self._monotonic = monotonic
        self._began_s: float | None = None

    def start(self) -> None:
        """Let time pass from now on."""
        self._began_s = self._monotonic()

    def now_s(self) -> float:
        """Epoch seconds by this clock."""
        if self._began_s is None:
            return self._start_s
        return self._start_s + self._speed * (self._monotonic() - self._began_s)

    def real_seconds_until(self, at_s: float) -> float:
        """How long to wait until it is `at_s` by this clock; 0 where that is past."""
        return max(0.0, (at_s - self.now_s()) / self._speed)
