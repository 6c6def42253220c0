"""What each live signal asks for, before anything is combined.

A signal may ask for more; it never argues for less. "No opinion" is None, which is not zero: a
signal that is unknown is dealt with by the vetoes in `autoscaler.planning.vetoes`.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from autoscaler.planning.capacity import replicas_for
from autoscaler.planning.decision import Wish
from autoscaler.planning.hpa import replicas_for_utilization
from autoscaler.planning.memory import LatencyTrial, Memory
from autoscaler.planning.observation import Observation
from autoscaler.planning.policy import Policy, SignalPolicy, SignalType
from autoscaler.series import Reading

_FRUITLESS_STEPS = 2
"""After so many scale-outs that did not help, latency is taken not to depend on replicas."""

_SETTLE_STEPS = 2
"""Decision steps to wait, after new pods are ready, before judging their effect."""

_WORTHWHILE_GAIN = 0.1
"""A scale-out helped if latency fell by this share."""

Asked = tuple[Wish, LatencyTrial | None]
"""A wish, and for latency the trial to remember."""


def ask(policy: Policy, signal: SignalPolicy, reading: Reading, now: Observation, memory: Memory) -> Asked:
    """The raw wish of one signal."""
    if not reading.may_add:
        why = reading.detail or f"{signal.name} is {reading.state.value}"
        return Wish(signal.name, None, reading.value, reading.age_s, why), _trial_of(signal, memory)
    return _RULES[signal.type](policy, signal, reading, now, memory)


def _cpu(policy: Policy, signal: SignalPolicy, reading: Reading, now: Observation, memory: Memory) -> Asked:
    """HPA's `ceil(ready * utilisation / target)`, with its tolerance band."""
    ready = now.current if now.ready is None else now.ready
    tolerance = policy.scale_up.tolerance if reading.value > signal.target else policy.scale_down.tolerance
    replicas = replicas_for_utilization(ready, reading.value, signal.target, tolerance)
    return Wish(signal.name, replicas, reading.value, reading.age_s), None


def _queue(policy: Policy, signal: SignalPolicy, reading: Reading, now: Observation, memory: Memory) -> Asked:
    """Replicas for the arriving load, and beside them those that drain the backlog in time."""
    arriving = replicas_for(now.load.value, policy.load_per_replica) if now.load.may_add else 0
    draining = replicas_for(reading.value, signal.per_replica * signal.drain_within_s)
    return Wish(signal.name, arriving + draining, reading.value, reading.age_s), None


def _latency(
    policy: Policy, signal: SignalPolicy, reading: Reading, now: Observation, memory: Memory
) -> Asked:
    """One step up at a time while latency is above its threshold, each judged by its effect.

    Latency is not proportional to replicas: it is flat until saturation and then rises without
    bound, and it may come from a database that more pods would only load further. So the step
    depends only on the size of the excess, no second step is made before the first had its
    effect, and after steps that did not help the signal holds the count instead of raising it.
    """
    trial = _trial_of(signal, memory)
    if reading.value <= signal.target:
        return Wish(signal.name, None, reading.value, reading.age_s, "within threshold"), None
    if trial is not None:
        settled = trial.started_s + policy.lead_time_s + _SETTLE_STEPS * policy.step_s
        if now.now_s < settled:
            why = "waiting for the effect of the last step"
            return Wish(signal.name, now.current, reading.value, reading.age_s, why), trial
        helped = reading.value <= trial.before * (1.0 - _WORTHWHILE_GAIN)
        fruitless = 0 if helped else trial.steps + 1
    else:
        fruitless = 0
    if fruitless >= _FRUITLESS_STEPS:
        why = f"{fruitless} scale-outs brought no improvement, so the count is held"
        return Wish(signal.name, now.current, reading.value, reading.age_s, why), trial
    excess = reading.value / signal.target
    share = 0.5 if excess > 2.0 else 0.2 if excess > 1.5 else 0.1
    replicas = now.current + max(1, math.ceil(now.current * share))
    next_trial = LatencyTrial(started_s=now.now_s, before=reading.value, steps=fruitless)
    return Wish(signal.name, replicas, reading.value, reading.age_s), next_trial


def _errors(
    policy: Policy, signal: SignalPolicy, reading: Reading, now: Observation, memory: Memory
) -> Asked:
    """Errors never ask for pods; they veto scale-in and reveal outages."""
    return Wish(signal.name, None, reading.value, reading.age_s, "only vetoes"), None


def _trial_of(signal: SignalPolicy, memory: Memory) -> LatencyTrial | None:
    for name, trial in memory.trials:
        if name == signal.name:
            return trial
    return None


_Rule = Callable[[Policy, SignalPolicy, Reading, Observation, Memory], Asked]

_RULES: dict[SignalType, _Rule] = {
    SignalType.CPU: _cpu,
    SignalType.QUEUE_DEPTH: _queue,
    SignalType.LATENCY: _latency,
    SignalType.ERRORS: _errors,
}
