"""The heart: one pure function from what is known to how many replicas to ask for.

    wishes -> blend -> guards in order -> Decision

The live controller and the backtest both call `decide`; the same inputs give the same decision.
"""

from __future__ import annotations

from dataclasses import replace

from autoscaler.planning.behavior import prune
from autoscaler.planning.capacity import replicas_ahead, replicas_for
from autoscaler.planning.decision import Change, Decision, Wish
from autoscaler.planning.guards import ORDER
from autoscaler.planning.memory import LatencyTrial, Memory, Recommendation, ScaleEvent, Spent
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.policy import Policy
from autoscaler.planning.reactive import ask
from autoscaler.planning.situation import Situation, first_unhealthy, first_unknown
from autoscaler.planning.spend import accrue

_GAP_S = 300.0
_GAP_STEPS = 5
"""A pause in decisions longer than both counts as a gap: the windows are no longer complete."""

FORECAST = "forecast"
LOAD = "load"


def decide(policy: Policy, observation: Observation, outlook: Outlook, memory: Memory) -> Decision:
    """Replicas to ask for now, with every wish, every guard that acted, and the next memory.

    `memory` is `Memory()` at the very first decision. The caller reports a write that was
    accepted with `accepted`; a decision alone starts no cooldown.
    """
    recalled = _recall(policy, observation, memory)
    wishes, trials = _wishes(policy, observation, outlook, recalled)
    opinions = [wish.replicas for wish in wishes if wish.replicas is not None]
    wished = max(opinions) if opinions else observation.current
    situation = Situation(
        policy=policy,
        observation=observation,
        outlook=outlook,
        memory=recalled,
        wishes=wishes,
        unknown=first_unknown(policy, observation),
        unhealthy=first_unhealthy(policy, observation),
        demand=wished,
        outage=None,
        alerts=[],
    )
    replicas, changes = _guard(wished, situation)
    known, unsure = recalled.recommendations, recalled.unsure
    demand = (observation.now_s, situation.demand if opinions else 0)
    if situation.unknown:
        unsure = (*unsure, demand)
    else:
        known = (*known, demand)
    return Decision(
        observation=observation,
        outlook=outlook,
        wishes=wishes,
        wished=wished,
        changes=changes,
        replicas=replicas,
        alerts=tuple(situation.alerts),
        memory=Memory(
            decided_s=observation.now_s,
            recommendations=known,
            scale_ups=recalled.scale_ups,
            scale_downs=recalled.scale_downs,
            spent=recalled.spent,
            outage=situation.outage,
            trials=trials,
            unsure=unsure,
            dial=memory.dial,
        ),
    )


def accepted(memory: Memory, at_s: float, before: int, after: int) -> Memory:
    """Memory after a write from `before` to `after` was accepted at `at_s`."""
    if after == before:
        return memory
    ups, downs = memory.scale_ups, memory.scale_downs
    if after > before:
        ups = (*ups, (at_s, after - before))
    else:
        downs = (*downs, (at_s, before - after))
    return replace(memory, scale_ups=ups, scale_downs=downs)


def taken_over(memory: Memory, at_s: float, current: int) -> Memory:
    """Memory from when the count becomes ours to lower: it stands as if it had just been recommended."""
    return replace(memory, recommendations=(*memory.recommendations, (at_s, current)))


def longest_pause_s(policy: Policy) -> float:
    """A longer time between two decisions is a gap, after which windows begin anew."""
    return max(_GAP_S, _GAP_STEPS * policy.step_s)


