"""A workload as the service shows it: all that is known, in the units it says, and null for the rest."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from evaluation_in_hand import InHand
from hypothesis import given, settings
from outcome_strategies import outcomes
from stub_api import forbidden, unanswered
from workload_making import NOW_S, known, resource_item, unknown

from autoscaler.controller.acting.overrides import ANNOTATION
from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.observing.workload import parse_workload
from autoscaler.controller.outcome import Outcome
from autoscaler.controller.running import Running
from autoscaler.controller.telling.live_state import live_state
from autoscaler.controller.telling.status import status_of
from autoscaler.planning.observation import Outlook
from autoscaler.series import Grade
from autoscaler.spec.status import Status
from autoscaler.spec.units import format_time

TABLE = np.array([[10.0, 20.0]])
FAN = Fan(
    made_at_s=NOW_S - 20.0,
    step_s=60,
    lead=1,
    levels=np.array([0.5, 0.95]),
    values=TABLE,
    peaks=TABLE,
    expected=np.array([9.0, 10.0]),
    model="ridge",
    grade=Grade.WEEKLY,
    note="",
    coverage=0.943,
    judged=1440,
)
SPEND = {"replicaHourPrice": "0.120", "hourlyCap": "5", "dailyBudget": "60"}
EVENT = {
    "name": "sale",
    "start": "2027-11-26T01:00:00+01:00",
    "end": "2027-11-27T00:00:00Z",
    "minReplicas": 40,
}


def shown(hand: InHand, one: Running, fan: Fan | None = None, before: Status | None = None) -> dict[str, Any]:
    """The state after one evaluation."""
    outcome = hand.evaluate(one)["web"]
    return live_state(outcome, status_of(before or Status(), outcome, one, fan), fan, outcome.id)


def test_everything_that_is_known_is_shown(hand: InHand) -> None:
    signals = [
        {"type": "CPU", "query": "cpu", "targetUtilization": 70},
        {"type": "QueueDepth", "query": "queue", "drainWithin": "60s", "perReplica": 1, "name": "orders"},
    ]
    hand.metered.answers |= {"cpu": known(55.0), "queue": unknown()}
    hand.foresight.outlooks["shop/web"] = Outlook(75.0, 33.333333333, 20.0, "ridge", "of a week")
    one = hand.add("web", 3, 55.55, signals=signals, spend=SPEND, events=[EVENT])
    state = shown(hand, one, FAN)
    assert state["load"] == {"value": 55.55, "state": "Value", "ageSeconds": 1.0, "detail": ""}
    assert state["forecast"] == {
        "peak": 75.0,
        "expected": 33.3333,
        "quantile": 0.95,
        "leadTimeSeconds": 180.0,
        "ageSeconds": 20.0,
        "model": "ridge",
        "note": "of a week",
        "coverage": 0.943,
        "coverageQuantile": 0.95,
        "judged": 1440,
    }
    assert state["replicas"] == {"min": 1, "max": 100, "current": 7, "ready": 3, "desired": 7, "needed": 6}
    assert [
        (one["name"], one["type"], one["target"], one["value"], one["state"]) for one in state["signals"]
    ] == [
        ("cpu", "CPU", 70.0, 55.0, "Value"),
        ("orders", "QueueDepth", None, None, "Empty"),
    ]
    assert state["signals"][1]["ageSeconds"] is None and state["signals"][1]["detail"] == "no series"
    assert state["spend"] == {
        "replicaHourPrice": "0.120",
        "today": "0.00",
        "month": "0.00",
        "hourlyCap": "5",
        "dailyBudget": "60",
        "monthlyBudget": None,
    }
    assert state["events"] == [
        {"name": "sale", "start": "2027-11-26T00:00:00Z", "end": "2027-11-27T00:00:00Z", "minReplicas": 40}
    ]
    assert state["target"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    assert (state["mode"], state["perReplica"], state["write"], state["problem"]) == (
        "Active",
        10.0,
        "Done",
        "",
    )
    assert state["leadTime"] == {
        "seconds": 180,
        "source": "Configured",
        "samples": None,
        "newestSampleTime": None,
    }
    assert state["decision"].startswith("Scale out from 3 to 7: ") and state["decisionId"]
    assert state["at"] == format_time(NOW_S)
    ready = next(one for one in state["conditions"] if one["type"] == "Ready")
    assert ready == {
        "type": "Ready",
        "status": "True",
        "reason": "Deciding",
        "message": "Decisions are being made.",
        "lastTransitionTime": format_time(NOW_S),
    }
    assert (state["override"], state["capacity"]) == (None, None)


def test_labels_and_the_priority_among_them_are_shown(hand: InHand) -> None:
    one = hand.add("web")
    assert (shown(hand, one)["labels"], shown(hand, one)["priority"]) == ({}, "")
    item = resource_item(load={"query": "web", "perReplica": 10})
    item["metadata"]["labels"] = {"team": "shop", "predictive-autoscaler.dev/priority": "critical"}
    one.workload = parse_workload(item)
    state = shown(hand, one)
    assert (state["labels"]["team"], state["priority"]) == ("shop", "critical")


def test_an_override_is_shown_as_in_the_status(hand: InHand) -> None:
    until = format_time(NOW_S + 60.0)
    one = hand.add("web", annotations={ANNOTATION: f"freeze until {until}"})
    assert shown(hand, one)["override"] == {
        "kind": "Freeze",
        "replicas": None,
        "until": until,
        "reason": None,
    }


def test_before_a_decision_all_that_one_would_tell_is_unknown(hand: InHand) -> None:
    one = hand.add("web", signals=[{"type": "CPU", "query": "cpu", "targetUtilization": 70}], spend=SPEND)
    hand.api.fault = lambda request: forbidden()
    state = shown(hand, one)
    assert state["reason"] == "NoPermission"
    unknown = ("load", "forecast", "decision", "write", "leadTime")
    assert [state[name] for name in unknown] == [None] * len(unknown)
    assert state["replicas"] == dict.fromkeys(("current", "ready", "desired", "needed")) | {
        "min": 1,
        "max": 100,
    }
    assert [one["value"] for one in state["signals"]] == [one["state"] for one in state["signals"]] == [None]
    assert (state["spend"]["today"], state["spend"]["dailyBudget"]) == (None, "60")


def test_a_spec_that_was_never_valid_is_shown_with_what_is_wrong(hand: InHand) -> None:
    state = shown(hand, hand.add("web", maxReplicas=0))
    assert state["problem"].startswith("spec.maxReplicas: ") and state["reason"] == "InvalidSpec"
    missing = ("target", "mode", "perReplica", "spend", "load")
    assert [state[name] for name in missing] == [None] * len(missing)
    assert set(state["replicas"].values()) == {None}


def test_a_write_that_failed_leaves_the_count_there_is(hand: InHand) -> None:
    one = hand.add("web", 3, 55.0)
    hand.api.fault = lambda request: unanswered() if request.method == "PATCH" else None
    state = shown(hand, one)
    assert (state["replicas"]["current"], state["replicas"]["desired"]) == (3, 6)
    assert state["write"] == "Unknown"


def test_bounds_and_load_per_replica_are_those_that_the_decision_was_made_by(hand: InHand) -> None:
    one = hand.add("web", 3, 55.0)
    outcome = hand.evaluate(one)["web"]
    assert outcome.policy is not None
    learned = replace(outcome, policy=replace(outcome.policy, max_replicas=5, load_per_replica=12.5))
    state = live_state(learned, status_of(Status(), outcome, one, None), None, "")
    assert (state["replicas"]["max"], state["perReplica"], state["replicas"]["needed"]) == (5, 12.5, 5)
    assert state["decisionId"] is None


@pytest.mark.parametrize(("after_s", "today"), [(60.0, "0.01"), (86_400.0, None)])
def test_money_is_of_the_present_day_or_unknown(hand: InHand, after_s: float, today: str | None) -> None:
    one = hand.add("web", 3, 30.0, spend={"replicaHourPrice": "0.2"})
    hand.evaluate(one)
    outcome = hand.evaluate(one, after_s=60.0)["web"]
    status = status_of(Status(), outcome, one, None)
    hand.api.fault = lambda request: forbidden()
    failed = hand.evaluate(one, after_s=after_s + 200.0)["web"]
    assert failed.decision is None
    assert live_state(failed, status_of(status, failed, one, None), None, "")["spend"]["today"] == today


@settings(max_examples=60, deadline=None)
@given(outcomes())
def test_whatever_comes_of_an_evaluation_can_be_shown_and_unknown_is_never_zero(
    made: tuple[Outcome, Running],
) -> None:
    outcome, one = made
    state = live_state(outcome, status_of(Status(), outcome, one, FAN), FAN, outcome.id)
    assert json.loads(json.dumps(state, allow_nan=False)) == state
    decision = outcome.decision
    if decision is None:
        assert state["load"] is None
        return
    assert (state["load"]["value"] is None) is math.isnan(decision.observation.load.value)
    assert (state["forecast"]["peak"] is None) is math.isnan(decision.outlook.peak)
    assert (state["replicas"]["needed"] is None) is not decision.observation.load.may_add
