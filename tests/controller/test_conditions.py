"""Conditions: what each outcome says, and that every reason has been thought of."""

from __future__ import annotations

from typing import Any

import pytest
from evaluation_in_hand import InHand
from stub_api import forbidden, scale_path, silent, throttled
from workload_making import NOW_S, known, unknown, workload

from autoscaler.controller.acting.overrides import ANNOTATION
from autoscaler.controller.acting.rivals import parse_hpa
from autoscaler.controller.evaluation import Blind
from autoscaler.controller.observing.workload import superseding
from autoscaler.controller.outcome import Fault, Outcome
from autoscaler.controller.running import Running
from autoscaler.controller.telling.conditions import Finding, capacity_findings, findings, merged
from autoscaler.planning.observation import Outlook
from autoscaler.series import Reading, State
from autoscaler.spec.status import Condition
from autoscaler.spec.units import format_time, parse_time

LATER = format_time(NOW_S + 3600.0)
LATEST = format_time(NOW_S + 7200.0)
FORECAST = Outlook(20.0, 20.0, 5.0, "ridge")


def told(hand: InHand, one: Running) -> dict[str, tuple[bool, str]]:
    """Type to whether it holds and why."""
    return {f.type: (f.holds, f.reason) for f in findings(hand.evaluate(one)["web"])}


def test_a_healthy_workload_is_all_well(hand: InHand) -> None:
    hand.foresight.outlooks["shop/web"] = FORECAST
    assert told(hand, hand.add("web")) == {
        "Ready": (True, "Deciding"),
        "ScalingActive": (True, "Scaling"),
        "ForecastReady": (True, "Fresh"),
        "SignalsHealthy": (True, "AllKnown"),
        "SpendLimited": (False, "WithinLimits"),
        "Conflict": (False, "NoRival"),
        "Paused": (False, "NotPaused"),
    }


PRICE = {"replicaHourPrice": "1"}
HPA = {
    "metadata": {"name": "h", "namespace": "shop"},
    "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}},
}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"mode": "Paused"}, {"ScalingActive": (False, "Paused"), "Paused": (True, "ModePaused")}),
        ({"mode": "Recommend"}, {"ScalingActive": (False, "Recommend")}),
        ({"annotations": {ANNOTATION: f"4 until {LATER}"}}, {"ScalingActive": (True, "Overridden")}),
        ({"annotations": {ANNOTATION: "4"}}, {"Ready": (True, "OverrideIgnored")}),
        ({"annotations": {ANNOTATION: f"freeze until {LATER}"}}, {"ScalingActive": (True, "Overridden")}),
        (
            {"annotations": {ANNOTATION: f"from {LATER} 4 until {LATEST}"}},
            {"Ready": (True, "OverrideScheduled"), "ScalingActive": (True, "Scaling")},
        ),
        ({"forecast": {"model": "none"}}, {"ForecastReady": (False, "Disabled")}),
        ({}, {"ForecastReady": (False, "NoForecast")}),
        ({"spend": {**PRICE, "hourlyCap": "2"}}, {"SpendLimited": (True, "HourlyCap")}),
        ({"spend": {**PRICE, "dailyBudget": "1"}}, {"SpendLimited": (True, "DailyBudget")}),
        ({"spend": {**PRICE, "monthlyBudget": "1"}}, {"SpendLimited": (True, "MonthlyBudget")}),
        (
            {"spend": {**PRICE, "hourlyCap": "2", "onBreach": "Alert"}},
            {"SpendLimited": (True, "HourlyCap"), "ScalingActive": (True, "Scaling")},
        ),
        ({"maxReplicas": 0}, {"Ready": (False, "InvalidSpec"), "ScalingActive": (False, "InvalidSpec")}),
    ],
)
def test_what_the_resource_asks_for_shows(
    hand: InHand, spec: dict[str, Any], expected: dict[str, tuple[bool, str]]
) -> None:
    found = told(hand, hand.add("web", **spec))
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("failure", "reason"),
    [(forbidden, "NoPermission"), (silent, "ApiServerUnavailable"), (throttled, "Throttled")],
)
def test_a_fault_is_told_by_its_own_reason(hand: InHand, failure: Any, reason: str) -> None:
    one = hand.add("web")
    hand.api.fault = lambda request: failure() if request.path == scale_path() else None
    found = told(hand, one)
    assert found["Ready"] == found["ScalingActive"] == (False, reason)
    assert "SignalsHealthy" not in found, "nothing was looked at, so nothing is said about it"


