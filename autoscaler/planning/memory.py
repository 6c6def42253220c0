"""What must survive from one decision to the next, and across restarts of the process."""

from __future__ import annotations

from dataclasses import dataclass

from autoscaler.planning.objective import Dial

Recommendation = tuple[float, int]
"""Epoch seconds and the count recommended then."""

ScaleEvent = tuple[float, int]
"""Epoch seconds of an accepted write and by how many pods it changed the count (positive)."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Money spent since the start of the current UTC day and month."""

    day_start_s: float = 0.0
    day: float = 0.0
    month_start_s: float = 0.0
    month: float = 0.0


@dataclass(frozen=True, slots=True)
class OutageMemory:
    """floor: replicas to keep while an outage lasts and during recovery; active_s: when the
    outage was last seen."""

    floor: int
    active_s: float


@dataclass(frozen=True, slots=True)
class LatencyTrial:
    """A scale-out made because of latency, waiting to show its effect.

    started_s: when; before: latency then (seconds); steps: scale-outs without effect so far.
    """

    started_s: float
    before: float
    steps: int


@dataclass(frozen=True, slots=True)
class Memory:
    """State of one policy on one target. Immutable: a decision returns the next one.

    decided_s: when the last decision was made, None before the first. recommendations: of decisions
    whose inputs were all known; unsure: of the others, with what the known inputs asked for, 0 for
    nothing. Event times are of *accepted* writes only, so a refused write starts no cooldown. trials:
    per latency signal. dial: of a policy with an objective; turned before a decision, which passes it on.
    """

    decided_s: float | None = None
    recommendations: tuple[Recommendation, ...] = ()
    scale_ups: tuple[ScaleEvent, ...] = ()
    scale_downs: tuple[ScaleEvent, ...] = ()
    spent: Spent = Spent()
    outage: OutageMemory | None = None
    trials: tuple[tuple[str, LatencyTrial], ...] = ()
    unsure: tuple[Recommendation, ...] = ()
    dial: Dial | None = None
