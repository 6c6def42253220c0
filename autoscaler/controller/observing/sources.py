"""The configured metric sources, each read by a thread of its own so that a slow one delays no other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from autoscaler.controller.configuration import Source
from autoscaler.series import Reading, State
from autoscaler.signals.instant import InstantQuery
from autoscaler.signals.prometheus import Prometheus
from autoscaler.signals.settings import ConnectionSettings

_SUSPECT_S = 1.0
"""Patience with a source that last failed throughout: it may hang, and others wait behind it."""
_FULL_PATIENCE_EVERY = 4
"""Of so many readings in a row that failed throughout one has its whole time: it may only be slow."""


class MetricSource:
    """One Prometheus server. `run` puts work in its line; `read` is to be called by that work only."""

    def __init__(self, source: Source, longest_s: float) -> None:
        self.name = source.name
        self.connection: ConnectionSettings = source.connection()
        self._prometheus = Prometheus(self.connection)
        self._patience_s = min(source.timeout_s, longest_s)
        self._failures = 0
        self._line = ThreadPoolExecutor(1, thread_name_prefix=f"source-{source.name}")
        self._waiting = 0
        self._lock = threading.Lock()
        self.last_read_s = 0.0
        self.last_failure = ""
        self.clock_ahead_s = 0

    def run(self, work: Callable[[], None], most_waiting: int) -> bool:
        """Do `work` after what waits already; False, and nothing done, where too much waits."""
        with self._lock:
            if self._waiting >= most_waiting:
                return False
            self._waiting += 1

        def done() -> None:
            try:
                work()
            finally:
                with self._lock:
                    self._waiting -= 1

        self._line.submit(done)
        return True

    def read(self, queries: Sequence[InstantQuery], now_s: float) -> list[Reading]:
        """One reading for each query, in order."""
        if not queries:
            return []
        began_s = time.monotonic()
        suspect = self._failures % _FULL_PATIENCE_EVERY != 0
        patience_s = min(_SUSPECT_S, self._patience_s) if suspect else self._patience_s
        readings = [_possible(reading) for reading in self._prometheus.read_now(queries, now_s, patience_s)]
        self.clock_ahead_s = self._prometheus.clock_ahead_s()
        failed = [reading for reading in readings if reading.state is State.FAILED]
        answers = len(failed) < len(readings)
        self._failures = 0 if answers else self._failures + 1
        self.last_failure = "" if answers else failed[0].detail
        self.last_read_s = time.monotonic() - began_s
        return readings

    def close(self) -> None:
        """End the line; what is being read is waited for."""
        self._line.shutdown(wait=True, cancel_futures=True)
        self._prometheus.close()


def _possible(reading: Reading) -> Reading:
    """`reading`, unless it is negative, which no load, utilisation, backlog, latency or share can be."""
    if not reading.may_add or reading.value >= 0.0:
        return reading
    detail = f"the query gives {reading.value:g}, which is less than nothing"
    return Reading(State.NOT_A_NUMBER, age_s=reading.age_s, detail=detail)


@dataclass(frozen=True, slots=True)
class MetricSources:
    """All sources by name."""

    by_name: Mapping[str, MetricSource]
    default: str

    @staticmethod
    def of(sources: Sequence[Source], longest_s: float) -> MetricSources:
        """Open every source. longest_s: most that one reading may take."""
        return MetricSources({s.name: MetricSource(s, longest_s) for s in sources}, sources[0].name)

    def named(self, name: str) -> MetricSource | None:
        """The source a resource names, the default one for an empty name, None for an unknown one."""
        return self.by_name.get(name or self.default)

    def close(self) -> None:
        """Close every source."""
        for source in self.by_name.values():
            source.close()
