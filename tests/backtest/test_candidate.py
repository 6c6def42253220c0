"""From a manifest, or from nothing, to the policy that a backtest runs."""

from __future__ import annotations

import dataclasses

import pytest
import yaml
from worlds import trace

from autoscaler.backtest.candidate import candidate_of, default_candidate, lead_steps
from autoscaler.backtest.simulation import World
from autoscaler.spec import PredictiveAutoscaler

WORLD = World(per_replica=7.0, start_up_s=300.0)
MANIFEST = """
apiVersion: predictive-autoscaler.dev/v1alpha1
kind: PredictiveAutoscaler
metadata: {name: checkout, namespace: shop}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: checkout}
  minReplicas: 2
  maxReplicas: 60
  load: {query: up, perReplica: 120}
"""


def resource(**forecast: object) -> PredictiveAutoscaler:
    document = yaml.safe_load(MANIFEST)
    document["spec"]["forecast"] = forecast
    return PredictiveAutoscaler.model_validate(document)


@pytest.mark.parametrize(
    ("lead_time_s", "lag_s", "step_s", "steps"),
    [
        pytest.param(300.0, 0.0, 60, 5, id="whole steps"),
        pytest.param(301.0, 0.0, 60, 6, id="a step begun counts whole"),
        pytest.param(0.0, 0.0, 60, 1, id="at least one: a pod asked for now serves the next step"),
        pytest.param(30.0, 0.0, 3600, 1, id="shorter than a step"),
        pytest.param(300.0, 90.0, 60, 7, id="what is late must be bridged too"),
    ],
)
def test_the_horizon_covers_lead_time_and_metric_lag(
    lead_time_s: float, lag_s: float, step_s: int, steps: int
) -> None:
    assert lead_steps(lead_time_s, lag_s, step_s) == steps


def test_a_manifest_brings_its_own_bounds_capacity_and_forecast() -> None:
    stated = resource(model="fourier", leadTime="10m", quantile="0.9", history="7d", timeZone="Europe/Berlin")
    one = candidate_of(stated, trace([1.0] * 10), WORLD, None)
    assert (one.name, one.model) == ("checkout", "fourier")
    assert (one.policy.min_replicas, one.policy.max_replicas) == (2, 60)
    assert (one.policy.load_per_replica, one.policy.quantile) == (120.0, 0.9)
    assert (one.policy.lead_time_s, one.settings.horizon) == (600.0, 10)
    assert (one.history_s, one.settings.time_zone, one.settings.quantile) == (
        7 * 86_400,
        "Europe/Berlin",
        0.9,
    )


def test_decisions_are_made_once_per_step_of_the_trace() -> None:
    one = candidate_of(resource(step="1m"), trace([1.0] * 10, step_s=900), WORLD, None)
    assert one.policy.step_s == 900.0
    assert one.settings.horizon == 1


def test_a_lead_time_left_to_its_default_is_taken_as_measured() -> None:
    one = candidate_of(resource(), trace([1.0] * 10), WORLD, None)
    assert (one.policy.lead_time_s, one.settings.horizon) == (300.0, 5)


def test_a_stated_capacity_replaces_the_manifests() -> None:
    assert candidate_of(resource(), trace([1.0] * 10), WORLD, 33.0).policy.load_per_replica == 33.0
    assert candidate_of(resource(), trace([1.0] * 10), WORLD, None).policy.load_per_replica == 120.0


def test_the_default_policy_follows_the_simulated_world() -> None:
    one = default_candidate(trace([1.0] * 10, step_s=30), WORLD, "trend", "Asia/Kathmandu")
    assert (one.name, one.model) == ("predictive", "trend")
    assert (one.policy.load_per_replica, one.policy.lead_time_s, one.policy.step_s) == (7.0, 300.0, 30.0)
    assert (one.settings.horizon, one.settings.time_zone) == (10, "Asia/Kathmandu")
    assert one.policy.quantile == one.settings.quantile == 0.95


def test_seasons_that_the_step_cannot_show_are_left_out() -> None:
    assert default_candidate(trace([1.0] * 10, step_s=86_400), WORLD).settings.seasons_s == (7 * 86_400,)


@pytest.mark.parametrize("quantile", [0.8, 0.95, 0.123456789])
def test_at_a_quantile_only_name_and_stated_risk_change(quantile: float) -> None:
    one = default_candidate(trace([1.0] * 10), WORLD)
    other = one.at_quantile(quantile)
    assert other.name == other.policy.name == f"predictive@q{quantile}"
    assert other.policy.quantile == quantile
    assert dataclasses.replace(other, name=one.name, policy=one.policy) == one
