"""The field reference is generated and complete."""

from __future__ import annotations

from pathlib import Path

from autoscaler.spec.reference import reference
from autoscaler.spec.schema import object_schema

PAGE = Path(__file__).resolve().parents[2] / "docs" / "resource.md"


def test_the_page_is_the_generated_one() -> None:
    command = "python -m autoscaler.spec.reference > docs/resource.md"
    assert PAGE.read_text(encoding="utf-8") == reference(), f"run: {command}"


def test_every_field_of_the_spec_is_on_the_page() -> None:
    page = reference()
    for name in object_schema()["properties"]["spec"]["properties"]:
        assert f"| `{name}` |" in page
