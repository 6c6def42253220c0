"""The body of a request, read whole before anything looks at it, and refused when it is too long.

Starlette's own limit counts while a route reads, and answers in plain text. Bodies are small here, and
to know one that comes twice it has to be there as a whole.
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autoscaler.api.problems import Problem
from autoscaler.api.protection.refusing import refuse


class _TooLong(Exception):
    """More than is taken."""


class _Left(Exception):
    """The sender is gone, so there is nobody to answer."""


class WholeBody:
    """ASGI middleware. After it, the first message that is received holds the whole body."""

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self._app = app
        self._most = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass with its body, or refuse it with 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(Headers(scope=scope), receive)
        except _Left:
            return
        except _TooLong:
            told = f"a request may hold {self._most} bytes; this one holds more"
            problem = Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "BodyTooLarge", told)
            await refuse(problem, scope, receive, send)
            return
        await self._app(scope, first(body, receive), send)

    async def _read(self, headers: Headers, receive: Receive) -> bytes:
        stated = headers.get("content-length", "")
        if stated.isdecimal() and int(stated) > self._most:
            raise _TooLong
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] != "http.request":
                raise _Left
            body += message.get("body", b"")
            if len(body) > self._most:
                raise _TooLong
            if not message.get("more_body", False):
                return bytes(body)


def first(body: bytes, receive: Receive) -> Receive:
    """`receive`, with `body` as its first message."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Message:
        return waiting.pop() if waiting else await receive()

    return received
