"""What a caller has already is not sent again: answers have a tag of their content, and 304 is "the same"."""

from __future__ import annotations

import hashlib
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OF_CONTENT = ("content-length", "content-type")


class ETag:
    """ASGI middleware, inside of what compresses. Leaves alone what is sent in pieces, or has a tag."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass and compare what it is answered."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Answer(Headers(scope=scope).get("if-none-match", ""), send))


class _Answer:
    """`send` for one request; holds the beginning of the answer back until its content is there."""

    def __init__(self, had: str, send: Send) -> None:
        self._had = {_without_weakness(tag) for tag in had.split(",")}
        self._send = send
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if message["status"] == HTTPStatus.OK and "etag" not in Headers(raw=message["headers"]):
                self._start = message
                return
        elif self._start is not None:
            start, self._start = self._start, None
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                message = self._tagged(start, message)
            await self._send(start)
        await self._send(message)

    def _tagged(self, start: Message, body: Message) -> Message:
        """Tag `start`; gives the body that goes with it."""
        headers = MutableHeaders(scope=start)
        # Weak, since the same content may be compressed or not.
        tag = f'"{hashlib.blake2b(body.get("body", b""), digest_size=16).hexdigest()}"'
        headers["ETag"] = f"W/{tag}"
        if not self._had & {tag, "*"}:
            return body
        start["status"] = HTTPStatus.NOT_MODIFIED.value
        for name in _OF_CONTENT:
            if name in headers:
                del headers[name]
        return {**body, "body": b""}


def _without_weakness(tag: str) -> str:
    return tag.strip().removeprefix("W/")
