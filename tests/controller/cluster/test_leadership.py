"""Leadership: never two at once, and never again what was once over.

A scripted server keeps the Lease as the real one does, and can fail on demand. Time is a number that the
tests move; only the pause between two attempts is real, and short.
"""

from __future__ import annotations

import copy
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from scripted_api import Answer, Conversation, ScriptedAPI, eventually

from autoscaler.controller.cluster.lease import AlwaysLeading, Leadership, uptime_s

Serve = Callable[[Answer], ScriptedAPI]
RETRY_S = 0.005


class Clock:
    """Time, moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class LeaseServer:
    """One Lease with versions and conflicts. fault: asked before each request; True if it answered itself."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.version = 0
        self.lock = threading.Lock()
        self.fault: Callable[[Conversation], bool] = lambda c: False

    def __call__(self, c: Conversation) -> None:
        if not self.fault(c):
            self.serve(c)

    def serve(self, c: Conversation) -> None:
        code, document = self.apply(c)
        if code == 200:
            c.json(document)
        else:
            c.status(code, "", "refused")

    def apply(self, c: Conversation) -> tuple[int, dict[str, Any] | None]:
        with self.lock:
            if c.asked.method == "POST":
                return (409, None) if self.lease else (200, self.store(c.asked.body))
            if self.lease is None:
                return 404, None
            if c.asked.method == "PUT":
                if c.asked.body["metadata"]["resourceVersion"] != self.lease["metadata"]["resourceVersion"]:
                    return 409, None
                return 200, self.store(c.asked.body)
            return 200, copy.deepcopy(self.lease)

    def store(self, body: dict[str, Any]) -> dict[str, Any]:
        self.version += 1
        self.lease = copy.deepcopy(body)
        self.lease["metadata"]["resourceVersion"] = str(self.version)
        return copy.deepcopy(self.lease)

    @property
    def spec(self) -> dict[str, Any]:
        assert self.lease is not None
        spec: dict[str, Any] = self.lease["spec"]
        return spec

    def overwrite(self, **spec: Any) -> None:
        with self.lock:
            self.store({"metadata": {"name": "lock"}, "spec": {**(self.lease or {}).get("spec", {}), **spec}})


class Election:
    """Candidates for one Lease on one server."""

    def __init__(self, serve: Serve, stack: ExitStack) -> None:
        self.server = LeaseServer()
        self.api = serve(self.server)
        self.clock = Clock()
        self.stack = stack

    def candidate(self, identity: str, clock: Callable[[], float] | None = None) -> Leadership:
        made = Leadership(
            self.api.cluster(), "ours", "lock", identity, retry_s=RETRY_S, clock=clock or self.clock
        )
        self.stack.callback(made.stop)
        made.start()
        return made

    def leader(self, identity: str) -> Leadership:
        made = self.candidate(identity)
        assert eventually(made.holds)
        return made

    def attempts(self, number: int = 4, by: str | None = None) -> None:
        """Let so many more requests be made, by the candidate with this name on the wire if one is given."""

        def made() -> int:
            return sum(by in (None, asked.headers["User-Agent"]) for asked in list(self.api.asked))

        wanted = made() + number
        assert eventually(lambda: made() >= wanted)

    def unreachable(self) -> None:
        def fault(c: Conversation) -> bool:
            c.reset()
            return True

        self.server.fault = fault


@pytest.fixture
def election(serve: Serve) -> Iterator[Election]:
    with ExitStack() as stack:
        yield Election(serve, stack)


def test_the_first_leads_and_the_second_waits(election: Election) -> None:
    first = election.leader("first")
    second = election.candidate("second")
    assert eventually(lambda: second.holder == "first")
    election.attempts()
    assert (first.holds(), second.holds()) == (True, False)
    assert (first.term, second.term) == (0, -1)
    spec = election.server.spec
    assert (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"]) == (
        "first",
        15,
        0,
    )
    assert spec["acquireTime"] <= spec["renewTime"]
    assert spec["renewTime"].endswith("Z")
    assert len(spec["renewTime"]) == len("2026-01-01T00:00:00.000000Z")


def test_renewals_keep_it_and_change_neither_term_nor_beginning(election: Election) -> None:
    first = election.leader("first")
    acquired = election.server.spec["acquireTime"]
    for _ in range(5):
        election.clock.now += 6.0
        election.attempts()
        assert first.holds(3.9)
    assert first.term == 0
    assert election.server.spec["acquireTime"] == acquired


def test_without_renewal_it_ends_by_the_clock_alone(election: Election) -> None:
    first = election.leader("first")
    election.unreachable()
    assert eventually(lambda: first.failure)
    assert first.holds(9.9)
    assert not first.holds(10.0)
    election.clock.now += 9.9
    assert first.holds()
    election.clock.now += 0.1
    assert not first.holds()


