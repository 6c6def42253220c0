"""A small service behind the real protection, with callers that are made up for the test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from prometheus_client import CollectorRegistry
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.testclient import TestClient

from autoscaler.api.access.access import Access, Unavailable
from autoscaler.api.access.caller import Caller
from autoscaler.api.access.rules import current_caller, identified, open_to_all, require, visible
from autoscaler.api.access.verbs import Verb
from autoscaler.api.configuration import Limits
from autoscaler.api.problems import handle_problems
from autoscaler.api.protection.idempotency import Keys
from autoscaler.api.protection.order import protect
from autoscaler.api.protection.request_metrics import RequestMetrics
from autoscaler.api.protection.sessions import session_routes

HOST = "service.test"
NAMESPACES = ("pay", "shop", "shop-test")

ANNA = Caller("anna", ("shop-team",))
ROOT = Caller("root", ("system:masters",))


@dataclass
class MadeUpAccess:
    """`Access` by tables. tokens: whose each is; rights: (name, verb, namespace); is_away: nobody answers."""

    tokens: dict[str, Caller] = field(default_factory=lambda: {"anna-token": ANNA, "root-token": ROOT})
    rights: set[tuple[str, Verb, str]] = field(
        default_factory=lambda: {
            ("anna", Verb.READ, "shop"),
            ("anna", Verb.WRITE, "shop"),
            *(("root", verb, "") for verb in Verb),
        }
    )
    is_away: bool = False
    asked: list[str] = field(default_factory=list)

    async def identify(self, token: str) -> Caller | None:
        self._must_answer()
        self.asked.append(token)
        return self.tokens.get(token)

    async def allows(self, caller: Caller, verb: Verb, namespace: str) -> bool:
        self._must_answer()
        return bool({(caller.name, verb, ""), (caller.name, verb, namespace)} & self.rights)

    async def visible(self, caller: Caller, namespaces: Collection[str]) -> frozenset[str] | None:
        if await self.allows(caller, Verb.READ, ""):
            return None
        return frozenset([name for name in namespaces if await self.allows(caller, Verb.READ, name)])

    def _must_answer(self) -> None:
        if self.is_away:
            raise Unavailable("the test does not answer")


class GuardedService:
    """The application, and how often its writing route was carried out. `limits` as in the configuration."""

    def __init__(
        self,
        access: Access | None = None,
        trusted_proxies: Any = (),
        routers: Sequence[APIRouter] = (),
        login_page: Callable[[Request], Response] = lambda request: HTMLResponse("<form>"),
        open_paths: Sequence[str] = (),
        keys: Keys | None = None,
        **limits: Any,
    ) -> None:
        self.access = access or MadeUpAccess()
        self.writes: list[bytes] = []
        self.metrics = RequestMetrics(CollectorRegistry())
        self.app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
        self.app.state.parts = SimpleNamespace(access=self.access)
        handle_problems(self.app)
        for router in (self._reading(), self._writing(), self._misbehaving()):
            self.app.include_router(router, prefix="/api/v1")
        for router in routers:
            self.app.include_router(router)
        self.app.include_router(session_routes(login_page))
        self.app.include_router(_open_routes())
        protect(
            self.app,
            self.access,
            Limits(**limits),
            self.metrics,
            login_files=("/login.js", *open_paths),
            trusted_proxies=trusted_proxies,
            keys=keys,
        )

    def client(self, token: str = "", address: str = "192.0.2.1", **options: Any) -> TestClient:
        """A client of the service that shows `token`; use it as a context manager."""
        settings: dict[str, Any] = {
            "base_url": f"http://{HOST}",
            "raise_server_exceptions": False,
            "follow_redirects": False,
            "client": (address, 40_000),
            "headers": {"Authorization": f"Bearer {token}"} if token else {},
        }
        return TestClient(self.app, **settings | options)

    def _reading(self) -> APIRouter:
        router = APIRouter()

        @router.get("/namespaces/{namespace}/thing", dependencies=[Depends(require(Verb.READ))])
        async def thing(namespace: str) -> dict[str, str]:
            return {"of": namespace}

        @router.get("/things", dependencies=[Depends(identified())])
        async def things(request: Request, namespace: str | None = None) -> dict[str, Any]:
            seen = await visible(request, NAMESPACES, namespace)
            return {"items": [name for name in NAMESPACES if seen is None or name in seen]}

        @router.get("/whoami", dependencies=[Depends(identified())])
        async def whoami(request: Request) -> dict[str, str]:
            return {"name": current_caller(request).name, "scheme": request.url.scheme}

        @router.get("/metrics", dependencies=[Depends(require(Verb.METRICS))])
        async def metrics() -> dict[str, str]:
            return {}

        @router.get("/counted", dependencies=[Depends(identified())])
        async def counted(number: int) -> dict[str, int]:
            return {"number": number}

        @router.get("/large", dependencies=[Depends(identified())])
        async def large() -> dict[str, Any]:
            return {"values": list(range(5000))}

        return router

    def _writing(self) -> APIRouter:
        router = APIRouter()

        @router.api_route(
            "/namespaces/{namespace}/thing",
            methods=["POST", "PUT", "DELETE"],
            status_code=201,
            dependencies=[Depends(require(Verb.WRITE))],
        )
        async def change(namespace: str, request: Request) -> dict[str, Any]:
            body = await request.body()
            if body == b"slow":
                await asyncio.sleep(0.3)
            self.writes.append(body)
            return {"number": len(self.writes), "of": namespace, "length": len(body)}

        return router

    def _misbehaving(self) -> APIRouter:
        router = APIRouter(dependencies=[Depends(identified())])

        @router.get("/fails")
        async def fails() -> None:
            raise RuntimeError("the secret of this test")

        @router.get("/hangs")
        async def hangs() -> None:
            await asyncio.sleep(60)

        @router.get("/hangs-in-a-thread")
        def hangs_in_a_thread() -> None:
            time.sleep(4)

        @router.get("/in-a-thread")
        def in_a_thread() -> None:
            """At once."""

        @router.get("/stream")
        async def stream() -> StreamingResponse:
            return StreamingResponse(_events(4), media_type="text/event-stream")

        @router.get("/long-stream")
        async def long_stream() -> StreamingResponse:
            return StreamingResponse(_events(8), media_type="text/event-stream")

        return router


async def _events(count: int) -> AsyncIterator[bytes]:
    for number in range(count):
        yield f"data: {number} {'x' * 2000}\n\n".encode()
        await asyncio.sleep(0.1)


def _open_routes() -> APIRouter:
    router = APIRouter(dependencies=[Depends(open_to_all())])

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/login.js")
    async def script() -> Response:
        return Response("", media_type="text/javascript", headers={"Cache-Control": "max-age=60"})

    return router
