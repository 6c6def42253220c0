"""From point paths to a Forecaster: hold out the newest past, measure, choose, fit again on everything.

One path model alone is the special case of a choice among one. Rows with too little history for a
season are served by the trend model, and rows with next to none by nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from autoscaler.forecasting.classic.level import negligible
from autoscaler.forecasting.classic.trend import Trend
from autoscaler.forecasting.cleaning import clean
from autoscaler.forecasting.composed import Composed
from autoscaler.forecasting.forecaster import DAY_S, ForecastSettings, PathModel, PathPredictor, Predictor
from autoscaler.forecasting.grid import aligned, visible_seasons
from autoscaler.forecasting.history import Evidence, described
from autoscaler.forecasting.origins import spread
from autoscaler.forecasting.residuals import Bands, Residuals, bands, chosen_leads, measure
from autoscaler.series import Batch, Floats, Grade, Ints

_ORIGINS = 336
_SPAN_S = 7 * DAY_S

Choose = Callable[[Sequence[str], Sequence[Residuals], Floats, ForecastSettings], tuple[Ints, list[str]]]
"""Picks a model per workload from their residuals over the same origins, and says why."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A path model. learns: whether its fit remembers the course of the load, so that only what it
    was not fitted on says how good it is."""

    model: PathModel
    learns: bool


@dataclass(slots=True)
class Calibrated:
    """Implements Forecaster: chooses among the candidates where there is history for it.

    candidates: simplest first.
    """

    name: str
    candidates: tuple[Candidate, ...]
    choose: Choose

    def fit(self, history: Batch, settings: ForecastSettings) -> Predictor:
        """Learn from `history` [workload, time]; degrades, but never raises, for want of data."""
        cleaned = clean(aligned(history), settings)
        fitting = _Fitting(self, cleaned.history, cleaned.notes, settings)
        return fitting.predictor()


class _Fitting:
    """The state of one fit: results are collected per group of rows with equally long history."""

    def __init__(
        self, plan: Calibrated, history: Batch, cleaning: tuple[str, ...], settings: ForecastSettings
    ) -> None:
        self._plan = plan
        self._history = history
        self._settings = settings
        self._seasons = visible_seasons(settings, history.step_s)
        self._evidence = Evidence.of(history)
        self._eps = negligible(history.values)
        self._levels = np.array(sorted(settings.levels))
        leads = chosen_leads(settings.horizon)
        shape = (len(history), len(leads), len(self._levels))
        self._bands = Bands(leads, np.ones(shape), np.ones(shape))
        self._choice = np.zeros(len(history), np.int64)
        self._notes = list(cleaning)
        self._finished: dict[int, PathPredictor] = {}

    def predictor(self) -> Predictor:
        """Fit group by group and put the pieces together."""
        grades = self._evidence.grades(self._seasons)
        trend = Trend()
        fallback = trend.fit_path(self._history, self._settings)
        paths: list[PathPredictor] = [fallback]
        names = [trend.name]
        held = self._evidence.holdouts(self._seasons)
        for steps in np.unique(held):
            rows = np.flatnonzero(held == steps)
            if steps:
                self._seasonal(rows, int(steps), fallback)
            else:
                self._young(rows, fallback)
        for index, candidate in enumerate(self._plan.candidates):
            paths.append(self._final(candidate, fallback, index))
            names.append(candidate.model.name)
        for row, grade in enumerate(grades):
            if grade is Grade.NONE:
                self._notes[row] = "no usable history"
        return Composed(
            horizon=self._settings.horizon,
            levels=self._levels,
            paths=tuple(paths),
            names=tuple(names),
            choice=self._choice,
            fallback=fallback,
            bands=self._bands,
            eps=self._eps,
            grades=grades,
            notes=tuple(self._notes),
        )

    def _young(self, rows: Ints, fallback: PathPredictor) -> None:
        """Rows without a season to speak of: the trend model, with the residuals there are."""
        width = self._history.width
        longest = int(self._evidence.span[rows].max(initial=0))
        first = width - min(longest, _SPAN_S // self._history.step_s)
        origins = spread(min(first + 2, width - 1), width - 1, _ORIGINS)
        part = _rows(self._history, rows)
        own = _Renumbered(fallback, rows)
        residuals = measure(own, own, part, origins, self._settings.horizon, self._eps[rows])
        self._keep(rows, bands(residuals, self._levels))
        for row in rows:
            self._say(int(row), f"trend: {self._shortcoming(int(row))}")

    def _shortcoming(self, row: int) -> str:
        """What keeps a row from having a season."""
        known, span = int(self._evidence.known[row]), int(self._evidence.span[row])
        length = described(span, self._history.step_s)
        if not self._seasons:
            return f"no season to be seen at this step in {length} of history"
        if 2 * known < span:
            return f"only {known / span:.0%} of {length} of history is known"
        return f"only {length} of history"

    def _seasonal(self, rows: Ints, held: int, fallback: PathPredictor) -> None:
        """Rows with a past to test on: measure every candidate over the newest steps and choose."""
        part = _rows(self._history, rows)
        cut = part.width - held
        origins = spread(cut - 1, part.width - 1, _ORIGINS, self._seasons[0] // part.step_s)
        own = _Renumbered(fallback, rows)
        earlier = Batch(part.values[:, :cut], part.end_s - held * part.step_s, part.step_s)
        measured = []
        for index, candidate in enumerate(self._plan.candidates):
            past = earlier if candidate.learns else part
            path = candidate.model.fit_path(past, self._settings)
            if past is self._history:
                self._finished[index] = path
            measured.append(measure(path, own, part, origins, self._settings.horizon, self._eps[rows]))
        names = [candidate.model.name for candidate in self._plan.candidates]
        choice, reasons = self._plan.choose(names, measured, self._eps[rows], self._settings)
        for index in np.unique(choice):
            mine = np.flatnonzero(choice == index)
            found = bands(_residuals_of(measured[index], mine), self._levels)
            self._keep(rows[mine], found)
        self._choice[rows] = choice + 1
        tested = described(held, part.step_s)
        for row, reason in zip(rows, reasons, strict=True):
            self._say(int(row), f"{reason} over the last {tested}" if len(names) > 1 else reason)

    def _final(self, candidate: Candidate, fallback: PathPredictor, index: int) -> PathPredictor:
        """The candidate fitted on everything, for the rows it was chosen for."""
        chosen = self._choice == index + 1
        if not chosen.any():
            return fallback
        path = self._finished.get(index) or candidate.model.fit_path(self._history, self._settings)
        every = np.arange(len(self._history))
        silent = ~np.isfinite(path.path(self._history, every, 1)[:, 0])
        for row in np.flatnonzero(chosen & silent):
            self._choice[row] = 0
            self._say(int(row), f"trend: {candidate.model.name} found no answer")
        return path

    def _keep(self, rows: Ints, found: Bands) -> None:
        self._bands.single[rows] = found.single
        self._bands.peak[rows] = found.peak

    def _say(self, row: int, words: str) -> None:
        self._notes[row] = f"{words}; {self._notes[row]}" if self._notes[row] else words


@dataclass(frozen=True, slots=True)
class _Renumbered:
    """A path fitted for all rows, asked about some of them by their place among these."""

    path_of_all: PathPredictor
    rows: Ints

    def path(self, recent: Batch, workload: Ints, horizon: int) -> Floats:
        return self.path_of_all.path(recent, self.rows[workload], horizon)


def the_only_one(
    names: Sequence[str], measured: Sequence[Residuals], eps: Floats, settings: ForecastSettings
) -> tuple[Ints, list[str]]:
    """No choice: the model the user asked for."""
    return np.zeros(len(eps), np.int64), [f"{names[0]}: as configured"] * len(eps)


def _rows(history: Batch, rows: Ints) -> Batch:
    if len(rows) == len(history):
        return history
    return Batch(history.values[rows], history.end_s[rows], history.step_s)


def _residuals_of(residuals: Residuals, rows: Ints) -> Residuals:
    return Residuals(
        residuals.leads,
        residuals.at_s[rows],
        residuals.single[rows],
        residuals.peak[rows],
        residuals.path_peak[rows],
        residuals.actual_peak[rows],
    )
