"""One policy that decides for pods of its own, which are simulated."""

from __future__ import annotations

from dataclasses import dataclass, replace

from autoscaler.planning.decide import accepted, decide
from autoscaler.planning.fleet import Fleet
from autoscaler.planning.memory import Memory
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.policy import Policy, SignalType
from autoscaler.series import Reading


@dataclass(frozen=True, slots=True)
class Contender:
    """memory: for its next decision. fleet: the pods there would be if it had been obeyed."""

    memory: Memory
    fleet: Fleet


def obeyed(contender: Contender, policy: Policy, observation: Observation, outlook: Outlook) -> Contender:
    """After one more decision, which is carried out at once. Its fleet has to be as of now.

    observation: of the real target. A pod takes the policy's lead time to become ready.
    """
    fleet, now_s = contender.fleet, observation.now_s
    seen = Observation(
        now_s=now_s,
        load=observation.load,
        current=fleet.asked,
        ready=fleet.ready,
        signals=_on(fleet, policy, observation),
    )
    decision = decide(policy, seen, outlook, contender.memory)
    memory = accepted(decision.memory, now_s, fleet.asked, decision.replicas)
    missing = decision.replicas - fleet.asked
    if missing > 0:
        return Contender(memory, fleet.grown(((now_s, now_s + policy.lead_time_s, missing),)))
    return Contender(memory, fleet.shrunk(decision.replicas))


def _on(fleet: Fleet, policy: Policy, observation: Observation) -> tuple[Reading, ...]:
    """The signals as this fleet would show them.

    The work stays the same, so the utilisation of a pod goes with the pods that share it. What latency,
    errors or a queue would have been with other pods cannot be told: they are as they were read.
    """
    ready = observation.ready
    if not ready or not fleet.ready or ready == fleet.ready:
        return observation.signals
    share = ready / fleet.ready
    return tuple(
        replace(reading, value=reading.value * share) if signal.type is SignalType.CPU else reading
        for signal, reading in zip(policy.signals, observation.signals, strict=True)
    )
