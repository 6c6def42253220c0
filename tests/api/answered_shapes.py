"""Answers held against the shapes that the OpenAPI document describes them with."""

from __future__ import annotations

from typing import Any, TypeVar

import httpx2
from pydantic import BaseModel

Kind = TypeVar("Kind", bound=BaseModel)


def shaped(answer: httpx2.Response, kind: type[Kind], status: int = 200) -> dict[str, Any]:
    """The JSON of an answer that is of this shape, with every field it has to have and no other."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    kind.model_validate_json(answer.content, strict=False)
    told: dict[str, Any] = answer.json()
    return told


def refused(answer: httpx2.Response, status: int, code: str) -> str:
    """The detail of a problem of this kind."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["requestId"] == answer.headers["x-request-id"]
    detail: str = problem["detail"]
    return detail
