"""All resources of the API in one router."""

from __future__ import annotations

from fastapi import APIRouter

from autoscaler.api.news import News
from autoscaler.api.routes import (
    decisions,
    events,
    forecasts,
    jobs,
    overrides,
    people,
    series,
    spend,
    whatif,
    workloads,
)
from autoscaler.api.routes.watch import watch_routes


def resource_routes(news: News) -> APIRouter:
    """The routes below `/api/v1`, in the order in which they are documented. news: told to who watches."""
    router = APIRouter()
    for module in (workloads, series, forecasts, decisions, spend, overrides, events, whatif, jobs, people):
        router.include_router(module.router)
    router.include_router(watch_routes(news))
    return router
