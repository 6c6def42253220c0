"""The application: routes, error answers and what protects them, put together. No part makes another."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network

from fastapi import Depends, FastAPI
from prometheus_client import CollectorRegistry

from autoscaler import __version__
from autoscaler.api.access.rules import identified
from autoscaler.api.news import News
from autoscaler.api.openapi import describe
from autoscaler.api.page_routes import login_page, open_paths, page_routes
from autoscaler.api.parts import Parts
from autoscaler.api.problems import handle_problems
from autoscaler.api.protection.order import protect
from autoscaler.api.protection.request_metrics import RequestMetrics
from autoscaler.api.protection.sessions import session_routes
from autoscaler.api.reference_page import reference_routes
from autoscaler.api.routes.probes import probe_routes
from autoscaler.api.routes.resources import resource_routes

API = "/api/v1"


def make_app(parts: Parts, trusted_proxies: Iterable[IPv4Network | IPv6Network] = ()) -> FastAPI:
    """The service over `parts`, which whoever calls starts before it and stops after it.

    trusted_proxies: who is believed to say for whom they ask.
    """
    app = FastAPI(
        title="Predictive autoscaler",
        version=__version__,
        summary="What was forecast, done and spent, why, and what another policy would have done.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.parts = parts
    handle_problems(app)
    news = News(parts.store, parts.limits.streams)
    parts.fleet.listen(news.look)
    metrics = RequestMetrics(CollectorRegistry())
    app.include_router(probe_routes(metrics.registry))
    for router in resource_routes(news):
        app.include_router(router, prefix=API)
    app.include_router(session_routes(login_page))
    app.include_router(reference_routes(), dependencies=[Depends(identified())])
    app.include_router(page_routes())
    describe(app)
    protect(
        app,
        parts.access,
        parts.limits,
        metrics,
        login_files=open_paths(),
        trusted_proxies=trusted_proxies,
        looks=lambda: parts.fleet.looks,
        keys=parts.store,
    )
    return app
