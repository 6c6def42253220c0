"""The status: always something the cluster accepts, and written no more often than it is worth."""

from __future__ import annotations

import dataclasses
from typing import Any

import jsonschema
import pytest
from evaluation_in_hand import InHand
from hypothesis import given, settings
from hypothesis import strategies as st
from outcome_strategies import outcomes
from stub_api import forbidden, scale_path, unanswered
from test_live_state import FAN
from workload_making import NOW_S, known, pod, running, setting

from autoscaler.controller.acting.overrides import ANNOTATION
from autoscaler.controller.deciding import Seen, plan
from autoscaler.controller.observing.capacity import ServedLoad
from autoscaler.controller.outcome import Fault, Outcome, Write
from autoscaler.controller.running import Running
from autoscaler.controller.telling.status import Published, document, status_of, worth_writing
from autoscaler.planning.observation import Outlook
from autoscaler.planning.policy import SignalPolicy, SignalType
from autoscaler.series import Reading, State
from autoscaler.spec.schema import object_schema
from autoscaler.spec.status import Status
from autoscaler.spec.units import format_time

ACCEPTED = jsonschema.Draft7Validator(
    object_schema()["properties"]["status"], format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER
)


@settings(max_examples=60, deadline=None)
@given(st.lists(outcomes(), min_size=1, max_size=3))
def test_whatever_comes_of_evaluations_the_cluster_accepts_the_status(
    made: list[tuple[Outcome, Running]],
) -> None:
    status = Status()
    for outcome, one in made:
        status = status_of(status, outcome, one, None)
        written = document(status)
        ACCEPTED.validate(written)
        assert Status.model_validate(written).conditions == status.conditions, "and we read it back"


def conditions_of(hand: InHand, one: Running, before: Status) -> Status:
    return status_of(before, hand.evaluate(one)["web"], one, None)


def test_what_is_absent_is_not_written() -> None:
    one = running()
    written = document(status_of(Status(), Outcome(one.workload, NOW_S, fault=Fault("X", "y")), one, None))
    assert set(written) == {"observedGeneration", "conditions", "reason"}


def test_a_store_that_is_down_is_told_for_as_long_as_it_is(hand: InHand) -> None:
    one = hand.add("web", 3, 55.0)
    outcome = hand.evaluate(one)["web"]

    def told(status: Status) -> list[tuple[str, str]]:
        kept = [each for each in status.conditions or () if each.type == "DecisionsKept"]
        return [(each.status, each.reason) for each in kept]

    down = status_of(Status(), outcome, one, None, store_down=True)
    assert told(down) == [("False", "StoreDown")]
    assert told(status_of(down, outcome, one, None, store_down=True)) == [("False", "StoreDown")]
    assert told(status_of(down, outcome, one, None)) == []


def test_a_fault_leaves_the_last_decision_in_place(hand: InHand) -> None:
    one = hand.add("web", 3, 55.0)
    before = conditions_of(hand, one, Status())
    hand.api.fault = lambda request: forbidden() if request.path == scale_path() else None
    after = conditions_of(hand, one, before)
    assert (after.desired, after.decision, after.last_scale) == (6, before.decision, before.last_scale)
    assert after.conditions != before.conditions


def test_only_an_accepted_write_is_a_last_scale(hand: InHand) -> None:
    one = hand.add("web", 3, 55.0)
    hand.api.fault = lambda request: unanswered() if request.method == "PATCH" else None
    status = conditions_of(hand, one, Status())
    assert status.last_scale is None and (status.current, status.desired) == (3, 6)
    hand.api.fault = lambda request: None
    status = conditions_of(hand, one, status)
    assert status.last_scale is not None
    assert (status.last_scale.before, status.last_scale.after, status.current) == (3, 6, 6)


def test_an_override_is_shown_until_it_ends(hand: InHand) -> None:
    one = hand.add("web", annotations={ANNOTATION: f"4 until {format_time(NOW_S + 60.0)}"})
    status = conditions_of(hand, one, Status())
    assert status.override is not None and (status.override.replicas, status.reason) == (4, "Override")
    hand.clock.now_s += 60.0
    assert conditions_of(hand, one, status).override is None


