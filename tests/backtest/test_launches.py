"""A launch that is like an earlier one, in a backtest: served, and not learned from."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from worlds import MONDAY_S, trace

from autoscaler.backtest.candidate import Candidate, candidate_of
from autoscaler.backtest.case import Case
from autoscaler.backtest.foresight import Foresight, foresee
from autoscaler.backtest.predictive import PredictiveScaler
from autoscaler.backtest.runner import compare
from autoscaler.backtest.simulation import World
from autoscaler.forecasting.registry import forecaster
from autoscaler.series import Series
from autoscaler.spec import PredictiveAutoscaler
from autoscaler.spec.units import format_time

STEP_S, DAY = 300, 288
WORLD = World(per_replica=10.0, start_up_s=900.0)
LEAD = 3
FIRST, SECOND = 3 * DAY + 120, 6 * DAY + 150
"""Steps at which two launches begin: at 10:00 on a Thursday and at 12:30 on a Sunday."""
LASTS = 24
AT_ONCE = {"type": "Pods", "value": 1000, "periodSeconds": 15}
"""Decisions are five minutes apart here, so that doubling at each of them would take long."""


def load(days: int = 8) -> Series:
    """A daily rhythm around 100 with two launches, each of which begins within a step."""
    steps = np.arange(days * DAY)
    values = (100 + 60 * np.sin(2 * np.pi * steps / DAY)) * np.random.default_rng(3).lognormal(
        0, 0.05, len(steps)
    )
    for begin in (FIRST, SECOND):
        values[begin : begin + LASTS] = 800.0 - 10.0 * np.arange(LASTS)
    return trace(values, STEP_S)


def event(**fields: Any) -> dict[str, Any]:
    return {"name": "launch", "start": at(SECOND), "end": at(SECOND + LASTS), **fields}


def at(step: int) -> str:
    return format_time(float(MONDAY_S + step * STEP_S))


def candidate(series: Series, model: str, *events: dict[str, Any]) -> Candidate:
    document = {
        "apiVersion": "predictive-autoscaler.dev/v1alpha1",
        "kind": "PredictiveAutoscaler",
        "metadata": {"name": "checkout"},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "checkout"},
            "maxReplicas": 500,
            "load": {"query": "up", "perReplica": 10},
            "forecast": {"model": model, "leadTime": "15m", "refit": "30d" if model == "trend" else "2d"},
            "behavior": {"scaleUp": {"policies": [AT_ONCE]}},
            "events": list(events),
        },
    }
    return candidate_of(PredictiveAutoscaler.model_validate(document), series, WORLD, None)


def foresight(series: Series, one: Candidate) -> Foresight:
    return foresee(series, forecaster(one.model), one.settings, one.history_s, one.refit_s)


def ready_during(series: Series, one: Candidate) -> np.ndarray[Any, np.dtype[np.int64]]:
    (result,) = compare([Case(series, WORLD, 0.1, 0, (one,))]).traces
    return np.asarray(result.runs[0].ready)[SECOND : SECOND + LASTS]


LIKE = {"start": at(FIRST)}


@pytest.mark.parametrize("model", ["trend", "learned"])
def test_whatever_the_model_there_are_the_pods_of_a_launch_ready_when_it_begins(model: str) -> None:
    series = load()
    needed = np.ceil(series.values[SECOND : SECOND + LASTS] / WORLD.per_replica)
    assert (ready_during(series, candidate(series, model))[:LEAD] < needed[:LEAD]).all()
    assert (ready_during(series, candidate(series, model, event(like=LIKE))) >= needed).all()


def test_a_launch_half_as_large_again_is_provided_for() -> None:
    series = load()
    one = candidate(series, "seasonal-naive", event(like={**LIKE, "factor": "1.5"}))
    expected = 1.5 * series.values[FIRST : FIRST + LASTS] / WORLD.per_replica
    assert (ready_during(series, one) >= np.floor(expected)).all()


def test_an_earlier_launch_that_was_not_recorded_leaves_min_replicas_and_is_named() -> None:
    series = load()
    one = candidate(series, "seasonal-naive", event(like={"start": "2020-01-01T00:00:00Z"}, minReplicas=33))
    seen = foresight(series, one)
    assert np.isnan(seen.known).all()
    assert "event launch: nothing of the load from 2020-01-01T00:00Z on is known" in seen.note
    assert ready_during(series, one)[0] == 33


def test_the_earlier_launch_may_not_be_seen_before_it_was() -> None:
    """The floor at any step rests on what lies at least a day before it."""
    series = load()
    one = candidate(series, "trend", event(like=LIKE))
    seen = foresight(series, one)
    garbled = Series(
        "", series.start_s, STEP_S, np.where(np.arange(len(series)) >= FIRST + LASTS, 1e6, series.values)
    )
    np.testing.assert_array_equal(foresight(garbled, one).known, seen.known)


@pytest.mark.parametrize("model", ["seasonal-naive", "learned"])
def test_the_day_after_is_forecast_as_if_there_had_been_no_launch(model: str) -> None:
    """But for the hour after it, when the level of the moment is still being found."""
    series, quiet = load(), load()
    for begin in (FIRST, SECOND):
        before = quiet.values[begin - DAY : begin - DAY + LASTS]
        quiet.values[begin : begin + LASTS] = before
    told = candidate(
        series,
        model,
        event(like=LIKE),
        event(name="first", start=at(FIRST), end=at(FIRST + LASTS), like={"start": at(FIRST - 10 * DAY)}),
    )
    after = slice(SECOND + LASTS + 24, len(series) - LEAD)
    wanted = foresight(quiet, candidate(quiet, model)).at_quantile(0.95)[after]
    found = foresight(series, told).at_quantile(0.95)[after]
    untold = foresight(series, candidate(series, model)).at_quantile(0.95)[after]
    assert np.abs(found / wanted - 1).max() < np.abs(untold / wanted - 1).max()
    assert np.abs(found / wanted - 1).mean() < 0.05


def test_what_is_known_is_not_limited_by_doubts_about_the_model() -> None:
    """A forecast ten times too high is soon not followed any more; the launch is provided for nonetheless."""
    series = load()
    one = candidate(series, "seasonal-naive", event(like=LIKE))
    seen = foresight(series, one)
    wild = replace(seen, peaks=np.full(seen.peaks.shape, 5000.0))
    scaler = PredictiveScaler("wild", one.policy, wild, {}, 0)
    asked = 1
    for step in range(SECOND):
        asked = scaler.decide(moment(series, step, asked))
    assert asked >= math.ceil(series.values[FIRST] / WORLD.per_replica)
    assert asked < 200


def moment(series: Series, step: int, asked: int) -> Any:
    from autoscaler.backtest.scaler import Moment

    return Moment(
        index=step,
        now_s=float(MONDAY_S + step * STEP_S),
        load=float(series.values[step]),
        asked=asked,
        ready=asked,
        utilization=50.0,
        backlog=0.0,
        latency_s=0.0,
        oldest_starting_s=0.0,
    )
