"""How Kubernetes' answers are understood, remembered, and done without when there are none."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from autoscaler.api.access.access import Unavailable
from autoscaler.api.access.caller import Caller
from autoscaler.api.access.cluster_access import ClusterAccess
from autoscaler.api.access.remembered import Remembered
from autoscaler.api.access.reviews import (
    access_review,
    is_allowed,
    reviewed_caller,
    token_review,
)
from autoscaler.api.access.verbs import Verb
from autoscaler.controller.cluster.errors import Forbidden, unavailable

ANNA = Caller("anna", ("team", "system:authenticated"), "u-1", (("scopes", ("a", "b")),))
USER = {
    "username": "anna",
    "uid": "u-1",
    "groups": ["team", "system:authenticated"],
    "extra": {"scopes": ["a", "b"]},
}
CANARY = "canary-4711"

Review = dict[str, Any]


class MadeUpCluster:
    """In the place of a `Cluster`: answers reviews as told, and counts them."""

    def __init__(self, answer: Callable[[Review], Review]) -> None:
        self.asked: list[Review] = []
        self._answer = answer

    def create(self, path: str, body: Review, *, timeout_s: float) -> Review:
        self.asked.append(body["spec"])
        return {"status": self._answer(body["spec"])}


def access_to(answer: Callable[[Review], Review], **options: Any) -> tuple[ClusterAccess, MadeUpCluster]:
    cluster = MadeUpCluster(answer)
    return ClusterAccess(cluster, **options), cluster  # type: ignore[arg-type]  # has what is used of it


# What answers mean


@pytest.mark.parametrize(
    ("status", "audiences", "caller"),
    [
        pytest.param({"authenticated": True, "user": USER}, (), ANNA, id="accepted"),
        pytest.param({"authenticated": False, "user": USER}, (), None, id="refused"),
        pytest.param({"authenticated": "true", "user": USER}, (), None, id="no boolean"),
        pytest.param({"user": USER}, (), None, id="says nothing"),
        pytest.param({"error": "expired"}, (), None, id="an error"),
        pytest.param({"authenticated": True}, (), None, id="nobody"),
        pytest.param({"authenticated": True, "user": {"groups": ["a"]}}, (), None, id="without a name"),
        pytest.param({"authenticated": True, "user": USER, "audiences": ["us"]}, ("us",), ANNA, id="for us"),
        pytest.param(
            {"authenticated": True, "user": USER, "audiences": ["b"]}, ("us",), None, id="for others"
        ),
        pytest.param({"authenticated": True, "user": USER}, ("us",), None, id="audience not looked at"),
        pytest.param(None, (), None, id="no status"),
    ],
)
def test_a_token_is_good_only_if_the_answer_says_so_for_our_audience(
    status: Review | None, audiences: tuple[str, ...], caller: Caller | None
) -> None:
    assert reviewed_caller({"status": status}, audiences) == caller


@pytest.mark.parametrize(
    ("status", "allowed"),
    [
        ({"allowed": True}, True),
        ({"allowed": True, "denied": True}, False),
        ({"allowed": False}, False),
        ({"allowed": "true"}, False),
        ({}, False),
        (None, False),
    ],
)
def test_only_a_plain_yes_allows(status: Review | None, allowed: bool) -> None:
    assert is_allowed({"status": status}) == allowed


def test_the_rights_of_the_resource_are_asked_for_with_all_that_is_known_of_the_caller() -> None:
    assert access_review(ANNA, Verb.WRITE, "shop")["spec"] == {
        "user": "anna",
        "groups": ["team", "system:authenticated"],
        "uid": "u-1",
        "extra": {"scopes": ["a", "b"]},
        "resourceAttributes": {
            "group": "predictive-autoscaler.dev",
            "resource": "predictiveautoscalers",
            "verb": "update",
            "namespace": "shop",
        },
    }
    assert access_review(ANNA, Verb.READ, "")["spec"]["resourceAttributes"]["verb"] == "get"
    assert access_review(ANNA, Verb.METRICS, "")["spec"]["nonResourceAttributes"] == {
        "path": "/metrics",
        "verb": "get",
    }


def test_an_audience_is_asked_for_only_if_there_is_one() -> None:
    assert token_review("t", ())["spec"] == {"token": "t"}
    assert token_review("t", ("us",))["spec"] == {"token": "t", "audiences": ["us"]}


# What is remembered


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_good_answers_are_good_for_longer_than_bad_ones() -> None:
    clock, asked = Clock(), []

    async def ask(told: bool) -> bool:
        asked.append((clock.now_s, told))
        return told

    remembered = Remembered[str, bool](most=10, is_good=bool, good_for_s=10, bad_for_s=5, clock=clock)

    async def run() -> None:
        for clock.now_s in (0.0, 4.9, 5.1, 9.9, 10.1):
            assert await remembered.get("good", lambda: ask(True))
            assert not await remembered.get("bad", lambda: ask(False))

    asyncio.run(run())
    assert [at_s for at_s, told in asked if told] == [0.0, 10.1]
    assert [at_s for at_s, told in asked if not told] == [0.0, 5.1, 10.1]


def test_made_up_questions_drive_out_no_good_answer() -> None:
    remembered = Remembered[str, bool](most=10, is_good=bool, good_for_s=60, bad_for_s=60)
    asked = []

    async def ask(key: str, told: bool) -> bool:
        asked.append(key)
        return told

    async def run() -> None:
        await remembered.get("good", lambda: ask("good", True))
        for number in range(1000):
            await remembered.get(f"bad {number}", lambda key=f"bad {number}": ask(key, False))
        await remembered.get("good", lambda: ask("good", True))

    asyncio.run(run())
    assert asked.count("good") == 1
    assert len(remembered._bad) == 10


def test_who_gives_up_waiting_does_not_take_the_answer_from_others() -> None:
    remembered = Remembered[str, bool](most=10, is_good=bool, good_for_s=60, bad_for_s=60)

    async def ask() -> bool:
        await asyncio.sleep(0.05)
        return True

    async def run() -> bool:
        first = asyncio.create_task(remembered.get("a", ask))
        second = asyncio.create_task(remembered.get("a", ask))
        await asyncio.sleep(0.01)
        first.cancel()
        return await second

    assert asyncio.run(run())


def test_a_failure_is_not_remembered() -> None:
    remembered = Remembered[str, bool](most=10, is_good=bool, good_for_s=60, bad_for_s=60)
    attempts = []

    async def ask() -> bool:
        attempts.append(1)
        if len(attempts) == 1:
            raise Unavailable("once")
        return True

    async def run() -> bool:
        with pytest.raises(Unavailable):
            await remembered.get("a", ask)
        return await remembered.get("a", ask)

    assert asyncio.run(run())


# Asking


def test_a_thousand_requests_at_once_with_one_token_are_one_question() -> None:
    def answer(spec: Review) -> Review:
        time.sleep(0.05)
        return {"authenticated": True, "user": USER} if "token" in spec else {"allowed": True}

    access, cluster = access_to(answer)

    async def request() -> bool:
        caller = await access.identify("t")
        return caller == ANNA and await access.allows(caller, Verb.READ, "shop")

    async def run() -> list[bool]:
        return await asyncio.gather(*(request() for _ in range(1000)))

    assert all(asyncio.run(run()))
    assert len(cluster.asked) == 2


def test_no_token_is_asked_nobody_about() -> None:
    access, cluster = access_to(lambda spec: {"authenticated": True, "user": USER})
    assert asyncio.run(access.identify("")) is None
    assert cluster.asked == []


def test_no_more_than_a_few_questions_are_asked_at_once() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def answer(spec: Review) -> Review:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return {"allowed": spec["resourceAttributes"]["namespace"] != ""}

    access, cluster = access_to(answer)
    seen = asyncio.run(access.visible(ANNA, [f"n{number}" for number in range(200)]))
    assert seen is not None
    assert len(seen) == 200
    assert len(cluster.asked) == 201
    assert 2 <= most <= 16


def test_what_cannot_be_a_namespace_is_asked_nobody_about() -> None:
    access, cluster = access_to(lambda spec: {"allowed": True})
    assert asyncio.run(access.allows(ANNA, Verb.READ, "n" * 63))
    assert not asyncio.run(access.allows(ANNA, Verb.READ, "n" * 64))
    assert len(cluster.asked) == 1


def test_who_may_read_all_is_asked_about_once_however_many_namespaces_there_are() -> None:
    access, cluster = access_to(lambda spec: {"allowed": True})
    assert asyncio.run(access.visible(ANNA, [f"n{number}" for number in range(200)])) is None
    assert len(cluster.asked) == 1


def test_strangers_who_try_tokens_keep_nobodys_rights_waiting() -> None:
    release = threading.Event()

    def answer(spec: Review) -> Review:
        if "token" in spec:
            release.wait(5)
            return {}
        return {"allowed": True}

    access, _ = access_to(answer)

    async def run() -> bool:
        strangers = [asyncio.create_task(access.identify(f"guess {number}")) for number in range(100)]
        await asyncio.sleep(0.1)
        try:
            return await asyncio.wait_for(access.allows(ANNA, Verb.READ, "shop"), 2)
        finally:
            release.set()
            await asyncio.gather(*strangers)

    assert asyncio.run(run())


@pytest.mark.parametrize(
    "error",
    [
        unavailable(f"no connection {CANARY}", "/x"),
        Forbidden(403, f"{CANARY}", f"may not create tokenreviews {CANARY}", "/x"),
    ],
)
def test_without_an_answer_nobody_is_let_in_and_the_log_repeats_nothing(error: Exception) -> None:
    def answer(spec: Review) -> Review:
        raise error

    access, _ = access_to(answer)
    with capture_logs() as told:
        for asked in (
            access.identify(CANARY),
            access.allows(ANNA, Verb.READ, "shop"),
            access.visible(ANNA, []),
        ):
            with pytest.raises(Unavailable) as raised:
                asyncio.run(asked)
            assert CANARY not in str(raised.value)
    assert len(told) == 3
    assert CANARY not in str(told)


def test_an_answer_that_does_not_come_is_waited_for_a_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autoscaler.api.access.cluster_access._TOKEN_S", 0.1)
    release = threading.Event()

    def answer(spec: Review) -> Review:
        release.wait(5)
        return {}

    access, _ = access_to(answer)

    async def run() -> float:
        began_at = time.monotonic()
        with pytest.raises(Unavailable):
            await access.identify("t")
        waited_s = time.monotonic() - began_at
        release.set()
        return waited_s

    with capture_logs():
        assert asyncio.run(run()) < 1
