"""No decision depends on what comes after it: garbage after a moment changes nothing up to it.

For every model and policy, whole runs are repeated on traces that are the same up to a moment and
nonsense after it. The baselines that are set up on the warm-up are cut within it and after it.

`hpa-tuned` is the exception that is stated: its target is chosen after the fact, on the very trace
it is judged on, which makes it the hardest HPA to beat. Given its target it is an HPA like any
other, and as such it is tested here. The oracle knows the future, so it must fail this check.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from worlds import trace, wave

from autoscaler.backtest.candidate import Candidate, default_candidate
from autoscaler.backtest.case import Case
from autoscaler.backtest.rivals import HpaSettings, RivalContext, parse_baselines, tune_hpa
from autoscaler.backtest.rivals.hpa import HpaRival
from autoscaler.backtest.runner import compare
from autoscaler.backtest.scaler import Scaler
from autoscaler.backtest.simulation import World, simulate
from autoscaler.forecasting.classic.prophet import installed
from autoscaler.planning.policy import KnownEvent, OutagePolicy, Policy, SignalPolicy, SignalType, SpendPolicy
from autoscaler.series import Floats, Ints, Series

GARBAGE: dict[str, Callable[[Floats], Floats]] = {
    "times 1000": lambda values: values * 1000.0,
    "zeros": np.zeros_like,
    "missing": lambda values: np.full_like(values, np.nan),
}
WORLD = World(per_replica=7.0, start_up_s=600.0, metric_lag_s=60.0)
CUTS = (287, 288, 700)  # before, at and between two fits of the schedule
COARSE_CUTS = (47, 48, 150)


def spoilt(series: Series, last: int, garbage: Callable[[Floats], Floats]) -> Series:
    """`series` with garbage after step `last`, in every column."""

    def spoil(values: Floats) -> Floats:
        return np.concatenate([values[: last + 1], garbage(values[last + 1 :])])

    columns = {name: spoil(column) for name, column in series.columns.items()}
    return replace(series, values=spoil(series.values), columns=columns)


Asked = Callable[[Series], Ints]


def sees_the_future(asked: Asked, series: Series, cuts: tuple[int, ...]) -> list[str]:
    """The cuts and kinds of garbage that changed a decision made before them."""
    true = asked(series)
    guilty = []
    for cut in cuts:
        for kind, garbage in GARBAGE.items():
            if (asked(spoilt(series, cut, garbage))[: cut + 1] != true[: cut + 1]).any():
                guilty.append(f"{kind} after {cut}")
    return guilty


def changes_at_all(asked: Asked, series: Series, cut: int) -> bool:
    """Whether garbage after `cut` is noticed after it; without that the check proves nothing."""
    return bool(
        (asked(spoilt(series, cut, GARBAGE["times 1000"]))[cut + 1 :] != asked(series)[cut + 1 :]).any()
    )


def by_policy(candidate: Candidate) -> Asked:
    def asked(series: Series) -> Ints:
        case = Case(series, WORLD, 0.12, len(series) // 3, (candidate,), ())
        return compare([case]).traces[0].runs[0].desired

    return asked


def by_baseline(text: str, scored_from: int) -> Asked:
    def asked(series: Series) -> Ints:
        case = Case(series, WORLD, 0.12, scored_from, (), parse_baselines(text))
        return compare([case]).traces[0].runs[0].desired

    return asked


@pytest.mark.parametrize(
    "model",
    [
        *("none", "trend", "seasonal-naive", "fourier", "ridge"),
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("learned", "auto")),
    ],
)
def test_no_fast_model_looks_ahead(model: str) -> None:
    series = wave(4)
    asked = by_policy(default_candidate(series, WORLD, model))
    assert sees_the_future(asked, series, CUTS) == []
    assert changes_at_all(asked, series, CUTS[-1])


@pytest.mark.slow
@pytest.mark.parametrize("model", ["holt-winters", "stl", "prophet"])
def test_no_slow_model_looks_ahead(model: str) -> None:
    if model == "prophet" and not installed():
        pytest.skip("prophet is not installed (pip install 'predictive-autoscaler[prophet]')")
    series = wave(8, step_s=3600)
    asked = by_policy(default_candidate(series, WORLD, model))
    assert sees_the_future(asked, series, COARSE_CUTS) == []
    assert changes_at_all(asked, series, 150)


def test_no_guard_and_no_signal_looks_ahead() -> None:
    """Everything a policy may have, simulated and recorded signals included."""
    rng = np.random.default_rng(3)
    plain = wave(4)
    cpu = np.clip(plain.values / 2.0, 0, 100)
    series = replace(plain, columns={"cpu": cpu, "errors": (rng.random(len(plain)) < 0.02) * 0.5})
    policy = Policy(
        name="everything",
        min_replicas=2,
        max_replicas=200,
        load_per_replica=7.0,
        lead_time_s=600.0,
        step_s=300.0,
        signals=(
            SignalPolicy("cpu", SignalType.CPU, target=60.0),
            SignalPolicy("queue", SignalType.QUEUE_DEPTH, drain_within_s=600.0, per_replica=0.02),
            SignalPolicy("latency", SignalType.LATENCY, target=0.25),
            SignalPolicy("errors", SignalType.ERRORS, target=0.05),
        ),
        cooldown_down_s=900.0,
        outage=OutagePolicy(0.5, 1800.0),
        zones=3,
        zones_lost=1,
        pending_cap=10,
        spend=SpendPolicy(0.12, hourly_cap=5.0, daily_budget=80.0, monthly_budget=2000.0),
        events=(KnownEvent("launch", series.start_s + 200_000, series.start_s + 220_000, 40),),
    )
    asked = by_policy(replace(default_candidate(series, WORLD, "trend"), policy=policy))
    assert sees_the_future(asked, series, CUTS) == []
    assert changes_at_all(asked, series, CUTS[-1])


@pytest.mark.parametrize(
    "text",
    [
        "hpa",
        "hpa:target=60:behavior=calm",
        "keda",
        pytest.param("phpa:sample=900:season=14400", marks=pytest.mark.slow),
        "cron",
        "static",
        "static:replicas=20",
    ],
)
@pytest.mark.parametrize("scored_from", [400, 1100])
def test_no_baseline_looks_ahead(text: str, scored_from: int) -> None:
    series = wave(4)
    asked = by_baseline(text, scored_from)
    assert sees_the_future(asked, series, CUTS) == []


@pytest.mark.parametrize("text", ["hpa", "hpa:behavior=calm", "keda"])
def test_a_reactive_baseline_notices_garbage_once_it_is_there(text: str) -> None:
    assert changes_at_all(by_baseline(text, 400), wave(4), CUTS[-1])


def test_given_its_target_tuned_hpa_does_not_look_ahead() -> None:
    series = wave(4)
    context = RivalContext(series, 400, WORLD.per_replica, WORLD.start_up_s)

    def cost_and_unserved(scaler: Scaler) -> tuple[float, float]:
        course = simulate(series, WORLD, scaler)
        short = np.nan_to_num(series.values) > course.ready * WORLD.per_replica
        return float(course.desired.sum()) / 20_000, float(short.mean())

    target = tune_hpa("hpa-tuned", HpaSettings(), context, 1.2, cost_and_unserved).target

    def asked(other: Series) -> Ints:
        there = replace(context, series=other)
        return simulate(other, WORLD, HpaRival("hpa-tuned", HpaSettings(target=target), there)).desired

    assert sees_the_future(asked, series, CUTS) == []


def test_the_oracle_is_caught() -> None:
    caught = sees_the_future(by_baseline("oracle", 400), wave(4), CUTS)
    assert {kind.split(" after")[0] for kind in caught} >= {"times 1000"}


def test_a_policy_with_a_forecast_of_the_future_is_caught() -> None:
    """The check itself, on a policy that peeks one step ahead."""

    class Peeking:
        name = "peeking"

        def __init__(self, series: Series) -> None:
            self._loads = [*series.values.tolist()[1:], 0.0]

        def start(self, first_load: float) -> int:
            return 1

        def decide(self, moment: object) -> int:
            load = self._loads[moment.index]  # type: ignore[attr-defined]  # a Moment
            return 1 if load != load else 1 + int(load // 7.0)

    def asked(series: Series) -> Ints:
        return simulate(series, WORLD, Peeking(series)).desired

    assert len(sees_the_future(asked, trace([10.0 * (i % 7) for i in range(1152)], 300), CUTS)) >= len(CUTS)
