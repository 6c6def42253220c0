"""What is kept is not older than the state of the workload, and shown to nobody who may not see it."""

from __future__ import annotations

from typing import Any

import pytest
from filled_store import END_S
from whole_service import CHECKOUT, WholeService

from autoscaler.store.rows import ForecastMade, ManifestKept, Observed, StateKept
from autoscaler.store.store import Store


def renewed(service: WholeService, *rows: Any) -> None:
    """What an evaluation stores, the state last, and a look at it."""
    entry = service.fleet.snapshot.entries["shop/checkout"]
    service.store.write([*rows, StateKept("shop/checkout", entry.at_s + 15.0, entry.state)])
    service.fleet.look()


def reads(monkeypatch: pytest.MonkeyPatch, name: str) -> list[str]:
    """The workloads for which this method of a store is called from now on."""
    called: list[str] = []
    method = getattr(Store, name)

    def counted(store: Store, workload: str, *more: Any) -> Any:
        called.append(workload)
        return method(store, workload, *more)

    monkeypatch.setattr(Store, name, counted)
    return called


@pytest.mark.parametrize(
    ("path", "method"),
    [("", "manifest"), ("/forecasts/latest", "forecast_at"), ("/forecasts/1795799000", "forecast_at")],
)
def test_the_store_is_read_once_for_each_state(
    own_service: WholeService, monkeypatch: pytest.MonkeyPatch, path: str, method: str
) -> None:
    with own_service.client() as client:
        called = reads(monkeypatch, method)
        answers = [client.get(f"{CHECKOUT}{path}") for _ in range(3)]
        assert len({answer.content for answer in answers}) == 1
        assert called == ["shop/checkout"]
        renewed(own_service)
        client.get(f"{CHECKOUT}{path}")
        assert called == ["shop/checkout"] * 2


def test_a_new_forecast_is_answered_as_soon_as_the_state_is_renewed(own_service: WholeService) -> None:
    with own_service.client() as client:
        before = client.get(f"{CHECKOUT}/forecasts/latest").json()["madeAt"]
        renewed(own_service, ForecastMade("shop/checkout", END_S, {"model": "trend"}))
        after = client.get(f"{CHECKOUT}/forecasts/latest").json()
        assert (before, after["madeAt"], after["model"]) == (
            "2026-11-27T17:55:00Z",
            "2026-11-27T18:00:00Z",
            "trend",
        )


def test_what_came_is_added_to_a_forecast(own_service: WholeService) -> None:
    with own_service.client() as client:
        before = client.get(f"{CHECKOUT}/forecasts/latest").json()["columns"]["actual"]
        renewed(own_service, Observed("shop/checkout", END_S + 60, 777.0, 8, 8))
        after = client.get(f"{CHECKOUT}/forecasts/latest").json()["columns"]["actual"]
        assert 777.0 in after and 777.0 not in before


def test_a_changed_manifest_is_answered_as_soon_as_the_state_is_renewed(own_service: WholeService) -> None:
    with own_service.client() as client:
        client.get(CHECKOUT)
        renewed(own_service, ManifestKept("shop/checkout", END_S, {"kind": "Changed"}))
        assert client.get(CHECKOUT).json()["manifest"] == {"kind": "Changed"}


def test_a_workload_that_turns_stale_is_shown_so(own_service: WholeService) -> None:
    with own_service.client() as client:
        assert "Stale" not in client.get(CHECKOUT).json()["problems"]
        own_service.now_s += 600.0
        own_service.fleet.look()
        assert "Stale" in client.get(CHECKOUT).json()["problems"]


def test_formats_are_kept_apart(own_service: WholeService) -> None:
    with own_service.client() as client:
        path = f"{CHECKOUT}/forecasts/latest"
        kinds = [
            client.get(path, params={"format": kind}).headers["content-type"]
            for kind in ("json", "csv", "json")
        ]
        assert [kind.partition(";")[0] for kind in kinds] == [
            "application/json",
            "text/csv",
            "application/json",
        ]


def test_what_one_caller_has_seen_is_not_shown_to_another(own_service: WholeService) -> None:
    hidden = CHECKOUT.replace("shop/workloads/checkout", "pay/workloads/cards")
    with own_service.client() as root, own_service.client("anna-token") as anna:
        for path in ("", "/forecasts/latest"):
            assert root.get(f"{hidden}{path}").status_code == 200
            assert anna.get(f"{hidden}{path}").status_code == 403
