"""Logging in with a browser: a form takes a token, and a cookie keeps it where no script can read it.

The cookie holds the token itself. There is no session to be kept, so any replica knows it, and it is worth
no more and no longer than the token is.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import parse_qs, quote

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from autoscaler.api.access.access import Access, Unavailable
from autoscaler.api.access.rules import open_to_all
from autoscaler.api.problems import Problem
from autoscaler.api.protection.authentication import LOGIN, SESSION_COOKIE, is_token

_LONGEST_COOKIE = 3800
"""Browsers keep about 4096 bytes of a cookie, its name and attributes included."""
_MOST_FIELDS = 10


def session_routes(login_page: Callable[[Request], Response]) -> APIRouter:
    """`/login` and `/logout`. login_page: answers with the form."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(open_to_all())])

    @router.get(LOGIN)
    async def form(request: Request) -> Response:
        return login_page(request)

    @router.post(LOGIN)
    async def log_in(request: Request) -> Response:
        fields = _fields(await request.body())
        token = fields.get("token", "").strip()
        there = local_path(fields.get("next", ""))
        fault = await _fault(request.app.state.parts.access, token)
        if fault:
            return _see(f"{LOGIN}?error={fault}&next={quote(there, safe='')}")
        answer = _see(there)
        answer.set_cookie(
            SESSION_COOKIE,
            token,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    @router.post("/logout")
    async def log_out() -> Response:
        answer = _see(LOGIN)
        answer.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")
        return answer

    return router


def local_path(text: str) -> str:
    """`text` if it is a path of ours, else "/": a link to the login page must not lead elsewhere."""
    plain = text.isascii() and text.isprintable() and "\\" not in text
    return text if plain and text.startswith("/") and not text.startswith("//") else "/"


def _fields(body: bytes) -> dict[str, str]:
    """The fields of a form, each by its first value."""
    try:
        told = parse_qs(body.decode("latin-1"), max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        fault = f"a form with at most {_MOST_FIELDS} fields is expected"
        raise Problem(HTTPStatus.BAD_REQUEST, "InvalidForm", fault) from error
    return {name: values[0] for name, values in told.items()}


async def _fault(access: Access, token: str) -> str:
    """Why the token lets nobody in, in one word for the page; empty if it does."""
    if not is_token(token):
        return "refused"
    if len(token) > _LONGEST_COOKIE:
        return "too-long"
    try:
        return "" if await access.identify(token) is not None else "refused"
    except Unavailable:
        return "unavailable"


def _see(path: str) -> RedirectResponse:
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)
