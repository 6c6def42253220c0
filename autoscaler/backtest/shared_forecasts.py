"""The forecasts that all policies of a backtest need, each made once: policies that differ in what they
do with a forecast share it."""

from __future__ import annotations

from collections.abc import Sequence

from autoscaler.backtest.candidate import NO_MODEL, Candidate
from autoscaler.backtest.case import Case
from autoscaler.backtest.following import foresee_following
from autoscaler.backtest.foresight import Foresight, blind, foresee
from autoscaler.backtest.workforce import Piece, Workforce
from autoscaler.forecasting.peaks.learned_peaks import ModelFor
from autoscaler.forecasting.peaks.shipped import shipped_model
from autoscaler.forecasting.registry import forecaster
from autoscaler.series import Series


class SharedForecasts:
    """Forecasts by case and by what distinguishes them."""

    def __init__(self, made: dict[tuple[int, object], Foresight]) -> None:
        self._made = made

    def of(self, case: int, candidate: Candidate) -> Foresight:
        """What `candidate` knows at every step. case: its position."""
        return self._made[case, forecast_key(candidate)]


def forecast_key(candidate: Candidate) -> object:
    """Equal for candidates of one trace that share their forecast."""
    return (candidate.model, candidate.settings, candidate.history_s, candidate.refit_s, candidate.follows)


def distinct(case: Case) -> list[Candidate]:
    """One candidate for each forecast that is needed."""
    return list({forecast_key(candidate): candidate for candidate in case.candidates}.values())


def forecast_all(cases: Sequence[Case], crew: Workforce) -> SharedForecasts:
    """Make every forecast that any candidate of any case needs."""
    wanted = [(at, candidate) for at, case in enumerate(cases) for candidate in distinct(case)]
    pieces = [
        Piece(
            f"{cases[at].series.name}: forecast by {one.model}",
            foreseen,
            (cases[at].series, one, cases[at].model_for),
        )
        for at, one in wanted
    ]
    made = crew.do(pieces)
    return SharedForecasts(
        {(at, forecast_key(one)): answer for (at, one), answer in zip(wanted, made, strict=True)}
    )


def foreseen(series: Series, candidate: Candidate, model_for: ModelFor = shipped_model) -> Foresight:
    """What `candidate` would have known at every step of `series`. model_for: the shared model of peaks."""
    if candidate.model == NO_MODEL:
        return blind(len(series), candidate.settings)
    model = forecaster(candidate.model, model_for=model_for)
    how = (model, candidate.settings, candidate.history_s, candidate.refit_s)
    own = foresee(series, *how)
    return own if candidate.follows is None else foresee_following(own, series, candidate.follows, *how)
