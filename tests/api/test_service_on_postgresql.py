"""The service answers from PostgreSQL what it answers from SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from filled_store import END_S, fill
from real_postgresql import running_postgresql
from whole_service import CHECKOUT, WholeService

from autoscaler.api.app import API
from autoscaler.store.store import Store

pytestmark = pytest.mark.postgresql

READS = (
    f"{API}/workloads",
    f"{API}/workloads?labelSelector=team%3Dshop&sort=-load&limit=2",
    f"{API}/fleet",
    CHECKOUT,
    f"{CHECKOUT}/series",
    f"{CHECKOUT}/series?step=7m&start=2026-11-27T17:20:00Z",
    f"{CHECKOUT}/series?start=2026-10-01T00:00:00Z",
    f"{CHECKOUT}/forecasts?limit=5",
    f"{CHECKOUT}/forecasts/latest",
    f"{CHECKOUT}/forecasts/2026-11-27T17:31:00Z",
    f"{CHECKOUT}/accuracy",
    f"{CHECKOUT}/spend",
    f"{CHECKOUT}/overrides",
    f"{API}/decisions?limit=500",
    f"{API}/decisions?namespace=media&limit=500",
    f"{API}/decisions?namespace=shop&workload=search&reason=TooManyReplicas",
    f"{API}/decisions?start=2026-11-27T17:30:00Z&end=2026-11-27T17:40:00Z",
    f"{API}/spend",
    f"{API}/events",
    f"{API}/audit",
    f"{API}/whoami",
)
MADE_ANEW = ("id", "decisionId", "continue")


@pytest.fixture(scope="module")
def on_postgresql() -> Iterator[WholeService]:
    """An hour of all scenes, and an override."""
    with running_postgresql() as server:
        store = Store.open(server.url(server.new_database()))
        store.migrate()
        fill(store, days=1 / 24)
        yield WholeService(store)
        store.close()


def settled(told: Any) -> Any:
    """Without what differs whenever a store is filled. Decisions of one moment are in any order."""
    match told:
        case dict():
            return {name: settled(value) for name, value in told.items() if name not in MADE_ANEW}
        case list() if told and isinstance(told[0], dict):
            return sorted((settled(value) for value in told), key=str)
        case list():
            return [settled(value) for value in told]
        case _:
            return told


@pytest.mark.parametrize("path", READS)
def test_every_answer_is_the_same(on_postgresql: WholeService, own_service: WholeService, path: str) -> None:
    with on_postgresql.client() as one, own_service.client() as other:
        told, expected = one.get(path), other.get(path)
        assert told.status_code == expected.status_code == 200
        assert settled(told.json()) == settled(expected.json())


def test_a_decision_is_told_in_full_and_decided_again(on_postgresql: WholeService) -> None:
    with on_postgresql.client() as client:
        number = client.get(f"{API}/decisions?limit=1").json()["items"][0]["id"]
        assert client.get(f"{API}/decisions/{number}").json()["id"] == number
        assert client.get(f"{API}/decisions/{number}/replay").json()["same"] is True


def test_an_override_is_kept_and_taken_back(on_postgresql: WholeService) -> None:
    body = {"kind": "Minimum", "replicas": 5, "until": "2026-11-27T20:00:00Z", "reason": "ünïcödé"}
    with on_postgresql.client() as client:
        made = client.post(f"{CHECKOUT}/overrides", json=body)
        assert made.status_code == 201
        assert client.delete(made.headers["location"]).json()["state"] == "Ended"
        actions = [entry["action"] for entry in client.get(f"{API}/audit").json()["items"]]
        assert actions == ["overrides.delete", "overrides.create"]
    assert on_postgresql.now_s < END_S
