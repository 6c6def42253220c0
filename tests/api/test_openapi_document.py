"""The OpenAPI document is one that a person can read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def document(client: TestClient) -> dict[str, Any]:
    answer = client.get("/openapi.json")
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method in methods:
            assert method in METHODS
            yield f"{method.upper()} {path}", methods[method]


def schemas(held: Any) -> Iterator[dict[str, Any]]:
    """Every object of the document."""
    if isinstance(held, dict):
        yield held
        for value in held.values():
            yield from schemas(value)
    elif isinstance(held, list):
        for value in held:
            yield from schemas(value)


def test_every_operation_says_what_it_is_for(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    for name, operation in operations(document):
        assert operation["summary"], name
        assert len(operation["description"]) > 40, name
        assert set(operation["tags"]) <= tags, name
        assert name.partition(" ")[2].startswith("/api/v1/"), name


def test_operations_have_names_of_their_own_in_one_style(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(set(names)) == len(names)
    for name in names:
        assert name.isalpha() and name[0].islower(), name


def test_every_tag_is_used_and_described(document: dict[str, Any]) -> None:
    used = {tag for _, operation in operations(document) for tag in operation["tags"]}
    assert used == {tag["name"] for tag in document["tags"] if tag["description"]}


def test_every_parameter_is_described_and_none_may_be_null(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            where = f"{name}: {parameter['name']}"
            assert parameter.get("description") or parameter["schema"].get("description"), where
            assert {"type": "null"} not in parameter["schema"].get("anyOf", ()), where


def test_every_error_is_a_problem_and_every_operation_can_fail(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        failures = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
        assert {"401", "403", "422", "429", "503", "504"} <= failures.keys(), name
        for status, answer in failures.items():
            assert list(answer["content"]) == ["application/problem+json"], f"{name}: {status}"
            assert answer["description"], f"{name}: {status}"


def test_every_success_is_described_by_what_it_is(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status < "300":
                assert answer["description"] not in ("", "Successful Response"), name
                assert answer["content"], name


def test_every_schema_is_described(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("description"), name
        assert "ValidationError" not in name


def test_no_name_is_repeated_as_a_title(document: dict[str, Any]) -> None:
    for schema in schemas(document["components"]["schemas"]):
        if schema.get("type") in ("string", "integer", "number", "object", "array", "boolean"):
            assert "title" not in schema or not isinstance(schema["title"], str), schema


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    held = document["components"]["schemas"]
    for name, operation in operations(document):
        if "requestBody" not in operation:
            continue
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        names = [one["$ref"].rpartition("/")[2] for one in schema.get("oneOf", [schema])]
        assert any(held[one].get("examples") for one in names), name


def test_examples_are_of_the_shape_they_are_shown_with() -> None:
    from autoscaler.api.shapes.decisions import SUMMARY_EXAMPLE, DecisionSummary
    from autoscaler.api.shapes.workloads import EXAMPLE, Workload

    Workload.model_validate(EXAMPLE)
    DecisionSummary.model_validate(SUMMARY_EXAMPLE)


def test_a_token_is_asked_for_everywhere(document: dict[str, Any]) -> None:
    assert document["security"] == [{"token": []}]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert not any("security" in operation for _, operation in operations(document))
