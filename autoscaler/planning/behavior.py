"""HPA v2 stabilisation and rate policies as pure functions on plain numbers.

Everything answers as the controller of Kubernetes does: `stabilize`, `limit_up` and `limit_down`
are the parts of `behavior` that a guard can apply one after the other; `normalize` puts them
together with the bounds, and `normalize_without_behavior` is what the controller does for a
resource that has no `behavior` at all. How wishes arise is in `autoscaler.planning.hpa`.

Source of the rules: Kubernetes documentation, "Horizontal Pod Autoscaling", sections "Configurable
scaling behavior" and "Algorithm details", and KEP-853.

Windows are open at their far end: a recommendation or event exactly as old as the window no
longer counts. Without `behavior` it still does.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from autoscaler.planning.memory import Recommendation, ScaleEvent
from autoscaler.planning.policy import PolicyType, ScalingRules, SelectPolicy

UNCONFIGURED_STABILIZATION_S = 300.0
"""Window of the controller (`--horizontal-pod-autoscaler-downscale-stabilization`)."""

_UNCONFIGURED_FACTOR = 2
_UNCONFIGURED_LEAST = 4

_MOST_INT32 = 2**31 - 1
_LEAST_INT32 = -(2**31)


class Stabilized(enum.StrEnum):
    """Which window moved the wish; values as on HPA's condition `AbleToScale`."""

    NO = "ReadyForNewScale"
    UP = "ScaleUpStabilized"
    DOWN = "ScaleDownStabilized"


class Limited(enum.StrEnum):
    """What bounded the stabilised wish; values as on HPA's condition `ScalingLimited`."""

    NO = "DesiredWithinRange"
    UP_RATE = "ScaleUpLimit"
    DOWN_RATE = "ScaleDownLimit"
    MAXIMUM = "TooManyReplicas"
    MINIMUM = "TooFewReplicas"


@dataclass(frozen=True, slots=True)
class Normalized:
    """Replicas to ask for, and what came between them and the wish."""

    replicas: int
    stabilized: Stabilized
    limited: Limited


def stabilize(
    now_s: float,
    current: int,
    wish: int,
    recommendations: tuple[Recommendation, ...],
    up: ScalingRules,
    down: ScalingRules,
) -> int:
    """Move from `current` only as far as every recommendation of the windows agrees.

    The lowest recommendation of the scale-up window and the highest of the scale-down window form
    an envelope around the wish, and the present count is brought into it. So the result lies
    between `current` and `wish`: it never exceeds the larger of the two.
    """
    lowest = highest = wish
    up_after_s = now_s - up.stabilization_s
    down_after_s = now_s - down.stabilization_s
    for at_s, count in recommendations:
        if count > highest:
            if at_s > down_after_s:
                highest = count
        elif count < lowest and at_s > up_after_s:
            lowest = count
    if current < lowest:
        return lowest
    return highest if current > highest else current


def limit_up(
    now_s: float,
    current: int,
    wish: int,
    scale_ups: tuple[ScaleEvent, ...],
    scale_downs: tuple[ScaleEvent, ...],
    rules: ScalingRules,
) -> int:
    """The wish, but no more than the rate policies allow, and never below `current`.

    A policy bounds the count by what it was at the start of its period, which is reckoned back
    from the accepted changes of both directions. Per cent round up, so that a small count can grow.
    """
    if wish <= current or rules.select is SelectPolicy.DISABLED:
        return min(wish, current)
    take_most = rules.select is SelectPolicy.MAX
    limit = _LEAST_INT32 if take_most else _MOST_INT32
    for policy in rules.policies:
        start = _count_at(now_s - policy.period_s, current, scale_ups, scale_downs)
        if policy.type is PolicyType.PODS:
            proposed = start + policy.value
        else:
            proposed = math.ceil(start * (1.0 + policy.value / 100.0))
        if proposed > limit if take_most else proposed < limit:
            limit = proposed
    return min(wish, max(limit, current))


