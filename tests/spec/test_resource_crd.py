"""The CRD is structural, bounded, equal to the one that is shipped, and in step with the models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from resource_cases import FIELDS, MINIMAL, RULES, Bad, resource

from autoscaler.cli.crd import render
from autoscaler.spec.resource import PredictiveAutoscaler
from autoscaler.spec.rules import Model, Rule
from autoscaler.spec.schema import custom_resource_definition, fields_at, object_schema

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "operator" / "crd" / "predictive-autoscaler.dev_predictiveautoscalers.yaml"
SAMPLES = sorted((ROOT / "operator" / "samples").glob("*.yaml"))

INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
KEYWORDS = {
    "description", "type", "format", "enum", "default", "required", "properties", "items", "pattern", "anyOf",
    "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
    "x-kubernetes-validations", "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-list-type", "x-kubernetes-list-map-keys",
}  # fmt: skip


def _nodes(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from _nodes(child, f"{path}.{name}")
    if "items" in node:
        yield from _nodes(node["items"], f"{path}[]")


NODES = list(_nodes(object_schema()))
OURS = [(path, node) for path, node in NODES if path.startswith((".spec", ".status"))]


def test_the_shipped_crd_is_the_generated_one() -> None:
    assert SHIPPED.read_text(encoding="utf-8") == render(), (
        f"run: autoscaler crd > {SHIPPED.relative_to(ROOT)}"
    )


def test_the_printed_crd_reads_back_and_has_no_aliases() -> None:
    assert yaml.safe_load(render()) == custom_resource_definition()
    assert "&id" not in render()


def test_every_node_has_one_type_and_only_known_keywords() -> None:
    for path, node in NODES:
        assert set(node) <= KEYWORDS, path
        if node.get("x-kubernetes-int-or-string"):
            assert node["anyOf"] == INT_OR_STRING and "type" not in node, path
        else:
            assert node["type"] in {"object", "array", "string", "integer"} and "anyOf" not in node, path


def test_everything_is_described_and_bounded() -> None:
    for path, node in OURS:
        kind = node.get("type", "string")
        assert node.get("description") or path.endswith("[]"), path
        if kind == "string":
            assert node["maxLength"] > 0, path
        if kind == "array":
            assert 0 < node["maxItems"] <= 64, path
        if kind == "object":
            assert node["properties"], path


def test_every_object_default_is_complete() -> None:
    """The cluster checks a default against the rules before it fills in nested defaults."""
    for path, node in OURS:
        if isinstance(node.get("default"), dict):
            assert set(node["default"]) == {
                n for n, child in node["properties"].items() if "default" in child
            }, path


def test_map_lists_are_keyed_by_a_required_field() -> None:
    keyed = {path: node for path, node in OURS if node.get("x-kubernetes-list-type") == "map"}
    assert set(keyed) == {".spec.events", ".status.conditions"}
    for node in keyed.values():
        assert set(node["x-kubernetes-list-map-keys"]) <= set(node["items"]["required"])


def test_columns_point_at_fields() -> None:
    (version,) = custom_resource_definition()["spec"]["versions"]
    names = [column["name"] for column in version["additionalPrinterColumns"] if not column.get("priority")]
    assert names == ["Target", "Mode", "Load", "Forecast", "Ready", "Desired", "Reason", "Age"]
    known = {path for path, _ in NODES} | {".metadata.creationTimestamp"}
    assert {column["jsonPath"] for column in version["additionalPrinterColumns"]} <= known


def _rules() -> Iterator[Rule]:
    seen: list[type[Model]] = []
    waiting: list[type[Model]] = [Model]
    while waiting:
        model = waiting.pop()
        if model not in seen:
            seen.append(model)
            waiting += model.__subclasses__()
            yield from model.rules


MESSAGES = {
    validation["message"] for _, node in NODES for validation in node.get("x-kubernetes-validations", [])
}


@pytest.mark.parametrize("fault", RULES, ids=lambda fault: fault.message)
def test_a_rule_has_the_same_words_in_the_cluster(fault: Bad) -> None:
    assert fault.message in MESSAGES


def test_every_rule_of_the_models_is_in_the_table_and_in_the_crd() -> None:
    messages = {rule.message for rule in _rules()}
    assert messages <= {fault.message for fault in RULES}
    assert messages <= MESSAGES


def test_every_rule_of_the_crd_is_in_the_tables() -> None:
    told = {fault.message for fault in RULES}
    units = {message for message in MESSAGES if " of a signal of type " in message}
    assert MESSAGES - told == units
    assert len(units) == 2


def test_rules_point_at_fields_that_exist() -> None:
    for path, node in NODES:
        for validation in node.get("x-kubernetes-validations", []):
            field, at = validation.get("fieldPath", ""), node
            for name in field.split(".")[1:]:
                assert name in at["properties"], (path, field)
                at = at["properties"][name]


VALIDATOR = jsonschema.Draft7Validator(object_schema())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_samples_fit_the_schema(sample: Path) -> None:
    for document in yaml.safe_load_all(sample.read_text(encoding="utf-8")):
        assert list(VALIDATOR.iter_errors(document)) == []


def test_the_minimal_object_fits_the_schema() -> None:
    assert list(VALIDATOR.iter_errors(MINIMAL)) == []


# What a plain schema check does not see: unknown fields are pruned or refused, formats are
# checked, and nested type-dependent fields are under CEL, all by the cluster itself.
_BEYOND_JSON_SCHEMA = ("unknown field", 'did you mean "min', 'did you mean "thr', "RFC 3339")


@pytest.mark.parametrize(
    "fault",
    [f for f in FIELDS if not f.only_here and not f.message.startswith(_BEYOND_JSON_SCHEMA)],
    ids=lambda fault: f"{fault.path}: {fault.message[:40]}",
)
def test_the_schema_refuses_bad_values_too(fault: Bad) -> None:
    by_rule = "threshold" in fault.path and fault.message in ("must be a duration", "must be a share")
    refused = not VALIDATOR.is_valid(resource(**fault.change))
    assert refused or by_rule


def test_the_fields_named_to_users_are_those_of_the_models() -> None:
    assert fields_at(()) == ["apiVersion", "kind", "metadata", "spec", "status"]
    assert "minReplicas" in fields_at(("spec",))
    assert fields_at(("spec", "events", 0)) == ["name", "start", "end", "minReplicas", "like"]
    assert len(PredictiveAutoscaler.model_fields) == 5
