"""A realistic comparison without the backtest runner: a daily load, simple simulated policies.

The policies are plain rules (a headroom over what is about to come, the tuned reactive rule, a
static count, foresight); what matters is that loads, counts, scores and sentences fit together.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from autoscaler.backtest import yardstick
from autoscaler.backtest.report.verdict import overall_verdict, trace_verdict
from autoscaler.backtest.result import (
    Comparison,
    Explained,
    ForecastTrack,
    GuardTotal,
    Kind,
    Run,
    Scores,
    TraceResult,
)
from autoscaler.backtest.scores import score
from autoscaler.series import Floats, Ints, Series
from autoscaler.trailing import trailing

STEP_S = 60
START_UP_S = 300.0
START_S = 1_717_372_800  # a Monday


def daily_load(days: float = 3.0, seed: int = 7, step_s: int = STEP_S) -> Floats:
    """Smooth days with noise, a few surges and a gap of the recorder."""
    steps = int(days * 86_400 / step_s)
    random = np.random.default_rng(seed)
    hour = np.arange(steps) * step_s / 3600.0
    shape = 1.0 - 0.55 * np.cos(2 * np.pi * (hour - 3) / 24) + 0.15 * np.sin(4 * np.pi * hour / 24)
    load = 900 * shape * (1 + 0.04 * random.standard_normal(steps))
    for begin in random.integers(0, steps, max(2, int(days * 2))):
        surge = np.exp(-np.arange(90) / 25.0) * random.uniform(0.3, 0.9)
        end = min(steps, begin + 90)
        load[begin:end] *= 1 + surge[: end - begin]
    gap = int(0.8 * steps)
    load[gap : gap + 12] = np.nan
    return np.maximum(load, 0.0).round(1)


def comparison(
    days: float = 3.0,
    traces: tuple[str, ...] = ("shop_front_1min",),
    policies: tuple[str, ...] = ("predictive@q0.8", "predictive@q0.95"),
    load: Floats | None = None,
) -> Comparison:
    """A whole comparison, as the backtest command would make it."""
    results = tuple(
        trace_result(name, daily_load(days, seed=7 + i) if load is None else load, policies)
        for i, name in enumerate(traces)
    )
    return Comparison(results, overall_verdict(results))


def trace_result(name: str, load: Floats, policies: tuple[str, ...]) -> TraceResult:
    """One trace with our policies, tuned HPA, default HPA, a static count and the oracle."""
    series = Series(name, START_S, STEP_S, load)
    capacity = float(np.nanmean(load)) / 20
    lead = yardstick.start_up_steps(START_UP_S, STEP_S)
    begin = min(len(load) // 3, 1440)
    level = yardstick.last_known(load)
    coming = _coming(level, lead + 1)
    oracle = np.maximum(1, np.ceil(np.nan_to_num(coming) / capacity)).astype(np.int64)
    runs: list[Run] = []
    rival = yardstick.reactive_front(load, capacity, STEP_S, lead, begin)

    def add(policy: str, kind: Kind, note: str, desired: Ints, track: ForecastTrack | None = None) -> None:
        ready = yardstick.ready_after(desired, lead)
        scores = score(load, desired, ready, capacity, STEP_S, 0.12, begin, oracle)
        point = yardstick.measure(load, desired, capacity, lead, begin)
        scores = replace(scores, equal_cost=yardstick.equal_cost_ratio(point, rival))
        ours = kind is Kind.POLICY
        decisions = _decisions(load, desired) if ours else ()
        guards = _guards() if ours else ()
        runs.append(Run(policy, kind, note, desired, ready, scores, decisions, guards, track))

    for i, policy in enumerate(policies):
        quantile = (0.8, 0.95, 0.99)[i % 3]
        median = _as_yesterday(level, lead)
        upper = np.maximum(median * (1.02, 1.08, 1.2)[i % 3], level)
        wish = np.maximum(1, np.ceil(np.nan_to_num(upper) / capacity)).astype(np.int64)
        track = ForecastTrack("ridge", "lowest error of 5 models", quantile, lead, median, upper, 0.941, 12.5)
        note = f"forecast ridge, quantile {quantile}, min 1, max 200"
        add(policy, Kind.POLICY, note, trailing(np.maximum, wish, 5), track)
    for headroom, policy in ((1.12, "hpa-tuned"), (1.35, "hpa")):
        asked = yardstick.reactive_asked(load, capacity, STEP_S, headroom)
        add(policy, Kind.BASELINE, f"reactive, headroom {headroom}", asked)
    peak = int(np.ceil(np.nanmax(load) / capacity))
    add(f"static:replicas={peak}", Kind.BASELINE, "always the peak", np.full(len(load), peak, dtype=np.int64))
    add("oracle", Kind.ORACLE, "knows the future", oracle)
    return TraceResult(series, capacity, START_UP_S, 0.12, begin, tuple(runs), trace_verdict(runs))


def with_scores(run: Run, **changes: float) -> Run:
    """The same run with other scores."""
    return replace(run, scores=replace(run.scores, **changes))


def bare_run(policy: str, kind: Kind = Kind.POLICY, **scores: float) -> Run:
    """A run of one step that is only its scores."""
    figures: dict[str, float] = dict.fromkeys(Scores.__dataclass_fields__, 0.0)
    figures |= {"cost_ratio": 1.1, "equal_cost": float("nan")}
    one = np.array([1])
    return Run(policy, kind, "", one, one, Scores(**(figures | scores)))


def _coming(level: Floats, steps: int) -> Floats:
    """Largest load of this step and the next `steps`."""
    return trailing(np.maximum, np.nan_to_num(level[::-1]), steps + 1)[::-1]


def _as_yesterday(level: Floats, lead: int) -> Floats:
    """The present level, changed by as much as the smoothed load changed a day ago."""
    recent = yardstick._trailing_mean(level, 3)
    smooth = yardstick._trailing_mean(level, 15)
    yesterday = np.roll(smooth, 1440 - 8)
    forecast = recent * np.clip(np.roll(yesterday, -lead) / yesterday, 0.8, 1.3)
    forecast[:1440] = recent[:1440]
    return forecast


def _decisions(load: Floats, desired: Ints) -> tuple[Explained, ...]:
    changed = np.flatnonzero(np.diff(desired)) + 1
    return tuple(
        Explained(
            int(t),
            int(desired[t - 1]),
            int(desired[t]),
            f"Asked for {desired[t]} replicas instead of {desired[t - 1]} because the load of {load[t]:g} is "
            f"expected to reach {load[t] * 1.1:.0f} within 5 min.",
            ("ScaleDownStabilized",) if desired[t] < desired[t - 1] else ("Forecast",),
        )
        for t in changed
    )


def _guards() -> tuple[GuardTotal, ...]:
    return (
        GuardTotal("ScaleDownStabilized", 412, 21.5, 0.0),
        GuardTotal("ScaleUpLimit", 9, 0.0, 1.2),
        GuardTotal("UnknownSignal", 12, 2.75, 0.0),
        GuardTotal("TooFewReplicas", 3, 0.05, 0.0),
    )