def test_an_invalid_spec_beside_a_valid_one_in_force_is_told_while_scaling_goes_on(hand: InHand) -> None:
    one = hand.add("web", 3, 55.0)
    one.workload = superseding(one.workload, workload("web", generation=2, maxReplicas=0))
    found = told(hand, one)
    assert (found["Ready"], found["ScalingActive"]) == ((False, "InvalidSpec"), (True, "Scaling"))
    assert hand.api.replicas() == 6


@pytest.mark.parametrize("state", [state for state in State if state is not State.VALUE])
def test_an_input_that_is_not_known_is_named_with_its_state(hand: InHand, state: State) -> None:
    one = hand.add("web")
    hand.load_is("web", Reading(state, 3.0, 1.0, "why not"))
    outcome = hand.evaluate(one)["web"]
    found = next(f for f in findings(outcome) if f.type == "SignalsHealthy")
    assert (found.holds, found.reason) == (False, state.value)
    assert found.message == f"Nothing is removed while load is {state.value}: why not"


def test_pods_that_cannot_be_seen_are_told(hand: InHand) -> None:
    hand.blind = Blind(pods="pods: forbidden")
    outcome = hand.evaluate(hand.add("web"))["web"]
    found = next(f for f in findings(outcome) if f.type == "SignalsHealthy")
    assert (found.holds, found.reason) == (False, "PodsUnknown") and "pods: forbidden" in found.message


def test_a_rival_and_a_tool_that_undoes_our_writes_are_conflicts(hand: InHand) -> None:
    one = hand.add("web")
    hand.rivals.change_scaler("shop/h", None, parse_hpa(HPA))
    found = told(hand, one)
    assert found["Conflict"] == (True, "RivalFound") and found["ScalingActive"] == (False, "RivalFound")
    hand.rivals.change_scaler("shop/h", parse_hpa(HPA), None)
    one.foreign.wrote(5, 3, hand.clock.now_s)
    one.foreign.undone_s = [hand.clock.now_s] * 3
    found = told(hand, one)
    assert found["Conflict"] == (True, "WritesUndone") and found["ScalingActive"] == (False, "WritesUndone")


def test_what_pods_were_seen_to_serve_is_held_against_the_spec(hand: InHand) -> None:
    latency = {"type": "Latency", "query": "p99", "threshold": "1s"}
    one = hand.add("web", 3, 90.0, signals=[latency], mode="Recommend")
    hand.metered.answers["p99"] = known(0.2)
    outcome = hand.evaluate(one)["web"]
    assert capacity_findings(outcome, one) == []
    hand.evaluate(one, after_s=3600.0)
    found = capacity_findings(outcome, one)
    assert [(f.type, f.holds, f.reason) for f in found] == [("CapacityAgrees", False, "PerReplicaDisagrees")]


def condition(status: bool, at: str, kind: str = "Ready") -> Condition:
    return Condition.model_validate(
        {
            "type": kind,
            "status": str(status),
            "lastTransitionTime": at,
            "reason": "Before",
            "message": "before",
        }
    )


BEFORE, NOW = "2026-11-27T08:00:00Z", "2026-11-27T09:00:00Z"


@pytest.mark.parametrize(
    ("before", "holds", "since"),
    [([], True, NOW), ([condition(True, BEFORE)], True, BEFORE), ([condition(False, BEFORE)], True, NOW)],
)
def test_a_condition_keeps_since_when_it_holds(before: list[Condition], holds: bool, since: str) -> None:
    (found,) = merged(before, [Finding("Ready", holds, "Now", "now")], 3, parse_time(NOW))
    assert (found.status, found.reason, found.observed_generation) == ("True", "Now", 3)
    assert found.last_transition_time == parse_time(since)


def test_a_condition_that_nothing_was_found_about_stays_as_it_was() -> None:
    old = condition(False, BEFORE, "SignalsHealthy")
    found = merged([old], [Finding("Ready", True, "Now", "now")], 3, parse_time(NOW))
    assert found == [old, merged([], [Finding("Ready", True, "Now", "now")], 3, parse_time(NOW))[0]]


def test_a_message_is_a_sentence_and_fits_the_resource() -> None:
    outcome = Outcome(workload(), NOW_S, fault=Fault("NoPermission", "the operator may not"))
    assert findings(outcome)[0].message == "The operator may not."
    (found,) = merged([], [Finding("Ready", True, "Now", "x" * 40_000)], 1, NOW_S)
    assert len(found.message) == 32_768


def test_a_detail_of_any_length_leaves_a_condition_valid(hand: InHand) -> None:
    one = hand.add("web")
    hand.load_is("web", unknown(State.FAILED, "x" * 100_000))
    found = merged([], findings(hand.evaluate(one)["web"]), 1, NOW_S)
    for item in found:
        Condition.model_validate(item.model_dump(mode="json", by_alias=True))
