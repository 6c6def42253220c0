"""Errors (RFC 9457)."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from autoscaler.api.shapes.shape import Shape


class FieldError(Shape):
    """What is wrong with one part of the request."""

    field: str = Field(description="Where it stands, such as `query.limit` or `body.until`.")
    message: str = Field(description="What is wrong with it.")


class Problem(Shape):
    """Why there is no other answer, as `application/problem+json`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Not Found",
                    "status": 404,
                    "code": "WorkloadNotFound",
                    "detail": "there is no PredictiveAutoscaler shop/checkout",
                    "requestId": "5f0c7c1e9b6d4a54",
                }
            ]
        }
    )

    type: str = Field(description="`about:blank`: the status says what kind of problem this is.")
    title: str = Field(description="The status in words.")
    status: int = Field(description="The HTTP status.")
    code: str = Field(description="One word that programs tell the problem by.")
    detail: str = Field(description="What happened and what to do, for people.")
    request_id: str = Field(description="The answer's `X-Request-Id`, under which the log tells more.")
    errors: list[FieldError] = Field(default=[], description="Each field that is wrong, if any is.")
