"""The CustomResourceDefinition, generated from the typed models.

Pydantic's JSON schema is rewritten into the structural subset of OpenAPI v3 that the cluster
accepts: no references, one type per node, unions only as int-or-string, every text and list
bounded so that the cost of each CEL rule can be estimated.
"""

from __future__ import annotations

from typing import Any

from autoscaler.spec.resource import GROUP, KIND, VERSION, PredictiveAutoscaler
from autoscaler.spec.rules import Model
from autoscaler.spec.signals import SIGNAL_TYPES
from autoscaler.spec.units import DURATION_PATTERN, DURATION_WORDS, SHARE_PATTERN, SHARE_WORDS

Schema = dict[str, Any]

_IN_WORDS = {DURATION_PATTERN: DURATION_WORDS, SHARE_PATTERN: SHARE_WORDS}

_DROPPED = frozenset({"title", "$defs", "additionalProperties", "discriminator", "oneOf", "const"})
_ABSENT: tuple[object, ...] = (None, "")
"""Defaults that mean: the field is not there."""


def _signal_fields() -> dict[str, dict[str, bool]]:
    """For each type of signal its fields, and whether they are required."""
    found = {}
    for model in SIGNAL_TYPES:
        schema = model.model_json_schema(by_alias=True)
        required = schema.get("required", [])
        found[schema["properties"]["type"]["const"]] = {n: n in required for n in schema["properties"]}
    return found


SIGNAL_FIELDS = _signal_fields()


def needed_message(signal_type: str, field: str) -> str:
    """Said when a signal lacks a field that its type requires."""
    return f"a signal of type {signal_type} needs {field}"


def misplaced_message(field: str, owners: list[str]) -> str:
    """Said when a signal has a field that belongs to other types."""
    return f"{field} belongs to signals of type {' or '.join(owners)} only"


