"""One backtest, from traces and policies to a scored comparison.

    forecast every trace -> run every policy -> tune the rival to our cost -> score -> verdict

The first three are lists of independent pieces that several processes may share; the outcome does
not depend on how many there are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from autoscaler.backtest.candidate import Candidate
from autoscaler.backtest.case import Case
from autoscaler.backtest.foresight import Foresight
from autoscaler.backtest.predictive import PredictiveScaler, recorded_signals
from autoscaler.backtest.promise import kept
from autoscaler.backtest.report.verdict import overall_verdict, trace_verdict
from autoscaler.backtest.result import (
    Comparison,
    DialTrack,
    Explained,
    ForecastTrack,
    GuardTotal,
    Kind,
    Run,
    Scores,
    TraceResult,
)
from autoscaler.backtest.rivals import BaselineChoice, HpaSettings, Rival, RivalContext, build, tune_hpa
from autoscaler.backtest.scaler import Scaler
from autoscaler.backtest.scores import score
from autoscaler.backtest.shared_forecasts import SharedForecasts, count_forecasts, forecast_all
from autoscaler.backtest.simulation import Course, simulate
from autoscaler.backtest.track import track
from autoscaler.backtest.workforce import Advance, Piece, Workforce, workforce
from autoscaler.backtest.yardstick import equal_cost_ratio, measure, reactive_front, start_up_steps
from autoscaler.planning.policy import Policy
from autoscaler.planning.standing import in_words
from autoscaler.series import Floats, Ints

_COST_TO_TUNE_TO = 1.25
"""Cost ratio at which the rival is tuned when there is no policy of ours to match."""


@dataclass(frozen=True, slots=True)
class _Ran:
    """A finished simulation with what the report wants to know of it."""

    name: str
    kind: Kind
    note: str
    course: Course
    decisions: tuple[Explained, ...] = ()
    guards: tuple[GuardTotal, ...] = ()
    forecast: ForecastTrack | None = None
    dial: DialTrack | None = None


def count_pieces(cases: Sequence[Case]) -> int:
    """How often `compare` will call `advance`."""
    return sum(count_forecasts(case) + len(case.candidates) + len(case.baselines) for case in cases)


def compare(
    cases: Sequence[Case], jobs: int = 1, advance: Advance = lambda _: None, dask: str = ""
) -> Comparison:
    """Run everything and score it. jobs: processes to use. dask: address of a cluster to use instead."""
    with workforce(jobs, advance, dask) as crew:
        foresights = forecast_all(cases, crew)
        ran = _run_all(cases, foresights, crew)
    results = tuple(_result(case, runs) for case, runs in zip(cases, ran, strict=True))
    return Comparison(results, overall_verdict(results))


def _run_all(cases: Sequence[Case], foresights: SharedForecasts, crew: Workforce) -> list[list[_Ran]]:
    """All runs of each case: ours, then the rivals in the order asked for."""
    ours = [
        Piece(f"{case.series.name}: {one.name}", _run_candidate, (case, one, foresights.of(at, one)))
        for at, case in enumerate(cases)
        for one in case.candidates
    ]
    answers = iter(crew.do(ours))
    ran = [[next(answers) for _ in case.candidates] for case in cases]
    rivals = [
        Piece(f"{case.series.name}: {choice.name}", _run_rival, (case, choice, _cost_to_match(case, runs)))
        for case, runs in zip(cases, ran, strict=True)
        for choice in case.baselines
    ]
    answers = iter(crew.do(rivals))
    return [runs + [next(answers) for _ in case.baselines] for case, runs in zip(cases, ran, strict=True)]


def _run_candidate(case: Case, candidate: Candidate, foresight: Foresight) -> _Ran:
    policy, step_s = candidate.policy, case.series.step_s
    recorded = recorded_signals(policy, case.series)
    lag_steps = math.ceil(case.world.metric_lag_s / step_s)
    scaler = PredictiveScaler(candidate.name, policy, foresight, recorded, lag_steps)
    course = simulate(case.series, case.world, scaler)
    objective = policy.objective
    read = f"p{100 * policy.quantile:g}" if objective is None else f"as '{in_words(objective)}' asks,"
    parts = [f"{foresight.model} forecast, {read} of the peak over {policy.lead_time_s:g} s", foresight.note]
    parts.append(_sources(policy, recorded))
    return _Ran(
        name=candidate.name,
        kind=Kind.POLICY,
        note="; ".join(filter(None, parts)),
        course=course,
        decisions=scaler.explained(),
        guards=scaler.guard_totals(step_s),
        forecast=track(foresight, case.series.values, policy.quantile, case.scored_from),
        dial=scaler.dial_track(),
    )


def _sources(policy: Policy, recorded: Mapping[str, Floats]) -> str:
    """Which signals were read from the trace and which were made up; empty without any."""
    told = [f"{one.name} {'recorded' if one.name in recorded else 'simulated'}" for one in policy.signals]
    return f"signals: {', '.join(told)}" if told else ""


def _run_rival(case: Case, choice: BaselineChoice, cost_to_match: float) -> _Ran:
    context = RivalContext(
        series=case.series,
        scored_from=case.scored_from,
        per_replica=case.world.per_replica,
        start_up_s=case.world.start_up_s,
        time_zone=case.time_zone,
        longest_start_up_s=case.world.longest_start_up_s,
    )
    rival: Rival
    if choice.tuned and isinstance(choice.settings, HpaSettings):

        def evaluate(scaler: Scaler) -> tuple[float, float]:
            scores = _scores(case, simulate(case.series, case.world, scaler))
            return scores.cost_ratio, scores.unserved_share

        rival = tune_hpa(choice.name, choice.settings, context, cost_to_match, evaluate).scaler
    else:
        rival = build(choice, context)
    return _Ran(choice.name, rival.kind, rival.note, simulate(case.series, case.world, rival))


def _cost_to_match(case: Case, ran: Sequence[_Ran]) -> float:
    """Cost ratio of the first policy of ours, at which a tuned rival is to be compared."""
    return _scores(case, ran[0].course).cost_ratio if ran else _COST_TO_TUNE_TO


def _scores(case: Case, course: Course, oracle_desired: Ints | None = None) -> Scores:
    return score(
        case.series.values,
        course.desired,
        course.ready,
        case.world.per_replica,
        case.series.step_s,
        case.price,
        case.scored_from,
        oracle_desired,
    )


def _result(case: Case, ran: Sequence[_Ran]) -> TraceResult:
    """Score all runs of one trace against each other."""
    series, world = case.series, case.world
    oracle = next((one.course.desired for one in ran if one.kind is Kind.ORACLE), None)
    lead = start_up_steps(world.start_up_s, series.step_s)
    rival = reactive_front(series.values, world.per_replica, series.step_s, lead, case.scored_from)
    days = (len(series) - case.scored_from) * series.step_s / 86_400.0
    runs = []
    for one in ran:
        desired = one.course.desired
        point = measure(series.values, desired, world.per_replica, lead, case.scored_from)
        scores = replace(_scores(case, one.course, oracle), equal_cost=equal_cost_ratio(point, rival))
        runs.append(
            Run(
                policy=one.name,
                kind=one.kind,
                note=one.note,
                desired=desired,
                ready=one.course.ready,
                scores=scores,
                decisions=one.decisions,
                guards=one.guards,
                forecast=one.forecast,
                promise=None if one.dial is None else kept(one.dial, scores, days, case.scored_from),
            )
        )
    return TraceResult(
        series=series,
        per_replica=world.per_replica,
        start_up_s=world.start_up_s,
        price=case.price,
        scored_from=case.scored_from,
        runs=tuple(runs),
        verdict=trace_verdict(runs),
        start_up_samples_s=world.start_up_samples_s,
    )
