"""What is shown is kept at once when people would act on it, and else once a minute."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from evaluation_in_hand import InHand
from stub_api import forbidden
from workload_making import NOW_S, known, resource_item, unknown

from autoscaler.controller.acting.overrides import ANNOTATION
from autoscaler.controller.observing.workload import parse_workload
from autoscaler.controller.running import Running
from autoscaler.controller.telling.state_keeping import StateKeeping
from autoscaler.spec.units import format_time
from autoscaler.store.rows import ManifestKept, StateKept

LOAD = {"query": "web", "perReplica": 10}


class Keeping:
    """One workload that is evaluated again and again."""

    def __init__(self, hand: InHand) -> None:
        self.hand, self.states = hand, StateKeeping(lambda key: None)
        self.one = hand.add("web", 3, 30.0)

    def evaluate(self, after_s: float = 15.0) -> tuple[bool, bool]:
        """Whether state and manifest are kept after that time."""
        outcome = self.hand.evaluate(self.one, after_s=after_s)["web"]
        kept = [type(row) for row in self.states.after(outcome, self.one, "")]
        assert len(kept) == len(set(kept))
        return StateKept in kept, ManifestKept in kept

    def settled(self) -> None:
        """Nothing is news any more, and the minute has just begun."""
        self.evaluate()
        self.evaluate()
        self.evaluate(60.0)
        assert self.evaluate(1.0) == (False, False)


@pytest.fixture
def keeping(hand: InHand) -> Keeping:
    return Keeping(hand)


def test_the_first_state_and_manifest_are_kept_at_once(keeping: Keeping) -> None:
    assert keeping.evaluate() == (True, True)


def test_a_quiet_workload_is_kept_once_a_minute_and_its_manifest_once_an_hour(keeping: Keeping) -> None:
    keeping.settled()
    kept = [keeping.evaluate() for _ in range(400)]
    assert sum(state for state, _ in kept) == 100
    assert sum(manifest for _, manifest in kept) == 1


def labelled(one: Running, hand: InHand) -> None:
    item = resource_item(load=LOAD)
    item["metadata"]["labels"] = {"team": "shop"}
    one.workload = parse_workload(item)


def respecified(one: Running, hand: InHand) -> None:
    one.workload = parse_workload(resource_item(load=LOAD, generation=2, maxReplicas=50))


def broken(one: Running, hand: InHand) -> None:
    one.workload = parse_workload(resource_item(load=LOAD, generation=2, maxReplicas=0))


def overridden(one: Running, hand: InHand) -> None:
    annotation = {ANNOTATION: f"freeze until {format_time(NOW_S + 6e5)}"}
    one.workload = parse_workload(resource_item(load=LOAD, annotations=annotation))


def denied(one: Running, hand: InHand) -> None:
    hand.api.fault = lambda request: forbidden()
    one.known = None


@pytest.mark.parametrize(
    ("change", "at_once"),
    [
        (lambda one, hand: hand.load_is("web", known(29.0)), False),
        (lambda one, hand: hand.load_is("web", known(75.0)), True),
        (lambda one, hand: hand.load_is("web", unknown()), True),
        (lambda one, hand: hand.pods_are("web", 2, 1), True),
        (lambda one, hand: hand.api.put_scale("web", 4), False),  # the count is not read again so soon
        (denied, True),
        (labelled, True),
        (respecified, True),
        (broken, True),
        (overridden, True),
    ],
    ids=["load", "count", "signal", "ready", "unread", "fault", "labels", "spec", "invalid", "override"],
)
def test_what_people_act_on_is_kept_at_once_and_once(
    keeping: Keeping, change: Callable[[Running, InHand], None], at_once: bool
) -> None:
    keeping.settled()
    change(keeping.one, keeping.hand)
    assert keeping.evaluate(1.0)[0] is at_once


@pytest.mark.parametrize(
    ("change", "manifest"),
    [(labelled, True), (respecified, True), (broken, True), (overridden, True), (denied, False)],
)
def test_a_manifest_is_kept_when_somebody_wrote_another(
    keeping: Keeping, change: Callable[[Running, InHand], None], manifest: bool
) -> None:
    keeping.settled()
    change(keeping.one, keeping.hand)
    assert keeping.evaluate(1.0)[1] is manifest
    assert keeping.evaluate(1.0)[1] is False


def test_a_resource_made_anew_begins_anew(keeping: Keeping) -> None:
    keeping.settled()
    keeping.one.workload = parse_workload(resource_item(load=LOAD, uid="another"))
    assert keeping.evaluate(1.0) == (True, True)


def test_a_clock_that_is_put_back_does_not_silence_a_workload(keeping: Keeping) -> None:
    keeping.settled()
    assert keeping.evaluate(-3600.0) == (True, True)


@pytest.mark.parametrize("key", [None, "shop/web"])
def test_what_is_forgotten_is_kept_again(keeping: Keeping, key: str | None) -> None:
    keeping.settled()
    keeping.states.forget("shop/other")
    assert keeping.evaluate(1.0) == (False, False)
    keeping.states.forget(key)
    assert keeping.evaluate(1.0) == (True, True)
