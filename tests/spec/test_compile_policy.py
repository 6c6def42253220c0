"""From the resource to the policy decisions work from."""

from __future__ import annotations

from pathlib import Path

from resource_cases import resource

from autoscaler.planning.compile import compile_policy
from autoscaler.planning.policy import (
    DEFAULT_SCALE_DOWN,
    DEFAULT_SCALE_UP,
    Goal,
    KnownEvent,
    Mode,
    ObjectivePolicy,
    OnBreach,
    OutagePolicy,
    Policy,
    PolicyType,
    RatePolicy,
    ScalingRules,
    SelectPolicy,
    SignalPolicy,
    SignalType,
    SpendPolicy,
)
from autoscaler.spec import PredictiveAutoscaler, read_manifests

SAMPLES = Path(__file__).resolve().parents[2] / "operator" / "samples"


def _compiled(sample: str) -> Policy:
    (found,) = read_manifests(SAMPLES / sample).resources
    return compile_policy(found.resource)


def test_an_objective_is_compiled_with_the_quantile_that_it_starts_from() -> None:
    policy = _compiled("objective.yaml")
    assert policy.objective == ObjectivePolicy(Goal.UNSERVED, 0.001, 7 * 86_400.0)
    assert (policy.quantile, policy.headroom) == (0.95, 1.0)
    assert _compiled("minimal.yaml").objective is None


def test_the_minimal_resource_is_the_default_policy_in_recommend_mode() -> None:
    expected = Policy(
        name="checkout", min_replicas=2, max_replicas=60, load_per_replica=120.0, mode=Mode.RECOMMEND
    )
    assert _compiled("minimal.yaml") == expected
    assert (expected.scale_up, expected.scale_down) == (DEFAULT_SCALE_UP, DEFAULT_SCALE_DOWN)


def test_every_field_arrives_in_plain_numbers() -> None:
    assert _compiled("full.yaml") == Policy(
        name="checkout",
        min_replicas=2,
        max_replicas=60,
        load_per_replica=120.0,
        quantile=0.95,
        lead_time_s=180.0,
        step_s=60.0,
        mode=Mode.RECOMMEND,
        signals=(
            SignalPolicy("cpu", SignalType.CPU, target=70.0),
            SignalPolicy("orders", SignalType.QUEUE_DEPTH, drain_within_s=60.0, per_replica=15.0),
            SignalPolicy("p99", SignalType.LATENCY, target=0.25),
            SignalPolicy("errors", SignalType.ERRORS, target=0.05),
        ),
        scale_up=ScalingRules(
            0.0,
            SelectPolicy.MAX,
            (RatePolicy(PolicyType.PODS, 10, 15.0), RatePolicy(PolicyType.PERCENT, 100, 15.0)),
            tolerance=0.05,
        ),
        scale_down=ScalingRules(300.0, SelectPolicy.MIN, (RatePolicy(PolicyType.PERCENT, 10, 60.0),)),
        cooldown_up_s=0.0,
        cooldown_down_s=120.0,
        outage=OutagePolicy(drop=0.5, recovery_s=900.0),
        zones=3,
        zones_lost=1,
        pending_cap=20,
        spend=SpendPolicy(0.12, 5.0, 60.0, 1500.0, OnBreach.CAP),
        events=(KnownEvent("black-friday", 1_795_734_000.0, 1_795_820_400.0, 40),),
    )


def test_limits_left_out_stay_out() -> None:
    policy = _compiled("queue-worker.yaml")
    assert (policy.spend, policy.outage, policy.pending_cap, policy.zones_lost) == (None, None, None, 0)
    assert (policy.quantile, policy.lead_time_s) == (0.8, 90.0)


def test_an_event_of_which_only_the_load_is_known_asks_for_no_count_by_itself() -> None:
    launch = {"name": "launch", "start": "2026-11-27T00:00:00Z", "end": "2026-11-28T00:00:00Z"}
    like = {"start": "2025-11-28T00:00:00Z"}
    made = PredictiveAutoscaler.model_validate(resource(events=[{**launch, "like": like}]))
    assert [event.min_replicas for event in compile_policy(made).events] == [0]
