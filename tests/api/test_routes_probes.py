"""Whether the service is alive and ready, and what it says of itself."""

from __future__ import annotations

from pathlib import Path

from answered_shapes import refused
from starlette.testclient import TestClient
from whole_service import CHECKOUT, WholeService

from autoscaler.api.app import API
from autoscaler.store.store import Store


def test_whether_it_is_alive_and_ready_is_told_to_anybody(service: WholeService) -> None:
    with service.client("") as stranger:
        for probe in ("/healthz", "/readyz"):
            assert (stranger.get(probe).status_code, stranger.get(probe).text) == (200, "ok")


def test_it_is_not_ready_before_the_store_was_read_and_stays_ready_after(tmp_path: Path) -> None:
    file = tmp_path / "volume" / "store.db"
    service = WholeService(Store.open(f"sqlite:///{file}"))
    with service.client() as client:
        refused(client.get("/readyz"), 503, "NotReady")
        assert client.get("/healthz").status_code == 200
        assert client.get(f"{API}/workloads").json()["metadata"]["outdatedSince"] is not None
        file.parent.mkdir()
        service.store.migrate()
        service.fleet.look()
        assert client.get("/readyz").status_code == 200
        service.store.close()
        file.unlink()
        service.steady_s += 60.0
        service.fleet.look()
        assert client.get("/readyz").status_code == 200, "what is known is still shown"
        assert client.get(f"{API}/workloads").json()["metadata"]["outdatedSince"] is not None


def test_it_says_which_tables_it_waits_for_and_answers_once_they_are_there(tmp_path: Path) -> None:
    service = WholeService(Store.open(f"sqlite:///{tmp_path / 'store.db'}"))
    with service.client() as client:
        service.fleet.look()
        assert "has no tables yet" in refused(client.get("/readyz"), 503, "NotReady")
        answered = client.get(f"{API}/decisions")
        assert "has no tables yet" in refused(answered, 503, "StoreUnavailable")
        assert answered.headers["Retry-After"] == "5"
        operator = Store.open(f"sqlite:///{tmp_path / 'store.db'}")
        operator.migrate()
        operator.close()
        service.fleet.look()
        assert client.get("/readyz").status_code == 200
        assert client.get(f"{API}/decisions").status_code == 200


def test_its_figures_are_for_who_may_read_them(service: WholeService, client: TestClient) -> None:
    client.get(CHECKOUT)
    told = client.get("/metrics")
    assert told.headers["content-type"].startswith("text/plain")
    route = 'route="/api/v1/namespaces/{namespace}/workloads/{name}"'
    assert route in told.text and "shop" not in told.text
    with service.client("anna-token") as anna:
        refused(anna.get("/metrics"), 403, "Forbidden")
    with service.client("") as stranger:
        refused(stranger.get("/metrics"), 401, "Unauthenticated")


def test_what_it_can_do_is_for_callers_only(service: WholeService) -> None:
    with service.client("") as stranger, service.client("anna-token") as anna:
        refused(stranger.get("/openapi.json"), 401, "Unauthenticated")
        assert anna.get("/openapi.json").json()["openapi"].startswith("3.")
