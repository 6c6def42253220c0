"""What a route demands of its caller, said where the route is declared.

    @router.get("/namespaces/{namespace}/workloads/{name}", dependencies=[Depends(require(Verb.READ))])

Who calls was found out before any route is looked for (`protection/authentication.py`). A route of which
nobody said what it demands keeps the service from starting (`refuse_unruled`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute

from autoscaler.api.access.access import ALL_NAMESPACES, Access, Unavailable
from autoscaler.api.access.caller import Caller
from autoscaler.api.access.verbs import Verb
from autoscaler.api.problems import Problem

CALLER = "caller"
"""Key of the caller in `request.state`."""


def current_caller(request: Request) -> Caller:
    """Whoever calls; a problem where that was not asked, as on a path that is open."""
    caller = getattr(request.state, CALLER, None)
    if not isinstance(caller, Caller):
        raise unauthenticated()
    return caller


@dataclass(frozen=True, slots=True)
class Rule:
    """A dependency of a route: what it demands. verb: None for no more than `known`, being known at all."""

    verb: Verb | None
    known: bool = True

    async def __call__(self, request: Request) -> Caller | None:
        """The caller, if they may call this route with its namespace; None where nobody has to be known."""
        if not self.known:
            return None
        caller = current_caller(request)
        if self.verb is not None:
            await demand(request, self.verb, request.path_params.get("namespace", ALL_NAMESPACES))
        return caller


def require(verb: Verb) -> Rule:
    """Only for who may `verb` in the namespace of the path; without one there, in all namespaces."""
    return Rule(verb)


def identified() -> Rule:
    """For everybody who is known: what is shown depends on `demand` or `visible` in the route itself."""
    return Rule(None)


def open_to_all() -> Rule:
    """For everybody, known or not; the path has to be among those that are open as well."""
    return Rule(None, known=False)


async def demand(request: Request, verb: Verb, namespace: str) -> None:
    """Problem 403 unless the caller may; also for a namespace that is known only when something was found."""
    caller = current_caller(request)
    try:
        allowed = await _access(request).allows(caller, verb, namespace)
    except Unavailable as error:
        raise unavailable(error) from error
    if not allowed:
        where = f"in namespace {namespace}" if namespace else "in all namespaces"
        what = "the service's metrics" if verb is Verb.METRICS else f"predictiveautoscalers {where}"
        raise Problem(HTTPStatus.FORBIDDEN, "Forbidden", f"{caller.name} may not {_DOES[verb]} {what}")


async def visible(
    request: Request, namespaces: Collection[str], named: str | None = None
) -> frozenset[str] | None:
    """The namespaces of a list that the caller may read; None for all.

    named: the only one that was asked for; problem 403 where the caller may not read it.
    """
    if named:
        await demand(request, Verb.READ, named)
        return frozenset({named})
    try:
        return await _access(request).visible(current_caller(request), namespaces)
    except Unavailable as error:
        raise unavailable(error) from error


def refuse_unruled(routes: Sequence[BaseRoute]) -> None:
    """ValueError naming each route without a Rule. Call it when all routes of an application are in place.

    Mounts and routes without dependencies, such as static files, are for everybody who is known.
    """
    unruled = [
        f"{' '.join(sorted(context.methods or ()))} {context.path}"
        for context in iter_route_contexts(routes)
        if isinstance(context.original_route, APIRoute) and not any(_rules(context.dependant))
    ]
    if unruled:
        raise ValueError(f"no rule says who may call {', '.join(unruled)}; add require(...) or identified()")


def unauthenticated() -> Problem:
    """The answer to whom we do not know."""
    return Problem(
        HTTPStatus.UNAUTHORIZED,
        "Unauthenticated",
        "show a valid token: Authorization: Bearer TOKEN",
        headers={"WWW-Authenticate": "Bearer"},
    )


def unavailable(error: Unavailable) -> Problem:
    """The answer while it cannot be found out who may do what."""
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "AccessUnavailable",
        f"{error}; try again in a few seconds",
        headers={"Retry-After": "2"},
    )


_DOES = {Verb.READ: "read", Verb.WRITE: "change", Verb.METRICS: "read"}


def _access(request: Request) -> Access:
    access: Access = request.app.state.parts.access
    return access


def _rules(dependant: Any) -> Iterator[Rule]:
    for dependency in dependant.dependencies:
        if isinstance(dependency.call, Rule):
            yield dependency.call
        yield from _rules(dependency)
