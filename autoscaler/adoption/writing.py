"""Manifests as YAML that people read: keys in their usual order, comments above what they are about."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any

from autoscaler.adoption.compose import Adoption
from autoscaler.spec.yamltext import ManifestDumper, yaml_text
from autoscaler.spec.yamltree import Path, documents

_WIDTH = 100


class _OneLine(dict[str, Any]):
    """A mapping that is written in braces."""


class _Dumper(ManifestDumper):
    """Rate policies on a line each."""


_Dumper.add_representer(
    _OneLine, lambda dumper, data: dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=True)
)


def written(adoptions: Iterable[Adoption]) -> str:
    """All manifests in one file."""
    return "---\n".join(map(_manifest, adoptions))


def _manifest(adoption: Adoption) -> str:
    text = yaml_text(_shaped(adoption.manifest), _Dumper)
    lines = text.splitlines()
    (document,) = documents(text)
    inserts: dict[int, list[str]] = {}
    for path, comment in adoption.comments.items():
        at = document.lines[path] - 1
        inserts.setdefault(at, []).extend(_wrapped(comment, indent=_depth(lines[at])))
    if adoption.signal_hints:
        at = _after_signals(document.lines, len(lines))
        inserts.setdefault(at, []).extend(f"  # {hint}" for hint in adoption.signal_hints)
    parts = [[*inserts.get(index, []), line] for index, line in enumerate(lines)]
    return "\n".join([line for part in parts for line in part] + inserts.get(len(lines), [])) + "\n"


def _after_signals(lines: dict[Path, int], total: int) -> int:
    """Index of the line before which further signals stand."""
    behavior = lines.get(("spec", "behavior"))
    return total if behavior is None else behavior - 1


def _shaped(value: Any) -> Any:
    """`value` with its rate policies marked for the dumper."""
    if isinstance(value, dict):
        return {key: _policies(item) if key == "policies" else _shaped(item) for key, item in value.items()}
    return [_shaped(item) for item in value] if isinstance(value, list) else value


def _policies(value: Any) -> Any:
    return [_OneLine(item) for item in value] if isinstance(value, list) else value


def _wrapped(comment: str, indent: int) -> list[str]:
    lead = " " * indent + "# "
    return textwrap.wrap(
        comment,
        _WIDTH,
        initial_indent=lead,
        subsequent_indent=lead,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
