"""Many policies on many traces: forecasts first, each once, then every policy on every trace.

Policies that share a forecast are run in small batches, so that a cluster has enough to share and
each piece is worth sending.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from autoscaler.backtest.candidate import Candidate
from autoscaler.backtest.case import Case
from autoscaler.backtest.foresight import Foresight
from autoscaler.backtest.predictive import PredictiveScaler, recorded_signals
from autoscaler.backtest.result import Scores
from autoscaler.backtest.scores import score
from autoscaler.backtest.shared_forecasts import count_forecasts, forecast_all, forecast_key
from autoscaler.backtest.simulation import World, simulate
from autoscaler.backtest.workforce import Piece, Workforce
from autoscaler.backtest.yardstick import Front, equal_cost_ratio, measure, reactive_front, start_up_steps
from autoscaler.series import Series

_BATCH = 8


def sweep(cases: Sequence[Case], crew: Workforce) -> list[list[Scores]]:
    """Scores of every candidate, in the order of the cases and, in each, of its candidates."""
    foresights = forecast_all(cases, crew)
    fronts = crew.do([Piece(f"{case.series.name}: the rival", _rival, _ground(case)) for case in cases])
    batches = [(at, batch) for at, case in enumerate(cases) for batch in _batches(case)]
    pieces = [
        Piece(
            f"{cases[at].series.name}: {len(batch)} policies",
            _tried,
            (
                *_ground(cases[at]),
                cases[at].price,
                fronts[at],
                foresights.of(at, cases[at].candidates[batch[0]]),
                [cases[at].candidates[index] for index in batch],
            ),
        )
        for at, batch in batches
    ]
    answers = crew.do(pieces)
    found: list[dict[int, Scores]] = [{} for _ in cases]
    for (at, batch), scores in zip(batches, answers, strict=True):
        found[at].update(zip(batch, scores, strict=True))
    return [[scores[index] for index in range(len(scores))] for scores in found]


def count_sweep_pieces(cases: Sequence[Case]) -> int:
    """How many pieces `sweep` will have done."""
    return sum(count_forecasts(case) + 1 + len(_batches(case)) for case in cases)


def _batches(case: Case) -> list[list[int]]:
    """Positions of candidates that share a forecast, a few at a time."""
    by_forecast: dict[object, list[int]] = {}
    for index, candidate in enumerate(case.candidates):
        by_forecast.setdefault(forecast_key(candidate), []).append(index)
    return [
        group[first : first + _BATCH]
        for group in by_forecast.values()
        for first in range(0, len(group), _BATCH)
    ]


def _ground(case: Case) -> tuple[Series, World, int]:
    return case.series, case.world, case.scored_from


def _rival(series: Series, world: World, scored_from: int) -> Front:
    lead = start_up_steps(world.start_up_s, series.step_s)
    return reactive_front(series.values, world.per_replica, series.step_s, lead, scored_from)


def _tried(
    series: Series,
    world: World,
    scored_from: int,
    price: float,
    rival: Front,
    foresight: Foresight,
    candidates: Sequence[Candidate],
) -> list[Scores]:
    lag_steps = math.ceil(world.metric_lag_s / series.step_s)
    lead = start_up_steps(world.start_up_s, series.step_s)
    found = []
    for one in candidates:
        recorded = recorded_signals(one.policy, series)
        scaler = PredictiveScaler(one.name, one.policy, foresight, recorded, lag_steps)
        course = simulate(series, world, scaler)
        scores = score(
            series.values,
            course.desired,
            course.ready,
            world.per_replica,
            series.step_s,
            price,
            scored_from,
            None,
        )
        point = measure(series.values, course.desired, world.per_replica, lead, scored_from)
        found.append(replace(scores, equal_cost=equal_cost_ratio(point, rival)))
    return found
