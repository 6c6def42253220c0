"""Carrying out one decision: conditional, only while we lead, honest about what is not known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from stub_api import (
    Request,
    StubApi,
    forbidden,
    scale_path,
    silent,
    throttled,
    unanswered,
)
from workload_making import NO_FORECAST, NOW_S, known, pods, running

from autoscaler.controller.acting.dials import ScaleDial, Setting
from autoscaler.controller.acting.writing import write
from autoscaler.controller.cluster.errors import Conflict
from autoscaler.controller.deciding import Planned, Seen, plan
from autoscaler.controller.observing.workload import Workload
from autoscaler.controller.outcome import Outcome, Write

Fault = Callable[[Request], Exception | None]


class Lease:
    """Held for so many questions."""

    def __init__(self, questions: int = 1000) -> None:
        self.left = questions

    def holds(self, for_s: float = 0.0) -> bool:
        self.left -= 1
        return self.left >= 0


def decided(api: StubApi, load: float = 55.0, **spec: Any) -> Planned:
    """A decision on three ready replicas; 55 asks for six of them."""
    api.put_scale(replicas=3)
    found = ScaleDial(api.cluster, scale_path()).read(1.0)
    seen = Seen(NOW_S, found, pods(3), known(load), (), "")
    return plan(running(**spec), seen, lambda *_: NO_FORECAST)


def written(
    api: StubApi,
    planned: Planned,
    lease: Lease | None = None,
    stands: Callable[[Workload], bool] = lambda workload: True,
) -> Outcome | Setting:
    api.requests.clear()
    dial = ScaleDial(api.cluster, scale_path())
    return write(planned, dial, lease or Lease(), stands, lambda: NOW_S + 1.0)


def first(count: int, failure: Callable[[], Exception], change: Callable[[], None] = lambda: None) -> Fault:
    """The first `count` patches fail, each after `change` was made to the object."""
    left = [count]

    def fault(request: Request) -> Exception | None:
        if request.method != "PATCH" or left[0] == 0:
            return None
        left[0] -= 1
        change()
        return failure()

    return fault


def test_an_accepted_write_is_remembered_and_ours() -> None:
    api = StubApi()
    planned = decided(api)
    outcome = written(api, planned)
    assert isinstance(outcome, Outcome) and outcome.write is Write.DONE
    assert (api.replicas(), len(api.patches)) == (6, 1)
    assert planned.running.memory.scale_ups == ((NOW_S + 1.0, 3),)
    assert planned.running.foreign.asked == 6


def test_nothing_is_asked_of_the_server_where_nothing_changes() -> None:
    api = StubApi()
    outcome = written(api, decided(api, load=30.0))
    assert isinstance(outcome, Outcome) and outcome.write is Write.UNNEEDED
    assert api.requests == []


@pytest.mark.parametrize("mode", ["Paused", "Recommend"])
def test_a_decision_that_is_held_sends_no_request_at_all(mode: str) -> None:
    api = StubApi()
    planned = decided(api, mode=mode, annotations={
        "predictive-autoscaler.dev/override": "9 until 2999-01-01T00:00:00Z"
    })  # fmt: skip
    assert planned.changes
    outcome = written(api, planned)
    assert isinstance(outcome, Outcome) and outcome.write is Write.HELD
    assert api.requests == []


def test_without_the_lease_no_request_is_sent() -> None:
    api = StubApi()
    planned = decided(api)
    outcome = written(api, planned, Lease(0))
    assert isinstance(outcome, Outcome) and outcome.hold is not None
    assert (outcome.write, outcome.hold.reason, api.requests) == (Write.HELD, "NotLeading", [])
    assert planned.running.memory.scale_ups == ()


def test_what_was_changed_since_is_not_written_not_even_at_a_second_try() -> None:
    api = StubApi()
    planned = decided(api)
    api.fault = first(1, lambda: Conflict(409, "", "changed", ""), lambda: api.put_scale(replicas=3))
    answers = iter([True, False])
    outcome = written(api, planned, stands=lambda workload: next(answers))
    assert isinstance(outcome, Outcome) and outcome.hold is not None
    assert (outcome.write, outcome.hold.reason) == (Write.HELD, "ResourceChanged")
    assert api.replicas() == 3 and planned.running.memory.scale_ups == ()


def test_the_lease_is_asked_for_again_before_every_try() -> None:
    api = StubApi()
    planned = decided(api)
    api.fault = first(5, throttled)
    outcome = written(api, planned, Lease(1))
    assert isinstance(outcome, Outcome) and outcome.write is Write.HELD
    assert len(api.patches) == 1


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_conflict_over_a_rollouts_bookkeeping_is_tried_again(times: int) -> None:
    api = StubApi()
    planned = decided(api)
    left = [times]

    def touched(request: Request) -> None:
        if request.method == "PATCH" and left[0]:
            left[0] -= 1
            api.touch(scale_path())

    api.fault = touched
    outcome = written(api, planned)
    assert isinstance(outcome, Outcome) and outcome.write is Write.DONE
    assert (api.replicas(), len(api.patches)) == (6, times + 1)


def test_an_object_that_changes_at_every_try_is_given_up_for_now() -> None:
    api = StubApi()
    planned = decided(api)
    api.fault = lambda request: api.touch(scale_path()) if request.method == "PATCH" else None  # type: ignore[func-returns-value]  # touch returns nothing
    outcome = written(api, planned)
    assert isinstance(outcome, Outcome) and outcome.fault is not None
    assert (outcome.write, outcome.fault.reason) == (Write.FAILED, "TargetKeepsChanging")
    assert (api.replicas(), len(api.patches)) == (3, 4)
    assert planned.running.memory.scale_ups == ()


@pytest.mark.parametrize(("replicas", "uid"), [(4, ""), (6, ""), (3, "made-anew"), (5, "made-anew")])
def test_another_count_or_another_object_is_never_written_over(replicas: int, uid: str) -> None:
    api = StubApi()
    planned = decided(api)
    api.put_scale(replicas=replicas, uid=uid)
    after = written(api, planned)
    assert isinstance(after, Setting)
    assert (after.replicas, after.uid) == (replicas, uid or "target-web")
    assert api.replicas() == replicas


def test_the_target_may_go_between_two_tries() -> None:
    api = StubApi()
    planned = decided(api)

    def gone(request: Request) -> None:
        if request.method == "GET":
            del api.objects[scale_path()]

    api.touch(scale_path())
    api.fault = gone
    outcome = written(api, planned)
    assert isinstance(outcome, Outcome) and outcome.fault is not None
    assert (outcome.write, outcome.fault.reason) == (Write.FAILED, "TargetNotFound")


def test_a_server_that_asks_us_to_slow_down_is_asked_again() -> None:
    api = StubApi()
    planned = decided(api)
    api.fault = first(1, throttled)
    outcome = written(api, planned)
    assert isinstance(outcome, Outcome) and outcome.write is Write.DONE
    api.fault = first(10, throttled)
    api.put_scale(replicas=3)
    outcome = written(api, decided(api))
    assert isinstance(outcome, Outcome) and outcome.fault is not None
    assert (outcome.fault.reason, len(api.patches)) == ("Throttled", 2)


def test_a_pause_that_the_server_asks_for_is_kept_but_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    paused: list[float] = []
    monkeypatch.setattr("autoscaler.controller.acting.writing.time.sleep", paused.append)
    api = StubApi()
    planned = decided(api)
    for asked_s, kept_s in ((0.5, 0.5), (600.0, 1.0)):
        api.fault = first(10, lambda asked_s=asked_s: throttled(asked_s))
        written(api, planned)
        assert paused.pop() == kept_s and not paused, "one pause: others wait behind this write"


@pytest.mark.parametrize(
    ("failure", "reason"), [(forbidden, "NoPermission"), (silent, "ApiServerUnavailable")]
)
def test_a_refused_write_starts_no_cooldown(failure: Callable[[], Exception], reason: str) -> None:
    api = StubApi()
    planned = decided(api)
    before = planned.running.memory
    api.fault = first(10, failure)
    outcome = written(api, planned)
    assert isinstance(outcome, Outcome) and outcome.fault is not None
    assert (outcome.write, outcome.fault.reason) == (Write.FAILED, reason)
    assert planned.running.memory == before and planned.running.foreign.attempted is None
    assert len(api.patches) == 1, "it is not repeated"


@pytest.mark.parametrize("applied", [True, False])
def test_a_write_without_an_answer_is_neither_done_nor_failed(applied: bool) -> None:
    api = StubApi()
    planned = decided(api)
    if applied:
        api.after = lambda request: unanswered()
    else:
        api.fault = first(1, unanswered)
    outcome = written(api, planned)
    assert isinstance(outcome, Outcome) and outcome.write is Write.UNKNOWN
    assert len(api.patches) == 1, "it is not repeated blindly"
    assert planned.running.memory.scale_ups == ()
    assert planned.running.foreign.attempted == (3, 6, NOW_S + 1.0)
