"""Changes: only from pages of ours, and once, however often they are sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from guarded_service import ANNA, HOST, GuardedService
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autoscaler.api.access.open_access import OpenAccess
from autoscaler.api.protection.idempotency import IdempotencyKeys
from autoscaler.api.protection.request_state import identify_request
from autoscaler.store.store import Store

THING = "/api/v1/namespaces/shop/thing"
COOKIE = {"Cookie": "pa_session=anna-token"}
TOKEN = {"Authorization": "Bearer anna-token"}


# From where


@pytest.mark.parametrize(
    ("shown", "origin", "status"),
    [
        pytest.param(COOKIE, f"http://{HOST}", 201, id="cookie, own page"),
        pytest.param(COOKIE, f"https://{HOST}", 201, id="cookie, own page behind TLS"),
        pytest.param(COOKIE, None, 403, id="cookie, no origin"),
        pytest.param(COOKIE, "null", 403, id="cookie, hidden origin"),
        pytest.param(COOKIE, "https://elsewhere.test", 403, id="cookie, elsewhere"),
        pytest.param(COOKIE, f"https://{HOST}.elsewhere.test", 403, id="cookie, a longer name"),
        pytest.param(COOKIE, f"https://{HOST}:8443", 403, id="cookie, another port"),
        pytest.param(COOKIE, f"https://elsewhere.test/{HOST}", 403, id="cookie, name in the path"),
        pytest.param(COOKIE, "http://[", 403, id="cookie, no URL"),
        pytest.param(TOKEN, None, 201, id="token, no origin"),
        pytest.param(TOKEN, "https://elsewhere.test", 201, id="token, which no page from elsewhere has"),
        pytest.param(TOKEN | COOKIE, "https://elsewhere.test", 201, id="token and cookie"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_change_by_cookie_comes_from_a_page_of_ours(
    method: str, shown: dict[str, str], origin: str | None, status: int
) -> None:
    service = GuardedService()
    with service.client() as client:
        answer = client.request(method, THING, headers=shown | ({"Origin": origin} if origin else {}))
    assert answer.status_code == status
    assert len(service.writes) == (status == 201)


def test_reading_by_cookie_needs_no_origin() -> None:
    with GuardedService().client() as client:
        assert client.get("/api/v1/whoami", headers=COOKIE).status_code == 200


@pytest.mark.parametrize(
    ("host", "origin", "reads", "writes"),
    [
        pytest.param("localhost:8080", None, 200, 201, id="a program on this machine"),
        pytest.param("127.0.0.1:8080", "http://127.0.0.1:8080", 200, 201, id="our page"),
        pytest.param("[::1]:8080", "http://[::1]:8080", 200, 201, id="our page, IPv6"),
        pytest.param("127.0.0.1:8080", "https://elsewhere.test", 200, 403, id="a page from elsewhere"),
        pytest.param("elsewhere.test", "http://elsewhere.test", 403, 403, id="a name that leads here"),
        pytest.param("elsewhere.test:8080", None, 403, 403, id="a name that leads here, no origin"),
        pytest.param("[::1", None, 403, 403, id="no name"),
    ],
)
@pytest.mark.parametrize("made_up", [{}, TOKEN, COOKIE], ids=["nothing", "a token", "a cookie"])
def test_without_tokens_only_this_machine_is_served(
    made_up: dict[str, str], host: str, origin: str | None, reads: int, writes: int
) -> None:
    service = GuardedService(OpenAccess("127.0.0.1"))
    headers = {"Host": host, **made_up} | ({"Origin": origin} if origin else {})
    with service.client() as client:
        assert client.get("/api/v1/whoami", headers=headers).status_code == reads
        assert client.post(THING, headers=headers).status_code == writes
        assert client.get("/healthz", headers=headers).status_code == 200


# Once


def test_a_change_that_is_sent_again_is_made_once_and_answered_alike(keys: Store) -> None:
    service = GuardedService(keys=keys)
    with service.client("anna-token") as client:
        headers = {"Idempotency-Key": "one"}
        first = client.post(THING, content=b"a", headers=headers)
        again = client.post(THING, content=b"a", headers=headers)
    assert service.writes == [b"a"]
    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        pytest.param("POST", THING, b"b", id="another body"),
        pytest.param("PUT", THING, b"a", id="another method"),
        pytest.param("POST", f"{THING}?dryRun=true", b"a", id="another query"),
    ],
)
def test_a_key_is_not_for_two_changes(method: str, path: str, content: bytes, keys: Store) -> None:
    service = GuardedService(keys=keys)
    with service.client("anna-token") as client:
        headers = {"Idempotency-Key": "one"}
        client.post(THING, content=b"a", headers=headers)
        answer = client.request(method, path, content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "IdempotencyKeyReused")
    assert service.writes == [b"a"]


def test_a_key_is_its_callers_own(keys: Store) -> None:
    service = GuardedService(keys=keys)
    with service.client() as client:
        for name in ("anna", "root"):
            headers = {"Idempotency-Key": "one", "Authorization": f"Bearer {name}-token"}
            assert client.post(THING, content=name.encode(), headers=headers).status_code == 201
    assert service.writes == [b"anna", b"root"]


def test_what_was_refused_may_be_tried_again_with_its_key(keys: Store) -> None:
    service = GuardedService(keys=keys)
    with service.client("anna-token") as client:
        headers = {"Idempotency-Key": "one"}
        path = "/api/v1/namespaces/pay/thing"
        assert client.post(path, headers=headers).status_code == 403
        service.access.rights |= {("anna", verb, "pay") for _, verb, _ in service.access.rights}
        assert client.post(path, headers=headers).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "é".encode("latin-1")])
def test_a_key_is_a_plain_word(key: str | bytes, keys: Store) -> None:
    with GuardedService(keys=keys).client("anna-token") as client:
        answer = client.post(THING, headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidIdempotencyKey")


def test_of_two_at_the_same_time_one_is_made(keys: Store) -> None:
    service = GuardedService(keys=keys)
    with service.client("anna-token") as client, ThreadPoolExecutor(2) as pool:
        answers = [
            pool.submit(client.post, THING, content=b"slow", headers={"Idempotency-Key": "one"})
            for _ in range(2)
        ]
        statuses = sorted(answer.result().status_code for answer in answers)
        assert statuses == [201, 409]
        again = client.post(THING, content=b"slow", headers={"Idempotency-Key": "one"})
    assert again.headers["Idempotency-Replayed"] == "true"
    assert service.writes == [b"slow"]


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[Store]:
    """A store with its tables."""
    store = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
    store.migrate()
    yield store
    store.close()


def test_a_change_that_is_sent_again_to_another_replica_is_made_once(keys: Store) -> None:
    services = GuardedService(keys=keys), GuardedService(keys=Store.open(str(keys.engine.url)))
    headers = {"Idempotency-Key": "one"}
    answers = []
    for service in services:
        with service.client("anna-token") as client:
            answers.append(client.post(THING, content=b"a", headers=headers))
    assert [service.writes for service in services] == [[b"a"], []]
    assert answers[0].content == answers[1].content
    assert "Idempotency-Replayed" in answers[1].headers


def test_a_change_whose_key_cannot_be_kept_is_not_made(tmp_path: Path) -> None:
    service = GuardedService(keys=Store.open(f"sqlite:///{tmp_path / 'none' / 'store.db'}"))
    with service.client("anna-token") as client:
        answer = client.post(THING, headers={"Idempotency-Key": "one"})
    assert (answer.status_code, answer.json()["code"]) == (503, "StoreUnavailable")
    assert service.writes == []


def test_a_key_is_new_after_a_day(keys: Store) -> None:
    time_s = [0.0]
    made_s = []

    async def change(scope: Scope, receive: Receive, send: Send) -> None:
        made_s.append(time_s[0])
        await Response(status_code=201)(scope, receive, send)

    guard = IdempotencyKeys(change, keys, 10.0, lambda: time_s[0])
    for time_s[0] in (0.0, 86_399.0, 86_401.0):
        asyncio.run(_sent_to(guard))
    assert made_s == [0.0, 86_401.0]


def test_reading_takes_no_notice_of_a_key() -> None:
    with GuardedService().client("anna-token") as client:
        for _ in range(2):
            answer = client.get("/api/v1/whoami", headers={"Idempotency-Key": "x" * 999})
            assert answer.status_code == 200
            assert "Idempotency-Replayed" not in answer.headers


async def _sent_to(app: ASGIApp) -> None:
    """A change of Anna's with a key, always the same."""
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [(b"idempotency-key", b"one")],
    }
    identify_request(scope, ANNA, "header")

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        """To nobody."""

    await app(scope, receive, send)