def custom_resource_definition() -> Schema:
    """The CRD as plain data, in a stable order."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"predictiveautoscalers.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": "predictiveautoscalers",
                "singular": "predictiveautoscaler",
                "shortNames": ["pa"],
                "categories": ["autoscaling"],
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": object_schema()},
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": _columns(),
                }
            ],
        },
    }


def object_schema() -> Schema:
    """Structural schema of one object."""
    schema = structural(PredictiveAutoscaler)
    # The cluster knows these three itself and allows no more about them than their type.
    schema["properties"]["apiVersion"] = {"type": "string"}
    schema["properties"]["kind"] = {"type": "string"}
    schema["properties"]["metadata"] = {"type": "object"}
    schema["required"] = ["spec"]
    return schema


def structural(model: type[Model]) -> Schema:
    """Structural schema of one model."""
    raw = model.model_json_schema(by_alias=True)
    return _rewritten(raw, raw.get("$defs", {}))


def fields_at(path: tuple[str | int, ...]) -> list[str]:
    """Names of the fields that may stand at `path` of an object."""
    if not path:
        return list(PredictiveAutoscaler.model_json_schema(by_alias=True)["properties"])
    node = object_schema()
    for step in path:
        node = node["items"] if isinstance(step, int) else node.get("properties", {}).get(step, {})
    return list(node.get("properties", {}))


def _rewritten(node: Schema, definitions: dict[str, Schema]) -> Schema:
    """`node` and everything below it as a structural schema."""
    node = _resolved(node, definitions)
    if "oneOf" in node:
        variants = [_resolved(variant, definitions) for variant in node["oneOf"]]
        merged = _one_object([_rewritten(variant, definitions) for variant in variants])
        return {**merged, **{k: v for k, v in node.items() if k == "description"}}
    result = {key: value for key, value in node.items() if key not in _DROPPED}
    if "const" in node:
        result["enum"] = [node["const"]]
        result["type"] = "string"
    if "enum" in result:
        result.setdefault("maxLength", 64)
    if result.get("default", 0) in _ABSENT:
        del result["default"]
    if node.get("additionalProperties") is True:
        result["x-kubernetes-preserve-unknown-fields"] = True
    if node.get("type") == "integer" and "format" not in node:
        result["format"] = "int32"
    if "items" in result:
        result["items"] = _rewritten(result["items"], definitions)
    if "properties" in result:
        result["properties"] = {k: _rewritten(v, definitions) for k, v in result["properties"].items()}
    if result.get("default") == {}:
        # The cluster checks a default against the rules before it fills in what is inside.
        result["default"] = {k: v["default"] for k, v in result["properties"].items() if "default" in v}
    return _in_order(result)


def _resolved(node: Schema, definitions: dict[str, Schema]) -> Schema:
    """Follows a reference and unwraps an optional; what is said beside them wins."""
    options = [o for o in node.get("anyOf", []) if o != {"type": "null"}]
    if "anyOf" in node and len(options) == 1:
        node = {**options[0], **{k: v for k, v in node.items() if k != "anyOf"}}
    if "$ref" in node:
        target = definitions[node["$ref"].rpartition("/")[2]]
        node = _resolved({**target, **{k: v for k, v in node.items() if k != "$ref"}}, definitions)
    return node


def _one_object(variants: list[Schema]) -> Schema:
    """One object with the fields of all variants; rules say which belong to which type."""
    types = [variant["properties"]["type"]["enum"][0] for variant in variants]
    merged: Schema = {}
    rules: list[dict[str, str]] = []
    for name in dict.fromkeys(name for variant in variants for name in variant["properties"]):
        owners = {
            t: v["properties"][name] for t, v in zip(types, variants, strict=True) if name in v["properties"]
        }
        merged[name] = _one_field(owners, len(types))
        rules += _membership_rules(name, list(owners), types)
    merged["type"]["enum"] = types
    for signal_type, variant in zip(types, variants, strict=True):
        rules += [_only_for(signal_type, rule) for rule in variant.get("x-kubernetes-validations", [])]
        rules += _pattern_rules(signal_type, variant["properties"], merged)
    return {
        "type": "object",
        "required": ["type"],
        "properties": {"type": merged.pop("type"), **merged},
        "x-kubernetes-validations": _without_repetition(rules),
    }


def _one_field(owners: dict[str, Schema], all_types: int) -> Schema:
    """One schema for a field that several types of signal have."""
    schemas = list(owners.values())
    merged = dict(schemas[0])
    patterns = list(dict.fromkeys(s["pattern"] for s in schemas if "pattern" in s))
    if len(patterns) > 1:
        merged["pattern"] = "|".join(f"({pattern})" for pattern in patterns)
        merged["maxLength"] = max(schema["maxLength"] for schema in schemas)
    texts = dict.fromkeys(schema["description"] for schema in schemas)
    if len(texts) > 1 or len(owners) < all_types:
        merged["description"] = " ".join(
            f"{' and '.join(t for t in owners if owners[t]['description'] == text)}: {text}" for text in texts
        )
    return merged


def _membership_rules(name: str, owners: list[str], types: list[str]) -> list[dict[str, str]]:
    rules = []
    if name != "type":
        needing = [t for t in owners if SIGNAL_FIELDS[t][name]]
        rules = [
            {"rule": f"self.type != '{t}' || has(self.{name})", "message": needed_message(t, name)}
            for t in needing
        ]
    if len(owners) < len(types):
        among = " || ".join(f"self.type == '{owner}'" for owner in owners)
        message = misplaced_message(name, owners)
        rules.append({"rule": f"!has(self.{name}) || {among}", "message": message, "fieldPath": f".{name}"})
    return rules


def _only_for(signal_type: str, rule: dict[str, str]) -> dict[str, str]:
    """The rule of one variant; absent fields are the business of the membership rules."""
    condition = f"self.type != '{signal_type}'"
    field = rule.get("fieldPath", "")
    if field and not SIGNAL_FIELDS[signal_type][field[1:]]:
        return rule  # defaulted and common to all types
    return {**rule, "rule": f"{condition} || !has(self{field}) || ({rule['rule']})"}


def _pattern_rules(signal_type: str, properties: Schema, merged: Schema) -> list[dict[str, str]]:
    """Where types disagree about the text of a field, each type's own pattern as a rule."""
    rules = []
    for name, schema in properties.items():
        if name != "type" and schema.get("pattern") != merged[name].get("pattern"):
            matches = f"self.{name}.matches(r'{schema['pattern']}')"
            rule = f"self.type != '{signal_type}' || !has(self.{name}) || {matches}"
            message = f"{name} of a signal of type {signal_type} {_IN_WORDS[schema['pattern']]}"
            rules.append({"rule": rule, "message": message, "fieldPath": f".{name}"})
    return rules


def _without_repetition(rules: list[dict[str, str]]) -> list[dict[str, str]]:
    return [rule for index, rule in enumerate(rules) if rule not in rules[:index]]


_FIRST = ("description", "type", "format", "enum", "default", "required")
_LAST = ("items", "properties", "x-kubernetes-validations")


def _in_order(schema: Schema) -> Schema:
    """Keys in the order in which people read them."""
    first = {key: schema[key] for key in _FIRST if key in schema}
    last = {key: schema[key] for key in _LAST if key in schema}
    return first | {k: v for k, v in schema.items() if k not in first and k not in last} | last


def _columns() -> list[Schema]:
    columns: list[tuple[str, str, str, int]] = [
        ("Target", "string", ".spec.scaleTargetRef.name", 0),
        ("Mode", "string", ".spec.mode", 0),
        ("Load", "string", ".status.load", 0),
        ("Forecast", "string", ".status.forecast", 0),
        ("Ready", "integer", ".status.ready", 0),
        ("Desired", "integer", ".status.desired", 0),
        ("Reason", "string", ".status.reason", 0),
        ("Age", "date", ".metadata.creationTimestamp", 0),
        ("Kind", "string", ".spec.scaleTargetRef.kind", 1),
        ("Min", "integer", ".spec.minReplicas", 1),
        ("Max", "integer", ".spec.maxReplicas", 1),
        ("Model", "string", ".status.model", 1),
        ("Lead", "integer", ".status.leadTime.seconds", 1),
        ("Spent", "string", ".status.spend.today", 1),
        ("Decision", "string", ".status.decision", 1),
    ]
    return [
        {"name": name, "type": kind, "jsonPath": path, **({"priority": priority} if priority else {})}
        for name, kind, path, priority in columns
    ]
