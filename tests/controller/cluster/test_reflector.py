"""A followed list: always what the server last said, whatever happens on the way."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from scripted_api import Answer, Conversation, ScriptedAPI, eventually, listed, status_object, thing

from autoscaler.controller.cluster.reflector import Reflector, pause_s

Serve = Callable[[Answer], ScriptedAPI]
PATH = "/apis/example.com/v1/things"
Follow = Callable[..., Reflector[str]]


def value_of(item: dict[str, Any]) -> str | None:
    """What these tests keep: "skip" is not kept, "bad" cannot be read."""
    value = str(item.get("value", item["metadata"]["resourceVersion"]))
    if value == "bad":
        raise ValueError(value)
    return None if value == "skip" else value


@pytest.fixture
def follow() -> Iterator[Follow]:
    """Start to follow a scripted server; ends with the test."""
    with ExitStack() as stack:

        def started(api: ScriptedAPI, **how: Any) -> Reflector[str]:
            reflector: Reflector[str] = Reflector(
                api.cluster(), PATH, value_of, name="things", **{"pause": lambda n: 0.01, **how}
            )
            stack.callback(reflector.stop)
            reflector.start()
            return reflector

        yield started


class Script:
    """Answers the lists and the watches of a test one after the other; the last of each for ever."""

    def __init__(self, lists: list[Answer], watches: list[Answer]) -> None:
        self.lists = itertools.chain(lists, itertools.repeat(lists[-1]))
        self.watches = itertools.chain(watches, itertools.repeat(watches[-1]))

    def __call__(self, c: Conversation) -> None:
        next(self.watches if "watch" in c.asked.query else self.lists)(c)


def lists(version: int, *items: dict[str, Any], following: str = "") -> Answer:
    return lambda c: c.json(listed(version, *items, following=following))


def watch(*events: tuple[str, dict[str, Any]], then: Answer = Conversation.say_nothing) -> Answer:
    def answer(c: Conversation) -> None:
        c.stream()
        for kind, about in events:
            c.event(kind, about)
        then(c)

    return answer


def refused(code: int, reason: str = "", message: str = "no") -> Answer:
    return lambda c: c.status(code, reason, message)


def error_event(code: int) -> Answer:
    return watch(("ERROR", status_object(code, "Expired", "too old")))


class Heard(list[tuple[str, str | None, str | None]]):
    """Takes changes."""

    def __call__(self, key: str, before: str | None, after: str | None) -> None:
        self.append((key, before, after))


def test_all_pages_are_kept_and_then_followed(serve: Serve, follow: Follow) -> None:
    heard = Heard()
    api = serve(
        Script(
            [lists(5, thing("a", 1), following="x"), lists(5, thing("b", 2))],
            [
                watch(
                    ("MODIFIED", thing("a", 6)),
                    ("BOOKMARK", {"metadata": {"resourceVersion": "7"}}),
                    ("DELETED", thing("b", 8)),
                    ("ADDED", thing("c", 9, namespace="")),
                )
            ],
        )
    )
    reflector = follow(api, on_change=heard)
    assert reflector.wait_synced(5)
    assert eventually(lambda: len(heard) == 5)
    assert reflector.items() == {"shop/a": "6", "c": "9"}
    assert (reflector.get("shop/a"), reflector.get("shop/b")) == ("6", None)
    assert sorted(heard[:2]) == [("shop/a", None, "1"), ("shop/b", None, "2")]
    assert heard[2:] == [("shop/a", "1", "6"), ("shop/b", "2", None), ("c", None, "9")]
    assert api.asked[2].query["resourceVersion"] == "5"
    assert reflector.failure == ""
    assert reflector.silent_s < 5.0


def test_events_that_do_not_fit_the_list_do_no_harm(serve: Serve, follow: Follow) -> None:
    heard = Heard()
    events = [
        ("DELETED", thing("unknown", 6)),
        ("MODIFIED", thing("new", 7)),
        ("ADDED", thing("a", 8)),
        ("ADDED", thing("a", 9, value="8")),
        ("DELETED", thing("a", 10)),
        ("DELETED", thing("a", 10)),
        ("ADDED", thing("last", 11)),
    ]
    reflector = follow(serve(Script([lists(5, thing("a", 5))], [watch(*events)])), on_change=heard)
    assert eventually(lambda: reflector.get("shop/last"))
    assert reflector.items() == {"shop/new": "7", "shop/last": "11"}
    assert heard == [
        ("shop/a", None, "5"),
        ("shop/new", None, "7"),
        ("shop/a", "5", "8"),
        ("shop/a", "8", None),
        ("shop/last", None, "11"),
    ]


@pytest.mark.parametrize(
    "first_watch",
    [
        pytest.param(error_event(410), id="too-old-in-the-stream"),
        pytest.param(refused(410), id="too-old-at-once"),
        pytest.param(watch(then=Conversation.reset), id="reset"),
        pytest.param(refused(503), id="unavailable"),
        pytest.param(lambda c: c.reply(b"<html>", 502), id="proxy"),
        pytest.param(error_event(500), id="error"),
    ],
)
def test_what_was_deleted_while_away_is_reported(serve: Serve, follow: Follow, first_watch: Answer) -> None:
    heard = Heard()
    api = serve(
        Script(
            [lists(5, thing("a", 1), thing("b", 2)), lists(9, thing("b", 2), thing("c", 8))],
            [first_watch, watch()],
        )
    )
    reflector = follow(api, on_change=heard)
    assert eventually(lambda: len(heard) == 4)
    assert sorted(heard[2:]) == [("shop/a", "1", None), ("shop/c", None, "8")]
    assert eventually(lambda: reflector.failure == "" and len(api.asked) == 4)
    assert api.asked[3].query["resourceVersion"] == "9"


def test_a_watch_that_ended_by_itself_goes_on_where_it_was(serve: Serve, follow: Follow) -> None:
    api = serve(
        Script(
            [lists(5)],
            [watch(("ADDED", thing("a", 7)), then=Conversation.end_stream), watch(("ADDED", thing("b", 8)))],
        )
    )
    reflector = follow(api)
    assert eventually(lambda: reflector.get("shop/b"))
    assert [asked.query.get("resourceVersion") for asked in api.asked] == [None, "5", "7"]


def test_a_silent_watch_is_replaced(serve: Serve, follow: Follow) -> None:
    api = serve(Script([lists(5)], [watch(), watch(("ADDED", thing("a", 6)))]))
    reflector = follow(api, inactivity_s=0.1)
    assert eventually(lambda: reflector.get("shop/a"))
    assert reflector.failure == ""


def test_the_list_is_read_anew_in_time_although_the_watch_is_well(serve: Serve, follow: Follow) -> None:
    bookmarks = watch(
        then=lambda c: [c.event("BOOKMARK", thing("", 6)) for _ in range(3000) if not time.sleep(0.01)]
    )
    api = serve(Script([lists(5, thing("missed", 1)), lists(6)], [bookmarks]))
    reflector = follow(api, resync_s=0.2)
    assert reflector.wait_synced(5)
    assert reflector.get("shop/missed") == "1"
    assert eventually(lambda: reflector.get("shop/missed") is None)


@pytest.mark.parametrize(
    ("then", "now"),
    [([thing("a", 1)], [thing("a", 4)]), ([], [thing("a", 4)]), ([thing("a", 1)], [])],
    ids=["change", "addition", "deletion"],
)
def test_a_single_event_that_never_came_is_made_up_for_by_the_next_list(
    then: list[dict[str, Any]], now: list[dict[str, Any]], serve: Serve, follow: Follow
) -> None:
    # The watch goes on with later events, so that nothing in it tells of the one that is missing.
    # Like any watch it ends when the time is over that it was asked for.
    later = watch(
        ("ADDED", thing("b", 5)),
        ("ADDED", thing("c", 6)),
        then=lambda c: None if time.sleep(float(c.asked.query["timeoutSeconds"])) else c.end_stream(),
    )
    api = serve(Script([lists(3, *then), lists(6, *now, thing("b", 5), thing("c", 6))], [later]))
    heard = Heard()
    reflector = follow(api, resync_s=1.0, on_change=heard)
    was, wanted = ("1" if then else None), ("4" if now else None)
    made_up = ("shop/a", was, wanted)
    assert eventually(lambda: made_up in heard)
    assert reflector.get("shop/a") == wanted
    assert ("shop/c", None, "6") in heard[: heard.index(made_up)], "the watch went on without it"


def test_a_right_that_is_missing_is_told_in_words_until_it_is_there(serve: Serve, follow: Follow) -> None:
    api = serve(Script([refused(403, "Forbidden", "things is forbidden")] * 3 + [lists(5)], [watch()]))
    reflector = follow(api, pause=lambda n: 0.05)
    assert eventually(lambda: reflector.failure == "things: things is forbidden")
    assert not reflector.synced
    assert reflector.wait_synced(5)
    assert eventually(lambda: reflector.failure == "")


def test_a_crd_that_is_removed_leaves_nothing_and_is_found_again(serve: Serve, follow: Follow) -> None:
    api = serve(
        Script(
            [
                lists(5, thing("a", 1)),
                *[lambda c: c.reply(b"404 page not found\n", 404, Content_Type="text/plain")] * 20,
                lists(9, thing("b", 9)),
            ],
            [error_event(410), watch()],
        )
    )
    heard = Heard()
    reflector = follow(api, on_change=heard)
    assert eventually(lambda: reflector.absent)
    assert "404" in reflector.failure
    assert eventually(lambda: reflector.items() == {"shop/b": "9"})
    assert not reflector.absent
    assert heard == [("shop/a", None, "1"), ("shop/a", "1", None), ("shop/b", None, "9")]


def test_an_object_that_cannot_be_read_stops_nobody_and_leaves_what_was_known(
    serve: Serve, follow: Follow, caplog: pytest.LogCaptureFixture
) -> None:
    api = serve(
        Script(
            [
                lists(5, thing("a", 1), thing("b", 2, value="bad")),
                lists(9, thing("a", 9, value="bad"), thing("d", 9)),
            ],
            [
                watch(
                    ("MODIFIED", thing("a", 6, value="bad")),
                    ("ADDED", thing("c", 7)),
                    then=Conversation.reset,
                ),
                watch(),
            ],
        )
    )
    reflector = follow(api)
    assert eventually(lambda: reflector.items() == {"shop/a": "1", "shop/d": "9"})
    told = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert told == [
        "things shop/b cannot be parsed",
        "things shop/a cannot be parsed",
        "things shop/a cannot be parsed",
    ]


def test_an_object_that_is_no_longer_wanted_goes(serve: Serve, follow: Follow) -> None:
    heard = Heard()
    api = serve(
        Script(
            [lists(5, thing("a", 1), thing("b", 2, value="skip"))],
            [watch(("MODIFIED", thing("a", 6, value="skip")))],
        )
    )
    reflector = follow(api, on_change=heard)
    assert eventually(lambda: len(heard) == 2)
    assert heard == [("shop/a", None, "1"), ("shop/a", "1", None)]
    assert reflector.items() == {}


def test_a_listener_that_fails_does_not_end_the_reading(
    serve: Serve, follow: Follow, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(key: str, before: str | None, after: str | None) -> None:
        raise RuntimeError(key)

    reflector = follow(
        serve(Script([lists(5, thing("a", 1))], [watch(("ADDED", thing("b", 6)), ("ADDED", thing("c", 7)))])),
        on_change=fail,
    )
    assert eventually(lambda: len(reflector.items()) == 3)
    assert "a change of things shop/b could not be taken in" in caplog.text


def test_a_list_that_makes_no_sense_is_a_failure_and_not_the_end(serve: Serve, follow: Follow) -> None:
    api = serve(Script([lambda c: c.json({}), lists(5, thing("a", 1))], [watch()]))
    reflector = follow(api, pause=lambda n: 0.05)
    assert eventually(lambda: "KeyError" in reflector.failure)
    assert eventually(lambda: reflector.items() == {"shop/a": "1"})


def test_a_failed_list_keeps_what_was_known(serve: Serve, follow: Follow) -> None:
    half = [lists(9, following="x"), refused(503)] * 50
    api = serve(Script([lists(5, thing("a", 1)), *half], [error_event(410)]))
    reflector = follow(api)
    assert eventually(lambda: len(api.asked) > 8 and reflector.failure)
    assert reflector.items() == {"shop/a": "1"}
    assert reflector.synced


@pytest.mark.parametrize("state", ["silent watch", "hanging list", "failing"])
def test_it_stops_at_once_and_tells_nobody_afterwards(serve: Serve, follow: Follow, state: str) -> None:
    heard = Heard()
    first: Answer = {"hanging list": Conversation.say_nothing, "failing": refused(500)}.get(state, lists(5))
    api = serve(Script([first], [watch()]))
    reflector = follow(api, on_change=heard, pause=lambda n: 60.0)
    assert eventually(lambda: len(api.asked) == (2 if state == "silent watch" else 1))
    began = time.monotonic()
    reflector.stop()
    assert time.monotonic() - began < 5.0
    assert heard == []


def test_nothing_is_asked_in_a_hot_loop(serve: Serve, follow: Follow) -> None:
    pauses: list[int] = []

    def pause(failures: int) -> float:
        pauses.append(failures)
        return 0.02

    api = serve(Script([lists(5)], [watch(then=Conversation.end_stream)]))
    follow(api, pause=pause)
    assert eventually(lambda: len(pauses) >= 3)
    assert pauses[:3] == [1, 1, 1]
    assert len(api.asked) <= len(pauses) + 2


def test_pauses_grow_with_each_failure_and_stay_within_bounds() -> None:
    limits = {1: 1.0, 2: 2.0, 3: 4.0, 5: 16.0, 6: 30.0, 1000: 30.0}
    for failures, most_s in limits.items():
        pauses = [pause_s(failures) for _ in range(200)]
        assert max(0.5, most_s / 2) <= min(pauses) <= max(pauses) <= most_s
        assert len(set(pauses)) > 100


def test_pauses_count_failures_in_a_row(serve: Serve, follow: Follow) -> None:
    pauses: list[int] = []

    def pause(failures: int) -> float:
        pauses.append(failures)
        return 0.01

    one = watch(("ADDED", thing("a", 6)), then=Conversation.reset)
    api = serve(Script([refused(500), refused(500), lists(5), refused(500), lists(5)], [one, watch()]))
    follow(api, pause=pause)
    assert eventually(lambda: len(api.asked) == 7)
    assert pauses == [1, 2, 1, 2]


def test_a_server_that_asks_for_a_pause_gets_it(serve: Serve, follow: Follow) -> None:
    api = serve(lambda c: c.status(429, "TooManyRequests", "slow down", Retry_After="60"))
    follow(api)
    assert eventually(lambda: api.asked)
    time.sleep(0.1)
    assert len(api.asked) == 1
