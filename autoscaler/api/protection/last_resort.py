"""What goes wrong and is expected nowhere is told to the log in full, and to the caller not at all.

Starlette has the same, but outside of everything that gives answers their headers and writes the access log.
"""

from __future__ import annotations

from http import HTTPStatus

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autoscaler.api.problems import Problem
from autoscaler.api.protection.refusing import refuse
from autoscaler.api.protection.request_state import request_id

_log = structlog.get_logger(__name__)


class LastResort:
    """ASGI middleware, inside of all others."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass; answer 500 to what fails before it is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_answered = False

        async def answering(message: Message) -> None:
            nonlocal is_answered
            is_answered = True
            await send(message)

        try:
            await self._app(scope, receive, answering)
        except Exception:
            if is_answered:
                # Only breaking the connection tells the caller that the answer is not whole.
                raise
            _log.exception("a request failed", requestId=request_id(scope))
            told = "something went wrong here; the log tells what, under the id of this request"
            problem = Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError", told)
            await refuse(problem, scope, receive, send)
