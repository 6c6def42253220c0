"""Whether the service is alive and ready, its own figures, and what it says of itself."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Depends, Request
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import PlainTextResponse, Response

from autoscaler.api.access.rules import identified, open_to_all, require
from autoscaler.api.access.verbs import Verb
from autoscaler.api.answers import answer, in_thread, parts_of
from autoscaler.api.problems import Problem


def probe_routes(registry: CollectorRegistry) -> APIRouter:
    """Paths outside of the versioned API. registry: of the service's own figures."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz", dependencies=[Depends(open_to_all())])
    async def healthz() -> Response:
        return PlainTextResponse("ok")

    @router.get("/readyz", dependencies=[Depends(open_to_all())])
    async def readyz(request: Request) -> Response:
        # A store that fails later does not make it unready: what was read is still shown, and said to be old.
        if unread := parts_of(request).fleet.unread:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "NotReady", unread)
        return PlainTextResponse("ok")

    @router.get("/metrics", dependencies=[Depends(require(Verb.METRICS))])
    async def metrics() -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    @router.get("/openapi.json", dependencies=[Depends(identified())])
    async def openapi(request: Request) -> Response:
        # Made when it is first asked for, which takes too long to let others wait.
        return answer(await in_thread(request.app.openapi))

    return router
