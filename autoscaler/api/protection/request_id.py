"""An id for each request, in its answer and in the log: the sender's if that is a plain word, else ours."""

from __future__ import annotations

import re
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autoscaler.api.protection.request_state import name_request

HEADER = "X-Request-Id"

# Anything else could forge lines of a log, or fill it.
_PLAIN = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")


class RequestId:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Give the request its id and let it pass."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER, "")
        chosen = given if _PLAIN.fullmatch(given) else secrets.token_hex(16)
        name_request(scope, chosen)

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = chosen
            await send(message)

        await self._app(scope, receive, named)
