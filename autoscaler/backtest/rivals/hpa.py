"""Kubernetes' HorizontalPodAutoscaler on CPU utilisation, as the controller decides.

Load stands for CPU: a ready pod that serves `per_replica` uses its whole request of one core.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from autoscaler.backtest.result import Kind
from autoscaler.backtest.rivals.behavior_form import Behavior, read_behavior
from autoscaler.backtest.rivals.controller import Controller
from autoscaler.backtest.rivals.rival import RivalContext
from autoscaler.backtest.rivals.settings import MOST_REPLICAS, check_bounds, setting, whole
from autoscaler.backtest.scaler import Moment
from autoscaler.planning.hpa import TOLERANCE, Tally, Unmeasured, replicas_for_tally

_REQUEST_MILLI = 1000


@dataclass(frozen=True, slots=True)
class HpaSettings:
    """target: CPU utilisation in per cent of the request; 80 where a manifest gives no metric."""

    target: int = setting(80, whole(1, 1000))
    min: int = setting(1, whole(1))
    max: int = setting(MOST_REPLICAS, whole(1))
    behavior: Behavior | None = setting(None, read_behavior)  # noqa: RUF009 - makes a field

    def __post_init__(self) -> None:
        check_bounds(self.min, self.max)


class CpuRule:
    """HPA's wish from CPU, over ready pods that are all alike and pending ones.

    A pod's metric counts from the first sync at which it is ready. A cluster leaves out pods that
    are younger than 5 minutes until they have been ready for one metric window (30 s); the
    recorded loops that this is held to do not, so neither does this.
    """

    def __init__(self, target: int, per_replica: float, tolerances: tuple[float, float]) -> None:
        self._target = target
        self._per_replica = per_replica
        self._tolerances = tolerances

    def start(self, first_load: float, least: int, most: int) -> int:
        """A fleet at its target under the first load."""
        count = math.ceil(first_load / self._per_replica / (self._target / 100))
        return min(max(count, least), most)

    def wish(self, moment: Moment) -> int | None:
        """Replicas that would bring utilisation to the target, None without metrics."""
        if math.isnan(moment.utilization):
            return None
        ready, pending = moment.ready, max(0, moment.asked - moment.ready)
        tally = Tally(
            measured=ready,
            usage_milli=ready * _milli_cores(moment, self._per_replica),
            request_milli=ready * _REQUEST_MILLI,
            unready=pending,
            unready_request_milli=pending * _REQUEST_MILLI,
        )
        wish = replicas_for_tally(moment.asked, self._target, tally, self._tolerances)
        return None if isinstance(wish, Unmeasured) else wish


class HpaRival:
    """One sync per step, or every 15 s where steps are shorter."""

    kind = Kind.BASELINE

    def __init__(self, name: str, settings: HpaSettings, context: RivalContext) -> None:
        self.name = name
        behavior = settings.behavior
        self._bounds = (settings.min, settings.max)
        self._controller = Controller(settings.min, settings.max, behavior)
        tolerances = (TOLERANCE, TOLERANCE)
        if behavior is not None:
            tolerances = (behavior.up.tolerance, behavior.down.tolerance)
        self._rule = CpuRule(settings.target, context.per_replica, tolerances)
        how = "no behavior set" if behavior is None else f"behavior {behavior.name}"
        self.note = f"Kubernetes HPA at {settings.target} % CPU, {how}"

    def start(self, first_load: float) -> int:
        """Enough pods to serve the first load at the target."""
        return self._rule.start(first_load, *self._bounds)

    def decide(self, moment: Moment) -> int:
        """One pass of the controller."""
        if not self._controller.due(moment.now_s, moment.asked):
            return moment.asked
        return self._controller.sync(moment.now_s, moment.asked, self._rule.wish(moment))


def _milli_cores(moment: Moment, per_replica: float) -> int:
    """What a ready pod uses, rounded half away from zero.

    Halves do occur, so the division is done in the controller's order wherever load and
    utilisation are of the same instant. With metric lag `ready` is newer than both.
    """
    capacity = moment.ready * per_replica
    if capacity > 0 and 100.0 * moment.load / capacity == moment.utilization:
        usage = moment.load / capacity * 1000.0
    else:
        usage = moment.utilization * 10.0
    floor = math.floor(usage)
    return floor + (usage - floor >= 0.5)
