"""How well a run served the load and what it cost, from three arrays: load, desired, ready.

Nothing here knows how the run came about, so a timeline file is enough to score it again. A step
counts as known when its load was recorded; steps without load are left out of every figure that
compares with the load (they are neither served nor short) but their replicas are still paid for.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from autoscaler.backtest.result import Scores
from autoscaler.series import Floats, Ints

DAY_S = 86_400.0
REVERSAL_S = 600.0
"""Two opposite changes within this time are one reversal."""

_ROUNDING = 1e-9
"""Relative slack that forgives the last bits of a division or product."""

Bools = NDArray[np.bool_]


def score(
    load: Floats,
    desired: Ints,
    ready: Ints,
    per_replica: float,
    step_s: float,
    price: float,
    scored_from: int,
    oracle_desired: Ints | None,
) -> Scores:
    """All figures of one run, over the steps from `scored_from` on.

    load: [time], NaN where missing. desired: [time], asked for having seen that step's load.
    ready: [time], serving during the step. per_replica: load one ready replica serves. price: per
    replica-hour. oracle_desired: [time] or None when no oracle ran. `equal_cost` is left NaN: it
    needs the rival's front (`autoscaler.backtest.yardstick`). With no known step at all, every
    figure that needs a load is NaN.
    """
    load, desired, ready = load[scored_from:], desired[scored_from:], ready[scored_from:]
    known = ~np.isnan(load)
    demand, asked, supply = load[known], desired[known], ready[known]
    needed = need(demand, per_replica)
    short = np.zeros(len(load), dtype=np.bool_)
    short[known] = shortfall(demand, supply, per_replica) > 0.0
    hours = float(desired.sum()) * step_s / 3600.0
    days = len(load) * step_s / DAY_S
    missing, surplus = np.maximum(needed - supply, 0), np.maximum(supply - needed, 0)
    oracle = math.nan
    if oracle_desired is not None:
        oracle = _ratio(float(asked.sum()), float(oracle_desired[scored_from:][known].sum()))
    return Scores(
        unserved_share=unserved_share(demand, supply, per_replica),
        minutes_short=float(short.sum()) * step_s / 60.0 if known.any() else math.nan,
        longest_shortage_s=longest_run(short) * step_s if known.any() else math.nan,
        replica_hours=hours,
        money=hours * price,
        cost_ratio=_ratio(float(asked.sum()), float(needed.sum())),
        oracle_ratio=oracle,
        changes_per_day=_ratio(float(np.count_nonzero(np.diff(desired))), days),
        reversals_per_day=_ratio(float(count_reversals(desired, step_s)), days),
        under_accuracy=_mean(missing / needed),
        over_accuracy=_mean(surplus / needed),
        under_timeshare=_mean(missing > 0),
        over_timeshare=_mean(surplus > 0),
        equal_cost=math.nan,
    )


def need(load: Floats, per_replica: float) -> Floats:
    """Fewest replicas that serve each load, never below one: max(1, ceil(load / per_replica)).

    Whole numbers as floats, shape of `load`; NaN where the load is.
    """
    replicas: Floats = np.maximum(1.0, np.ceil(load / per_replica * (1.0 - _ROUNDING)))
    return replicas


def shortfall(load: Floats, ready: Ints, per_replica: float) -> Floats:
    """Load above capacity in each step: max(0, load - ready * per_replica), NaN where load is.

    An excess within rounding of the capacity is none. Nothing carries over to the next step: what
    was not served is lost, as with synchronous requests.
    """
    excess = load - ready * per_replica
    lacking: Floats = np.where(excess <= _ROUNDING * np.abs(load), 0.0, excess)
    return np.where(np.isnan(load), np.nan, lacking)


def unserved_share(load: Floats, ready: Ints, per_replica: float) -> float:
    """Unserved share of the load: sum max(0, load - ready * per_replica) / sum load.

    Over known steps. 0 when there was no load to serve, NaN when no load is known. The "overload"
    of the yardstick is this figure in per cent.
    """
    known = ~np.isnan(load)
    if not known.any():
        return math.nan
    total = float(load[known].sum())
    if total == 0.0:
        return 0.0
    return float(shortfall(load[known], ready[known], per_replica).sum()) / total


def longest_run(flags: Bools) -> int:
    """Length of the longest unbroken run of true values; an unknown step breaks a run."""
    starts, ends = runs_of(flags)
    return int((ends - starts).max()) if len(starts) else 0


def runs_of(flags: Bools) -> tuple[Ints, Ints]:
    """Unbroken runs of true values: first step of each, and the step after its last."""
    edges = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def count_reversals(desired: Ints, step_s: float, within_s: float = REVERSAL_S) -> int:
    """How often a change was followed by one in the other direction within `within_s` seconds.

    Only neighbouring changes are compared. Each is work for nothing: pods started and removed.
    """
    moves = np.diff(desired)
    at = np.flatnonzero(moves)
    signs = np.sign(moves[at])
    flips = (signs[1:] != signs[:-1]) & (np.diff(at) * step_s <= within_s)
    return int(np.count_nonzero(flips))


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0.0 else math.nan


def _mean(values: Floats | Bools) -> float:
    """Mean over time. Applied to max(d - s, 0)/d and its kin it gives the SPEC elasticity figures.

    theta_U = 1/T sum max(d - s, 0)/d dt, theta_O = 1/T sum max(s - d, 0)/d dt, tau_U and tau_O the
    shares of time in which d > s and s > d; d replicas needed, s ready. Herbst et al., "Ready for
    Rain? A View from SPEC Research on the Future of Cloud Metrics", SPEC-RG-2016-01. The report
    gives them in per cent; here they are fractions, and d is at least 1.
    """
    return float(np.mean(values)) if len(values) else math.nan
