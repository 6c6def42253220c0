"""Plain data as YAML that people read and that every reader of YAML takes for the same data."""

from __future__ import annotations

from typing import Any

import yaml

from autoscaler.spec.yamltree import YamlProblem, documents

_UNFOLDED = 100_000
"""Width for queries: PyYAML would break long lines where people do not."""


class ManifestDumper(yaml.SafeDumper):
    """Lists indented below their key, no aliases, texts in quotes where they need them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent the items of a list as well."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:
        """Write a value again where it occurs again."""
        return True


def yaml_text(value: Any, dumper: type[ManifestDumper] = ManifestDumper) -> str:
    """`value` as one document, keys in their order, ending with a newline."""
    text: str = yaml.dump(
        value, Dumper=dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=_UNFOLDED
    )
    return text


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = "|" if "\n" in text else None if _reads_back(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _reads_back(text: str) -> bool:
    """Whether it stays a text without quotes, for readers of YAML 1.1 that are not PyYAML as well."""
    try:
        return [document.value for document in documents(text)] == [text]
    except YamlProblem:
        return False


ManifestDumper.add_representer(str, _represent_text)
ManifestDumper.add_representer(
    type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", "")
)
