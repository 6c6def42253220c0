"""`--baselines hpa` through the real command, against loops recorded with the real controller's code."""

from __future__ import annotations

import csv
import gzip
import json
import sys
from pathlib import Path

import pytest

from autoscaler.cli import main

DATA = Path(__file__).parents[1] / "data" / "hpa-reference"
PER_REPLICA = {"mongo04": "8", "worldcup": "2500", "crane10": "0.05"}
CALM = {
    "scaleUp": {
        "stabilizationWindowSeconds": 60,
        "selectPolicy": "Max",
        "policies": [
            {"type": "Pods", "value": 2, "periodSeconds": 60},
            {"type": "Percent", "value": 20, "periodSeconds": 60},
        ],
    },
    "scaleDown": {
        "stabilizationWindowSeconds": 300,
        "selectPolicy": "Max",
        "policies": [
            {"type": "Pods", "value": 4, "periodSeconds": 60},
            {"type": "Percent", "value": 10, "periodSeconds": 60},
        ],
    },
}
CASES = [
    pytest.param(trace, behavior, start_up_s, marks=[] if trace == "mongo04" else pytest.mark.slow)
    for trace in PER_REPLICA
    for behavior in ("default", "calm")
    for start_up_s in (60, 300)
]


def rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize(
    ("trace", "behavior", "start_up_s"), [*CASES, pytest.param("mongo04", "from a file", 60)]
)
def test_the_timeline_is_what_the_controller_did(
    trace: str, behavior: str, start_up_s: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = "default" if behavior == "default" else "calm"
    loop = DATA / "loop" / f"{trace}.target70.startup{start_up_s}.{recorded}.csv.gz"
    manifest = tmp_path / "behavior.json"
    manifest.write_text(json.dumps(CALM))
    setting = {"default": "", "calm": ",behavior=calm", "from a file": f",behavior={manifest}"}[behavior]
    timeline = tmp_path / "timeline.csv.gz"
    command = (
        f"backtest {loop} --baselines hpa:target=70,max=1000{setting} --per-replica {PER_REPLICA[trace]}"
    )
    options = f"--start-up {start_up_s}s --warm-up 1d --model none --quiet --timeline {timeline}"
    monkeypatch.setattr(sys, "argv", ["autoscaler", *command.split(), *options.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    expected = [(row["timestamp"], float(row["value"]), row["desired"], row["ready"]) for row in rows(loop)]
    ours = [
        (row["timestamp"], float(row["load"]), row["desired"], row["ready"])
        for row in rows(timeline)
        if row["policy"].startswith("hpa")
    ]
    assert len(ours) == len(expected) > 17_000
    different = [(mine, theirs) for mine, theirs in zip(ours, expected, strict=True) if mine != theirs]
    assert different[:3] == []
