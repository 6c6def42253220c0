"""A column named like a signal is that signal; one that cannot be is refused, never left out in silence."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest
from worlds import trace

from autoscaler.backtest.report.export import timestamps
from autoscaler.cli import main

POLICY = """apiVersion: predictive-autoscaler.dev/v1alpha1
kind: PredictiveAutoscaler
metadata: {name: ours}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: ours}
  minReplicas: 1
  maxReplicas: 50
  load: {query: up, perReplica: 10}
  forecast: {model: none, leadTime: 5m}
  signals:
  - {type: CPU, targetUtilization: 70}
  - {type: Latency, name: p99, threshold: 500ms, query: up}
"""
STEPS = 288
BUSY = 200


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("policy.yaml").write_text(POLICY)


def record(columns: dict[str, list[str]]) -> None:
    times = timestamps(trace([0.0] * STEPS, 300).times_s)
    lines = [",".join(["timestamp", "value", *columns])]
    lines += [",".join([time, "40", *cells]) for time, *cells in zip(times, *columns.values(), strict=True)]
    Path("load.csv").write_text("\n".join(lines) + "\n")


def backtest(monkeypatch: pytest.MonkeyPatch, command: str = "backtest") -> int:
    options = "--quiet --jobs 1 --warm-up 1h --json out.json"
    more = "--baselines none --timeline out.csv" if command == "backtest" else "--vary minReplicas=1,2"
    line = f"autoscaler {command} load.csv --policy policy.yaml {options} {more}"
    monkeypatch.setattr(sys, "argv", line.split())
    with pytest.raises(SystemExit) as ended:
        main()
    assert not isinstance(ended.value.code, str)
    return ended.value.code or 0


def asked() -> list[int]:
    with Path("out.csv").open() as file:
        return [int(row["desired"]) for row in csv.DictReader(file)]


def note() -> str:
    told = json.loads(Path("out.json").read_text())["traces"][0]["policies"][0]["note"]
    assert isinstance(told, str)
    return told


def cpu(at_busy: str) -> list[str]:
    return [at_busy if index == BUSY else "10" for index in range(STEPS)]


def test_a_recorded_signal_decides_and_the_note_says_which_were(monkeypatch: pytest.MonkeyPatch) -> None:
    record({"cpu": cpu("10")})
    assert backtest(monkeypatch) == 0
    calm = asked()
    assert note().endswith("signals: cpu recorded, p99 simulated")
    record({"cpu": cpu("140")})
    assert backtest(monkeypatch) == 0
    assert asked()[:BUSY] == calm[:BUSY]
    assert asked()[BUSY] > calm[BUSY]


def test_without_a_column_every_signal_is_simulated_and_the_note_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record({"zone": ["eu"] * STEPS})
    assert backtest(monkeypatch) == 0
    assert note().endswith("signals: cpu simulated, p99 simulated")


@pytest.mark.parametrize("command", ["backtest", "tune"])
@pytest.mark.parametrize(
    ("columns", "says"),
    [
        pytest.param(
            {"cpu": cpu("n/a")}, f"line {BUSY + 2}: cpu 'n/a' is not a finite number", id="one text"
        ),
        pytest.param(
            {"cpu": cpu("inf")}, f"line {BUSY + 2}: cpu 'inf' is not a finite number", id="infinite"
        ),
        pytest.param({"p99": ["?"] * STEPS}, "line 2: p99 '?' is not a finite number", id="all text"),
        pytest.param({"CPU": cpu("10")}, "line 1: did you mean 'cpu', which the policy reads", id="case"),
        pytest.param(
            {"P99": cpu("1")}, "line 1: did you mean 'p99', which the policy reads", id="case of a name"
        ),
    ],
)
def test_a_column_meant_for_a_signal_is_used_or_refused(
    command: str,
    columns: dict[str, list[str]],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    record(columns)
    assert backtest(monkeypatch, command) == 2
    out, err = capfd.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"load.csv: {says}" in err
    assert not Path("out.json").exists()


def test_an_empty_cell_is_an_unknown_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    record({"cpu": cpu("")})
    assert backtest(monkeypatch) == 0
    assert note().endswith("signals: cpu recorded, p99 simulated")


def test_both_spellings_are_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    record({"CPU": ["text"] * STEPS, "cpu": cpu("10")})
    assert backtest(monkeypatch) == 0
