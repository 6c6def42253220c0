"""Writes the table of the chart's values into docs/install.md, between its two marks.

Descriptions come from values.schema.json, defaults from values.yaml.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

_ROOT = Path(__file__).resolve().parents[1]
_CHART = _ROOT / "operator" / "chart" / "predictive-autoscaler"
_PAGE = _ROOT / "docs" / "install.md"
BEGIN = "<!-- values: written by scripts/render.sh -->\n"
END = "<!-- end of values -->\n"


def rows(
    schema: dict[str, Any], defaults: dict[str, Any], prefix: str = ""
) -> Iterator[tuple[str, str, str]]:
    """Path, default and description of every value that is not itself a section of named values."""
    for name, part in schema["properties"].items():
        if name not in defaults:
            continue
        if "properties" in part:
            yield from rows(part, defaults[name], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", json.dumps(defaults[name]), part["description"]


def table() -> str:
    """The whole table in Markdown."""
    schema = json.loads((_CHART / "values.schema.json").read_text(encoding="utf-8"))
    defaults = yaml.safe_load((_CHART / "values.yaml").read_text(encoding="utf-8"))
    lines = ["| Value | Default | Meaning |", "|---|---|---|"]
    lines += [f"| `{path}` | `{default}` | {meaning} |" for path, default, meaning in rows(schema, defaults)]
    return "\n".join(lines) + "\n"


def renewed(page: str) -> str:
    """The page with a fresh table. Raises ValueError where a mark is missing."""
    before, _, rest = page.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{_PAGE} lacks the marks between which the table goes")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    _PAGE.write_text(renewed(_PAGE.read_text(encoding="utf-8")), encoding="utf-8")
