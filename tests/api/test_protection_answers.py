"""What every answer carries, and how it is made smaller or left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from guarded_service import GuardedService
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient
from structlog.testing import capture_logs

WHOAMI = "/api/v1/whoami"
LARGE = "/api/v1/large"


@pytest.fixture(scope="module")
def service() -> Iterator[TestClient]:
    with GuardedService().client() as client:
        yield client


@pytest.mark.parametrize(
    ("token", "path", "status"),
    [
        ("anna-token", WHOAMI, 200),
        ("", WHOAMI, 401),
        ("anna-token", "/api/v1/namespaces/pay/thing", 403),
        ("anna-token", "/api/v1/none", 404),
        ("anna-token", "/api/v1/fails", 500),
        ("anna-token", "/api/v1/hangs", 504),
        ("", "/healthz", 200),
        ("", "/login", 200),
    ],
)
def test_every_answer_is_guarded_and_has_an_id(token: str, path: str, status: int) -> None:
    with GuardedService(deadline_s="200ms").client(token) as client, capture_logs():
        answer = client.get(path)
    assert answer.status_code == status
    headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert "unsafe-inline" not in policy["style-src"]
    assert re.fullmatch("[0-9a-f]{32}", headers["X-Request-Id"])
    if status >= 400:
        assert headers["Content-Type"] == "application/problem+json"
        assert answer.json()["requestId"] == headers["X-Request-Id"]
        assert answer.json()["status"] == status


def test_no_other_origin_may_read_anything() -> None:
    with GuardedService().client("anna-token") as client:
        origin = {"Origin": "https://elsewhere.test"}
        answers = [
            client.get(WHOAMI, headers=origin),
            client.options(WHOAMI, headers=origin | {"Access-Control-Request-Method": "GET"}),
        ]
    assert not [name for answer in answers for name in answer.headers if name.startswith("access-control")]


@given(given_id=st.text(st.characters(codec="latin-1"), max_size=200) | st.from_regex(r"[\w.:-]{1,140}"))
def test_an_id_that_was_sent_comes_back_only_if_it_is_a_plain_word(
    service: TestClient, given_id: str
) -> None:
    sent = given_id.encode("latin-1", "replace")
    named = service.get("/healthz", headers=[(b"x-request-id", sent)]).headers["X-Request-Id"]
    if re.fullmatch(rb"[A-Za-z0-9._:+/=-]{1,128}", sent):
        assert named.encode() == sent
    else:
        assert re.fullmatch("[0-9a-f]{32}", named)


def test_the_own_caching_of_a_file_is_kept() -> None:
    with GuardedService().client() as client:
        assert client.get("/login.js").headers["Cache-Control"] == "max-age=60"


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_what_the_caller_has_is_not_sent_again(encoding: str) -> None:
    headers = {"Accept-Encoding": encoding}
    with GuardedService().client("anna-token") as client:
        first = client.get(LARGE, headers=headers)
        tag = first.headers["ETag"]
        again = client.get(LARGE, headers=headers | {"If-None-Match": f'"other", {tag}'})
        other = client.get(LARGE, headers=headers | {"If-None-Match": '"other"'})
    assert tag.startswith('W/"')
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == tag
    assert "content-type" not in again.headers
    assert (other.status_code, other.json()) == (200, first.json())


def test_a_tag_follows_the_content() -> None:
    with GuardedService().client() as client:
        tags = [
            client.get(WHOAMI, headers={"Authorization": f"Bearer {name}-token"}).headers["ETag"]
            for name in ("anna", "root", "anna")
        ]
    assert tags[0] == tags[2] != tags[1]


def test_only_what_was_found_has_a_tag() -> None:
    with GuardedService().client("anna-token") as client:
        assert "ETag" not in client.get("/api/v1/none").headers
        assert "ETag" not in client.post("/api/v1/namespaces/shop/thing").headers


def test_long_answers_are_packed_for_who_can_unpack_them() -> None:
    with GuardedService().client("anna-token") as client:
        packed = client.get(LARGE, headers={"Accept-Encoding": "gzip"})
        plain = client.get(LARGE, headers={"Accept-Encoding": "identity"})
        short = client.get(WHOAMI, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) < len(plain.content) / 2
    assert packed.json() == plain.json()
    assert "Content-Encoding" not in plain.headers
    assert "Content-Encoding" not in short.headers


def test_a_stream_is_neither_packed_nor_held_back() -> None:
    with GuardedService().client("anna-token") as client:
        answer = client.get("/api/v1/stream", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
    assert "ETag" not in answer.headers


def test_a_fault_of_ours_is_not_explained_to_callers() -> None:
    with GuardedService().client("anna-token") as client, capture_logs():
        answer = client.get("/api/v1/fails")
    assert answer.json()["code"] == "InternalError"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