def test_another_takes_over_only_when_the_last_one_has_surely_stopped(election: Election) -> None:
    first = election.leader("first")
    second = election.candidate("second")
    assert eventually(lambda: second.holder == "first")

    def only_second(c: Conversation) -> bool:
        if c.asked.headers["User-Agent"] == "first":
            c.reset()
        return c.asked.headers["User-Agent"] == "first"

    for candidate, name in ((first, "first"), (second, "second")):
        candidate._cluster._headers["User-Agent"] = name  # to tell the two apart on the wire
    election.server.fault = only_second
    assert eventually(lambda: first.failure)
    election.attempts(2, by="second")  # the last renewal is seen before the clock moves
    election.clock.now += 14.9
    election.attempts(4, by="second")
    assert (first.holds(), second.holds()) == (False, False)
    election.clock.now += 0.2
    assert eventually(second.holds)
    assert second.term == 1
    election.server.fault = lambda c: False
    assert eventually(lambda: first.holder == "second")
    assert not first.holds()


def test_the_time_of_a_renewal_is_when_it_was_sent(election: Election) -> None:
    def slow(c: Conversation) -> bool:
        if c.asked.method == "POST":
            election.clock.now += 4.0
        return False

    election.server.fault = slow
    first = election.leader("first")
    election.unreachable()
    assert first.holds(5.9)
    assert not first.holds(6.1)


def test_a_renewal_that_is_answered_too_late_does_not_revive_the_term(election: Election) -> None:
    first = election.leader("first")
    seen: list[tuple[bool, int]] = []
    looked: list[float] = []

    def late(c: Conversation) -> bool:
        if c.asked.method == "GET" and not looked:
            election.clock.now += 9.5
            looked.append(election.clock.now)
        if c.asked.method == "PUT" and looked and not seen:
            # Sent in time; on the way back when the term ends.
            election.clock.now += 1.0
            seen.append((first.holds(), first.term))
        return False

    election.server.fault = late
    assert eventually(lambda: first.term == 1 and first.holds())
    assert seen == [(False, 0)]


def test_the_same_record_after_a_loss_begins_a_new_term(election: Election) -> None:
    first = election.leader("first")
    election.unreachable()
    assert eventually(lambda: first.failure)
    election.clock.now += 12.0
    assert not first.holds()
    election.server.fault = lambda c: False
    assert eventually(first.holds)
    assert first.term == election.server.spec["leaseTransitions"] == 1


def test_a_lease_that_is_given_up_is_taken_at_once(election: Election) -> None:
    first = election.leader("first")
    second = election.candidate("second")
    assert eventually(lambda: second.holder == "first")
    first.stop()
    assert not first.holds()
    assert eventually(second.holds)
    assert second.term == 1
    assert election.clock.now == 1000.0


def test_stopping_between_a_look_and_a_write_begins_no_term(election: Election) -> None:
    first = election.leader("first")
    looking, stopped = threading.Event(), threading.Event()

    def look_slowly(c: Conversation) -> bool:
        if c.asked.method == "GET":
            looking.set()
            stopped.wait(5)
        return False

    election.server.fault = look_slowly
    assert looking.wait(5)
    stopping = threading.Thread(target=first.stop)
    stopping.start()
    assert eventually(lambda: not first.holds())
    stopped.set()
    stopping.join(5)
    spec = election.server.spec
    assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("", 0)
    first.stop()
    assert first.failure == ""


def test_giving_up_does_not_take_the_lease_from_its_new_holder(election: Election) -> None:
    first = election.leader("first")
    election.server.overwrite(holderIdentity="other", leaseTransitions=7)
    first.stop()
    assert election.server.spec["holderIdentity"] == "other"


def test_one_that_finds_another_in_its_place_stops_at_once(election: Election) -> None:
    first = election.leader("first")
    election.server.overwrite(holderIdentity="other", leaseTransitions=7)
    assert eventually(lambda: not first.holds())
    assert first.holder == "other"
    election.clock.now += 15.1
    assert eventually(first.holds)
    assert first.term == 8


def test_a_lease_that_is_deleted_ends_the_term(election: Election) -> None:
    first = election.leader("first")
    election.server.lease = None
    assert eventually(lambda: first.term == 1 and first.holds())


def test_one_that_saw_a_holder_does_not_take_its_deleted_lease_at_once(election: Election) -> None:
    election.server.overwrite(holderIdentity="other", leaseTransitions=3)
    second = election.candidate("second")
    assert eventually(lambda: second.holder == "other")
    election.server.lease = None
    assert eventually(lambda: second.holder == "")
    election.attempts()
    election.clock.now += 14.9
    election.attempts()
    assert not second.holds()
    election.clock.now += 0.2
    assert eventually(second.holds)
    assert second.term == 4


