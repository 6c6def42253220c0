"""Recorded start-up times on the command line: what is drawn, planned for and told."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from worlds import wave

from autoscaler.backtest.report.export import plain_number, timestamps
from autoscaler.backtest.start_ups import within_s
from autoscaler.cli import main


@pytest.fixture(autouse=True)
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    series = wave(3)
    values = map(plain_number, series.values.tolist())
    rows = [f"{time},{value}\n" for time, value in zip(timestamps(series.times_s), values, strict=True)]
    Path("load.csv").write_text("timestamp,value\n" + "".join(rows))


def backtest(monkeypatch: pytest.MonkeyPatch, options: str) -> None:
    line = f"autoscaler backtest load.csv --quiet --model trend --jobs 1 --warm-up 1d {options}"
    monkeypatch.setattr(sys, "argv", line.split())
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code


@pytest.mark.parametrize(
    ("samples", "within"),
    [
        pytest.param([7.0], 7.0, id="one"),
        pytest.param([1.0, 2.0], 2.0, id="two"),
        pytest.param([float(n) for n in range(10, 0, -1)], 9.0, id="ten, in any order"),
        pytest.param([float(n) for n in range(1, 71)], 63.0, id="a share that binary numbers miss"),
    ],
)
def test_nine_of_ten_samples_keep_within_it(samples: list[float], within: float) -> None:
    assert within_s(samples) == within
    assert np.mean(np.array(samples) <= within) >= 0.9


def test_one_sample_is_the_same_as_stating_that_time(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("samples.txt").write_text("1800\n")
    rivals = "--baselines hpa,keda,cron,oracle"
    backtest(monkeypatch, f"{rivals} --start-up 30m --timeline stated.csv --json stated.json")
    backtest(monkeypatch, f"{rivals} --start-up-from samples.txt --timeline drawn.csv --json drawn.json")
    assert Path("drawn.csv").read_bytes() == Path("stated.csv").read_bytes()
    stated, drawn = (
        json.loads(Path(name).read_text())["traces"][0] for name in ("stated.json", "drawn.json")
    )
    assert stated.pop("start_up_samples") is None
    assert drawn.pop("start_up_samples") == {"count": 1, "p90_s": 1800.0, "longest_s": 1800.0}
    assert drawn == stated
    oracle = next(one for one in drawn["policies"] if one["kind"] == "oracle")
    assert oracle["scores"]["unserved_share"] == 0.0


def test_policies_plan_by_what_nine_of_ten_keep_and_the_oracle_by_the_slowest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("samples.txt").write_text("# s\n" + "300\n" * 8 + "600\n\n1800\n")
    backtest(monkeypatch, "--baselines oracle --start-up-from samples.txt --json out.json --html out.html")
    trace = json.loads(Path("out.json").read_text())["traces"][0]
    assert trace["start_up_s"] == 600.0
    assert trace["start_up_samples"] == {"count": 10, "p90_s": 600.0, "longest_s": 1800.0}
    ours, oracle = trace["policies"]
    assert ours["forecast"]["lead_steps"] == 2
    assert oracle["scores"]["unserved_share"] == 0.0
    assert "drawn from 10 samples, 90 % within 10m</dd>" in Path("out.html").read_text()


def test_a_stated_time_is_planned_for_whatever_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("samples.txt").write_text("600\n")
    options = "--baselines none --start-up 5m --start-up-from samples.txt --json out.json --html out.html"
    backtest(monkeypatch, options)
    assert json.loads(Path("out.json").read_text())["traces"][0]["start_up_s"] == 300.0
    assert "drawn from 1 sample, 90 % within 10m; planned for as 5m</dd>" in Path("out.html").read_text()
