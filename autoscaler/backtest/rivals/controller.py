"""HPA's control loop around a wish: bounds, memory of wishes and changes, and when to act at all.

Shared by every rival that has an HPA in it. How it comes by its wish is the rival's own business.
"""

from __future__ import annotations

from autoscaler.backtest.rivals.behavior_form import Behavior
from autoscaler.planning.behavior import (
    UNCONFIGURED_STABILIZATION_S,
    normalize,
    normalize_without_behavior,
    prune,
)
from autoscaler.planning.memory import Recommendation, ScaleEvent
from autoscaler.planning.policy import ScalingRules

SYNC_S = 15.0
"""`--horizontal-pod-autoscaler-sync-period`."""


class Controller:
    """One HPA resource under the controller."""

    def __init__(self, least: int, most: int, behavior: Behavior | None) -> None:
        self._bounds = (least, most)
        self._behavior = behavior
        self._recommendations: tuple[Recommendation, ...] = ()
        self._scale_ups: tuple[ScaleEvent, ...] = ()
        self._scale_downs: tuple[ScaleEvent, ...] = ()
        self._synced_s: float | None = None
        self._window_s = UNCONFIGURED_STABILIZATION_S
        if behavior is not None:
            self._window_s = max(behavior.up.stabilization_s, behavior.down.stabilization_s)

    def due(self, now_s: float, current: int) -> bool:
        """Whether to sync now: every 15 s, or every step where steps are longer.

        The count found at the very first sync enters the windows as a recommendation.
        """
        if self._synced_s is None:
            self._recommendations = ((now_s, current),)
        elif now_s - self._synced_s < SYNC_S:
            return False
        self._synced_s = now_s
        return True

    def sync(self, now_s: float, current: int, wish: int | None) -> int:
        """Replicas to ask for. wish: None when the metrics give no answer, which changes nothing."""
        least, most = self._bounds
        if current == 0:
            return 0  # a target at zero is taken to be switched off
        if current > most or current < least:
            asked = min(max(current, least), most)
        elif wish is None:
            return current
        else:
            asked = self._normalized(now_s, current, wish)
        if asked != current and self._behavior is not None:
            self._note_change(now_s, asked - current, self._behavior)
        return asked

    def _normalized(self, now_s: float, current: int, wish: int) -> int:
        behavior, seen = self._behavior, self._recommendations
        if behavior is None:
            answer = normalize_without_behavior(now_s, current, wish, self._bounds, seen)
        else:
            rules = (behavior.up, behavior.down)
            answer = normalize(
                now_s, current, wish, self._bounds, rules, seen, self._scale_ups, self._scale_downs
            )
        self._recommendations = (*prune(seen, now_s - self._window_s), (now_s, wish))
        return answer.replicas

    def _note_change(self, now_s: float, change: int, behavior: Behavior) -> None:
        if change > 0:
            self._scale_ups = _remembered(self._scale_ups, now_s, change, behavior.up)
        else:
            self._scale_downs = _remembered(self._scale_downs, now_s, -change, behavior.down)


def _remembered(
    events: tuple[ScaleEvent, ...], now_s: float, change: int, rules: ScalingRules
) -> tuple[ScaleEvent, ...]:
    """`events` with one more, in the place of the last that its own direction has outlived.

    That is the controller's way of bounding memory. It matters where the other direction's periods
    are longer: an event may then still be there for them, or not.
    """
    longest_s = max((policy.period_s for policy in rules.policies), default=0.0)
    for at in range(len(events) - 1, -1, -1):
        if events[at][0] < now_s - longest_s:
            return (*events[:at], (now_s, change), *events[at + 1 :])
    return (*events, (now_s, change))
