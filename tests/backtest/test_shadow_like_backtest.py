"""A shadow's live score is the backtest's: the same pods, the same decisions, the same sums."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from worlds import trace, wave

from autoscaler.backtest import predictive
from autoscaler.backtest.candidate import Candidate, default_candidate
from autoscaler.backtest.foresight import blind, foresee
from autoscaler.backtest.predictive import PredictiveScaler
from autoscaler.backtest.scores import unserved_share
from autoscaler.backtest.simulation import Course, World, simulate
from autoscaler.forecasting.registry import forecaster
from autoscaler.planning.contest.contest import Contest, Play, begun, continued
from autoscaler.planning.contest.tally import Side, summed
from autoscaler.planning.memory import Spent
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.series import Reading, Series, State
from autoscaler.signals.recorded import read_recorded

WORLD = World(per_replica=7.0, start_up_s=600.0)
BEGIN = 15
_SAMPLE = Path(predictive.__file__).parent / "samples" / "ms_mongo_app_04_1min.csv.gz"
WINDOW_S = 30 * 86_400.0


class FromFifteen(PredictiveScaler):
    """Begins with the pods there are, whatever it thinks that one of them serves."""

    def start(self, first_load: float) -> int:
        return BEGIN


def backtested(
    series: Series, candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> tuple[Course, list[Outlook]]:
    """A run of the backtest, and what its decisions were told of the load to come."""
    told: list[Outlook] = []
    real = predictive.decide

    def spying(policy: Any, observation: Any, outlook: Outlook, memory: Any) -> Any:
        told.append(outlook)
        return real(policy, observation, outlook, memory)

    monkeypatch.setattr(predictive, "decide", spying)
    if candidate.model == "none":
        foresight = blind(len(series), candidate.settings)
    else:
        foresight = foresee(series, forecaster(candidate.model), candidate.settings, 864_000.0, 21_600.0)
    scaler = FromFifteen(candidate.name, candidate.policy, foresight, {}, 0)
    return simulate(series, WORLD, scaler), told


def shadowed(
    series: Series, own: Candidate, shadow: Candidate, told: tuple[list[Outlook], list[Outlook]]
) -> Contest:
    """The same load, step by step, as the operator sees it."""
    step_s, start_s = series.step_s, float(series.start_s)
    first = Observation(start_s - step_s, Reading(State.VALUE, 0.0, 0.0), BEGIN, BEGIN)
    contest = begun(first, WORLD.start_up_s, Spent())
    for index, load in enumerate(series.values.tolist()):
        known = load == load
        reading = (
            Reading(State.VALUE, load, 0.0) if known else Reading(State.EMPTY, detail="nothing recorded")
        )
        observation = Observation(start_s + index * step_s, reading, 1, 1)
        plays = (Play(one.policy, outlooks[index]) for one, outlooks in zip((own, shadow), told, strict=True))
        contest = continued(contest, observation, *plays, WINDOW_S, forecast_wanted=False)
    return contest


def _steps() -> Series:
    rng = np.random.default_rng(5)
    return trace(np.repeat(rng.integers(5, 200, 60), 12).astype(float), 60, "steps")


def _recorded() -> Series:
    """Two days of a recorded load, as high as the others."""
    series = read_recorded(_SAMPLE).between(0, 2 * 1440)
    return replace(series, values=series.values * (100.0 / np.nanmean(series.values)))


@pytest.mark.parametrize("series", [wave(4), _steps(), _recorded()], ids=lambda series: series.name)
@pytest.mark.parametrize("model", ["seasonal-naive", "none"])
def test_the_sums_of_a_shadow_are_those_of_a_backtest(
    series: Series, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = default_candidate(series, WORLD, model)
    shadow = replace(
        own, policy=replace(own.policy, quantile=0.6, load_per_replica=9.0, cooldown_up_s=1800.0)
    )
    courses, told = zip(*(backtested(series, one, monkeypatch) for one in (own, shadow)), strict=True)
    contest = shadowed(series, own, shadow, (told[0], told[1]))
    total = summed(contest.spans)
    known = ~np.isnan(series.values)
    for side, course, contender in (
        (total.own, courses[0], contest.own),
        (total.shadow, courses[1], contest.shadow),
    ):
        assert contender.fleet.asked == course.desired[-1]
        # Live, what was asked for is paid until the next look: a step later than in a backtest's sum.
        asked = np.concatenate([[BEGIN], course.desired[:-1]])[known]
        assert side.replica_s == pytest.approx(float(asked.sum()) * series.step_s, rel=1e-12)
        assert _share(total.load, side) == pytest.approx(
            unserved_share(series.values, course.ready, WORLD.per_replica), abs=1e-12
        )
    assert total.shadow.unserved > total.own.unserved > 0.0


def _share(load: float, side: Side) -> float:
    return side.unserved / load