def limit_down(
    now_s: float,
    current: int,
    wish: int,
    scale_ups: tuple[ScaleEvent, ...],
    scale_downs: tuple[ScaleEvent, ...],
    rules: ScalingRules,
) -> int:
    """The wish, but no less than the rate policies allow, and never above `current`.

    Per cent of what remains are cut off, so that a small count can shrink.
    """
    if wish >= current or rules.select is SelectPolicy.DISABLED:
        return max(wish, current)
    take_least = rules.select is SelectPolicy.MAX
    limit = _MOST_INT32 if take_least else _LEAST_INT32
    for policy in rules.policies:
        start = _count_at(now_s - policy.period_s, current, scale_ups, scale_downs)
        if policy.type is PolicyType.PODS:
            proposed = start - policy.value
        else:
            proposed = int(start * (1.0 - policy.value / 100.0))
        if proposed < limit if take_least else proposed > limit:
            limit = proposed
    return max(wish, min(limit, current))


def prune(entries: tuple[ScaleEvent, ...], until_s: float) -> tuple[ScaleEvent, ...]:
    """`entries` (oldest first) without those at or before `until_s`, to bound memory."""
    old = 0
    for at_s, _ in entries:
        if at_s > until_s:
            break
        old += 1
    return entries[old:] if old else entries


def normalize(
    now_s: float,
    current: int,
    wish: int,
    bounds: tuple[int, int],
    rules: tuple[ScalingRules, ScalingRules],
    recommendations: tuple[Recommendation, ...],
    scale_ups: tuple[ScaleEvent, ...],
    scale_downs: tuple[ScaleEvent, ...],
) -> Normalized:
    """The controller's whole answer to a wish under `behavior`: stabilise, limit, bound.

    bounds: (minimum, maximum), between which `current` already lies. rules: (up, down).
    """
    low, high = bounds
    up, down = rules
    steady = stabilize(now_s, current, wish, recommendations, up, down)
    stabilized = Stabilized.NO
    if steady != wish:
        stabilized = Stabilized.UP if wish >= current else Stabilized.DOWN
    replicas, limited = steady, Limited.NO
    if steady > current:
        allowed = limit_up(now_s, current, steady, scale_ups, scale_downs, up)
        replicas = min(allowed, high)
        if replicas < steady:
            limited = Limited.UP_RATE if allowed < min(steady, high) else Limited.MAXIMUM
    elif steady < current:
        allowed = limit_down(now_s, current, steady, scale_ups, scale_downs, down)
        replicas = max(allowed, low)
        if replicas > steady:
            limited = Limited.DOWN_RATE if allowed > max(steady, low) else Limited.MINIMUM
    return Normalized(replicas, stabilized, limited)


def normalize_without_behavior(
    now_s: float,
    current: int,
    wish: int,
    bounds: tuple[int, int],
    recommendations: tuple[Recommendation, ...],
) -> Normalized:
    """The controller's whole answer to a wish when the resource has no `behavior`.

    The highest wish of 5 minutes, at most the larger of twice the present count and 4, within
    `bounds` (minimum, maximum).
    """
    low, high = bounds
    steady = wish
    since_s = now_s - UNCONFIGURED_STABILIZATION_S
    for at_s, count in recommendations:
        if count > steady and at_s >= since_s:
            steady = count
    stabilized = Stabilized.NO if steady == wish else Stabilized.DOWN
    rate = max(_UNCONFIGURED_FACTOR * current, _UNCONFIGURED_LEAST)
    if steady < low:
        return Normalized(low, stabilized, Limited.MINIMUM)
    if steady > min(rate, high):
        return Normalized(min(rate, high), stabilized, Limited.UP_RATE if rate < high else Limited.MAXIMUM)
    return Normalized(steady, stabilized, Limited.NO)


def _count_at(
    since_s: float, current: int, scale_ups: tuple[ScaleEvent, ...], scale_downs: tuple[ScaleEvent, ...]
) -> int:
    """The count before the changes made after `since_s`."""
    count = current
    for at_s, change in scale_ups:
        if at_s > since_s:
            count -= change
    for at_s, change in scale_downs:
        if at_s > since_s:
            count += change
    return count
