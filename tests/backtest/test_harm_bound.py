"""The bound on harm: no forecast costs over a quarter more than reacting alone, or serves less.

Hostile forecasts are followed by the real policy through the simulation, over loads like recorded ones. What
they are held against is the same policy without a forecast.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from worlds import trace, wave

from autoscaler.backtest.candidate import default_candidate
from autoscaler.backtest.foresight import Foresight, blind, foresee
from autoscaler.backtest.predictive import PredictiveScaler
from autoscaler.backtest.scores import unserved_share
from autoscaler.backtest.simulation import Course, World, simulate
from autoscaler.forecasting.registry import forecaster
from autoscaler.series import Floats, Ints, Series
from autoscaler.signals.recorded import read_recorded

SAMPLES = Path(__file__).parents[2] / "autoscaler/backtest/samples"
MOST_COST = 1.25
MOST_COST_AT_P99 = 1.26
MOST_COST_OF_FIRST_DAY = 1.26
MOST_COST_OF_A_DAY = 1.55
"""Replicas are whole, and kept a little longer than they are asked for."""
START_UP_S = 600.0


def walk() -> Series:
    """A load without a rhythm, for eight days."""
    random = np.random.default_rng(5)
    drift = np.cumsum(random.normal(0, 0.03, 8 * 288))
    return trace(100.0 * np.exp(drift - 0.02 * np.arange(8 * 288) / 288), 300, "walk")


def recorded(name: str) -> Series:
    """A recorded load in steps of five minutes."""
    series = read_recorded(SAMPLES / f"{name}_1min.csv.gz")
    values = series.values[: len(series) // 5 * 5].reshape(-1, 5).mean(axis=1)
    return replace(series, step_s=5 * series.step_s, values=values)


LOADS: dict[str, Callable[[], Series]] = {
    "a daily rhythm": lambda: wave(8),
    "no rhythm": walk,
    "steps by the hour, recorded": lambda: recorded("ms_mongo_machine_01"),
    "short bursts, recorded": lambda: recorded("ms_mongo_app_04"),
}


def _from_the_middle_on(peaks: Floats) -> Floats:
    after = np.arange(len(peaks))[:, np.newaxis] > len(peaks) // 2
    return np.where(after, 3.0 * peaks, peaks)


HOSTILE: dict[str, Callable[[Floats, int], Floats]] = {
    "none of it": lambda peaks, day: 0.0 * peaks,
    "three times too much": lambda peaks, day: 3.0 * peaks,
    "half as much again": lambda peaks, day: 1.5 * peaks,
    "for half a day later": lambda peaks, day: np.roll(peaks, -day // 2, axis=0),
    "half a day old": lambda peaks, day: np.roll(peaks, day // 2, axis=0),
    "six hours old": lambda peaks, day: np.roll(peaks, day // 4, axis=0),
    "for six hours later": lambda peaks, day: np.roll(peaks, -day // 4, axis=0),
    "an hour old": lambda peaks, day: np.roll(peaks, day // 24, axis=0),
    "backwards": lambda peaks, day: peaks[::-1],
    "always the highest": lambda peaks, day: np.full_like(peaks, np.nanmax(peaks[:, -2])),
    "always the same": lambda peaks, day: np.full_like(peaks, np.nanquantile(peaks[:, -2], 0.9)),
    "renewed once a day": lambda peaks, day: np.repeat(peaks[::day], day, axis=0)[: len(peaks)],
    "at random": lambda peaks, day: np.random.default_rng(1).permutation(peaks),
    "three times too much from one day on": lambda peaks, day: _from_the_middle_on(peaks),
}


@cache
def honest(load: str) -> tuple[Series, World, Foresight, Course]:
    """A load, what is forecast of it, and how the policy does without."""
    series = LOADS[load]()
    world = World(float(np.nanmean(series.values)) / 20.0, START_UP_S)
    candidate = default_candidate(series, world)
    model = forecaster("seasonal-naive")
    made = foresee(series, model, candidate.settings, candidate.history_s, candidate.refit_s)
    return series, world, made, followed(series, world, blind(len(series), candidate.settings))


def followed(series: Series, world: World, foresight: Foresight, quantile: float = 0.95) -> Course:
    policy = replace(default_candidate(series, world).policy, quantile=quantile)
    return simulate(series, world, PredictiveScaler(policy.name, policy, foresight, {}, 0))


def unserved(series: Series, world: World, course: Course) -> float:
    return unserved_share(series.values, course.ready, world.per_replica)


def _by_day(desired: Ints, day: int) -> Floats:
    """Replicas times steps of every stretch of a day, [step]."""
    return np.convolve(desired.astype(np.float64), np.ones(day), "valid")


def assert_bounded(load: str, forecast: str, quantile: float, most_cost: float) -> None:
    series, world, made, reactive = honest(load)
    said = np.nan_to_num(made.peaks, nan=0.0)
    day = 86_400 // series.step_s
    hostile = replace(made, peaks=HOSTILE[forecast](said, day))
    course = followed(series, world, hostile, quantile)
    assert course.desired.sum() <= most_cost * reactive.desired.sum()
    days = _by_day(course.desired, day) / _by_day(reactive.desired, day)
    assert days[0] <= MOST_COST_OF_FIRST_DAY
    assert days.max() <= MOST_COST_OF_A_DAY
    assert unserved(series, world, course) <= unserved(series, world, reactive) + 1e-9


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("forecast", HOSTILE)
def test_no_forecast_costs_more_than_a_quarter_or_serves_less_than_reacting(load: str, forecast: str) -> None:
    assert_bounded(load, forecast, 0.95, MOST_COST)


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("forecast", HOSTILE)
def test_one_that_is_followed_at_p99_costs_little_more_than_that(load: str, forecast: str) -> None:
    assert_bounded(load, forecast, 0.99, MOST_COST_AT_P99)


@pytest.mark.parametrize("steps", [1, 3, 12], ids=["one sample", "a quarter of an hour", "an hour"])
def test_absurd_samples_make_no_forecast_cost_more_than_that(steps: int) -> None:
    series = wave(8)
    values = series.values.copy()
    values[4 * 288 + 100 : 4 * 288 + 100 + steps] = 1e12
    series = replace(series, values=values)
    world = World(float(np.nanmedian(values)) / 20.0, START_UP_S)
    candidate = default_candidate(series, world)
    made = foresee(
        series, forecaster("seasonal-naive"), candidate.settings, candidate.history_s, candidate.refit_s
    )
    counts = []
    for foresight in (made, blind(len(series), candidate.settings)):
        policy = replace(candidate.policy, max_replicas=100)
        course = simulate(series, world, PredictiveScaler(policy.name, policy, foresight, {}, 0))
        counts.append(course.desired.sum())
    assert counts[0] <= MOST_COST * counts[1]


@pytest.mark.parametrize("load", ["a daily rhythm", "no rhythm", "steps by the hour, recorded"])
def test_an_honest_forecast_is_followed_and_serves_more(load: str) -> None:
    series, world, made, reactive = honest(load)
    course = followed(series, world, made)
    assert unserved(series, world, course) < 0.7 * unserved(series, world, reactive)
