"""The whole backtest: the same on any number of processes, and re-scored by someone else's simulator."""

from __future__ import annotations

import csv
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from worlds import wave

from autoscaler.backtest.candidate import default_candidate
from autoscaler.backtest.case import Case
from autoscaler.backtest.report.export import json_bytes, write_timeline
from autoscaler.backtest.result import Comparison, Kind
from autoscaler.backtest.rivals import parse_baselines
from autoscaler.backtest.runner import compare, count_pieces
from autoscaler.backtest.simulation import World

START_UP_S, STEP_S = 900.0, 300
LEAD = int(START_UP_S // STEP_S)


def cases() -> list[Case]:
    """Two traces, one policy at two quantiles, every kind of baseline."""
    found = []
    for seed, name in ((1, "first"), (2, "second")):
        series = wave(3, STEP_S, seed, name)
        world = World(per_replica=7.0, start_up_s=START_UP_S)
        candidate = default_candidate(series, world, "trend")
        found.append(
            Case(
                series=series,
                world=world,
                price=0.5,
                scored_from=288,
                candidates=(candidate, candidate.at_quantile(0.5)),
                baselines=parse_baselines("hpa,hpa-tuned,keda,static,oracle"),
            )
        )
    return found


@pytest.fixture(scope="module")
def alone() -> Comparison:
    return compare(cases(), jobs=1)


def test_the_outcome_does_not_depend_on_the_number_of_processes(alone: Comparison) -> None:
    assert json_bytes(compare(cases(), jobs=2)) == json_bytes(alone)


@pytest.mark.slow
def test_a_second_run_gives_the_same_again(alone: Comparison) -> None:
    assert json_bytes(compare(cases())) == json_bytes(alone)


def test_runs_come_in_the_order_they_were_asked_for(alone: Comparison) -> None:
    names = ["predictive", "predictive@q0.5", "hpa", "hpa-tuned", "keda", "static", "oracle"]
    assert [[run.policy for run in trace.runs] for trace in alone.traces] == [names, names]
    assert [run.kind for run in alone.traces[0].runs] == [
        *[Kind.POLICY] * 2,
        *[Kind.BASELINE] * 4,
        Kind.ORACLE,
    ]


def test_progress_counts_every_piece_once() -> None:
    told: list[str] = []
    compare(cases(), advance=told.append)
    each = Counter(told)
    assert len(told) == count_pieces(cases())
    assert each["first: forecast by trend"] == each["second: forecast by trend"] == 3  # a day each
    assert sum(each.values()) == 2 * (3 + 2 + 5)


def test_quantiles_share_one_forecast_and_differ_in_their_risk(alone: Comparison) -> None:
    careful, bold = alone.traces[0].runs[:2]
    assert careful.forecast is not None
    assert bold.forecast is not None
    np.testing.assert_array_equal(careful.forecast.median, bold.forecast.median)
    assert careful.scores.replica_hours > bold.scores.replica_hours
    assert careful.scores.unserved_share < bold.scores.unserved_share


def test_tuned_hpa_costs_no_more_than_the_policy_it_is_compared_with(alone: Comparison) -> None:
    for trace in alone.traces:
        by_name = {run.policy: run.scores for run in trace.runs}
        assert by_name["hpa-tuned"].cost_ratio <= by_name["predictive"].cost_ratio


def test_a_trace_alone_is_judged_as_among_others(alone: Comparison) -> None:
    second = compare(cases()[1:])
    assert second.traces[0].verdict == alone.traces[1].verdict
    for ours, theirs in zip(second.traces[0].runs, alone.traces[1].runs, strict=True):
        np.testing.assert_array_equal(ours.desired, theirs.desired)


def test_the_timeline_can_be_scored_again_by_an_independent_simulator(
    alone: Comparison, tmp_path: Path
) -> None:
    """Nothing of ours but the file: pods, shortage and cost worked out again in a few lines."""
    path = tmp_path / "timeline.csv"
    write_timeline(alone, path)
    runs: dict[tuple[str, str], list[tuple[float, int, int]]] = {}
    with path.open() as lines:
        for row in csv.DictReader(lines):
            load = float(row["load"] or "nan")
            runs.setdefault((row["trace"], row["policy"]), []).append(
                (load, int(row["desired"]), int(row["ready"]))
            )
    assert len(runs) == 14
    for trace in alone.traces:
        for run in trace.runs:
            steps = runs[trace.series.name, run.policy]
            short = served = hours = 0.0
            for index, (load, desired, ready) in enumerate(steps):
                if index > LEAD:
                    # Ready are those asked for at every step since a start-up time ago.
                    assert ready == min(count for _, count, _ in steps[index - LEAD : index])
                if index < 288:
                    continue
                hours += desired * STEP_S / 3600
                if not math.isnan(load):
                    short += max(0.0, load - 7.0 * ready)
                    served += load
            assert run.scores.unserved_share == pytest.approx(short / served, abs=1e-9)
            assert run.scores.replica_hours == pytest.approx(hours)
            assert run.scores.money == pytest.approx(hours * 0.5)


def test_without_a_policy_of_ours_the_baselines_are_compared_alone() -> None:
    case = cases()[0]
    bare = Case(case.series, case.world, 0.5, 288, (), parse_baselines("hpa,hpa-tuned"))
    result = compare([bare]).traces[0]
    assert [run.policy for run in result.runs] == ["hpa", "hpa-tuned"]
    assert math.isnan(result.runs[0].scores.oracle_ratio)