@pytest.mark.parametrize(
    ("text", "shown", "reason"),
    [
        ("4", {"kind": "Fixed", "replicas": 4}, "Override"),
        ("at least 4", {"kind": "Minimum", "replicas": 4}, "Override"),
        ("at least 3", {"kind": "Minimum", "replicas": 3}, "AsWished"),
        ("freeze", {"kind": "Freeze"}, "Override"),
    ],
)
def test_an_override_is_shown_with_its_kind_and_is_the_reason_where_it_counts(
    hand: InHand, text: str, shown: dict[str, Any], reason: str
) -> None:
    until = format_time(NOW_S + 60.0)
    one = hand.add("web", annotations={ANNOTATION: f"{text} until {until} because of a launch"})
    status = conditions_of(hand, one, Status())
    assert document(status)["override"] == {**shown, "until": until, "reason": "of a launch"}
    assert status.reason == reason
    assert (status.decision or "").startswith("An override asks for") is (reason == "Override")


def test_a_status_of_an_earlier_release_is_read_with_its_override() -> None:
    status = Status.model_validate({"override": {"replicas": 4, "until": format_time(NOW_S)}})
    assert status.override is not None and status.override.kind == "Fixed"


def test_a_load_that_is_not_known_is_shown_by_its_state(hand: InHand) -> None:
    one = hand.add("web")
    assert conditions_of(hand, one, Status()).load == "30"
    hand.load_is("web", Reading(State.STALE, 30.0, 900.0, "15 min old"))
    assert conditions_of(hand, one, Status()).load == "Stale"


def test_the_forecast_says_how_well_it_was_kept_and_why_it_is_limited() -> None:
    one = running()
    seen = Seen(NOW_S, setting(5), [pod(f"p{n}") for n in range(4)], known(10.0), (), "")
    outcome = plan(one, seen, lambda *_: Outlook(20.0, 20.0, 0.0, "ridge")).outcome(Write.UNNEEDED)
    judged = dataclasses.replace(FAN, coverage=0.944, judged=480, doubt="forecasts may cost no more than 23%")
    assert status_of(Status(), outcome, one, judged).forecast_summary == (
        "At most 20 within 180 s with probability 0.95, by ridge. 94 % of the last 480 peaks were within it. "
        "Forecasts may cost no more than 23%."
    )


def test_the_forecast_says_what_is_missing_of_an_event_to_come() -> None:
    one = running()
    seen = Seen(NOW_S, setting(5), [pod(f"p{n}") for n in range(4)], known(10.0), (), "")
    outcome = plan(one, seen, lambda *_: Outlook(20.0, 20.0, 0.0, "ridge")).outcome(Write.UNNEEDED)
    lacking = dataclasses.replace(FAN, judged=0, lacking="event sale: the server is down")
    assert status_of(Status(), outcome, one, lacking).forecast_summary == (
        "At most 20 within 180 s with probability 0.95, by ridge. Event sale: the server is down."
    )


def test_the_forecast_says_what_it_takes_from_the_tier_in_front() -> None:
    one = running()
    seen = Seen(NOW_S, setting(5), [pod(f"p{n}") for n in range(4)], known(10.0), (), "")
    outcome = plan(one, seen, lambda *_: Outlook(20.0, 20.0, 0.0, "follows")).outcome(Write.UNNEEDED)
    fan = dataclasses.replace(FAN, relation="follows frontend by 120 s at a ratio of 0.4")
    shown = status_of(Status(), outcome, one, fan)
    assert shown.model == "follows"
    assert (shown.forecast_summary or "").endswith(" Follows frontend by 120 s at a ratio of 0.4.")


