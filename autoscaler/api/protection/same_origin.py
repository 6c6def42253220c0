"""Other people's pages may not act for whoever looks at them.

A browser sends a cookie along with whatever a page asks for, and to a service without tokens it needs to send
nothing at all. So what changes something has to come from a page of ours, as `Origin` tells. Where nothing is
shown, the name that was asked for has to be this machine's as well: somebody else's page could have its own
name looked up as our address. Programs show their token in a header, which no such page can: they are let be.
"""

from __future__ import annotations

import ipaddress
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from autoscaler.api.problems import Problem
from autoscaler.api.protection.refusing import refuse
from autoscaler.api.protection.request_state import caller_of, shown_in

_READING = ("GET", "HEAD", "OPTIONS")


class SameOrigin:
    """ASGI middleware, inside of `Authentication`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass, or refuse it with 403."""
        if scope["type"] == "http" and (why := _distrusted(scope)):
            await refuse(Problem(HTTPStatus.FORBIDDEN, "ForeignOrigin", why), scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _distrusted(scope: Scope) -> str:
    """Why the request may be somebody else's; empty if it is not."""
    shown = shown_in(scope)
    if shown == "header":
        return ""
    headers = Headers(scope=scope)
    host, origin = headers.get("host", ""), headers.get("origin")
    if caller_of(scope) is not None and shown == "nothing" and not _is_this_machine(host):
        return "without a token the service is called by the name of this machine: localhost or 127.0.0.1"
    if scope["method"] in _READING:
        return ""
    if origin is None:
        return (
            "" if shown == "nothing" else "a change by cookie needs the header Origin; show a token instead"
        )
    ours = (f"https://{host}", f"http://{host}")
    return "" if origin in ours else "the page that asks for this change is not of this service"


def _is_this_machine(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
