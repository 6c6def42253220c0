"""A follower in a backtest: what following the tier in front of it brings, and that it never does harm."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from tiers import FRONT, NAMES, tiers

from autoscaler.backtest.candidate import candidate_of, default_candidate
from autoscaler.backtest.case import Case
from autoscaler.backtest.following import foresee_following
from autoscaler.backtest.foresight import Foresight, foresee
from autoscaler.backtest.predictive import PredictiveScaler
from autoscaler.backtest.runner import compare
from autoscaler.backtest.scores import unserved_share
from autoscaler.backtest.simulation import World, simulate
from autoscaler.forecasting.accuracy import coverage, peak_ahead
from autoscaler.forecasting.registry import forecaster
from autoscaler.forecasting.related.relation import Follows
from autoscaler.series import Series
from autoscaler.spec import PredictiveAutoscaler

pytestmark = pytest.mark.slow

FOLLOWS = Follows(FRONT)
START_UP_S = 300.0
DAYS = 5
STEPS = DAYS * 1440
SCORED_FROM = 2 * 1440


@cache
def foreseen(name: str) -> tuple[Series, World, Foresight, Foresight]:
    """The tiers, and what is forecast of the follower alone and by its front."""
    series = tiers(name, DAYS)
    world = World(float(np.mean(series.values)) / 20.0, START_UP_S)
    one = default_candidate(series, world)
    how = (forecaster("ridge"), one.settings, one.history_s, one.refit_s)
    own = foresee(series, *how)
    return series, world, own, foresee_following(own, series, FOLLOWS, *how)


def cost_and_shortage(
    series: Series, world: World, foresight: Foresight, quantile: float = 0.95
) -> tuple[float, float]:
    """Replicas asked for and share of the load left unserved, after two days."""
    policy = replace(default_candidate(series, world).policy, quantile=quantile)
    course = simulate(series, world, PredictiveScaler(policy.name, policy, foresight, {}, 0))
    scored = slice(SCORED_FROM, None)
    unserved = unserved_share(series.values[scored], course.ready[scored], world.per_replica)
    return float(course.desired[scored].sum()), unserved


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("10 minutes later", 0.1),
        ("10 minutes later, the ratio drifting", 0.1),
        ("10 minutes later, doubled halfway", 0.2),
        ("2 minutes later", 0.8),
    ],
)
def test_what_the_front_sees_first_is_served_at_no_more_cost(name: str, most: float) -> None:
    series, world, own, following = foreseen(name)
    cost, shortage = cost_and_shortage(series, world, own)
    cost_following, shortage_following = cost_and_shortage(series, world, following)
    assert shortage_following < most * shortage
    assert cost_following < 1.02 * cost


@pytest.mark.parametrize("name", NAMES)
def test_a_front_that_tells_nothing_does_no_harm(name: str) -> None:
    series, world, own, following = foreseen(name)
    for quantile in (0.8, 0.95):
        cost, shortage = cost_and_shortage(series, world, own, quantile)
        cost_following, shortage_following = cost_and_shortage(series, world, following, quantile)
        assert shortage_following <= 1.05 * shortage + 1e-4
        assert cost_following <= 1.05 * cost


@pytest.mark.parametrize("name", NAMES)
def test_the_stated_risk_is_kept(name: str) -> None:
    series, _, _, following = foreseen(name)
    came = peak_ahead(series.values, following.lead_steps)
    kept = coverage(came[SCORED_FROM:], following.at_quantile(0.95)[SCORED_FROM:])
    assert 0.92 <= kept <= 0.98


def test_where_there_is_no_relation_the_forecast_is_the_workloads_own() -> None:
    _, _, own, following = foreseen("unrelated")
    np.testing.assert_array_equal(following.peaks, own.peaks)
    assert "the two loads do not move together" in following.note


def test_a_trace_without_the_fronts_column_is_forecast_alone_and_says_so() -> None:
    series, world, own, _ = foreseen("2 minutes later")
    one = default_candidate(series, world)
    how = (forecaster("ridge"), one.settings, one.history_s, one.refit_s)
    alone = foresee_following(own, replace(series, columns={}), FOLLOWS, *how)
    np.testing.assert_array_equal(alone.peaks, own.peaks)
    assert alone.note.startswith("does not follow frontend: the trace has no such column")


def test_a_manifest_that_follows_is_backtested_with_the_column_named_like_its_front() -> None:
    written: dict[str, Any] = {
        "apiVersion": "predictive-autoscaler.dev/v1alpha1",
        "kind": "PredictiveAutoscaler",
        "metadata": {"name": "checkout"},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": "checkout"},
            "maxReplicas": 1000,
            "load": {"query": "q", "perReplica": 20, "follows": {"name": FRONT, "maxLag": "5m"}},
            "forecast": {"model": "trend"},
        },
    }
    following = PredictiveAutoscaler.model_validate(written)
    del written["spec"]["load"]["follows"]
    written["metadata"]["name"] = "alone"
    series = tiers("2 minutes later", 3)
    world = World(20.0, START_UP_S)
    ours = tuple(
        candidate_of(one, series, world, None)
        for one in (following, PredictiveAutoscaler.model_validate(written))
    )
    assert ours[0].follows == Follows(FRONT, None, 300.0)
    (trace,) = compare([Case(series, world, 0.1, 1440, ours)]).traces
    with_front, alone = trace.runs
    assert "followed frontend at" in with_front.note and "by 120 s at a ratio of 3" in with_front.note
    assert "follow" not in alone.note
    assert with_front.scores.unserved_share < alone.scores.unserved_share


def test_the_note_tells_lag_ratio_and_share() -> None:
    _, _, _, following = foreseen("10 minutes later")
    assert following.note.startswith("followed frontend at 9")
    assert "by 600 s at a ratio of 0.5" in following.note


@pytest.mark.parametrize("at", [2 * 1440 + 17, 4 * 1440 + 30])
def test_nothing_that_comes_later_is_looked_at(at: int) -> None:
    series, world, _, following = foreseen("2 minutes later")
    one = default_candidate(series, world)
    how = (forecaster("ridge"), one.settings, one.history_s, one.refit_s)
    past = np.arange(STEPS) <= at
    spoilt = replace(
        series,
        values=np.where(past, series.values, 1000.0 * series.values),
        columns={FRONT: np.where(past, series.columns[FRONT], np.nan)},
    )
    found = foresee_following(foresee(spoilt, *how), spoilt, FOLLOWS, *how)
    np.testing.assert_array_equal(found.peaks[: at + 1], following.peaks[: at + 1])
