"""The forecasts that all policies of a backtest need, each made once: policies that differ in what they
do with a forecast share it."""

from __future__ import annotations

from collections.abc import Sequence

from autoscaler.backtest.candidate import NO_MODEL, Candidate
from autoscaler.backtest.case import Case
from autoscaler.backtest.following import foresee_following
from autoscaler.backtest.foresight import Foresight, as_stated, blind, foresee
from autoscaler.backtest.stretches import Modelled, Stretch, modelled, stretches
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


def count_forecasts(case: Case) -> int:
    """How many pieces of work `forecast_all` makes of a case."""
    return sum(len(_pieces(case, one)) for one in _distinct(case))


def forecast_all(cases: Sequence[Case], crew: Workforce) -> SharedForecasts:
    """Make every forecast that any candidate of any case needs."""
    wanted = [(at, one) for at, case in enumerate(cases) for one in _distinct(case)]
    parts = [_pieces(cases[at], one) for at, one in wanted]
    answers = iter(crew.do([piece for pieces in parts for piece in pieces]))
    made: dict[tuple[int, object], Foresight] = {}
    for (at, one), pieces in zip(wanted, parts, strict=True):
        told = [next(answers) for _ in pieces]
        made[at, forecast_key(one)] = _put_together(cases[at].series, one, told)
    return SharedForecasts(made)


def foreseen(series: Series, candidate: Candidate, model_for: ModelFor = shipped_model) -> Foresight:
    """What `candidate` would have known at every step of `series`. model_for: the shared model of peaks."""
    if candidate.model == NO_MODEL:
        return blind(len(series), candidate.settings)
    model = forecaster(candidate.model, model_for=model_for)
    how = (model, candidate.settings, candidate.history_s, candidate.refit_s)
    own = foresee(series, *how)
    return own if candidate.follows is None else foresee_following(own, series, candidate.follows, *how)


def _distinct(case: Case) -> list[Candidate]:
    """One candidate for each forecast that is needed."""
    return list({forecast_key(candidate): candidate for candidate in case.candidates}.values())


def _pieces(case: Case, one: Candidate) -> list[Piece[Modelled | Foresight]]:
    """A stretch each; the whole at once where another load is followed, whose forecast it needs besides."""
    label = f"{case.series.name}: forecast by {one.model}"
    if one.model == NO_MODEL or one.follows is not None:
        return [Piece(label, foreseen, (case.series, one, case.model_for))]
    parts = stretches(case.series, one.history_s, one.refit_s)
    return [Piece(label, _modelled, (part, one, case.model_for)) for part in parts]


def _modelled(stretch: Stretch, candidate: Candidate, model_for: ModelFor) -> Modelled:
    model = forecaster(candidate.model, model_for=model_for)
    return modelled(stretch, model, candidate.settings, candidate.history_s)


def _put_together(series: Series, one: Candidate, told: Sequence[Modelled | Foresight]) -> Foresight:
    whole = [part for part in told if isinstance(part, Foresight)]
    parts = [part for part in told if isinstance(part, Modelled)]
    return whole[0] if whole else as_stated(series, one.settings, parts)
