"""What a policy under test, ours or a rival's, may see at one step, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Moment:
    """One step as a policy sees it: nothing in it is newer than the end of that step.

    index: step of the trace. now_s: epoch seconds of the decision: the step's own timestamp, as its load
    is taken to be known then. load: as observed, after metric lag; NaN where the recorder was down.
    asked: the count asked for before this decision. ready: pods ready during the step; the others
    of `asked` are starting. utilization: per cent of one pod's capacity used on average by the ready pods
    (above 100 when overloaded), NaN without ready pods or load. backlog: load waiting, in
    units of the load times steps. latency_s: response time. oldest_starting_s: how long ago the
    first pod that is still starting was asked for (0 when none is).
    """

    index: int
    now_s: float
    load: float
    asked: int
    ready: int
    utilization: float
    backlog: float
    latency_s: float
    oldest_starting_s: float


class Scaler(Protocol):
    """A policy in a simulation; holds its own state, so one instance serves one run."""

    name: str

    def start(self, first_load: float) -> int:
        """Replicas, all ready, with which the simulation begins."""
        ...

    def decide(self, moment: Moment) -> int:
        """Replicas to ask for after this step."""
        ...
