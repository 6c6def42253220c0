"""Errors as `application/problem+json` (RFC 9457), whatever raised them.

An answer tells what was wrong with the request, and of a fault of ours only that there was one: the
rest is in the log, under the request's id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from autoscaler.store.errors import SchemaError, StoreError

MEDIA_TYPE = "application/problem+json"
REQUEST_ID = "requestId"
"""Key of the request's id in `request.state`, and of the answer."""

_LOG = structlog.get_logger(__name__)
_LONGEST = 300


class Problem(Exception):
    """An answer other than success. code: one PascalCase word that programs tell it by; detail: for people.

    fields: what is wrong with which part of the request. headers: go with the answer.
    """

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        *,
        fields: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.fields = tuple(fields)
        self.headers = dict(headers or {})


def problem_body(problem: Problem, request_id: str) -> bytes:
    """The body of an answer."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": problem.status.phrase,
        "status": problem.status.value,
        "code": problem.code,
        "detail": problem.detail,
        REQUEST_ID: request_id,
    }
    if problem.fields:
        body["errors"] = [{"field": field, "message": message} for field, message in problem.fields]
    return orjson.dumps(body)


def problem_response(problem: Problem, request_id: str) -> Response:
    """The whole answer."""
    body = problem_body(problem, request_id)
    return Response(body, problem.status.value, headers=problem.headers, media_type=MEDIA_TYPE)


def handle_problems(app: FastAPI) -> None:
    """Let every error of `app` become a problem."""

    @app.exception_handler(Problem)
    async def _problem(request: Request, problem: Problem) -> Response:
        return _answer(request, problem)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        # A value is not repeated: it may be long, or a secret in the wrong place.
        fields = [
            (".".join(str(part) for part in fault["loc"]), fault["msg"][:_LONGEST])
            for fault in error.errors()
        ]
        detail = "; ".join(f"{field}: {message}" for field, message in fields[:5])
        return _answer(
            request, Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "InvalidRequest", detail, fields=fields)
        )

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        status = HTTPStatus(error.status_code)
        code = status.phrase.title().replace(" ", "").replace("-", "")
        return _answer(request, Problem(status, code, str(error.detail), headers=error.headers))

    @app.exception_handler(StoreError)
    async def _no_store(request: Request, error: StoreError) -> Response:
        return _answer(request, store_unavailable(error, _request_id(request)))

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> Response:
        # Starlette logs the traceback when it raises the error again behind this answer.
        detail = "something went wrong here; the log tells what, under the id of this request"
        return _answer(request, Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "InternalError", detail))


def store_unavailable(error: StoreError, request_id: str) -> Problem:
    """The answer while the store cannot be used; what the database says of it goes to the log alone."""
    _LOG.warning("the store cannot be read", requestId=request_id, error=str(error))
    told = f": {error}" if isinstance(error, SchemaError) else "; try again in a few seconds"
    detail = f"the store of decisions cannot be read at present{told}"
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "StoreUnavailable", detail, headers={"Retry-After": "5"})


def _answer(request: Request, problem: Problem) -> Response:
    return problem_response(problem, _request_id(request))


def _request_id(request: Request) -> str:
    return str(getattr(request.state, REQUEST_ID, ""))
