"""The application: routes, error answers and what protects them, put together. No part makes another."""

from __future__ import annotations

from fastapi import FastAPI

from autoscaler import __version__
from autoscaler.api.parts import Parts
from autoscaler.api.problems import handle_problems

API = "/api/v1"


def make_app(parts: Parts) -> FastAPI:
    """The service over `parts`, which whoever calls starts before it and stops after it."""
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
    return app
