"""No request is worked on for ever: an answer that has not begun in time is given up, with 504.

An answer that has begun may go on, as a stream of events does. Work in a thread is not stopped but left
behind; what is done in threads here has a shorter time limit of its own.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autoscaler.api.problems import Problem
from autoscaler.api.protection.refusing import refuse


class Deadline:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass; answer in its place when it takes too long."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        deadline = asyncio.timeout(self._seconds)

        async def begun(message: Message) -> None:
            if message["type"] == "http.response.start":
                deadline.reschedule(None)
            await send(message)

        try:
            async with deadline:
                await self._app(scope, receive, begun)
        except TimeoutError:
            # The application may raise one of its own, which is a fault like any other.
            if not deadline.expired():
                raise
            told = f"no answer within {self._seconds:g} s; ask for less, or later"
            problem = Problem(HTTPStatus.GATEWAY_TIMEOUT, "DeadlineExceeded", told)
            await refuse(problem, scope, receive, send)
