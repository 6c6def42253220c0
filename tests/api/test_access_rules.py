"""What a route demands of its caller, and that none can be left without saying so."""

from __future__ import annotations

import pytest
from fastapi import APIRouter, Depends, FastAPI
from guarded_service import GuardedService, MadeUpAccess

from autoscaler.api.access.rules import identified, refuse_unruled, require
from autoscaler.api.access.verbs import Verb


async def _nothing() -> None:
    """A route."""


def _app(outer: APIRouter, prefix: str = "/api/v1") -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(outer, prefix=prefix)
    return app


def test_a_route_that_does_not_say_who_may_call_it_keeps_the_service_from_starting() -> None:
    inner, outer = APIRouter(), APIRouter()
    inner.add_api_route("/forgotten", _nothing, methods=["GET", "DELETE"])
    inner.add_api_route("/ruled", _nothing, dependencies=[Depends(require(Verb.READ))])
    outer.include_router(inner, prefix="/inner")
    with pytest.raises(ValueError, match=r"DELETE GET /api/v1/inner/forgotten; add require") as refused:
        refuse_unruled(_app(outer).routes)
    assert "/ruled" not in str(refused.value)


def test_nothing_is_protected_that_has_a_route_without_a_rule() -> None:
    router = APIRouter()
    router.add_api_route("/forgotten", _nothing)
    with pytest.raises(ValueError, match="GET /forgotten"):
        GuardedService(routers=(router,))


def test_a_rule_of_the_router_is_a_rule_of_its_routes() -> None:
    router = APIRouter(dependencies=[Depends(identified())])
    router.add_api_route("/one", _nothing)
    refuse_unruled(_app(router).routes)


def test_a_rule_may_be_a_dependency_of_a_dependency() -> None:
    async def through(_caller: object = Depends(identified())) -> None:
        """Another dependency."""

    router = APIRouter()
    router.add_api_route("/one", _nothing, dependencies=[Depends(through)])
    refuse_unruled(_app(router).routes)


@pytest.mark.parametrize(
    ("token", "method", "path", "status"),
    [
        pytest.param("anna-token", "GET", "/namespaces/shop/thing", 200, id="reads her own"),
        pytest.param("anna-token", "POST", "/namespaces/shop/thing", 201, id="changes her own"),
        pytest.param("anna-token", "GET", "/namespaces/pay/thing", 403, id="reads another's"),
        pytest.param("anna-token", "GET", "/namespaces/none/thing", 403, id="reads what does not exist"),
        pytest.param("anna-token", "POST", "/namespaces/pay/thing", 403, id="changes another's"),
        pytest.param("anna-token", "GET", "/metrics", 403, id="reads the metrics"),
        pytest.param("root-token", "GET", "/namespaces/pay/thing", 200, id="all: reads"),
        pytest.param("root-token", "DELETE", "/namespaces/pay/thing", 201, id="all: changes"),
        pytest.param("root-token", "GET", "/metrics", 200, id="all: the metrics"),
    ],
)
def test_a_route_is_answered_to_whom_its_rule_allows(token: str, method: str, path: str, status: int) -> None:
    with GuardedService().client(token) as client:
        answer = client.request(method, f"/api/v1{path}")
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "Forbidden"


def test_reading_does_not_allow_changing() -> None:
    access = MadeUpAccess()
    access.rights.remove(("anna", Verb.WRITE, "shop"))
    service = GuardedService(access)
    with service.client("anna-token") as client:
        assert client.post("/api/v1/namespaces/shop/thing").status_code == 403
    assert service.writes == []


def test_a_list_leaves_out_what_the_caller_may_not_see() -> None:
    service = GuardedService()
    with service.client("anna-token") as client:
        assert client.get("/api/v1/things").json()["items"] == ["shop"]
        assert client.get("/api/v1/things?namespace=shop").json()["items"] == ["shop"]
        assert client.get("/api/v1/things?namespace=pay").status_code == 403
    with service.client("root-token") as client:
        assert client.get("/api/v1/things").json()["items"] == ["pay", "shop", "shop-test"]


@pytest.mark.parametrize("path", ["/namespaces/shop/thing", "/things", "/things?namespace=shop", "/whoami"])
def test_nothing_is_allowed_while_nobody_says_who_may(path: str) -> None:
    access = MadeUpAccess()
    with GuardedService(access).client("root-token") as client:
        assert client.get(f"/api/v1{path}").status_code == 200
        access.is_away = True
        answer = client.get(f"/api/v1{path}")
    assert (answer.status_code, answer.json()["code"]) == (503, "AccessUnavailable")
    assert int(answer.headers["Retry-After"]) > 0
