"""Requests to an API server that misbehaves: each ends in time, and says what is known."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted_api import Answer, Conversation, ScriptedAPI, listed, serving, thing

from autoscaler.controller.cluster import exchange
from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.errors import (
    ClusterError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    TooManyRequests,
    Unauthorized,
    Unavailable,
)

Serve = Callable[[Answer], ScriptedAPI]
PATH = "/apis/apps/v1/namespaces/shop/deployments/web/scale"


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (400, "BadRequest", Invalid),
        (401, "Unauthorized", Unauthorized),
        (403, "Forbidden", Forbidden),
        (404, "NotFound", NotFound),
        (405, "MethodNotAllowed", ClusterError),
        (409, "AlreadyExists", Conflict),
        (410, "Expired", Gone),
        (422, "Invalid", Invalid),
        (429, "TooManyRequests", TooManyRequests),
        (500, "InternalError", Unavailable),
        (504, "Timeout", Unavailable),
    ],
)
def test_each_refusal_has_its_class_and_the_words_of_the_server(
    serve: Serve, code: int, reason: str, kind: type[ClusterError]
) -> None:
    api = serve(lambda c: c.status(code, reason, "the server's\n own words"))
    with pytest.raises(ClusterError) as caught:
        api.cluster().get(PATH)
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.reason, error.path) == (code, reason, PATH)
    assert str(error) == error.message == "the server's own words"


def test_a_long_message_is_cut(serve: Serve) -> None:
    api = serve(lambda c: c.status(403, "Forbidden", "x" * 5000))
    with pytest.raises(Forbidden) as caught:
        api.cluster().get(PATH)
    assert len(str(caught.value)) == 300


@pytest.mark.parametrize(
    ("header", "details", "expected"),
    [("7", None, 7.0), ("", {"retryAfterSeconds": 3}, 3.0), ("", None, 1.0), ("soon", None, 1.0)],
)
def test_too_many_requests_says_when_to_ask_again(
    serve: Serve, header: str, details: dict[str, int] | None, expected: float
) -> None:
    more = {"Retry_After": header} if header else {}
    api = serve(lambda c: c.json({"kind": "Status", "details": details}, 429, **more))
    with pytest.raises(TooManyRequests) as caught:
        api.cluster().patch(PATH, {})
    assert caught.value.retry_after_s == expected
    assert len(api.asked) == 1


@pytest.mark.parametrize("body", [b"<html>Service Unavailable sesame</html>", b"", b"\xff\xfe"])
def test_a_page_of_a_proxy_is_unavailable_and_not_quoted(serve: Serve, body: bytes) -> None:
    api = serve(lambda c: c.reply(body, 503, Content_Type="text/html"))
    with pytest.raises(Unavailable) as caught:
        api.cluster().get(PATH)
    assert str(caught.value) == "HTTP 503 without an explanation"


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[1]", b'{"kind": "Scale"', b""])
def test_a_success_that_is_no_object_is_unavailable(serve: Serve, body: bytes) -> None:
    api = serve(lambda c: c.reply(body))
    with pytest.raises(Unavailable, match="no JSON object"):
        api.cluster().get(PATH)


def drip_body(c: Conversation) -> None:
    c.begin(Content_Length="100000")
    c.drip()


def drip_headers(c: Conversation) -> None:
    c.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    c.drip(b"x")


def drip_chunks(c: Conversation) -> None:
    c.stream()
    c.drip(b"1\r\n \r\n")


@pytest.mark.parametrize("answer", [drip_body, drip_headers, drip_chunks, Conversation.say_nothing])
@pytest.mark.parametrize("write", [False, True])
def test_the_deadline_is_for_the_whole_exchange(serve: Serve, answer: Answer, write: bool) -> None:
    cluster = serve(answer).cluster()
    began = time.monotonic()
    with pytest.raises(Unavailable, match="in time") as caught:
        if write:
            cluster.patch(PATH, {}, timeout_s=0.3)
        else:
            cluster.get(PATH, timeout_s=0.3)
    assert time.monotonic() - began < 5.0
    assert caught.value.outcome_unknown is write


def hang_up_half_way(c: Conversation) -> None:
    c.begin(Content_Length="1000")
    c.wfile.write(b"{")
    c.hang_up()


@pytest.mark.parametrize("answer", [Conversation.reset, Conversation.hang_up, hang_up_half_way])
def test_a_write_that_breaks_off_is_never_sent_again(serve: Serve, answer: Answer) -> None:
    api = serve(answer)
    with pytest.raises(Unavailable, match="broke") as caught:
        api.cluster().patch(PATH, {"spec": {"replicas": 3}})
    assert caught.value.outcome_unknown
    assert len(api.asked) == 1


def test_a_read_is_repeated_once_when_a_kept_connection_was_dropped(serve: Serve) -> None:
    def second_is_dropped(c: Conversation) -> None:
        if len(api.asked) == 2:
            c.hang_up()
        else:
            c.json({"n": len(api.asked)})

    api = serve(second_is_dropped)
    cluster = api.cluster()
    assert cluster.get(PATH) == {"n": 1}
    assert cluster.get(PATH) == {"n": 3}
    assert api.connections == 2


def test_a_read_is_not_repeated_for_ever(serve: Serve) -> None:
    api = serve(Conversation.hang_up)
    with pytest.raises(Unavailable) as caught:
        api.cluster().get(PATH)
    assert len(api.asked) == 2
    assert not caught.value.outcome_unknown


def test_a_write_that_the_server_failed_at_may_have_happened(serve: Serve) -> None:
    api = serve(lambda c: c.status(500, "InternalError", "etcdserver: leader changed"))
    with pytest.raises(Unavailable) as caught:
        api.cluster().patch(PATH, {})
    assert caught.value.outcome_unknown


def test_a_write_to_nobody_did_not_happen(tmp_path: Path) -> None:
    with serving(Conversation.reset, tmp_path) as api:
        cluster = api.cluster()
    with pytest.raises(Unavailable, match=r"no connection .*refused") as caught:
        cluster.patch(PATH, {})
    assert not caught.value.outcome_unknown
    assert caught.value.status == 0


def test_no_redirect_is_followed(serve: Serve) -> None:
    other = serve(lambda c: c.json({"stolen": True}))
    api = serve(lambda c: c.reply(b"", 307, Location=f"{other.url}/x"))
    with pytest.raises(Unavailable, match="redirected"):
        api.cluster().get(PATH)
    assert other.asked == []


def test_silence_after_a_drip_does_not_begin_the_deadline_anew(serve: Serve) -> None:
    def drip_and_stop(c: Conversation) -> None:
        c.begin(Content_Length="100000")
        ends = time.monotonic() + 1.6
        while time.monotonic() < ends:
            c.wfile.write(b" ")
            time.sleep(0.02)
        c.say_nothing()

    cluster = serve(drip_and_stop).cluster()
    began = time.monotonic()
    with pytest.raises(Unavailable, match="in time"):
        cluster.get(PATH, timeout_s=2.0)
    assert time.monotonic() - began < 3.2


@pytest.mark.parametrize("stated", [True, False])
def test_an_answer_without_end_is_given_up(
    serve: Serve, stated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "MOST_BYTES", 200_000)

    def endless(c: Conversation) -> None:
        c.begin(**({"Content_Length": "999999999"} if stated else {"Transfer_Encoding": "chunked"}))
        part = b" " * 50_000
        while True:
            if stated:
                c.wfile.write(part)
            else:
                c.chunk(part)

    with pytest.raises(Unavailable, match="exceeds"):
        serve(endless).cluster().get(PATH)


def test_a_path_cannot_lead_elsewhere(serve: Serve) -> None:
    api = serve(lambda c: c.json({}))
    cluster = api.cluster()
    for path in ("/api/../version", "/api//v1", "api/v1", "/api/v1/x%2f..", "/api/v1/", "/api/./v1"):
        with pytest.raises(ValueError, match="no path"):
            cluster.get(path)
    cluster.get("/api/v1/namespaces/a?b#c")
    assert [asked.path for asked in api.asked] == ["/api/v1/namespaces/a%3Fb%23c"]


def test_each_verb_sends_what_it_should(serve: Serve) -> None:
    api = serve(lambda c: c.json({"kind": "Scale"}))
    cluster = api.cluster(user_agent="tests/1")
    cluster.get(PATH, {"pretty": False, "limit": 5})
    cluster.create(PATH, {"a": 1})
    cluster.replace(PATH, {"a": 2})
    cluster.patch(PATH, {"a": 3})
    cluster.patch(PATH, [{"op": "test"}], "json")
    cluster.patch(PATH, {"a": 4}, "apply", {"fieldManager": "us", "force": True})
    cluster.delete(PATH)
    sent = [(a.method, a.query, a.headers.get("Content-Type", ""), a.body) for a in api.asked]
    assert sent == [
        ("GET", {"pretty": "false", "limit": "5"}, "", None),
        ("POST", {}, "application/json", {"a": 1}),
        ("PUT", {}, "application/json", {"a": 2}),
        ("PATCH", {}, "application/merge-patch+json", {"a": 3}),
        ("PATCH", {}, "application/json-patch+json", [{"op": "test"}]),
        ("PATCH", {"fieldManager": "us", "force": "true"}, "application/apply-patch+yaml", {"a": 4}),
        ("DELETE", {}, "", None),
    ]
    assert {(a.headers["User-Agent"], a.headers["Authorization"]) for a in api.asked} == {
        ("tests/1", "Bearer sesame")
    }
    assert api.connections == 1


def test_each_exchange_is_told(serve: Serve) -> None:
    told: list[tuple[str, int, bool]] = []

    def answer(c: Conversation) -> None:
        if c.asked.method == "GET":
            c.json({})
        elif c.asked.method == "PUT":
            c.status(409, "Conflict", "no")
        else:
            c.reset()

    cluster = serve(answer).cluster(on_request=lambda m, s, took_s: told.append((m, s, 0 < took_s < 5)))
    cluster.get(PATH)
    with pytest.raises(Conflict):
        cluster.replace(PATH, {})
    with pytest.raises(Unavailable):
        cluster.patch(PATH, {})
    assert told == [("GET", 200, True), ("PUT", 409, True), ("PATCH", 0, True)]


def test_pages_go_on_until_the_list_ends(serve: Serve) -> None:
    def answer(c: Conversation) -> None:
        page = int(c.asked.query.get("continue", "0"))
        c.json(listed(9, thing(f"t{page}", page), following=str(page + 1) if page < 2 else ""))

    api = serve(answer)
    pages = list(api.cluster().pages("/api/v1/pods", {"labelSelector": "a=b"}, limit=1))
    assert [page["items"][0]["metadata"]["name"] for page in pages] == ["t0", "t1", "t2"]
    assert {(a.query["labelSelector"], a.query["limit"]) for a in api.asked} == {("a=b", "1")}


def test_many_threads_share_one_cluster(serve: Serve) -> None:
    api = serve(lambda c: c.json({"path": c.asked.path}))
    cluster = api.cluster()
    wrong: list[str] = []

    def ask(worker: int) -> None:
        for number in range(20):
            path = f"/api/v1/x{worker}-{number}"
            if cluster.get(path)["path"] != path:
                wrong.append(path)

    threads = [threading.Thread(target=ask, args=(worker,)) for worker in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(api.asked) == 320
    assert api.connections <= 16


def test_neither_cluster_nor_error_shows_the_token(serve: Serve) -> None:
    api = serve(lambda c: c.status(403, "Forbidden", f"seen: {c.asked.headers['Authorization']}"))
    cluster: Cluster = api.cluster()
    with pytest.raises(Forbidden) as caught:
        cluster.get(PATH)
    told = repr(cluster) + repr(vars(cluster)) + repr(caught.value) + str(caught.value)
    assert "sesame" not in told
    assert "Cluster('http://127.0.0.1:" in told
