"""Answers that are given to several, each until the store is looked at again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from answered_shapes import refused
from filled_store import END_S
from guarded_service import HOST
from whole_service import CHECKOUT, WholeService, filled_service

from autoscaler.api.app import API
from autoscaler.store.errors import StoreError
from autoscaler.store.ids import new_id
from autoscaler.store.rows import DecisionMade

DECISIONS = f"{API}/decisions"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[WholeService]:
    with filled_service(tmp_path, days=0.02) as made:
        yield made


@pytest.fixture
def readings(service: WholeService, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was asked of the store for lists of decisions."""
    asked: list[Any] = []
    read = service.store.decisions

    def counted(**question: Any) -> Any:
        asked.append(question)
        return read(**question)

    monkeypatch.setattr(service.store, "decisions", counted)
    return asked


def decide(service: WholeService) -> str:
    """The identifier of a new decision."""
    number = new_id(END_S)
    made = DecisionMade("shop/checkout", number, END_S, 1, 2, (), "One more.", {}, "Done")
    service.store.write([made])
    return number


def newest(client: httpx2.Client) -> str:
    found: str = client.get(DECISIONS, params={"limit": 1}).json()["items"][0]["id"]
    return found


def test_who_may_read_everything_shares_answers_until_the_store_is_looked_at(
    service: WholeService, readings: list[Any]
) -> None:
    with service.client() as client:
        before = newest(client)
        number = decide(service)
        assert newest(client) == before
        assert len(readings) == 1
        service.fleet.look()
        readings.clear()
        assert newest(client) == number
        assert newest(client) == number
    assert len(readings) == 1


def test_who_may_not_is_never_shown_what_others_were_answered(service: WholeService) -> None:
    with service.client() as root, service.client("anna-token") as anna:
        for path in (DECISIONS, f"{API}/workloads", f"{API}/fleet"):
            everything, own = root.get(path).json(), anna.get(path).json()
            assert everything != own
            assert anna.get(path).json() == own and root.get(path).json() == everything
        cards = f"{API}/namespaces/pay/workloads/cards"
        assert root.get(cards).status_code == 200
        refused(anna.get(cards), 403, "Forbidden")
        assert root.get(cards).status_code == 200


def test_rights_that_are_taken_away_take_the_shared_answers_along(service: WholeService) -> None:
    with service.client() as client:
        everything = client.get(f"{API}/workloads").json()["items"]
        service.access.rights = {right for right in service.access.rights if right[0] != "root"}
        assert client.get(f"{API}/workloads").json()["items"] != everything


def test_many_who_ask_at_once_are_answered_by_one_reading(service: WholeService, readings: list[Any]) -> None:
    async def all_at_once() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(service.app)
        headers = {"Authorization": "Bearer root-token"}
        async with httpx2.AsyncClient(
            transport=transport, base_url=f"http://{HOST}", headers=headers
        ) as client:
            return await asyncio.gather(*(client.get(DECISIONS) for _ in range(20)))

    answers = asyncio.run(all_at_once())
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == 20
    assert len(readings) == 1


def test_a_refusal_is_not_kept(service: WholeService, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(**question: Any) -> Any:
        raise StoreError("is locked")

    with service.client() as client:
        with monkeypatch.context() as patched:
            patched.setattr(service.store, "decisions", unreadable)
            assert client.get(DECISIONS).status_code == 503
        assert client.get(DECISIONS).status_code == 200


@pytest.mark.parametrize(
    ("first", "second", "header"),
    [
        ({"Accept": "application/json"}, {"Accept": "text/csv"}, "Content-Type"),
        ({"Accept-Encoding": "gzip"}, {"Accept-Encoding": "identity"}, "Content-Encoding"),
    ],
)
def test_who_asks_for_another_form_gets_that(
    service: WholeService, first: dict[str, str], second: dict[str, str], header: str
) -> None:
    with service.client() as client:
        told = [client.get(f"{API}/fleet", headers=headers) for headers in (first, second, first)]
    assert told[0].headers[header] == told[2].headers[header] != told[1].headers.get(header)
    assert told[0].content == told[2].content


def test_who_has_a_shared_answer_already_is_told_so(service: WholeService) -> None:
    with service.client() as client:
        for path in (CHECKOUT, f"{API}/workloads"):
            tag = client.get(path).headers["ETag"]
            for _ in range(2):
                assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
            assert client.get(path).status_code == 200


def test_each_answer_tells_what_its_own_caller_has_left_and_counts_for_its_route(
    service: WholeService,
) -> None:
    with WholeService(service.store, requests_per_minute=100).client() as client:
        for _ in range(3):
            client.get(CHECKOUT)
        left = [client.get(CHECKOUT).headers["RateLimit-Remaining"] for _ in range(2)]
        figures = client.get("/metrics").text
    assert int(left[1]) == int(left[0]) - 1
    route = "/api/v1/namespaces/{namespace}/workloads/{name}"
    assert f'answer_seconds_count{{method="GET",route="{route}",status="200"}} 5.0' in figures


def test_what_people_asked_for_is_read_each_time(service: WholeService) -> None:
    asked = {"kind": "Freeze", "until": "2026-11-27T20:00:00Z", "reason": "a look"}
    with service.client() as client:
        assert client.get(f"{CHECKOUT}/overrides").json()["items"] == []
        assert client.post(f"{CHECKOUT}/overrides", json=asked).status_code == 201
        assert len(client.get(f"{CHECKOUT}/overrides").json()["items"]) == 1
