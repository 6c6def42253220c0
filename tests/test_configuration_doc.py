"""The pages on configuration against what operator and service read: the example, the keys, the defaults."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from autoscaler.api.configuration import ServeConfiguration, read_serve_configuration
from autoscaler.controller.configuration import Configuration, Source, read_configuration

_DOCS = Path(__file__).resolve().parents[1] / "docs"
_PAGE = (_DOCS / "configuration.md").read_text(encoding="utf-8")
_SERVICE_PAGE = (_DOCS / "service.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| `([A-Za-z.\[\]]+)` \| (\S+) \| (.+) \|$", re.MULTILINE)
_EXAMPLE = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FOLDER = "/etc/sources/"


def _section(field: FieldInfo) -> tuple[type[BaseModel] | None, str]:
    """The section a key opens, and how its keys are then named."""
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
        return field.annotation, "."
    return (Source, "[].") if Source in get_args(field.annotation) else (None, "")


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every key with its default as the page writes it; a section without a value of its own is no key."""
    for field in model.model_fields.values():
        name = f"{prefix}{field.alias}"
        inner, joint = _section(field)
        if inner is None or field.is_required():
            yield name, _written(field)
        if inner is not None:
            yield from _keys(inner, f"{name}{joint}")


def _written(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default: Any = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default}`" if default or default == 0 else "none"


@pytest.mark.parametrize(
    ("model", "page"),
    [(Configuration, _PAGE), (ServeConfiguration, _SERVICE_PAGE)],
    ids=["operator", "service"],
)
def test_every_key_is_on_the_page_with_the_default_that_is_in_force(
    model: type[BaseModel], page: str
) -> None:
    assert dict(_keys(model)) == {name: default for name, default, _ in _ROW.findall(page)}


def test_the_example_is_a_configuration_that_the_service_takes(tmp_path: Path) -> None:
    (example,) = _EXAMPLE.findall(_SERVICE_PAGE)
    written = tmp_path / "service.yaml"
    written.write_text(example)
    configuration = read_serve_configuration(written)
    assert (configuration.authentication.kind, configuration.listen.address) == ("tokens", "127.0.0.1")


def test_the_example_is_a_configuration_that_the_operator_takes(tmp_path: Path) -> None:
    (example,) = _EXAMPLE.findall(_PAGE)
    for path in re.findall(rf"{_FOLDER}(\S+)", example):
        file = tmp_path / "sources" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("secret")
    written = tmp_path / "config.yaml"
    written.write_text(example.replace(_FOLDER, f"{tmp_path}/sources/"))
    configuration = read_configuration(written)
    assert [source.name for source in configuration.sources] == ["default", "mimir"]
    assert configuration.sources[1].headers == {"X-Scope-OrgID": "shop"}


@pytest.mark.parametrize("secret", ["token", "password"])
def test_no_key_takes_a_secret_as_a_value(secret: str) -> None:
    holding = {name for name, _ in _keys(Configuration) if secret in name.lower()}
    assert holding == {f"sources[].{secret}File"}


def test_the_example_shows_a_key_of_every_section() -> None:
    (example,) = _EXAMPLE.findall(_PAGE)
    shown = yaml.safe_load(example).keys()
    sections = {field.alias for field in Configuration.model_fields.values()}
    assert sections - shown == {"server"}
