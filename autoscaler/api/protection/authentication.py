"""Finding out who calls, before anything else is done: even whether a path exists is told to callers only.

A token is in the header `Authorization: Bearer`, or in the cookie that the login page sets. Whoever shows
none or a wrong one may do so only so often from an address, so that tokens cannot be guessed at speed, nor
whoever knows them be kept busy. A token that was good before passes that limit: one stranger behind the same
proxy locks nobody out.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from cachetools import LRUCache
from starlette.datastructures import URL
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from autoscaler.api.access.access import Access, Unavailable
from autoscaler.api.access.rules import unauthenticated, unavailable
from autoscaler.api.protection.client_address import client_address
from autoscaler.api.protection.rate_limit import telling, too_many
from autoscaler.api.protection.refusing import refuse
from autoscaler.api.protection.request_state import Shown, identify_request
from autoscaler.api.protection.token_bucket import Buckets

SESSION_COOKIE = "pa_session"
LOGIN = "/login"

_KNOWN_KEPT = 10_000
# The characters of RFC 6750. Nobody's token is longer; one that is would cost time to look at.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,16384}")


@dataclass(frozen=True, slots=True)
class OpenPaths:
    """What is answered without a token. limited: as often as a stranger may ask; always: whenever asked."""

    limited: frozenset[str]
    always: frozenset[str]


class Authentication:
    """ASGI middleware."""

    def __init__(
        self, app: ASGIApp, access: Access, strangers_per_minute: int, open_paths: OpenPaths
    ) -> None:
        self._app = app
        self._access = access
        self._strangers = Buckets(strangers_per_minute)
        self._open = open_paths
        self._known: LRUCache[bytes, bool] = LRUCache(_KNOWN_KEPT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass, its caller in its state, or refuse it with 401, 429 or 503."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] != "http" or scope["path"] in self._open.always:
            await self._app(scope, receive, send)
        elif scope["path"] in self._open.limited:
            await self._as_stranger(scope, receive, send)
        else:
            await self._as_caller(scope, receive, send)

    async def _as_stranger(self, scope: Scope, receive: Receive, send: Send) -> None:
        level = self._strangers.take(client_address(scope))
        if level.taken:
            await self._app(scope, receive, telling(level, send))
        else:
            await refuse(too_many(level), scope, receive, send)

    async def _as_caller(self, scope: Scope, receive: Receive, send: Send) -> None:
        token, shown = _shown(HTTPConnection(scope))
        address, fingerprint = client_address(scope), hashlib.sha256(token.encode()).digest()
        is_new = fingerprint not in self._known
        turn_away = send
        if is_new:
            level = self._strangers.take(address)
            if not level.taken:
                await refuse(too_many(level), scope, receive, send)
                return
            turn_away = telling(level, send)
        try:
            caller = await self._access.identify(token)
        except Unavailable as error:
            await refuse(unavailable(error), scope, receive, turn_away)
            return
        if caller is None:
            self._known.pop(fingerprint, None)
            await _turn_away(scope, receive, turn_away)
            return
        if is_new:
            self._strangers.give_back(address)
        self._known[fingerprint] = True
        if caller == await self._access.identify(""):
            # Whoever would be let in without a token has shown nothing by it.
            shown = "nothing"
        identify_request(scope, caller, shown)
        await self._app(scope, receive, send)


def is_token(text: str) -> bool:
    """Whether `text` looks like a token at all."""
    return bool(_TOKEN.fullmatch(text))


def _shown(connection: HTTPConnection) -> tuple[str, Shown]:
    """The token, empty where there is none that could be one, and where it was."""
    header = connection.headers.get("Authorization")
    if header is not None:
        scheme, _, token = header.partition(" ")
        return (token.strip() if scheme.lower() == "bearer" and is_token(token.strip()) else ""), "header"
    cookie = connection.cookies.get(SESSION_COOKIE)
    if cookie is not None:
        return (cookie if is_token(cookie) else ""), "cookie"
    return "", "nothing"


async def _turn_away(scope: Scope, receive: Receive, send: Send) -> None:
    """To the login page, if somebody is looking."""
    looking = scope["method"] == "GET" and "text/html" in HTTPConnection(scope).headers.get("Accept", "")
    if not looking:
        await refuse(unauthenticated(), scope, receive, send)
        return
    url = URL(scope=scope)
    there = quote(f"{url.path}?{url.query}" if url.query else url.path, safe="")
    await RedirectResponse(f"{LOGIN}?next={there}", HTTPStatus.SEE_OTHER)(scope, receive, send)
