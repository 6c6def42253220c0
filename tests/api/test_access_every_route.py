"""Every route of the whole service, one by one: closed to strangers, and to whom has no rights there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.routing import iter_route_contexts
from guarded_service import MadeUpAccess
from starlette.testclient import TestClient
from whole_service import WholeService, filled_service

from autoscaler.api.access.caller import Caller
from autoscaler.api.access.verbs import Verb
from autoscaler.api.page_routes import open_paths

OPEN = {"/healthz", "/readyz", "/login", "/logout", *open_paths()}

EVE = Caller("eve")

Routes = list[tuple[str, str]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeService]:
    access = MadeUpAccess()
    access.tokens["eve-token"] = EVE
    limits = {"requests_per_minute": 100_000, "anonymous_per_minute": 100_000}
    with filled_service(tmp_path_factory.mktemp("service"), 1 / 24, access=access, **limits) as made:
        yield made


@pytest.fixture(scope="module")
def routes(whole: WholeService) -> Routes:
    """Method and path of each, with something in the place of parameters."""
    found = [
        (method, _filled(context.path or ""))
        for context in iter_route_contexts(whole.app.routes)
        for method in sorted(context.methods or {"GET"})
    ]
    assert len(found) > 30
    return found


@pytest.mark.parametrize("token", ["", "wrong-token"])
def test_no_route_answers_a_stranger(whole: WholeService, routes: Routes, token: str) -> None:
    with whole.client(token) as client:
        told = {(method, path): client.request(method, path).status_code for method, path in routes}
    assert {route: status for route, status in told.items() if status != 401 and route[1] not in OPEN} == {}


def test_what_is_open_is_health_and_the_way_in(whole: WholeService) -> None:
    with whole.client("") as client:
        for path in OPEN - {"/logout"}:
            assert client.get(path).status_code == 200


def test_no_route_of_a_namespace_answers_whom_has_no_rights_there(
    whole: WholeService, routes: Routes
) -> None:
    with whole.client("eve-token") as client:
        told = {
            (method, path): _status(client, method, path)
            for method, path in routes
            if path.startswith("/api/v1/namespaces/")
        }
    assert len(told) > 10
    assert set(told.values()) == {403}


def test_nothing_that_is_answered_to_whom_has_no_rights_names_a_namespace(
    whole: WholeService, routes: Routes
) -> None:
    # A stream has no end; whatever is about one namespace is refused above.
    shown = [path for method, path in routes if method == "GET" and path.startswith("/api/v1/")]
    shown = [path for path in shown if "/namespaces/" not in path and not path.endswith("/watch")]
    namespaces = whole.fleet.snapshot.namespaces
    with whole.client("root-token") as client:
        (decision, *_) = client.get("/api/v1/decisions").json()["items"]
    shown.append(f"/api/v1/decisions/{decision['id']}")
    with whole.client("eve-token") as client:
        assert client.get("/metrics").status_code == 403
        answers = {path: client.get(path) for path in shown}
    assert {"/api/v1/workloads", "/api/v1/fleet", "/api/v1/decisions", "/api/v1/spend"} <= set(answers)
    for path, answer in answers.items():
        assert answer.status_code in (200, 404, 422), path
        assert not [namespace for namespace in namespaces if f'"{namespace}' in answer.text], path


def test_whom_may_read_may_not_change(whole: WholeService, routes: Routes) -> None:
    access = whole.parts.access
    assert isinstance(access, MadeUpAccess)
    access.rights.add(("eve", Verb.READ, ""))
    try:
        with whole.client("eve-token") as client:
            told = {
                (method, path): _status(client, method, path)
                for method, path in routes
                if method in ("POST", "PUT", "PATCH", "DELETE") and "/namespaces/" in path
            }
    finally:
        access.rights.discard(("eve", Verb.READ, ""))
    assert len(told) >= 4
    assert set(told.values()) == {403}
    assert whole.overrides.texts == {}


def _status(client: TestClient, method: str, path: str) -> int:
    body = None
    if path.endswith("/overrides"):
        body = {"kind": "Fixed", "replicas": 3, "until": "2100-01-01T00:00:00Z", "reason": "a test"}
    elif path.endswith("/what-if"):
        body = {"patch": {}}
    elif path.endswith("/policy-search"):
        body = {}
    return client.request(method, path, json=body if method == "POST" else None).status_code


def _filled(path: str) -> str:
    values = {
        "namespace": "shop",
        "name": "checkout",
        "id": "0000000000000",
        "madeAt": "2026-01-01T00:00:00Z",
    }
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: values.get(found[1], "0000000000000"), path)
