"""Writes the Grafana dashboards, and the chart's copies of them and of the rules.

Run it as `python scripts/dashboards`. With a folder as argument only the dashboards are written, and there.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from fleet import fleet
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from itself import itself
from service import service
from workload import workload

_ROOT = Path(__file__).resolve().parents[2]
_GRAFANA = _ROOT / "dashboards" / "grafana"
_RULES = _ROOT / "dashboards" / "rules.yaml"
_CHART_FILES = _ROOT / "operator" / "chart" / "predictive-autoscaler" / "files"


def write_dashboards(folder: Path) -> None:
    """A file for each dashboard, named for its uid."""
    folder.mkdir(parents=True, exist_ok=True)
    for made in (fleet(), workload(), itself(), service()):
        text = JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(made)
        (folder / f"{made.uid}.json").write_text(f"{text}\n", encoding="utf-8")


def copy_into_chart() -> None:
    """What the chart installs is what is in dashboards/."""
    for source, folder in ((_GRAFANA, "dashboards"), (_RULES, "rules")):
        there = _CHART_FILES / folder
        there.mkdir(parents=True, exist_ok=True)
        for file in sorted(source.glob("*.json")) if source.is_dir() else [source]:
            shutil.copyfile(file, there / file.name)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        write_dashboards(Path(sys.argv[1]))
    else:
        write_dashboards(_GRAFANA)
        copy_into_chart()
