"""The dashboards as committed: their panels and every query in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
GRAFANA = ROOT / "dashboards" / "grafana"
RULES = ROOT / "dashboards" / "rules.yaml"
FILES = sorted(GRAFANA.glob("*.json"))

Panel = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A query of a panel, with Grafana's variables still in it."""

    page: str
    panel: str
    expr: str

    def __str__(self) -> str:
        return f"{self.page}, {self.panel}: {self.expr}"


def load(file: Path) -> dict[str, Any]:
    """One dashboard."""
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def panels(dashboard: dict[str, Any]) -> Iterator[Panel]:
    """All of its panels, rows and what collapsed rows hold included."""
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def queries() -> list[Asked]:
    """Every query of every dashboard."""
    return [
        Asked(file.stem, panel["title"], target["expr"])
        for file in FILES
        for panel in panels(load(file))
        for target in panel.get("targets", [])
    ]


def filled_in(expr: str, values: Mapping[str, str]) -> str:
    """The query with Grafana's variables replaced; KeyError for one that has no value."""
    return re.sub(r"\$\{?(\w+)\}?", lambda match: values[match[1]], expr)