def test_the_lead_time_says_where_it_comes_from() -> None:
    one = running()
    seen = Seen(NOW_S, setting(5), [pod(f"p{n}") for n in range(4)], known(10.0), (), "")
    outcome = plan(one, seen, lambda *_: Outlook(20.0, 20.0, 0.0, "ridge")).outcome(Write.UNNEEDED)
    shown = document(status_of(Status(), outcome, one, None))
    assert shown["leadTime"] == {"seconds": 180, "source": "Configured"}
    assert shown["forecastSummary"] == "At most 20 within 180 s with probability 0.95, by ridge."
    more = Seen(NOW_S, setting(5), [pod(f"p{n}") for n in range(5)], known(10.0), (), "")
    outcome = plan(one, more, lambda *_: Outlook(20.0, 20.0, 0.0, "ridge")).outcome(Write.UNNEEDED)
    shown = document(status_of(Status(), outcome, one, None))["leadTime"]
    assert (shown["seconds"], shown["source"], shown["samples"]) == (30, "Measured", 5)


def test_observed_capacity_is_shown_once_there_is_one() -> None:
    one = running()
    policy = one.workload.policy
    assert policy is not None
    served = ServedLoad()
    one.served = served
    watched = dataclasses.replace(policy, signals=(SignalPolicy("latency", SignalType.LATENCY, target=1.0),))
    for hour in range(2):
        served.watch(watched, known(60.0), (known(0.1),), 5, NOW_S + 3600.0 * hour)
    seen = Seen(NOW_S, setting(5), [pod(f"p{n}") for n in range(5)], known(10.0), (), "")
    outcome = plan(one, seen, lambda *_: Outlook(20.0, 20.0, 0.0, "ridge")).outcome(Write.UNNEEDED)
    shown = document(status_of(Status(), outcome, one, None))
    assert shown["capacity"] == {"configured": "10", "observed": "12", "hours": 2}


BASE = Status.model_validate(
    {
        "observedGeneration": 1,
        "load": "10",
        "desired": 3,
        "ready": 3,
        "leadTime": {"seconds": 30, "source": "Measured", "samples": 5},
        "conditions": [
            {
                "type": "Ready",
                "status": "True",
                "lastTransitionTime": "2026-11-27T08:00:00Z",
                "reason": "Deciding",
                "message": "Fine.",
            }
        ],
    }
)


def changed(**fields: Any) -> Status:
    return BASE.model_copy(update=fields)


def other_condition(**fields: Any) -> Status:
    assert BASE.conditions is not None
    return changed(conditions=(BASE.conditions[0].model_copy(update=fields),))


def one_more_condition(**fields: Any) -> Status:
    assert BASE.conditions is not None
    return changed(conditions=(*BASE.conditions, BASE.conditions[0].model_copy(update=fields)))


def other_lead_time(**fields: Any) -> Status:
    assert BASE.lead_time is not None
    return changed(lead_time=BASE.lead_time.model_copy(update=fields))


@pytest.mark.parametrize(
    ("after", "urgent"),
    [
        (changed(load="11"), False),
        (changed(forecast="11"), False),
        (changed(decision="Keep 3."), False),
        (changed(last_decision_time=NOW_S), False),
        (other_condition(message="Fine still."), False),
        (other_lead_time(samples=6), False),
        (one_more_condition(type="DecisionsKept", status="False", reason="StoreDown"), False),
        (one_more_condition(type="Conflict"), True),
        (changed(desired=4), True),
        (changed(ready=2), True),
        (changed(observed_generation=2), True),
        (other_condition(status="False"), True),
        (other_condition(reason="OverrideIgnored"), True),
        (other_lead_time(seconds=60), True),
    ],
)
def test_what_people_act_on_is_written_at_once_and_the_rest_once_a_minute(
    after: Status, urgent: bool
) -> None:
    published = Published(BASE, written_s=100.0)
    assert worth_writing(published, after, 159.0, 60.0) is urgent
    assert worth_writing(published, after, 160.0, 60.0)
    assert not worth_writing(published, BASE, 1e9, 60.0), "what is there already is not written again"


def test_a_status_that_was_never_written_is_new() -> None:
    assert worth_writing(Published(), BASE, 0.0, 60.0)


def test_numbers_that_waver_are_written_once_a_minute_and_not_more() -> None:
    published, writes = Published(BASE, written_s=0.0), 0
    for step in range(1, 241):
        status = changed(load=str(step))
        if worth_writing(published, status, 15.0 * step, 60.0):
            published, writes = Published(status, 15.0 * step), writes + 1
    assert writes == 60
