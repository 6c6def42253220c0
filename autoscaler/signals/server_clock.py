"""By how much a server's clock differs from ours, so that a machine with a wrong clock decides all the same.

Asked with our clock, a server that lives five minutes earlier has nothing new to say, and one that
lives later calls everything stale.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from autoscaler.signals.answer import MalformedAnswer
from autoscaler.signals.failures import QueryFailed

_EVERY_S = 300.0
_AFTER_FAILURE_S = 60.0
_TOLERATED_S = 5
"""Clocks that agree this well are left alone: latency alone moves the measurement by a second or two."""


class ServerClock:
    """ask: the server's present time in epoch seconds; raises QueryFailed or MalformedAnswer."""

    def __init__(
        self,
        ask: Callable[[], float],
        wall_s: Callable[[], float] = time.time,
        uptime_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._wall_s = wall_s
        self._uptime_s = uptime_s
        self._due_s = 0.0
        self._ahead_s = 0

    def ahead_s(self) -> int:
        """Whole seconds by which it is ahead; asked for anew now and then, as last known where that fails."""
        if self._uptime_s() < self._due_s:
            return self._ahead_s
        before_s = self._wall_s()
        try:
            theirs_s = self._ask()
        except (QueryFailed, MalformedAnswer):
            # The reading that follows will say what is wrong with the server.
            self._due_s = self._uptime_s() + _AFTER_FAILURE_S
            return self._ahead_s
        ahead_s = round(theirs_s - (before_s + self._wall_s()) / 2)
        self._ahead_s = ahead_s if abs(ahead_s) > _TOLERATED_S else 0
        self._due_s = self._uptime_s() + _EVERY_S
        return self._ahead_s