def _recall(policy: Policy, observation: Observation, memory: Memory) -> Memory:
    """Memory as of now: spend accrued, old entries dropped, a gap answered by holding.

    At the first decision, and after a gap, the present count enters the windows as if it had
    just been recommended, so that nothing is removed before a full window has been observed.
    """
    memory = _none_later(memory, observation.now_s)
    now_s, last_s = observation.now_s, memory.decided_s
    window_s = max(policy.scale_up.stabilization_s, policy.scale_down.stabilization_s)
    recommendations: tuple[Recommendation, ...] = prune(memory.recommendations, now_s - window_s)
    if last_s is None or now_s - last_s > longest_pause_s(policy):
        recommendations = (*recommendations, (now_s, observation.current))
    scale_ups: tuple[ScaleEvent, ...] = prune(memory.scale_ups, now_s - policy.remember_s)
    scale_downs: tuple[ScaleEvent, ...] = prune(memory.scale_downs, now_s - policy.remember_s)
    spent: Spent = memory.spent
    if policy.spend is not None:
        spent = accrue(spent, observation.current, policy.spend.replica_hour_price, last_s, now_s)
    unsure: tuple[Recommendation, ...] = prune(memory.unsure, now_s - policy.scale_down.stabilization_s)
    return Memory(
        last_s, recommendations, scale_ups, scale_downs, spent, memory.outage, memory.trials, unsure
    )


def _none_later(memory: Memory, now_s: float) -> Memory:
    """`memory` with what lies in the future, since the clock was put back, taken as having happened just now.

    So a wait begins anew, and neither lasts for as long as the clock was ahead nor is forgotten.
    """
    if not _is_later(memory, now_s):
        return memory
    outage = memory.outage
    return Memory(
        decided_s=None if memory.decided_s is None else min(memory.decided_s, now_s),
        recommendations=tuple((min(at_s, now_s), count) for at_s, count in memory.recommendations),
        scale_ups=tuple((min(at_s, now_s), count) for at_s, count in memory.scale_ups),
        scale_downs=tuple((min(at_s, now_s), count) for at_s, count in memory.scale_downs),
        spent=memory.spent,
        outage=None if outage is None else replace(outage, active_s=min(outage.active_s, now_s)),
        trials=tuple(
            (name, replace(trial, started_s=min(trial.started_s, now_s))) for name, trial in memory.trials
        ),
        unsure=tuple((min(at_s, now_s), count) for at_s, count in memory.unsure),
    )


def _is_later(memory: Memory, now_s: float) -> bool:
    """Whether anything of `memory` is from after `now_s`. Its entries are in the order of their times."""
    if memory.decided_s is not None and memory.decided_s > now_s:
        return True
    for entries in (memory.recommendations, memory.unsure, memory.scale_ups, memory.scale_downs):
        if entries and entries[-1][0] > now_s:
            return True
    if memory.outage is not None and memory.outage.active_s > now_s:
        return True
    return any(trial.started_s > now_s for _, trial in memory.trials) if memory.trials else False


def _wishes(
    policy: Policy, observation: Observation, outlook: Outlook, memory: Memory
) -> tuple[tuple[Wish, ...], tuple[tuple[str, LatencyTrial], ...]]:
    """Every source's own answer, and the latency trials to remember."""
    load, per_replica = observation.load, policy.load_per_replica
    peak_known = outlook.peak == outlook.peak
    wishes = [
        Wish(FORECAST, replicas_ahead(outlook.peak, per_replica), outlook.peak, outlook.age_s)
        if peak_known
        else Wish(FORECAST, None, outlook.peak, outlook.age_s, outlook.note or "no forecast"),
        Wish(LOAD, replicas_for(load.value, per_replica), load.value, load.age_s)
        if load.may_add
        else Wish(LOAD, None, load.value, load.age_s, load.detail or load.state.value),
    ]
    trials = []
    for signal, reading in zip(policy.signals, observation.signals, strict=True):
        wish, trial = ask(policy, signal, reading, observation, memory)
        wishes.append(wish)
        if trial is not None:
            trials.append((signal.name, trial))
    return tuple(wishes), tuple(trials)


def _guard(wished: int, situation: Situation) -> tuple[int, tuple[Change, ...]]:
    replicas = wished
    changes: list[Change] = []
    for guard in ORDER:
        change = guard(replicas, situation)
        if change is not None:
            changes.append(change)
            replicas = change.after
    return replicas, tuple(changes)