@pytest.mark.parametrize("renewed", ["1999-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z"])
def test_clocks_of_two_machines_are_never_compared(election: Election, renewed: str) -> None:
    election.server.overwrite(holderIdentity="other", renewTime=renewed, leaseDurationSeconds=15)
    second = election.candidate("second")
    election.attempts()
    assert not second.holds()
    election.clock.now += 15.1
    assert eventually(second.holds)


def test_a_longer_lease_of_the_holder_is_honoured(election: Election) -> None:
    election.server.overwrite(holderIdentity="other", leaseDurationSeconds=60)
    second = election.candidate("second")
    election.attempts()
    election.clock.now += 59.0
    election.attempts()
    assert not second.holds()
    election.clock.now += 1.1
    assert eventually(second.holds)


def test_our_name_written_by_another_process_is_another(election: Election) -> None:
    election.server.overwrite(holderIdentity="same", leaseTransitions=0)
    second = election.candidate("same")
    election.attempts()
    assert not second.holds()


def test_a_lost_answer_to_the_first_write_is_found_in_the_record(election: Election) -> None:
    lost: list[str] = []

    def lose_the_answer(c: Conversation) -> bool:
        if c.asked.method != "POST":
            return False
        lost.append(c.asked.body["spec"]["holderIdentity"])
        election.server.apply(c)
        c.reset()
        return True

    election.server.fault = lose_the_answer
    first = election.leader("first")
    assert lost == ["first"]
    assert first.term == 1
    assert election.clock.now == 1000.0


@pytest.mark.parametrize("refusal", [403, 404, 500])
def test_what_keeps_it_from_leading_is_told(election: Election, refusal: int) -> None:
    def refuse(c: Conversation) -> bool:
        c.status(404 if c.asked.method == "GET" else refusal, "", "no such thing here")
        return True

    election.server.fault = refuse
    first = election.candidate("first")
    assert eventually(lambda: first.failure == "no such thing here")
    assert not first.holds()
    election.server.fault = lambda c: False
    assert eventually(lambda: first.holds() and first.failure == "")


@pytest.mark.parametrize("lease", [{}, {"spec": None}, {"spec": {"leaseTransitions": None}}])
def test_an_empty_record_is_free(election: Election, lease: dict[str, Any]) -> None:
    election.server.store({"metadata": {"name": "lock"}, **lease})
    assert election.leader("first").term == 1


def test_a_record_that_makes_no_sense_is_no_leadership(election: Election) -> None:
    election.server.overwrite(holderIdentity="other", leaseTransitions="many")
    first = election.candidate("first")
    assert eventually(lambda: "ValueError" in first.failure)
    assert not first.holds()


@pytest.mark.parametrize("seed", range(6))
def test_there_are_never_two_and_no_term_comes_back(election: Election, seed: int) -> None:
    chance = random.Random(seed)

    def fault(c: Conversation) -> bool:
        fate = chance.random()
        if fate < 0.15:
            c.reset()
        elif fate < 0.3 and c.asked.method != "GET":
            election.server.apply(c)
            c.reset()
        elif fate < 0.35:
            c.status(503, "", "no")
        else:
            return False
        return True

    election.server.fault = fault
    candidates = [election.candidate(str(number)) for number in range(3)]
    ended: set[tuple[int, int]] = set()
    led = set()
    for _ in range(150):
        election.attempts(chance.randrange(0, 4))
        holding = {(n, c.term) for n, c in enumerate(candidates) if c.holds()}
        assert len({number for number, _ in holding}) <= 1
        assert not holding & ended
        ended |= led - holding
        led |= holding
        election.clock.now += chance.choice([0.5, 2.0, 4.0, 11.0])
    assert len(led) > 3
    assert len({term for _, term in led}) == len(led)


@pytest.mark.parametrize(("lease_s", "deadline_s", "retry_s"), [(10, 10, 2), (15, 2, 2), (15, 10, 0)])
def test_times_that_do_not_fit_are_refused(
    election: Election, lease_s: float, deadline_s: float, retry_s: float
) -> None:
    with pytest.raises(ValueError, match="leaseDuration > renewDeadline > retryPeriod"):
        Leadership(
            election.api.cluster(),
            "ours",
            "lock",
            "me",
            lease_s=lease_s,
            renew_deadline_s=deadline_s,
            retry_s=retry_s,
        )


def test_without_an_election_one_leads_until_it_stops() -> None:
    always = AlwaysLeading("me")
    always.start()
    assert always.holds(1e9)
    assert (always.term, always.holder, always.failure) == (0, "me", "")
    always.stop()
    assert not always.holds()


def test_the_clock_goes_on() -> None:
    assert uptime_s() <= uptime_s()
