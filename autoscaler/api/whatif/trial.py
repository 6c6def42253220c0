"""One policy tried on a workload's past, and what there was to pay and to regret.

The same forecast, decision and simulation as in `autoscaler backtest`.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from autoscaler.api.whatif.history import History
from autoscaler.api.whatif.terms import Terms
from autoscaler.backtest.candidate import Candidate, candidate_of, lead_steps
from autoscaler.backtest.foresight import Foresight
from autoscaler.backtest.predictive import PredictiveScaler
from autoscaler.backtest.result import ForecastTrack, Scores
from autoscaler.backtest.scores import score
from autoscaler.backtest.shared_forecasts import foreseen
from autoscaler.backtest.simulation import World, simulate
from autoscaler.backtest.track import track
from autoscaler.series import Floats, Ints, Series
from autoscaler.spec.variation import WrittenPolicy

Advance = Callable[[float, str], None]
"""Told how much is done, from 0 to 1, and what comes next."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One policy's counts over the whole history and its figures over the part that is judged.

    asked: [time], after each step. ready: [time], NaN where unknown. forecast: None of what happened.
    """

    asked: Ints
    ready: Floats
    scores: Scores
    forecast: ForecastTrack | None = None


class Foresights:
    """The newest forecasts that were made, since many policies want the same. For one thread."""

    _MOST = 8

    def __init__(self) -> None:
        self._made: OrderedDict[object, Foresight] = OrderedDict()

    def of(self, series: Series, candidate: Candidate) -> Foresight:
        """The forecasts that `candidate` would have had at every step of `series`."""
        key = (
            series.start_s,
            series.step_s,
            series.values.tobytes(),
            candidate.model,
            candidate.settings,
            candidate.history_s,
            candidate.refit_s,
            candidate.follows,
        )
        found = self._made.pop(key, None)
        if found is None:
            found = foreseen(series, candidate)
        self._made[key] = found
        if len(self._made) > self._MOST:
            self._made.popitem(last=False)
        return found


def candidate(policy: WrittenPolicy, history: History, terms: Terms, chosen_at: float) -> Candidate:
    """`policy` as it would have run.

    chosen_at: quantile at which `auto` chooses its model; the same for all policies that are compared, so
    that those which differ in their quantile alone share their forecasts.
    """
    step_s = history.series.step_s
    made = candidate_of(policy.resource, history.series, _world(terms), None)
    settings = replace(made.settings, quantile=chosen_at)
    if not terms.start_up_measured:
        return replace(made, settings=settings)
    # As live: what was measured counts, whatever is configured.
    return replace(
        made,
        policy=replace(made.policy, lead_time_s=terms.start_up_s),
        settings=replace(settings, horizon=lead_steps(terms.start_up_s, 0.0, step_s)),
    )


def tried(one: Candidate, history: History, terms: Terms, foresights: Foresights) -> Tried:
    """Run a policy over the whole history and judge it over the last part."""
    foresight = foresights.of(history.series, one)
    scaler = PredictiveScaler(one.name, one.policy, foresight, {}, lag_steps=0)
    course = simulate(history.series, _world(terms), scaler)
    scores = _scores(history, terms, course.desired, course.ready)
    forecast = track(foresight, history.series.values, one.policy.quantile, history.scored_from)
    return Tried(course.desired, course.ready.astype(np.float64), scores, forecast)


def happened(history: History, terms: Terms) -> Tried:
    """What was really asked for and ready, whoever scaled, judged like a policy."""
    ready = np.where(np.isnan(history.ready), 0.0, history.ready).astype(np.int64)
    return Tried(history.asked, history.ready, _scores(history, terms, history.asked, ready))


def _scores(history: History, terms: Terms, asked: Ints, ready: Ints) -> Scores:
    price = math.nan if terms.price is None else float(terms.price)
    return score(
        history.judged_load,
        asked,
        ready,
        terms.per_replica,
        history.series.step_s,
        price,
        history.scored_from,
        None,
    )


def _world(terms: Terms) -> World:
    return World(per_replica=terms.per_replica, start_up_s=terms.start_up_s)
