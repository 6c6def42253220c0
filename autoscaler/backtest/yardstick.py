"""Overload at equal cost against a tuned reactive rival: the one figure policies are ranked by.

Cost and overload can be traded for each other by adding headroom, so neither means much alone.
Here the rival's whole front is drawn by sweeping its headroom, and a policy is judged by its
overload divided by the rival's at the same cost. Below 1 is better than the rival.

The rules are fixed, simpler than the simulator and computed from the asked-for counts alone:
replicas asked at step t are decided having seen the load of step t, become ready L steps later
and are removed at once, so ready(t) = min of asked over t-L … t. cost = sum asked / sum need,
overload = sum max(0, load - ready * per_replica) / sum load, in per cent. Where the load is
missing, the present level is the last one known and the step is not scored.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoscaler.backtest.scores import need, unserved_share
from autoscaler.series import Floats, Ints
from autoscaler.trailing import trailing

COSTS = (1.06, 1.10, 1.15, 1.22, 1.32)
"""Costs at which two fronts are compared."""

FLOOR = 0.002
"""Per cent of overload added to both sides, so that two nearly perfect policies count as equal."""

HEADROOMS: tuple[float, ...] = tuple(float(h) for h in np.geomspace(0.7, 3.0, 48))
"""The rival's tuning: factors on its measured load."""

RIVAL_MEAN_S = 180.0
RIVAL_HOLD_S = 360.0
"""The rival takes the mean of this long, and holds the largest wish of this long."""

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Point:
    """One policy's place: cost (1 is exactly what was needed) and overload in per cent."""

    cost: float
    overload: float


@dataclass(frozen=True, slots=True)
class Front:
    """Overload in per cent against cost, one entry per setting of a policy, by ascending cost."""

    costs: Floats
    overloads: Floats

    @staticmethod
    def of(points: Sequence[Point]) -> Front:
        """The front through these points; those without a cost or overload are left out."""
        usable = [point for point in points if math.isfinite(point.cost) and math.isfinite(point.overload)]
        usable.sort(key=lambda point: (point.cost, -point.overload))
        return Front(
            np.array([point.cost for point in usable], dtype=np.float64),
            np.array([point.overload for point in usable], dtype=np.float64),
        )

    def at(self, costs: Sequence[float] | Floats) -> Floats:
        """Overload at these costs, NaN outside the front's reach.

        Linear in log(overload + FLOOR) between points; the floor keeps a perfect point finite.
        """
        if len(self.costs) == 0:
            return np.full(len(costs), np.nan)
        logs = np.interp(costs, self.costs, np.log(self.overloads + FLOOR), left=np.nan, right=np.nan)
        return np.maximum(0.0, np.exp(logs) - FLOOR)


def steps_of(seconds: float, step_s: float) -> int:
    """A window in steps of the trace: the nearest whole number, at least one."""
    return max(1, round(seconds / step_s))


def start_up_steps(start_up_s: float, step_s: float) -> int:
    """Steps until a replica asked for is ready; a step begun counts whole."""
    return max(0, math.ceil(start_up_s / step_s - 1e-9))


def warm_up_s(duration_s: float) -> float:
    """Time left out of scoring: 7 days, or 2 where the trace is shorter than 12 days."""
    return 7 * _DAY_S if duration_s >= 12 * _DAY_S else 2 * _DAY_S


def ready_after(asked: Ints, lead_steps: int) -> Ints:
    """Ready replicas: the least asked for over the last `lead_steps` steps and this one.

    Before the trace the first count had been running for ever.
    """
    return trailing(np.minimum, asked, lead_steps + 1)


def last_known(load: Floats) -> Floats:
    """`load` with each gap filled by the last value before it; NaN only before the first value."""
    at = np.where(np.isnan(load), 0, np.arange(len(load)))
    return load[np.maximum.accumulate(at)] if len(load) else load


def measure(load: Floats, asked: Ints, per_replica: float, lead_steps: int, scored_from: int) -> Point:
    """Cost and overload of the counts `asked` under the rules of this module."""
    scored = load[scored_from:]
    known = ~np.isnan(scored)
    needed = float(need(scored[known], per_replica).sum())
    if needed == 0.0:
        return Point(math.nan, math.nan)
    cost = float(asked[scored_from:][known].sum()) / needed
    ready = ready_after(asked, lead_steps)[scored_from:]
    return Point(cost, 100.0 * unserved_share(scored, ready, per_replica))


def reactive_asked(load: Floats, per_replica: float, step_s: float, headroom: float) -> Ints:
    """What the rival asks for: mean of 3 minutes x headroom, rounded up, maximum of 6 minutes.

    At least one replica, also before anything was known.
    """
    return _rival(
        _trailing_mean(last_known(load), steps_of(RIVAL_MEAN_S, step_s)), per_replica, step_s, headroom
    )


def reactive_front(
    load: Floats,
    per_replica: float,
    step_s: float,
    lead_steps: int,
    scored_from: int,
    headrooms: Sequence[float] = HEADROOMS,
) -> Front:
    """The tuned reactive rival: one point per headroom."""
    level = _trailing_mean(last_known(load), steps_of(RIVAL_MEAN_S, step_s))
    return Front.of(
        [
            measure(load, _rival(level, per_replica, step_s, headroom), per_replica, lead_steps, scored_from)
            for headroom in headrooms
        ]
    )


def equal_cost_ratios(ours: Front, rival: Front, costs: Sequence[float] = COSTS) -> Floats:
    """(ours + floor) / (rival + floor) at each cost, NaN where either front does not reach."""
    ratios: Floats = (ours.at(costs) + FLOOR) / (rival.at(costs) + FLOOR)
    return ratios


def equal_cost_ratio(point: Point, rival: Front) -> float:
    """The same ratio for a policy that is one point: at its own cost. NaN outside the rival's reach."""
    if not math.isfinite(point.cost):
        return math.nan
    return float((point.overload + FLOOR) / (rival.at([point.cost])[0] + FLOOR))


def trace_figure(ratios: Floats) -> float:
    """A trace's figure: the median over the costs that both fronts reach, NaN when there is none."""
    reached = ratios[~np.isnan(ratios)]
    return float(np.median(reached)) if len(reached) else math.nan


def geometric_mean(figures: Sequence[float]) -> float:
    """Geometric mean over traces, leaving out those without a figure; NaN when none has one."""
    usable = [figure for figure in figures if math.isfinite(figure)]
    return math.exp(sum(math.log(figure) for figure in usable) / len(usable)) if usable else math.nan


def _rival(level: Floats, per_replica: float, step_s: float, headroom: float) -> Ints:
    wish = np.ones(len(level), dtype=np.int64)
    known = ~np.isnan(level)
    wish[known] = need(level[known] * headroom, per_replica).astype(np.int64)
    return trailing(np.maximum, wish, steps_of(RIVAL_HOLD_S, step_s))


def _trailing_mean(values: Floats, width: int) -> Floats:
    """Mean of the last `width` values, of fewer at the beginning or after leading NaNs."""
    known = ~np.isnan(values)
    total = np.zeros(len(values))
    count = np.zeros(len(values))
    filled = np.where(known, values, 0.0)
    # Adding shifted copies, unlike differences of a running sum, leaves no rounding residue
    # behind large values. Long windows (steps of seconds) are rare enough for the loop.
    for back in range(min(width, len(values))):
        total[back:] += filled[: len(values) - back]
        count[back:] += known[: len(values) - back]
    means: Floats = np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
    return means
