"""All resources of the API."""

from __future__ import annotations

from collections.abc import Iterator

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


def resource_routes(news: News) -> Iterator[APIRouter]:
    """What is below `/api/v1`, in the order in which it is documented. news: told to who watches.

    One by one, since a request looks for its route twice on each level at which routers are nested.
    """
    for module in (workloads, series, forecasts, decisions, spend, overrides, events, whatif, jobs, people):
        yield module.router
    yield watch_routes(news)
