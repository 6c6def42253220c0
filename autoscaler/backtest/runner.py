"""One backtest, from traces and policies to a scored comparison.

    forecast every trace -> run every policy -> tune the rival to our cost -> score -> verdict

The first three are lists of independent pieces that several processes may share; the outcome does
not depend on how many there are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from autoscaler.backtest.candidate import NO_MODEL, Candidate
from autoscaler.backtest.foresight import Foresight, blind, foresee
from autoscaler.backtest.predictive import PredictiveScaler
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
from autoscaler.backtest.rivals import BaselineChoice, HpaSettings, Rival, RivalContext, build, tune_hpa
from autoscaler.backtest.scaler import Scaler
from autoscaler.backtest.scores import score
from autoscaler.backtest.simulation import Course, World, simulate
from autoscaler.backtest.track import track
from autoscaler.backtest.workforce import Advance, Piece, Workforce, workforce
from autoscaler.backtest.yardstick import equal_cost_ratio, measure, reactive_front, start_up_steps
from autoscaler.forecasting.registry import forecaster
from autoscaler.series import Ints, Series

_COST_TO_TUNE_TO = 1.25
"""Cost ratio at which the rival is tuned when there is no policy of ours to match."""


@dataclass(frozen=True, slots=True)
class Case:
    """One trace and everything to run on it. Steps before `scored_from` are warm-up."""

    series: Series
    world: World
    price: float
    scored_from: int
    candidates: tuple[Candidate, ...]
    baselines: tuple[BaselineChoice, ...]
    time_zone: str = "UTC"

    def forecasts(self) -> list[Candidate]:
        """One candidate for each distinct forecast that is needed; quantiles share theirs."""
        return list({_forecast_of(candidate): candidate for candidate in self.candidates}.values())


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


def count_pieces(cases: Sequence[Case]) -> int:
    """How often `compare` will call `advance`."""
    return sum(len(case.forecasts()) + len(case.candidates) + len(case.baselines) for case in cases)


def compare(cases: Sequence[Case], jobs: int = 1, advance: Advance = lambda _: None) -> Comparison:
    """Run everything and score it. jobs: processes to use."""
    with workforce(jobs, advance) as crew:
        foresights = _forecast_all(cases, crew)
        ran = _run_all(cases, foresights, crew)
    results = tuple(_result(case, runs) for case, runs in zip(cases, ran, strict=True))
    return Comparison(results, overall_verdict(results))


_Foresights = dict[tuple[int, object], Foresight]
"""By position of the case and what distinguishes a forecast."""


def _forecast_of(candidate: Candidate) -> object:
    return (candidate.model, candidate.settings, candidate.history_s, candidate.refit_s)


def _forecast_all(cases: Sequence[Case], crew: Workforce) -> _Foresights:
    wanted = [(at, candidate) for at, case in enumerate(cases) for candidate in case.forecasts()]
    pieces = [
        Piece(
            f"{cases[at].series.name}: forecast by {candidate.model}",
            _forecast,
            (cases[at].series, candidate),
        )
        for at, candidate in wanted
    ]
    answers = crew.do(pieces)
    return {(at, _forecast_of(one)): answer for (at, one), answer in zip(wanted, answers, strict=True)}


def _run_all(cases: Sequence[Case], foresights: _Foresights, crew: Workforce) -> list[list[_Ran]]:
    """All runs of each case: ours, then the rivals in the order asked for."""
    ours = [
        Piece(
            f"{case.series.name}: {one.name}", _run_candidate, (case, one, foresights[at, _forecast_of(one)])
        )
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


def _forecast(series: Series, candidate: Candidate) -> Foresight:
    if candidate.model == NO_MODEL:
        return blind(len(series), candidate.settings)
    model = forecaster(candidate.model)
    return foresee(series, model, candidate.settings, candidate.history_s, candidate.refit_s)


def _run_candidate(case: Case, candidate: Candidate, foresight: Foresight) -> _Ran:
    policy, step_s = candidate.policy, case.series.step_s
    columns = case.series.columns
    recorded = {signal.name: columns[signal.name] for signal in policy.signals if signal.name in columns}
    lag_steps = math.ceil(case.world.metric_lag_s / step_s)
    scaler = PredictiveScaler(candidate.name, policy, foresight, recorded, lag_steps)
    course = simulate(case.series, case.world, scaler)
    note = f"{foresight.model} forecast, p{100 * policy.quantile:g} of the peak over {policy.lead_time_s:g} s"
    return _Ran(
        name=candidate.name,
        kind=Kind.POLICY,
        note=f"{note}; {foresight.note}" if foresight.note else note,
        course=course,
        decisions=scaler.explained(),
        guards=scaler.guard_totals(step_s),
        forecast=track(foresight, case.series.values, policy.quantile, case.scored_from),
    )


def _run_rival(case: Case, choice: BaselineChoice, cost_to_match: float) -> _Ran:
    context = RivalContext(
        series=case.series,
        scored_from=case.scored_from,
        per_replica=case.world.per_replica,
        start_up_s=case.world.start_up_s,
        time_zone=case.time_zone,
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
    )
