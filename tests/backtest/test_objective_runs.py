"""A policy with an objective in a backtest: kept on recorded loads, retuned on a new regime, never early."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
from test_no_look_ahead import GARBAGE, spoilt
from worlds import trace

from autoscaler.backtest.candidate import Candidate, default_candidate
from autoscaler.backtest.case import Case
from autoscaler.backtest.report.export import write_json
from autoscaler.backtest.result import Promise, Run
from autoscaler.backtest.runner import compare
from autoscaler.backtest.simulation import World
from autoscaler.planning.curve import LADDER
from autoscaler.planning.policy import Goal, ObjectivePolicy
from autoscaler.series import Series
from autoscaler.signals.recorded import read_recorded

SAMPLES = Path(__file__).parents[2] / "autoscaler/backtest/samples"
DAY_S = 86_400
DAY = DAY_S // 300
WEEK_S = 7.0 * DAY_S
UNSERVED = ObjectivePolicy(Goal.UNSERVED, 0.001, WEEK_S)
MINUTES = ObjectivePolicy(Goal.SHORT_MINUTES, 60.0, WEEK_S)


def world_of(series: Series) -> World:
    return World(per_replica=float(np.nanmean(series.values)) / 20, start_up_s=300.0)


def dialled(series: Series, objective: ObjectivePolicy, model: str = "trend") -> Candidate:
    made = default_candidate(series, world_of(series), model)
    return replace(made, policy=replace(made.policy, objective=objective))


def ran(series: Series, candidate: Candidate, scored_from: int = 0) -> Run:
    case = Case(series, world_of(series), 0.12, scored_from, (candidate,))
    return compare([case]).traces[0].runs[0]


def promise_of(run: Run) -> Promise:
    assert run.promise is not None
    return run.promise


def rhythm(days: int, noise_after: int, noise: float, seed: int = 1) -> Series:
    """A calm daily rhythm which from one day on jumps about."""
    rng = np.random.default_rng(seed)
    steps = np.arange(days * DAY)
    spread = np.where(steps < noise_after * DAY, 0.01, noise)
    return trace(
        (100 + 60 * np.sin(steps * 2 * np.pi / DAY)) * np.exp(spread * rng.standard_normal(len(steps))), 300
    )


@pytest.mark.parametrize("sample", ["ms_mongo_app_04_1min", "ms_mongo_machine_01_1min"])
@pytest.mark.parametrize("objective", [UNSERVED, MINUTES], ids=["0.1 %", "60 min"])
def test_an_objective_is_kept_over_the_scored_days_of_a_recorded_load(
    sample: str, objective: ObjectivePolicy
) -> None:
    series = read_recorded(SAMPLES / f"{sample}.csv.gz")
    scored_from = 3 * 1440
    promise = promise_of(ran(series, dialled(series, objective), scored_from))
    assert promise.kept <= objective.allowed
    assert ": kept, " in promise.sentence


def test_a_new_regime_is_answered_within_a_day_and_kept_from_then_on() -> None:
    series = rhythm(days=14, noise_after=7, noise=0.06)
    candidate, scored_from = dialled(series, UNSERVED), 9 * DAY
    run = ran(series, candidate, scored_from)
    rungs = promise_of(run).dial.rungs
    assert rungs[8 * DAY] >= rungs[7 * DAY - 1] + 6
    before = LADDER[rungs[7 * DAY - 1]].quantile
    assert promise_of(run).kept <= UNSERVED.allowed
    assert ran(series, candidate.at_quantile(before), scored_from).scores.unserved_share > UNSERVED.allowed


def test_what_lies_ahead_changes_neither_the_dial_nor_the_count() -> None:
    series = rhythm(days=5, noise_after=3, noise=0.1)
    true = ran(series, dialled(series, MINUTES))
    assert len(set(promise_of(true).dial.rungs.tolist())) > 1, "otherwise this would prove nothing"
    for cut in (DAY + 10, 3 * DAY - 1, 4 * DAY):
        for garbage in GARBAGE.values():
            other = ran(spoilt(series, cut, garbage), dialled(series, MINUTES))
            assert (other.desired[: cut + 1] == true.desired[: cut + 1]).all()
            rungs = promise_of(other).dial.rungs[: cut + 1]
            assert (rungs == promise_of(true).dial.rungs[: cut + 1]).all()


def test_a_budget_of_replica_hours_is_kept() -> None:
    series = rhythm(days=12, noise_after=0, noise=0.1)
    enough = ran(series, default_candidate(series, world_of(series), "trend", quantile=0.8), 4 * DAY)
    hours = enough.scores.replica_hours / 8
    budget = ObjectivePolicy(Goal.REPLICA_HOURS, hours, WEEK_S)
    assert promise_of(ran(series, dialled(series, budget), 4 * DAY)).kept <= 1.02 * hours


def test_a_policy_without_an_objective_has_no_dial() -> None:
    series = rhythm(days=3, noise_after=0, noise=0.05)
    run = ran(series, default_candidate(series, world_of(series), "trend"))
    assert run.promise is None


def test_the_same_policy_at_a_quantile_has_no_objective_any_more() -> None:
    series = rhythm(days=3, noise_after=0, noise=0.05)
    assert dialled(series, UNSERVED).at_quantile(0.9).policy.objective is None


def test_the_figures_have_what_was_promised_what_was_kept_and_the_curve(tmp_path: Path) -> None:
    series = rhythm(days=4, noise_after=0, noise=0.1)
    case = Case(series, world_of(series), 0.12, DAY, (dialled(series, UNSERVED),))
    comparison = compare([case])
    write_json(comparison, tmp_path / "figures.json")
    (policy,) = orjson.loads((tmp_path / "figures.json").read_bytes())["traces"][0]["policies"]
    told = policy["objective"]
    assert (told["goal"], told["allowed"]) == ("Unserved", 0.001)
    assert told["kept"] == policy["scores"]["unserved_share"]
    assert told["dial"][0]["quantile"] == 0.95
    assert [point["quantile"] for point in told["curve"]][-1] == 0.995
