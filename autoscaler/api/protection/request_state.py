"""What is found out about a request on its way in, for everything that handles it after that."""

from __future__ import annotations

from typing import Literal

from starlette.types import Scope

from autoscaler.api.access.caller import Caller
from autoscaler.api.access.rules import CALLER
from autoscaler.api.problems import REQUEST_ID

Shown = Literal["header", "cookie", "nothing"]
"""Where a caller's token was: in a header only if a program put it there, in a cookie whoever's page asks."""

_SHOWN = "shown"
_ROUTE = "route"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def name_request(scope: Scope, request_id: str) -> None:
    """Keep the id of the request."""
    scope.setdefault("state", {})[REQUEST_ID] = request_id


def request_id(scope: Scope) -> str:
    """The id of the request; empty where it has none yet."""
    return str(scope.get("state", {}).get(REQUEST_ID, ""))


def identify_request(scope: Scope, caller: Caller, shown: Shown) -> None:
    """Keep who calls, and where the token was."""
    scope.setdefault("state", {}).update({CALLER: caller, _SHOWN: shown})


def caller_of(scope: Scope) -> Caller | None:
    """Who calls; None on an open path, or before it was found out."""
    caller = scope.get("state", {}).get(CALLER)
    return caller if isinstance(caller, Caller) else None


def shown_in(scope: Scope) -> Shown:
    """Where the token of the caller was."""
    shown: Shown = scope.get("state", {}).get(_SHOWN, "nothing")
    return shown


def method_of(scope: Scope) -> str:
    """The method, or "other" for one that somebody made up."""
    method = str(scope["method"])
    return method if method in _METHODS else "other"


def name_route(scope: Scope, route: str) -> None:
    """Keep which route the answer is of, where it need not be reached."""
    scope.setdefault("state", {})[_ROUTE] = route


def route_of(scope: Scope) -> str:
    """The path as the route declares it, `/workloads/{name}`; "-" where none was reached."""
    if named := scope.get("state", {}).get(_ROUTE):
        return str(named)
    route = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    return str(getattr(route, "path_format", None) or "-")
