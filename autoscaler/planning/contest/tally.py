"""What serving a load took and left unserved, summed by spans of time, so that old ones can be dropped."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from autoscaler.planning.capacity import shortage
from autoscaler.planning.fleet import Fleet

SPANS = 12
"""A window is as long as so many spans."""


@dataclass(frozen=True, slots=True)
class Side:
    """replica_s: replicas asked for, times seconds. unserved: load beyond capacity, times seconds."""

    replica_s: float = 0.0
    unserved: float = 0.0

    def __add__(self, other: Side) -> Side:
        """Both together."""
        return Side(self.replica_s + other.replica_s, self.unserved + other.unserved)

    @staticmethod
    def of(fleet: Fleet, load: float, per_replica: float, for_s: float) -> Side:
        """What this fleet took and left during so many seconds of this load."""
        return Side(fleet.asked * for_s, shortage(load, fleet.ready, per_replica) * for_s)


@dataclass(frozen=True, slots=True)
class Span:
    """start_s: epoch seconds. counted_s: how much of the time since then was judged. load: times seconds.

    own: by the spec's own policy, simulated; shadow: by the other one, simulated; actual: by the pods
    there were.
    """

    start_s: float
    counted_s: float = 0.0
    load: float = 0.0
    own: Side = Side()
    shadow: Side = Side()
    actual: Side = Side()

    def plus(self, other: Span) -> Span:
        """Both together, from this one's start."""
        return Span(
            start_s=self.start_s,
            counted_s=self.counted_s + other.counted_s,
            load=self.load + other.load,
            own=self.own + other.own,
            shadow=self.shadow + other.shadow,
            actual=self.actual + other.actual,
        )


def noted(spans: tuple[Span, ...], now_s: float, what: Span, window_s: float) -> tuple[Span, ...]:
    """Spans, oldest first, with one more interval that ended `now_s`, and without those from before twice
    the window."""
    length_s = window_s / SPANS
    start_s = math.floor(now_s / length_s) * length_s
    if spans and spans[-1].start_s >= start_s:
        return (*spans[:-1], spans[-1].plus(what))
    kept = tuple(span for span in spans if span.start_s > now_s - 2.0 * window_s)
    return (*kept, Span(start_s).plus(what))


def newest(spans: tuple[Span, ...], counted_s: float) -> tuple[Span, ...]:
    """The newest spans that hold so much counted time, oldest first; all of them where they hold less."""
    held_s = 0.0
    for at in range(len(spans) - 1, -1, -1):
        held_s += spans[at].counted_s
        if held_s >= counted_s:
            return spans[at:]
    return spans


def summed(spans: Iterable[Span]) -> Span:
    """All of them as one that starts with the first; an empty one where there are none."""
    total: Span | None = None
    for span in spans:
        total = span if total is None else total.plus(span)
    return total if total is not None else Span(0.0)
