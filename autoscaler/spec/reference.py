"""The field reference, written from the models so that it cannot go out of date.

`python -m autoscaler.spec.reference > docs/resource.md` brings the page up to date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

from autoscaler.spec.resource import API_VERSION, KIND
from autoscaler.spec.schema import SIGNAL_FIELDS, Schema, object_schema
from autoscaler.spec.units import (
    DURATION_PATTERN,
    MONEY_PATTERN,
    QUANTILE_PATTERN,
    QUANTITY_PATTERN,
    SHARE_PATTERN,
)

_UNIT_NAMES = {
    DURATION_PATTERN: "duration",
    QUANTITY_PATTERN: "quantity",
    SHARE_PATTERN: "share",
    QUANTILE_PATTERN: "quantile",
    MONEY_PATTERN: "money",
}

_HEAD = f"""# The {KIND} resource

`apiVersion: {API_VERSION}`, `kind: {KIND}`, short name `pa`, namespaced. Samples to start from:
[minimal](../operator/samples/minimal.yaml), [every field](../operator/samples/full.yaml),
[a queue worker](../operator/samples/queue-worker.yaml),
[a shadow policy](../operator/samples/shadow.yaml),
[a shop with known futures](../operator/samples/known-futures.yaml),
[a service behind a frontend](../operator/samples/behind-a-frontend.yaml). `autoscaler check FILE` validates a
manifest and `autoscaler crd` prints the CustomResourceDefinition; a backtest reads `spec.signals` from
[columns of the recorded file](prometheus.md#signals-in-a-recorded-file). This page is generated:
`python -m autoscaler.spec.reference > docs/resource.md`.

## Units

| Unit | Written as | Notes |
|---|---|---|
| duration | `90s`, `5m`, `1h30m`, `250ms`, `28d`, `2w` | As in Go; whole days and whole weeks stand alone. |
| quantity | `120`, `"1.5k"`, `"500m"` | As in Kubernetes, without signs and exponents. |
| share | `5%`, `"0.05"` | At least 0 and below one. |
| quantile | `"0.95"`, `95` | A text between 0 and 1, or an integer percent. |
| money | `"0.12"` | In quotes, so that no digit is lost. |
| time | `"2026-11-27T08:00:00+01:00"` | RFC 3339 with its offset. |

The cluster checks all of this except that a time zone exists and that the holidays of a country are known,
which `autoscaler check` adds.
"""


def reference() -> str:
    """The page as Markdown."""
    parts = [_HEAD]
    schema = object_schema()["properties"]
    for path in ("spec", "status"):
        for name, node in _objects(path, schema[path]):
            parts.append("\n".join(_section(name, node)))
    return "\n".join(parts)


def _objects(path: str, node: Schema) -> Iterator[tuple[str, Schema]]:
    """Every object below `node`, outermost first, with its path."""
    if node.get("type") == "array":
        path, node = f"{path}[]", node["items"]
    if "properties" in node:
        yield path, node
        for name, child in node["properties"].items():
            yield from _objects(f"{path}.{name}", child)


def _section(path: str, node: Schema) -> Iterator[str]:
    yield f"## {path}"
    yield ""
    yield "| Field | Type | Default | Meaning |"
    yield "|---|---|---|---|"
    for name, field in node["properties"].items():
        cells = (f"`{name}`", _type(field), _default(path, name, field, node), field["description"])
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
    yield ""
    messages = [rule["message"] for rule in node.get("x-kubernetes-validations", [])]
    if messages:
        yield "Rules:"
        yield ""
        yield from (f"- {message}" for message in dict.fromkeys(messages))
        yield ""


def _type(field: Schema) -> str:
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}, {_bounds(field, 'Items')}"
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    units = [name for pattern, name in _UNIT_NAMES.items() if pattern in field.get("pattern", "")]
    if units:
        return " or ".join(units)
    if field.get("format") == "date-time":
        return "time"
    if field["type"] == "integer":
        return f"integer, {_bounds(field, 'imum')}"
    if field["type"] == "string":
        return f"text, at most {field['maxLength']}"
    return str(field["type"])


def _bounds(field: Schema, suffix: str) -> str:
    low, high = field.get(f"min{suffix}"), field.get(f"max{suffix}")
    if high is None or high == 2_147_483_647:
        return f"at least {low or 0}"
    return f"{low or 0} to {high}"


def _default(path: str, name: str, field: Schema, parent: Schema) -> str:
    if "default" in field:
        if field.get("type") == "object":
            return "see below"
        return "none" if field["default"] == [] else f"`{json.dumps(field['default'])}`"
    if path == "spec.signals[]" and name != "type":
        needing = [kind for kind, fields in SIGNAL_FIELDS.items() if fields.get(name)]
        return f"required for {', '.join(needing)}" if needing else "none"
    return "required" if name in parent.get("required", []) else "none"


if __name__ == "__main__":
    sys.stdout.write(reference())
