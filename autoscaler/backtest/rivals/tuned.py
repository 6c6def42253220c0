"""HPA with the target it should have had: the least unserved load for no more than our cost.

The target is chosen after the fact, on the very trace it is judged on. No one can do that, which
makes it the hardest of the HPAs to beat and a fair one only as a yardstick.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from autoscaler.backtest.rivals.hpa import HpaRival, HpaSettings
from autoscaler.backtest.rivals.rival import RivalContext
from autoscaler.backtest.scaler import Scaler

_LOWEST, _HIGHEST, _STRIDE = 20, 95, 5

Evaluate = Callable[[Scaler], tuple[float, float]]
"""Simulates and scores a policy: its cost ratio and unserved share over the scored part."""


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """What one target utilisation (per cent) costs and leaves unserved."""

    target: int
    cost: float
    unserved: float


@dataclass(frozen=True, slots=True)
class Tuned:
    """scaler: fresh, to be run. front: every target tried, by ascending target."""

    scaler: HpaRival
    target: int
    front: tuple[FrontPoint, ...]


def tune_hpa(
    name: str, settings: HpaSettings, context: RivalContext, cost_limit: float, evaluate: Evaluate
) -> Tuned:
    """The HPA whose target leaves least unserved without costing more than `cost_limit`.

    Tries every fifth target from 20 to 95 %, then each one around the best of them. Where even the
    cheapest costs more, it is taken, and the note says so.
    """
    tried: dict[int, FrontPoint] = {}

    def sweep(targets: Iterable[int]) -> FrontPoint:
        for target in targets:
            if target not in tried:
                at_target = HpaRival(name, replace(settings, target=target), context)
                tried[target] = FrontPoint(target, *evaluate(at_target))
        return _best(tried.values(), cost_limit)

    rough = sweep(range(_LOWEST, _HIGHEST + 1, _STRIDE)).target
    around = range(max(_LOWEST, rough - _STRIDE + 1), min(_HIGHEST, rough + _STRIDE - 1) + 1)
    chosen = sweep(around)
    scaler = HpaRival(name, replace(settings, target=chosen.target), context)
    scaler.note = f"{scaler.note}; {_how(chosen, cost_limit)}"
    return Tuned(scaler, chosen.target, tuple(tried[target] for target in sorted(tried)))


def _best(points: Iterable[FrontPoint], cost_limit: float) -> FrontPoint:
    points = list(points)
    affordable = [point for point in points if point.cost <= cost_limit]
    if affordable:
        return min(affordable, key=lambda point: (point.unserved, point.cost))
    return min(
        points, key=lambda point: (point.cost if math.isfinite(point.cost) else math.inf, -point.target)
    )


def _how(chosen: FrontPoint, cost_limit: float) -> str:
    if chosen.cost <= cost_limit:
        return f"target chosen after the fact: least unserved load at a cost of at most {cost_limit:.3g}"
    return f"the cheapest target, yet no target costs as little as {cost_limit:.3g}; chosen after the fact"
