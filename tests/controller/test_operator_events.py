"""Events: what a person would want to read, and once."""

from __future__ import annotations

import pytest
from evaluation_in_hand import InHand
from stub_api import StubApi, forbidden, scale_path
from workload_making import NOW_S, unknown, workload

from autoscaler.controller.acting.overrides import ANNOTATION
from autoscaler.controller.running import Running
from autoscaler.controller.telling.events import Recorder, Told, worth_telling
from autoscaler.controller.telling.status import status_of
from autoscaler.planning.observation import Outlook
from autoscaler.spec.status import Status
from autoscaler.spec.units import format_time

SCALED = Told("Scaled", "From 3 to 6 replicas. No reason.", False, "Scale")
TROUBLE = Told("NoPermission", "The operator may not scale it.", True, "Observe")


class Watched:
    """A workload whose status is kept from one evaluation to the next."""

    def __init__(self, hand: InHand, one: Running) -> None:
        self.hand, self.one, self.status = hand, one, Status()

    def evaluated(self) -> list[tuple[str, bool]]:
        outcome = self.hand.evaluate(self.one)["web"]
        before, self.status = self.status, status_of(self.status, outcome, self.one, None)
        return [(told.reason, told.warning) for told in worth_telling(before, self.status, outcome)]


def test_a_quiet_workload_tells_nothing(hand: InHand) -> None:
    watched = Watched(hand, hand.add("web"))
    assert [watched.evaluated() for _ in range(3)] == [[], [], []]


def test_a_write_is_told_with_its_reasons(hand: InHand) -> None:
    one = hand.add("web", 3, 55.0)
    outcome = hand.evaluate(one)["web"]
    (told,) = worth_telling(Status(), Status(), outcome)
    assert told.note.startswith("From 3 to 6 replicas. Scale out from 3 to 6: 6 for the present load of 55")


def test_an_override_is_told_as_what_it_is(hand: InHand) -> None:
    one = hand.add("web", annotations={ANNOTATION: f"5 until {format_time(NOW_S + 60.0)}"})
    (told,) = worth_telling(Status(), Status(), hand.evaluate(one)["web"])
    assert told.note == "From 3 to 5 replicas. An override asks for 5 replicas."


def test_a_minimum_is_told_only_where_it_is_what_counts(hand: InHand) -> None:
    notes = []
    for name, load in (("quiet", 30.0), ("busy", 95.0)):
        minimum = {ANNOTATION: f"at least 5 until {format_time(NOW_S + 60.0)} because of a launch"}
        one = hand.add(name, 3, load, annotations=minimum)
        (told,) = worth_telling(Status(), Status(), hand.evaluate(one)[name])
        notes.append(told.note)
    assert notes[0] == "From 3 to 5 replicas. An override asks for at least 5 replicas because of a launch."
    assert notes[1].startswith("From 3 to 7 replicas. Scale out from 3 to 7: 10 for the present load of 95")


def test_trouble_is_told_when_it_comes_and_when_it_goes(hand: InHand) -> None:
    watched = Watched(hand, hand.add("web"))
    watched.evaluated()
    hand.api.fault = lambda request: forbidden() if request.path == scale_path() else None
    hand.clock.now_s += 200.0  # the count is not trusted for so long
    assert watched.evaluated() == [("NoPermission", True)]
    assert watched.evaluated() == []
    hand.api.fault = lambda request: None
    assert watched.evaluated() == [("Deciding", False)]


def test_trouble_at_the_very_first_look_is_told(hand: InHand) -> None:
    watched = Watched(hand, hand.add("web"))
    hand.load_is("web", unknown())
    assert watched.evaluated() == [("Empty", True)]


def test_a_resource_that_begins_without_a_forecast_is_no_news_but_losing_one_is(hand: InHand) -> None:
    watched = Watched(hand, hand.add("web"))
    assert watched.evaluated() == []
    hand.foresight.outlooks["shop/web"] = Outlook(20.0, 20.0, 5.0, "ridge")
    assert watched.evaluated() == []
    del hand.foresight.outlooks["shop/web"]
    assert watched.evaluated() == [("NoForecast", True)]


def posted(*told: Told, api: StubApi | None = None) -> list[str]:
    """Reasons of what a recorder posts when it is told these, one after the other."""
    served = api or StubApi()
    recorder = Recorder(served.cluster, "me")
    for one in told:
        recorder.record(workload(), one)
    recorder.stop()
    return [request.body["reason"] for request in served.requests]


@pytest.mark.parametrize(
    ("told", "reasons"),
    [
        ((TROUBLE, TROUBLE, TROUBLE), ["NoPermission"]),
        ((TROUBLE, Told("NoPermission", "In other words.", True, "Observe")), ["NoPermission"]),
        ((SCALED, Told("Scaled", "From 6 to 9 replicas.", False, "Scale")), ["Scaled", "Scaled"]),
        ((SCALED, SCALED), ["Scaled"]),
        ((SCALED, TROUBLE, SCALED), ["Scaled", "NoPermission"]),
    ],
)
def test_the_same_is_told_once_but_every_scaling_is_news(told: tuple[Told, ...], reasons: list[str]) -> None:
    assert posted(*told) == reasons


def test_the_same_trouble_is_told_again_after_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    api = StubApi()
    recorder = Recorder(api.cluster, "me")
    recorder.stop()
    monkeypatch.setattr("autoscaler.controller.telling.events.time.monotonic", lambda: now[0])
    news = []
    for later_s in (0.0, 300.0, 299.0, 2.0):
        now[0] += later_s
        news.append(recorder._is_new(workload(), TROUBLE))
    assert news == [True, False, False, True]


def test_an_event_is_what_the_cluster_takes() -> None:
    api = StubApi()
    recorder = Recorder(api.cluster, "i" * 300)
    recorder.record(workload("w" * 240), Told("r" * 200, "n" * 5000, True, "Observe"))
    recorder.stop()
    (request,) = api.requests
    event = request.body
    assert request.path == "/apis/events.k8s.io/v1/namespaces/shop/events"
    assert (len(event["reportingInstance"]), len(event["reason"]), len(event["note"])) == (128, 128, 1024)
    assert len(event["metadata"]["name"]) <= 253 and event["type"] == "Warning"
    assert event["regarding"]["uid"] == "uid-of-" + "w" * 240


def test_events_that_cannot_be_posted_keep_nobody_waiting() -> None:
    api = StubApi(fault=lambda request: forbidden())
    assert posted(TROUBLE, SCALED, api=api) == ["NoPermission", "Scaled"]
