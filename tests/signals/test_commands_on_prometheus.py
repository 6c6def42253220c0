"""The commands on a real Prometheus: answers as on a file with the same load, and one line for trouble."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from real_prometheus import RealPrometheus

pytestmark = pytest.mark.prometheus

COMMAND = [sys.executable, "-c", "from autoscaler.cli import main; main()"]


def autoscaler(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=110, check=False
    )


def instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_backtest_on_prometheus_is_that_on_the_same_load_in_a_file(
    prometheus_server: RealPrometheus, tmp_path: Path
) -> None:
    steps = 3 * 1440
    start_s = prometheus_server.end_s - (steps - 1) * prometheus_server.step_s
    values = prometheus_server.values["s00"][-steps:]
    assert np.isfinite(values).all()
    with (tmp_path / "load.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["timestamp", "value"])
        rows.writerows((instant(start_s + 60 * i), repr(float(value))) for i, value in enumerate(values))
    same = ("--warm-up", "1d", "--baselines", "hpa", "--per-replica", 10, "--quiet", "--timeline")
    live = autoscaler(
        *("backtest", "--prometheus", prometheus_server.url, "--query", 'load{service="s00"}'),
        *("--history", f"{steps - 1}m", "--step", "1m", "--until", instant(prometheus_server.end_s)),
        *(*same, "live.csv"),
        cwd=tmp_path,
    )
    assert (live.returncode, live.stdout, live.stderr) == (0, "", "")
    assert autoscaler("backtest", "load.csv", *same, "file.csv", cwd=tmp_path).returncode == 0
    answers = []
    for name in ("live.csv", "file.csv"):
        with (tmp_path / name).open() as file:
            answers.append([row[1:] for row in csv.reader(file)])
    assert len(answers[0]) == 1 + 2 * steps
    assert answers[0] == answers[1]


def test_a_forecast_on_prometheus(prometheus_server: RealPrometheus, tmp_path: Path) -> None:
    done = autoscaler(
        *("forecast", "--prometheus", prometheus_server.url, "--query", 'load{service="s01"}'),
        *("--until", instant(prometheus_server.end_s), "--horizon", "10m", "--json", "fan.json", "--quiet"),
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((tmp_path / "fan.json").read_bytes())


@pytest.mark.parametrize(
    ("query", "said"),
    [
        pytest.param("load", "series; sum() them so that one is left", id="several series"),
        pytest.param('load{service="none"}', "the query finds nothing in this time span", id="no series"),
        pytest.param("load{", "rejects the query as malformed", id="no PromQL"),
        pytest.param("", "--query", id="no query"),
    ],
)
def test_trouble_is_one_line(
    prometheus_server: RealPrometheus, tmp_path: Path, query: str, said: str
) -> None:
    done = autoscaler(
        *("backtest", "--prometheus", prometheus_server.url, "--query", query),
        *("--until", instant(prometheus_server.end_s), "--html", "report.html"),
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_model_trained_on_prometheus_is_that_of_the_same_loads_in_files_and_serves_the_commands(
    prometheus_server: RealPrometheus, tmp_path: Path
) -> None:
    steps = 600
    start_s = prometheus_server.end_s - (steps - 1) * prometheus_server.step_s
    loads = [(name, prometheus_server.values[name][-steps:]) for name in ("s00", "s01")]
    for name, values in loads:
        with (tmp_path / f"{name}.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["timestamp", "value"])
            rows.writerows((instant(start_s + 60 * i), repr(float(value))) for i, value in enumerate(values))
    for folder in ("live", "files"):
        (tmp_path / folder).mkdir()
    live = autoscaler(
        *("train", "--prometheus", prometheus_server.url, "--out", "live", "--step", "1m"),
        *(part for name, _ in loads for part in ("--query", f'load{{service="{name}"}}')),
        *("--query", "load", "--query", 'load{service="none"}'),
        *("--history", f"{steps - 1}m", "--until", instant(prometheus_server.end_s)),
        cwd=tmp_path,
    )
    assert live.returncode == 0, live.stderr
    assert live.stderr.count("left out: ") == 2
    assert 'load{service="s00"}: ' in live.stderr
    files = autoscaler("train", "s00.csv", "s01.csv", "--out", "files", "--quiet", cwd=tmp_path)
    assert (files.returncode, files.stdout, files.stderr) == (0, "", "")
    forests = [
        {path.name: path.read_bytes() for path in (tmp_path / folder).glob("short-*/q*.txt")}
        for folder in ("live", "files")
    ]
    assert len(forests[0]) == 9
    assert forests[0] == forests[1]
    fans = []
    for chosen in ((), ("--model-folder", "live")):
        done = autoscaler(
            *("forecast", "s00.csv", "--model", "learned", "--json", "fan.json", "--quiet", *chosen),
            cwd=tmp_path,
        )
        assert (done.returncode, done.stderr) == (0, "")
        fans.append((tmp_path / "fan.json").read_bytes())
    assert fans[0] != fans[1]


def test_a_model_folder_that_cannot_be_used_is_refused_in_one_line(
    prometheus_server: RealPrometheus, tmp_path: Path
) -> None:
    (tmp_path / "model.json").write_text("{")
    done = autoscaler(
        *("backtest", "--prometheus", prometheus_server.url, "--query", 'load{service="s00"}'),
        *("--model-folder", "."),
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "model.json: not JSON" in done.stderr
