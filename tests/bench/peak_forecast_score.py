"""The yardstick for forecasts by themselves: quantiles of the coming peak, turned into replicas, no policy.

At every step the replicas asked for are the quantile over the capacity, rounded up, at least one, and
the largest such wish of the last five minutes. Each quantile is a point of the front; at both ends the
outermost quantile is scaled on, so that every cost is reached. The rules of cost and overload, and the
reactive rival, are those of `autoscaler.backtest.yardstick`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoscaler.backtest.yardstick import (
    Front,
    Point,
    equal_cost_ratios,
    measure,
    reactive_front,
    steps_of,
    trace_figure,
)
from autoscaler.forecasting.accuracy import coverage
from autoscaler.series import Floats, Ints

FLEET = 20.0
"""Replicas that the mean load keeps busy."""

_HELD_S = 300.0
_BELOW = (0.7, 0.8, 0.88, 0.94)
_ABOVE = (1.06, 1.12, 1.2, 1.35, 1.5)
_WORLDCUP_COST = 1.166


@dataclass(frozen=True, slots=True)
class Score:
    """figure: overload over the rival's at equal cost, median over the costs in `ratios`. coverage: share
    of peaks within the forecast p95."""

    trace: str
    lead_steps: int
    figure: float
    ratios: tuple[float, ...]
    coverage: float


def scored(
    trace: str,
    load: Floats,
    peaks: Floats,
    levels: Floats,
    step_s: float,
    lead_steps: int,
    scored_from: int,
    stated: float = 0.95,
) -> Score:
    """Score forecasts.

    load: [time]. peaks: [time, level], quantiles of the maximum over the next `lead_steps` steps as
    forecast at that time; NaN before there is a forecast, where the wish is what the load needs.
    """
    per_replica = float(np.nanmean(load)) / FLEET
    ours = front(load, peaks, per_replica, step_s, lead_steps, scored_from)
    rival = reactive_front(load, per_replica, step_s, lead_steps, scored_from)
    ratios = equal_cost_ratios(ours, rival)
    came = np.lib.stride_tricks.sliding_window_view(load[1:], lead_steps)[scored_from:].max(axis=1)
    place = int(np.argmin(np.abs(levels - stated)))
    kept = coverage(came, peaks[scored_from : scored_from + len(came), place])
    return Score(trace, lead_steps, trace_figure(ratios), tuple(ratios.tolist()), kept)


def worldcup_unserved(load: Floats, peaks: Floats, step_s: float, lead_steps: int, scored_from: int) -> float:
    """Per cent of WorldCup98's load unserved at a cost of 1.166 with 500 requests a minute per replica."""
    ours = front(load, peaks, 500.0, step_s, lead_steps, scored_from)
    return float(ours.at([_WORLDCUP_COST])[0])


def front(
    load: Floats, peaks: Floats, per_replica: float, step_s: float, lead_steps: int, scored_from: int
) -> Front:
    """One point per quantile, and more beyond both ends."""
    wishes = [peaks[:, 0] * share for share in _BELOW]
    wishes += [peaks[:, place] for place in range(peaks.shape[1])]
    wishes += [peaks[:, -1] * share for share in _ABOVE]
    return Front.of([_point(load, wish, per_replica, step_s, lead_steps, scored_from) for wish in wishes])


def _point(
    load: Floats, wish: Floats, per_replica: float, step_s: float, lead_steps: int, scored_from: int
) -> Point:
    known = np.where(np.isfinite(wish), wish, np.nan_to_num(load))
    asked = np.maximum(1, np.ceil(known / per_replica - 1e-9)).astype(np.int64)
    return measure(load, _held(asked, steps_of(_HELD_S, step_s)), per_replica, lead_steps, scored_from)


def _held(asked: Ints, steps: int) -> Ints:
    """The largest wish of the last `steps` steps."""
    padded = np.concatenate([np.full(steps - 1, asked[0]), asked])
    held: Ints = np.lib.stride_tricks.sliding_window_view(padded, steps).max(axis=1)
    return held
