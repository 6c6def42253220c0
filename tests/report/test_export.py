"""The files for programs: complete, exact, and enough to score every policy again."""

from __future__ import annotations

import csv
import gzip
import json
import math
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from fixtures_report import comparison, with_scores

from autoscaler.backtest.report.export import json_bytes, plain_number, write_json, write_timeline
from autoscaler.backtest.result import Comparison, Scores


@pytest.fixture(scope="module")
def outcome() -> Comparison:
    return comparison(days=1.5, traces=("first", 'name, with "quotes"'))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_one_row_for_each_trace_policy_and_step(outcome: Comparison, tmp_path: Path) -> None:
    write_timeline(outcome, tmp_path / "t.csv")
    table = rows(tmp_path / "t.csv")
    assert list(table[0]) == ["trace", "policy", "timestamp", "load", "desired", "ready"]
    assert len(table) == sum(len(trace.series) * len(trace.runs) for trace in outcome.traces)
    got = iter(table)
    for trace in outcome.traces:
        for run in trace.runs:
            for i in range(len(trace.series)):
                row = next(got)
                assert (row["trace"], row["policy"]) == (trace.series.name, run.policy)
                load = float(row["load"]) if row["load"] else math.nan
                assert load == trace.series.values[i] or (
                    math.isnan(load) and np.isnan(trace.series.values[i])
                )
                assert (int(row["desired"]), int(row["ready"])) == (run.desired[i], run.ready[i])
    assert table[0]["timestamp"] == "2024-06-03T00:00:00Z"
    assert table[1]["timestamp"] == "2024-06-03T00:01:00Z"


def test_the_timeline_scored_by_an_independent_simulator_gives_the_same_figures(
    outcome: Comparison, tmp_path: Path
) -> None:
    write_timeline(outcome, tmp_path / "t.csv")
    trace = outcome.traces[0]
    lead = round(trace.start_up_s / trace.series.step_s)
    for run in trace.runs:
        mine = [
            row for row in rows(tmp_path / "t.csv") if (row["trace"], row["policy"]) == ("first", run.policy)
        ]
        asked = [int(row["desired"]) for row in mine]
        lost = total = paid = needed = 0.0
        for t in range(trace.scored_from, len(mine)):
            if not mine[t]["load"]:
                continue
            load = float(mine[t]["load"])
            ready = min(asked[max(0, t - lead) : t + 1])
            lost += max(0.0, load - ready * trace.per_replica)
            total += load
            paid += asked[t]
            needed += max(1, math.ceil(load / trace.per_replica))
        assert lost / total == pytest.approx(run.scores.unserved_share, abs=1e-12)
        assert paid / needed == pytest.approx(run.scores.cost_ratio)


def test_missing_load_is_an_empty_field(outcome: Comparison, tmp_path: Path) -> None:
    write_timeline(outcome, tmp_path / "t.csv")
    empty = sum(1 for row in rows(tmp_path / "t.csv") if row["load"] == "")
    wanted = sum(int(np.isnan(trace.series.values).sum()) * len(trace.runs) for trace in outcome.traces)
    assert empty == wanted > 0


def test_gz_holds_the_same_bytes_and_is_the_same_every_time(outcome: Comparison, tmp_path: Path) -> None:
    for name in ("t.csv", "t.csv.gz", "again.csv.gz"):
        write_timeline(outcome, tmp_path / name)
    packed = (tmp_path / "t.csv.gz").read_bytes()
    assert gzip.decompress(packed) == (tmp_path / "t.csv").read_bytes()
    assert packed == (tmp_path / "again.csv.gz").read_bytes()


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (0.1, "0.1"), (1 / 3, repr(1 / 3)), (1e22, "1e+22"), (math.nan, ""), (0.0, "0")],
)
def test_numbers_read_back_exactly(value: float, text: str) -> None:
    assert plain_number(value) == text


def test_json_holds_every_score_and_null_where_there_is_none(outcome: Comparison, tmp_path: Path) -> None:
    first = outcome.traces[0]
    runs = (with_scores(first.runs[0], equal_cost=math.nan, minutes_short=math.inf), *first.runs[1:])
    write_json(replace(outcome, traces=(replace(first, runs=runs), *outcome.traces[1:])), tmp_path / "o.json")
    document = json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))
    assert document["verdict"] == outcome.verdict
    for trace, told in zip(outcome.traces, document["traces"], strict=True):
        assert told["trace"] == trace.series.name
        assert told["steps"] == len(trace.series)
        assert [policy["policy"] for policy in told["policies"]] == [run.policy for run in trace.runs]
        for run, policy in zip(trace.runs, told["policies"], strict=True):
            assert set(policy["scores"]) == {field.name for field in fields(Scores)}
            if policy is not document["traces"][0]["policies"][0]:
                assert policy["scores"]["cost_ratio"] == run.scores.cost_ratio
            assert len(policy["decisions"]) == len(run.decisions)
    scores = document["traces"][0]["policies"][0]["scores"]
    assert scores["equal_cost"] is None
    assert scores["minutes_short"] is None


def test_json_keys_are_a_contract(outcome: Comparison) -> None:
    document = json.loads(json_bytes(outcome))
    assert list(document) == ["format", "verdict", "traces"]
    trace = document["traces"][0]
    assert list(trace) == [
        "trace",
        "verdict",
        "start",
        "step_s",
        "steps",
        "missing_steps",
        "scored_from",
        "scored_steps",
        "per_replica",
        "start_up_s",
        "start_up_samples",
        "price",
        "policies",
    ]
    policy = trace["policies"][0]
    assert list(policy) == [
        "policy",
        "kind",
        "note",
        "scores",
        "forecast",
        "objective",
        "guards",
        "decisions",
    ]
    assert list(policy["decisions"][0]) == ["timestamp", "before", "after", "reasons", "sentence"]
    assert list(policy["guards"][0]) == ["reason", "times", "replica_hours_added", "replica_hours_removed"]
    assert list(policy["forecast"]) == ["model", "note", "quantile", "lead_steps", "coverage", "pinball"]
