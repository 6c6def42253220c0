"""A limit for each caller, told in every answer."""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autoscaler.api.problems import Problem
from autoscaler.api.protection.refusing import refuse
from autoscaler.api.protection.request_state import caller_of
from autoscaler.api.protection.token_bucket import Buckets, Level


class RateLimit:
    """ASGI middleware, inside of `Authentication`, which limits whoever is not known."""

    def __init__(self, app: ASGIApp, per_minute: int) -> None:
        self._app = app
        self._callers = Buckets(per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass, or refuse it with 429."""
        caller = caller_of(scope)
        if caller is None:
            await self._app(scope, receive, send)
            return
        level = self._callers.take(caller.name)
        if level.taken:
            await self._app(scope, receive, telling(level, send))
        else:
            await refuse(too_many(level), scope, receive, send)


def telling(level: Level, send: Send) -> Send:
    """`send`, with the headers that tell `level`."""

    async def told(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(level.headers)
        await send(message)

    return told


def too_many(level: Level) -> Problem:
    """The answer to whom has nothing left."""
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "TooManyRequests",
        f"at most {level.limit} requests a minute; ask again when Retry-After has passed",
        headers=level.headers,
    )
