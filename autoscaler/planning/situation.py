"""One decision in progress: its inputs and what was concluded from them before any guard acts."""

from __future__ import annotations

from dataclasses import dataclass

from autoscaler.planning.decision import Change, Wish
from autoscaler.planning.memory import Memory, OutageMemory
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.policy import Policy, SignalType


@dataclass(slots=True)
class Situation:
    """Working space of `decide`, never seen outside it.

    unknown: name of the first signal that is not known, empty when all are. unhealthy: name of
    the first error or latency signal above its threshold. demand: what stabilisation is to
    remember of this moment. outage: what to remember of an outage. alerts: limits only reported.
    """

    policy: Policy
    observation: Observation
    outlook: Outlook
    memory: Memory
    wishes: tuple[Wish, ...]
    unknown: str
    unhealthy: str
    demand: int
    outage: OutageMemory | None
    alerts: list[Change]


def first_unknown(policy: Policy, observation: Observation) -> str:
    """Name and state of the first input that may not justify removing capacity."""
    if not observation.load.known:
        return f"load is {observation.load.state.value}"
    if observation.ready is None:
        return "number of ready pods is unknown"
    for place, reading in enumerate(observation.signals):
        if not reading.known:
            return f"{policy.signals[place].name} is {reading.state.value}"
    return ""


def first_unhealthy(policy: Policy, observation: Observation) -> str:
    """Name of the first error-rate or latency signal above its threshold."""
    for signal, reading in zip(policy.signals, observation.signals, strict=True):
        guards_health = signal.type is SignalType.ERRORS or signal.type is SignalType.LATENCY
        if guards_health and reading.may_add and reading.value > signal.target:
            return signal.name
    return ""
