"""How much of what an objective allows is used up: tallies of what was served, over a window that moves on.

Counted is what is known: a decision at which load or ready pods were not known, or which came after a gap,
adds neither to what was served nor to what was short. Replicas are paid for whatever is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from autoscaler.planning.capacity import shortage
from autoscaler.planning.curve import DAY_S, WEEK_S
from autoscaler.planning.policy import Goal, ObjectivePolicy

_BINS = 14
"""A window moves on by so many parts."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over some time. known_s: of it load and ready pods were known, and `load` (load times seconds),
    `short` (the part of it above what the ready pods serve) and `short_s` are of that time. paid_s: of it the
    count was known, and `replica_s` (replicas times seconds) is of that."""

    known_s: float = 0.0
    load: float = 0.0
    short: float = 0.0
    short_s: float = 0.0
    paid_s: float = 0.0
    replica_s: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        """Both times together."""
        return Tally(
            self.known_s + other.known_s,
            self.load + other.load,
            self.short + other.short,
            self.short_s + other.short_s,
            self.paid_s + other.paid_s,
            self.replica_s + other.replica_s,
        )

    @property
    def unserved(self) -> float:
        """Share of the load; NaN where there was none."""
        return self.short / self.load if self.load > 0.0 else math.nan


NOTHING = Tally()

Window = tuple[tuple[float, Tally], ...]
"""Tallies by when they begin, epoch seconds, oldest first."""


def tallied(seconds: float, load: float, ready: int | None, asked: int, per_replica: float) -> Tally:
    """What came of `seconds` with this load, NaN if unknown, and so many ready pods, None if unknown."""
    paid = Tally(paid_s=seconds, replica_s=asked * seconds)
    if ready is None or not math.isfinite(load):
        return paid
    short = shortage(load, ready, per_replica)
    return paid + Tally(seconds, load * seconds, short * seconds, seconds if short > 0.0 else 0.0)


def folded(window: Window, tally: Tally, begun_s: float, now_s: float, window_s: float) -> Window:
    """`window` with what was tallied from `begun_s` on, and without what is older than `window_s` at
    `now_s`."""
    part_s = window_s / _BINS
    if window and begun_s < window[-1][0] + part_s:
        window = (*window[:-1], (window[-1][0], window[-1][1] + tally))
    else:
        window = (*window, (begun_s, tally))
    return tuple(part for part in window if part[0] > now_s - window_s - part_s)


def total(window: Window) -> Tally:
    """Everything in a window."""
    return sum((tally for _, tally in window), NOTHING)


def seen_s(objective: ObjectivePolicy, tally: Tally) -> float:
    """Seconds that `tally` can say something about."""
    return tally.paid_s if objective.goal is Goal.REPLICA_HOURS else tally.known_s


def spent(objective: ObjectivePolicy, tally: Tally, everything: Tally) -> float:
    """Share of what the objective allows over its whole window that `tally` used up.

    everything: over the window so far; what is not over yet is taken to bring as much load.
    """
    match objective.goal:
        case Goal.UNSERVED:
            if everything.load <= 0.0:
                return 0.0
            allowed = objective.allowed * everything.load / everything.known_s * objective.window_s
            return tally.short / allowed
        case Goal.SHORT_MINUTES:
            return tally.short_s / (objective.allowed * 60.0 * objective.window_s / WEEK_S)
        case Goal.REPLICA_HOURS:
            return tally.replica_s / (objective.allowed * 3600.0 * objective.window_s / DAY_S)


def pace(objective: ObjectivePolicy, tally: Tally, everything: Tally) -> float:
    """How fast `tally` used up what is allowed: 1 is what lasts exactly for the window; NaN where nothing was
    seen."""
    seconds = seen_s(objective, tally)
    if seconds <= 0.0:
        return math.nan
    return spent(objective, tally, everything) * objective.window_s / seconds
