"""The stream of what changes, from a real server to real clients."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx2
import pytest
from answered_shapes import refused
from filled_store import END_S
from served import served
from whole_service import WholeService

from autoscaler.api.app import API
from autoscaler.api.routes import watch
from autoscaler.api.shapes.decisions import DecisionSummary
from autoscaler.store.ids import new_id
from autoscaler.store.rows import DecisionMade, StateKept


class Events:
    """What one client is told."""

    def __init__(self, answer: httpx2.Response) -> None:
        self.answer = answer
        self._lines = answer.iter_lines()

    def next(self) -> dict[str, Any]:
        """The next event, by its fields; its data read as JSON."""
        fields: dict[str, Any] = {}
        for line in self._lines:
            if not line:
                break
            name, _, value = line.partition(": ")
            fields[name] = json.loads(value) if name == "data" else value
        return fields


@pytest.fixture
def url(own_service: WholeService) -> Iterator[str]:
    with served(own_service.app) as found:
        yield found


@contextmanager
def watching(url: str, token: str = "root-token", query: str = "", **headers: str) -> Iterator[Events]:
    """A client that has been told where it begins."""
    sent = {
        "Authorization": f"Bearer {token}",
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    with (
        httpx2.Client(timeout=30) as client,
        client.stream("GET", f"{url}{API}/watch{query}", headers=sent) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        events = Events(answer)
        assert set(events.next()) == {"retry", "id"}
        yield events


def decision(workload: str, at_s: float) -> DecisionMade:
    return DecisionMade(workload, new_id(at_s), at_s, 3, 5, (), "Scale out from 3 to 5.", {"v": 1}, "Done")


def decide(service: WholeService, workload: str, at_s: float = END_S) -> str:
    """Store a decision; its identifier."""
    made = decision(workload, at_s)
    service.store.write([made])
    return made.id


def change(service: WholeService, workload: str) -> None:
    """Store a newer state."""
    entry = service.fleet.snapshot.entries[workload]
    service.store.write([StateKept(workload, entry.at_s + 1, entry.state)])


def test_what_changes_is_told(own_service: WholeService, url: str) -> None:
    with watching(url) as events:
        assert events.answer.headers["content-type"].startswith("text/event-stream")
        change(own_service, "shop/checkout")
        change(own_service, "pay/cards")
        made = decide(own_service, "shop/checkout")
        own_service.fleet.look()
        assert events.next() == {
            "event": "workloads",
            "data": {"changed": ["pay/cards", "shop/checkout"]},
        }
        told = events.next()
        assert (told["event"], told["id"]) == ("decision", made)
        assert DecisionSummary.model_validate(told["data"]).workload == "checkout"


def test_who_comes_back_is_told_what_was_missed_and_nothing_twice(
    own_service: WholeService, url: str
) -> None:
    first = decide(own_service, "shop/checkout")
    missed = decide(own_service, "pay/cards", END_S + 1)
    own_service.fleet.look()
    with watching(url, Last_Event_ID=first) as events:
        assert events.next()["id"] == missed
        later = decide(own_service, "shop/cart", END_S + 2)
        own_service.fleet.look()
        assert events.next()["id"] == later


def test_who_was_away_for_long_is_told_in_parts(
    own_service: WholeService, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_AT_ONCE", 3)
    made = [decide(own_service, "shop/checkout", END_S + number) for number in range(5)]
    own_service.fleet.look()
    with watching(url, Last_Event_ID=made[0]) as events:
        assert [events.next()["id"] for _ in range(3)] == made[1:4]
        assert events.next() == {}, "the stream ends, for the client to come back"
    with watching(url, Last_Event_ID=made[3]) as events:
        assert events.next()["id"] == made[4]


def test_only_what_the_caller_may_see_is_told(own_service: WholeService, url: str) -> None:
    with watching(url, "anna-token") as anna, watching(url, query="?namespace=pay") as pay:
        change(own_service, "pay/cards")
        change(own_service, "shop/checkout")
        hidden, seen = decide(own_service, "pay/cards"), decide(own_service, "shop/checkout")
        own_service.fleet.look()
        assert anna.next()["data"] == {"changed": ["shop/checkout"]}
        assert anna.next()["id"] == seen
        assert pay.next()["data"] == {"changed": ["pay/cards"]}
        assert pay.next()["id"] == hidden


def test_what_was_missed_is_told_only_to_who_may_see_it(own_service: WholeService, url: str) -> None:
    first = decide(own_service, "shop/checkout")
    decide(own_service, "pay/cards", END_S + 1)
    seen = decide(own_service, "shop/cart", END_S + 2)
    own_service.fleet.look()
    with watching(url, "anna-token", Last_Event_ID=first) as anna:
        assert anna.next()["id"] == seen


def test_a_right_that_is_taken_away_ends_the_stream(own_service: WholeService, url: str) -> None:
    with watching(url, "anna-token", "?namespace=shop") as anna:
        own_service.access.rights.clear()
        change(own_service, "shop/checkout")
        own_service.fleet.look()
        assert anna.next() == {}


def test_silence_is_broken_by_a_ping(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_PING_EVERY_S", 0.05)
    with watching(url) as events:
        assert [events.next() for _ in range(2)] == [{"event": "ping", "data": {}}] * 2


def test_a_stream_ends_so_that_the_token_is_shown_again(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_PING_EVERY_S", 0.05)
    monkeypatch.setattr(watch, "_LASTS_S", 0.2)
    with watching(url) as events:
        told = [events.next() for _ in range(12)]
    assert {} in told


def test_a_client_that_takes_nothing_is_let_go_and_keeps_nobody_waiting(
    own_service: WholeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_PATIENCE_S", 0.2)
    with served(own_service.app, send_buffer=4096) as url, socket.socket() as stuck:
        host, _, port = url.removeprefix("http://").partition(":")
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect((host, int(port)))
        asked = f"GET {API}/watch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer root-token\r\n\r\n"
        stuck.sendall(asked.encode())
        assert stuck.recv(64).startswith(b"HTTP/1.1 200")
        with watching(url) as quick:
            own_service.store.write(
                [decision("shop/checkout", END_S + number / 1000) for number in range(2000)]
            )
            own_service.fleet.look()
            assert [quick.next()["event"] for _ in range(2000)] == ["decision"] * 2000
        time.sleep(2.0)  # well beyond the service's patience
        stuck.settimeout(30)
        taken = 0
        with suppress(ConnectionResetError):
            while chunk := stuck.recv(65_536):
                taken += len(chunk)
        assert taken < 300_000, "the connection was closed long before all of it was sent"


def test_there_is_room_for_so_many(own_service: WholeService) -> None:
    crowded = WholeService(own_service.store, streams=4)
    with served(crowded.app) as url, watching(url), httpx2.Client() as client:
        headers = {"Authorization": "Bearer root-token"}
        refused(client.get(f"{url}{API}/watch", headers=headers), 503, "TooManyStreams")
        with watching(url, "anna-token"):
            """Another caller has a quarter of their own."""


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("?namespace=Shop", {}, 422),
        ("?nspace=shop", {}, 422),
        ("", {"Last-Event-ID": "yesterday"}, 422),
        ("?namespace=pay", {"Authorization": "Bearer anna-token"}, 403),
        ("", {"Authorization": "Bearer nobody"}, 401),
    ],
)
def test_who_asks_for_what_cannot_be_is_refused(
    own_service: WholeService, query: str, headers: dict[str, str], status: int
) -> None:
    with own_service.client() as client:
        answer = client.get(f"{API}/watch{query}", headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
