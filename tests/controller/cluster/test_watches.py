"""One watch: what it yields, and how each kind of end is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from scripted_api import Answer, Conversation, ScriptedAPI, status_object, thing

from autoscaler.controller.cluster import watching
from autoscaler.controller.cluster.errors import ClusterError, Forbidden, Gone, Unavailable
from autoscaler.controller.cluster.watching import WatchEvent

Serve = Callable[[Answer], ScriptedAPI]
PATH = "/api/v1/pods"


def streaming(*say: Callable[[Conversation], None]) -> Answer:
    def answer(c: Conversation) -> None:
        c.stream()
        for one in say:
            one(c)

    return answer


def event(kind: str, about: object) -> Callable[[Conversation], None]:
    return lambda c: c.event(kind, about)


def test_events_come_in_order_however_they_are_cut(serve: Serve) -> None:
    def answer(c: Conversation) -> None:
        c.stream()
        text = b'{"type":"ADDED","object":{"n":1}}\n{"type":"BOOKMARK","object":{"n":2}}\n'
        for start in range(0, len(text), 7):
            c.chunk(text[start : start + 7])
        c.end_stream()

    api = serve(answer)
    events = list(api.cluster().watch(PATH, "17", {"labelSelector": "a"}, timeout_s=42.5))
    assert events == [WatchEvent("ADDED", {"n": 1}), WatchEvent("BOOKMARK", {"n": 2})]
    assert api.asked[0].query == {
        "labelSelector": "a",
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": "17",
        "timeoutSeconds": "42",
    }


def test_silence_ends_a_watch_and_is_no_error(serve: Serve) -> None:
    api = serve(streaming(event("ADDED", {}), Conversation.say_nothing))
    began = time.monotonic()
    events = list(api.cluster().watch(PATH, "1", inactivity_s=0.2))
    assert [one.type for one in events] == ["ADDED"]
    assert 0.15 < time.monotonic() - began < 5.0


def test_a_watch_ends_at_its_time_even_if_the_server_goes_on(serve: Serve) -> None:
    api = serve(streaming(lambda c: c.drip(b"1\r\n\n\r\n", 0.02)))
    began = time.monotonic()
    assert list(api.cluster().watch(PATH, "1", timeout_s=0.2)) == []
    assert time.monotonic() - began < 5.0


def test_a_watch_that_breaks_off_is_unavailable_after_its_events(serve: Serve) -> None:
    api = serve(streaming(event("ADDED", {}), Conversation.hang_up))
    watch = api.cluster().watch(PATH, "1")
    assert next(watch).type == "ADDED"
    with pytest.raises(Unavailable, match="broke"):
        next(watch)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (status_object(410, "Expired", "too old resource version: 1 (9)"), Gone),
        (status_object(403, "Forbidden", "no"), Forbidden),
        (status_object(500, "InternalError", "oh"), Unavailable),
        ({"kind": "Status"}, Unavailable),
    ],
)
def test_an_error_event_is_raised_as_its_class(
    serve: Serve, status: dict[str, object], kind: type[ClusterError]
) -> None:
    api = serve(streaming(event("ERROR", status), Conversation.say_nothing))
    with pytest.raises(kind) as caught:
        list(api.cluster().watch(PATH, "1"))
    assert str(caught.value) == status.get("message", "HTTP 500 without an explanation")


def test_a_watch_that_is_refused_at_once_is_raised_before_it_begins(serve: Serve) -> None:
    api = serve(lambda c: c.status(410, "Expired", "too old"))
    with pytest.raises(Gone, match="too old"):
        api.cluster().watch(PATH, "1")


@pytest.mark.parametrize(
    "line", [b"<html>\n", b"[]\n", b'{"type": 1, "object": {}}\n', b'{"type": "ADDED"}\n']
)
def test_what_is_no_event_is_unavailable(serve: Serve, line: bytes) -> None:
    api = serve(streaming(lambda c: c.chunk(line), Conversation.say_nothing))
    with pytest.raises(Unavailable, match="sent no event"):
        list(api.cluster().watch(PATH, "1"))


def test_a_line_without_end_is_given_up(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MOST_LINE_BYTES", 100_000)

    def endless(c: Conversation) -> None:
        while True:
            c.chunk(b"x" * 10_000)

    with pytest.raises(Unavailable, match="exceeds"):
        list(serve(streaming(endless)).cluster().watch(PATH, "1"))


def test_another_thread_can_end_a_silent_watch(serve: Serve) -> None:
    api = serve(streaming(event("ADDED", thing("a", 1)), Conversation.say_nothing))
    watch = api.cluster().watch(PATH, "1", inactivity_s=60.0)
    assert next(watch).type == "ADDED"
    began = time.monotonic()
    threading.Timer(0.05, watch.stop).start()
    assert list(watch) == []
    assert time.monotonic() - began < 5.0
    watch.stop()
