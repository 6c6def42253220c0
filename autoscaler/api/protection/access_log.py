"""One line in the log and one figure for each request: who asked what kind of thing, and what came of it.

Neither paths nor queries are written as they were asked, and no header: tokens turn up in all of them.
"""

from __future__ import annotations

import logging
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autoscaler.api.protection.client_address import client_address
from autoscaler.api.protection.request_metrics import RequestMetrics
from autoscaler.api.protection.request_state import caller_of, method_of, request_id, route_of

_log = structlog.get_logger(__name__)

_NO_ANSWER = 0


class AccessLog:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, metrics: RequestMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass, and tell of it when it is over."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_at = time.perf_counter()
        status, answered_at = _NO_ANSWER, None

        async def watched(message: Message) -> None:
            nonlocal status, answered_at
            if message["type"] == "http.response.start":
                status, answered_at = message["status"], time.perf_counter()
            await send(message)

        self._metrics.began()
        try:
            await self._app(scope, receive, watched)
        finally:
            ended_at = time.perf_counter()
            waited_s = (answered_at or ended_at) - began_at
            self._metrics.ended(method_of(scope), route_of(scope), status, waited_s)
            _tell(scope, status, ended_at - began_at)


def _tell(scope: Scope, status: int, took_s: float) -> None:
    caller = caller_of(scope)
    _log.log(
        _level(status, is_known=caller is not None),
        "request",
        method=method_of(scope),
        route=route_of(scope),
        status=status,
        seconds=round(took_s, 6),
        caller=caller.name if caller else None,
        address=client_address(scope),
        requestId=request_id(scope),
    )


def _level(status: int, *, is_known: bool) -> int:
    if status >= 500 or status == _NO_ANSWER:
        return logging.WARNING
    # Probes, several a minute, and the login page.
    return logging.DEBUG if status == 200 and not is_known else logging.INFO
