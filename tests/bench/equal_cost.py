"""Overload at equal cost against the tuned reactive rival: one trace, one model, one start-up time.

The policy is the default one, run through the whole of `decide` once per quantile level; the points
make a front that is read at the yardstick's costs. The parts of the backtest are used directly so
that levels which no cost asks for need not be run. Measures only; `results_text` writes it up.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autoscaler.backtest.candidate import Candidate, default_candidate
from autoscaler.backtest.foresight import Foresight, foresee
from autoscaler.backtest.predictive import PredictiveScaler
from autoscaler.backtest.simulation import World, simulate
from autoscaler.backtest.track import track
from autoscaler.backtest.yardstick import (
    COSTS,
    Front,
    Point,
    equal_cost_ratios,
    measure,
    reactive_front,
    start_up_steps,
    trace_figure,
    warm_up_s,
)
from autoscaler.forecasting.forecaster import DAY_S, LEVELS
from autoscaler.forecasting.peaks.model_folder import read_trained
from autoscaler.forecasting.peaks.shipped import shipped_model
from autoscaler.forecasting.registry import SLOW, forecaster
from autoscaler.series import Ints, Series
from autoscaler.signals.recorded import read_recorded

STATED = 0.95
"""Quantile whose observed coverage is reported."""

FLEET = 20.0
"""Replicas that the mean load keeps busy."""

_SLOW_REFIT_S = float(DAY_S)
_FEWEST_SCORED_S = DAY_S // 2


@dataclass(frozen=True, slots=True)
class Job:
    """One measurement to make. model_folder: of the shared model, None for the shipped one."""

    trace: Path
    model: str
    start_up_s: float
    model_folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """ratios: one per cost of the yardstick, NaN where one of the fronts does not reach it. figure:
    their median. coverage: share of peaks within the stated quantile. cheapest, dearest: ends of our
    front, as cost. days: scored."""

    trace: str
    model: str
    start_up_s: float
    figure: float
    ratios: tuple[float, ...]
    coverage: float
    cheapest: float
    dearest: float
    days: float


def measured(job: Job) -> Measured | None:
    """Run one job; None when the trace is too short to score anything after its warm-up."""
    # Nothing here makes cycles worth collecting, and looking for them takes an eighth of the time.
    gc.disable()
    series = read_recorded(job.trace)
    scored_from = int(warm_up_s(len(series) * series.step_s) // series.step_s)
    scored_s = (len(series) - scored_from) * series.step_s
    if scored_s < _FEWEST_SCORED_S:
        return None
    world = World(per_replica=float(np.nanmean(series.values)) / FLEET, start_up_s=job.start_up_s)
    ours = default_candidate(series, world, job.model, quantile=STATED)
    refit_s = _SLOW_REFIT_S if job.model in SLOW else ours.refit_s
    shared = read_trained(job.model_folder) if job.model_folder else None
    model = forecaster(job.model, model_for=shared or shipped_model)
    foresight = foresee(series, model, ours.settings, ours.history_s, refit_s)
    lead = start_up_steps(job.start_up_s, series.step_s)

    def point(level: float) -> Point:
        desired = _desired(series, world, ours.at_quantile(level), foresight)
        return measure(series.values, desired, world.per_replica, lead, scored_from)

    front = Front.of(enough(LEVELS, point))
    rival = reactive_front(series.values, world.per_replica, series.step_s, lead, scored_from)
    ratios = equal_cost_ratios(front, rival)
    return Measured(
        trace=series.name,
        model=job.model,
        start_up_s=job.start_up_s,
        figure=trace_figure(ratios),
        ratios=tuple(ratios.tolist()),
        coverage=track(foresight, series.values, STATED, scored_from).coverage,
        cheapest=float(front.costs[0]),
        dearest=float(front.costs[-1]),
        days=scored_s / DAY_S,
    )


def enough(levels: Sequence[float], point: Callable[[float], Point]) -> list[Point]:
    """Points from the middle level outwards, until the costs to be read lie between them.

    Cost rises with the level, so what is left out would not be read.
    """
    middle = len(levels) // 2
    points = [point(levels[middle])]
    for level in reversed(levels[:middle]):
        if points[-1].cost <= min(COSTS):
            break
        points.append(point(level))
    points.reverse()
    for level in levels[middle + 1 :]:
        if points[-1].cost >= max(COSTS):
            break
        points.append(point(level))
    return points


def _desired(series: Series, world: World, candidate: Candidate, foresight: Foresight) -> Ints:
    scaler = PredictiveScaler(candidate.name, candidate.policy, foresight, {}, 0)
    return simulate(series, world, scaler).desired
