"""What the OpenAPI document says of the problems that a route can answer with."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from autoscaler.api.columns import CSV
from autoscaler.api.shapes.problem import Problem

Answers = dict[int | str, dict[str, Any]]

_WORDS = {
    HTTPStatus.BAD_REQUEST: "What is asked for does not fit together, or the cursor is none of ours.",
    HTTPStatus.UNAUTHORIZED: "No valid token was shown.",
    HTTPStatus.FORBIDDEN: "The caller may not, in this namespace.",
    HTTPStatus.NOT_FOUND: "There is no such thing.",
    HTTPStatus.CONFLICT: "It cannot be done as things are.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is too long.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "A part of the request is not as described here; `errors` says which.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many requests; `Retry-After` says when to try again.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The store or the cluster does not answer. Try again later.",
    HTTPStatus.GATEWAY_TIMEOUT: "It took too long. Ask for less.",
}
_ALWAYS = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)


def problem_answers(*statuses: int) -> Answers:
    """These, and those that every route may answer with; for `responses` of a route."""
    return {
        status: {"model": Problem, "description": _WORDS[HTTPStatus(status)]}
        for status in sorted({*statuses, *map(int, _ALWAYS)})
    }


CSV_TOO: Answers = {200: {"content": {CSV: {"schema": {"type": "string"}}}}}
"""For `responses` of a route that answers with a table."""
