"""The OpenAPI document: FastAPI's own, with what all routes have in common said once and rightly."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from autoscaler.api.problems import MEDIA_TYPE

Json = dict[str, Any]

_PROBLEM = "#/components/schemas/Problem"
_SCHEME = "token"
_DESCRIPTION = """What the operator saw, forecast, decided and did, why, and what it cost.

Times are RFC 3339 in UTC, or, in tables, epoch seconds; a query takes either. Durations are in seconds, money
is decimal text, and what is not known is null, never 0. Lists come in pages: `metadata.continue` of one is
`continue` of the next. Tables come by column in JSON, or as CSV. Errors are `application/problem+json`.
"""
_TAGS = (
    ("workloads", "What is, now."),
    ("history", "What was seen and forecast."),
    ("decisions", "What was decided and why."),
    ("spend", "What it costs."),
    ("overrides", "What people ask for instead."),
    ("what-if", "What another policy would have done, worked out in the background."),
    ("people", "Known events, who is calling, and who changed what."),
    ("watch", "What changes, as it does."),
)


def describe(app: FastAPI) -> None:
    """Let `app.openapi()` return the document as it is shown, made when it is first asked for."""

    def document() -> Json:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    # FastAPI's own way of replacing it.
    app.openapi = document  # type: ignore[method-assign]


def _document(app: FastAPI) -> Json:
    described = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=_DESCRIPTION,
        routes=app.routes,
        tags=[{"name": name, "description": words} for name, words in _TAGS],
    )
    schemas = described["components"]["schemas"]
    for path in described["paths"].values():
        for operation in path.values():
            _mend_operation(operation, schemas)
    for schema in schemas.values():
        _drop_titles(schema)
    described["components"]["securitySchemes"] = {
        _SCHEME: {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of Kubernetes, as `kubectl create token` makes, or of the tokens file.",
        }
    }
    described["security"] = [{_SCHEME: []}]
    return described


def _mend_operation(operation: Json, schemas: Json) -> None:
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])
        _drop_titles(parameter["schema"])
    for answer in operation["responses"].values():
        content = answer.get("content", {})
        of_json = content.get("application/json", {}).get("schema", {}).get("$ref", "")
        if of_json == _PROBLEM:
            answer["content"] = {MEDIA_TYPE: content["application/json"]}
        elif answer["description"] == "Successful Response":
            # Its shape says what it is.
            answer["description"] = schemas[of_json.rpartition("/")[2]]["description"]


def _without_null(schema: Json) -> Json:
    """A parameter is left out or has a value; null is neither."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == len(schema.get("anyOf", ())):
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**rest, **choices[0]} if len(choices) == 1 else {**rest, "anyOf": choices}


def _drop_titles(schema: Any) -> None:
    """Pydantic repeats every name as a title, which tells nobody anything."""
    match schema:
        case {"properties": properties} if isinstance(schema, dict):
            schema.pop("title", None)
            for held in properties.values():
                _drop_titles(held)
        case dict():
            if isinstance(schema.get("title"), str):
                del schema["title"]
            for held in schema.values():
                _drop_titles(held)
        case list():
            for held in schema:
                _drop_titles(held)
