"""KEDA's ScaledObject with a Prometheus trigger on the load, and the HPA it puts behind that.

KEDA itself only switches between zero and one: it polls, activates above a threshold, and after a
cooldown without activity takes everything away. From one replica on, the HPA decides on the
external metric's average per replica, which it reads afresh at every sync.

Source: KEDA documentation, "ScaledObject specification" and "Scaling Deployments, StatefulSets &
Custom Resources"; Kubernetes documentation, "Horizontal Pod Autoscaling" for `AverageValue`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from autoscaler.backtest.result import Kind
from autoscaler.backtest.rivals.controller import Controller
from autoscaler.backtest.rivals.rival import RivalContext
from autoscaler.backtest.rivals.settings import MOST_REPLICAS, check_bounds, number, setting, whole
from autoscaler.backtest.scaler import Moment
from autoscaler.planning.capacity import replicas_for
from autoscaler.planning.hpa import TOLERANCE


@dataclass(frozen=True, slots=True)
class KedaSettings:
    """target: threshold of the trigger in per cent of what a replica can serve. min, max:
    `minReplicaCount`, `maxReplicaCount`. polling, cooldown: `pollingInterval`, `cooldownPeriod`,
    seconds. activation: `activationThreshold`, in units of the load."""

    target: float = setting(80.0, number(0, 1000, above=True))
    min: int = setting(0, whole(0))
    max: int = setting(MOST_REPLICAS, whole(1))
    polling: float = setting(30.0, number(1, 86_400))
    cooldown: float = setting(300.0, number(0, 86_400))
    activation: float = setting(0.0, number(0, 1e15))

    def __post_init__(self) -> None:
        check_bounds(self.min, self.max)


class KedaRival:
    """The operator's loop and the HPA's, each at its own pace, or every step where steps are longer."""

    kind = Kind.BASELINE

    def __init__(self, name: str, settings: KedaSettings, context: RivalContext) -> None:
        self.name = name
        self._settings = settings
        self._threshold = context.per_replica * settings.target / 100
        self._hpa = Controller(max(1, settings.min), settings.max, None)
        self._polled_s = -math.inf
        self._active_s: float | None = None
        self.note = (
            f"KEDA with a Prometheus trigger at {settings.target:g} % of a replica's capacity, "
            f"minReplicaCount {settings.min}"
        )

    def start(self, first_load: float) -> int:
        """Enough pods to have the first load at the threshold."""
        wanted = replicas_for(first_load, self._threshold)
        return min(max(wanted, self._settings.min), self._settings.max)

    def decide(self, moment: Moment) -> int:
        """The operator's poll when it is due, else the HPA's sync when that is due."""
        now_s, current = moment.now_s, moment.asked
        hpa_due = self._hpa.due(now_s, current)
        if now_s - self._polled_s >= self._settings.polling:
            self._polled_s = now_s
            switched = self._poll(now_s, current, moment.load)
            if switched != current:
                return switched
        return self._hpa.sync(now_s, current, self._average_value(moment)) if hpa_due else current

    def _poll(self, now_s: float, current: int, load: float) -> int:
        """Zero to one and back. A failed query says nothing about activity."""
        if math.isnan(load):
            return current
        if load > self._settings.activation:
            self._active_s = now_s
            return max(1, self._settings.min) if current == 0 else current
        if self._settings.min > 0:
            return current
        cooled = self._active_s is None or now_s - self._active_s > self._settings.cooldown
        return 0 if cooled else current

    def _average_value(self, moment: Moment) -> int | None:
        """HPA on an external metric of target type AverageValue: the pods' readiness plays no part."""
        if math.isnan(moment.load) or moment.asked == 0:
            return None
        ratio = moment.load / (self._threshold * moment.asked)
        if 1.0 - TOLERANCE <= ratio <= 1.0 + TOLERANCE:
            return moment.asked
        return replicas_for(moment.load, self._threshold)
