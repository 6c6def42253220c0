"""What the chart's files say about each other and about the rest of the tree."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from typing import Any

import yaml
from rendering import CHART, ROOT

from autoscaler import __version__
from autoscaler.spec.resource import PredictiveAutoscaler
from autoscaler.spec.signals import LABEL_PATTERN
from autoscaler.spec.units import DURATION_LENGTH, DURATION_PATTERN

_SCHEMA = json.loads((CHART / "values.schema.json").read_text())
_VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
_RENEW = "sh scripts/render.sh renews it"


def _parts(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every value the schema knows, by path; `[]` stands for the items of a list."""
    for name, part in schema.get("properties", {}).items():
        yield f"{path}{name}", part
        yield from _parts(part, f"{path}{name}.")
        if "properties" in part.get("items", {}):
            yield f"{path}{name}[]", part["items"]
            yield from _parts(part["items"], f"{path}{name}[].")


def _comments(text: str) -> dict[str, str]:
    """What the `# --` comment above each value says, by path."""
    found, path, said = {}, [], []
    for line in text.splitlines():
        comment = re.match(r" *# (-- )?(.*)", line)
        key = re.match(r"( *)(\w+):", line)
        if comment and (comment[1] or said):
            said.append(comment[2])
        elif key:
            path = [*path[: len(key[1]) // 2], key[2]]
            if said:
                found[".".join(path)] = " ".join(said)
            said = []
    return found


def test_the_chart_carries_the_crd_of_this_version_to_the_byte() -> None:
    generated = {path.name: path.read_bytes() for path in (ROOT / "operator" / "crd").glob("*.yaml")}
    carried = {path.name: path.read_bytes() for path in (CHART / "files" / "crds").glob("*.yaml")}
    assert generated
    assert carried == generated, _RENEW


def test_chart_and_operator_have_the_same_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


def test_the_example_in_the_chart_s_metadata_is_a_valid_resource() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    (example,) = yaml.safe_load(chart["annotations"]["artifacthub.io/crdsExamples"])
    assert PredictiveAutoscaler.model_validate(example).spec.max_replicas == 60


def test_every_value_has_a_description() -> None:
    assert [path for path, part in _parts(_SCHEMA) if not part.get("description")] == []


def test_every_section_refuses_what_it_does_not_know() -> None:
    sections = [(path, part) for path, part in _parts(_SCHEMA) if "properties" in part]
    assert [path for path, part in sections if part.get("additionalProperties") is not False] == []
    assert _SCHEMA["additionalProperties"] is False


def test_comments_and_schema_say_the_same() -> None:
    described = {path: part["description"] for path, part in _parts(_SCHEMA)}
    comments = _comments((CHART / "values.yaml").read_text())
    assert comments == {path: described.get(path) for path in comments}
    leaves = {path for path, part in _parts(_SCHEMA) if "[]" not in path and "properties" not in part}
    assert leaves - {"global"} == set(comments)


def test_every_value_that_has_a_default_may_not_be_taken_away() -> None:
    assert set(_SCHEMA["required"]) == set(_VALUES)


def test_durations_and_names_are_judged_as_the_operator_judges_them() -> None:
    period = _SCHEMA["properties"]["period"]
    assert (period["pattern"], period["maxLength"]) == (DURATION_PATTERN, DURATION_LENGTH)
    assert _SCHEMA["properties"]["sources"]["items"]["properties"]["name"]["pattern"] == LABEL_PATTERN


def test_the_page_has_the_values_of_this_chart() -> None:
    spec = importlib.util.spec_from_file_location("values_table", ROOT / "scripts" / "values_table.py")
    assert spec and spec.loader
    values_table = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(values_table)
    page = (ROOT / "docs" / "install.md").read_text()
    assert values_table.renewed(page) == page, _RENEW
