"""Slow or fragile models in a worker process with a deadline. Process plumbing, no forecasting.

Each workload is fitted on its own in the worker. One whose fit raises, takes too long, kills the
process or gives nonsense is served by the fallback, and its note says so; the others keep what
they got. The clock is only used for the deadline, never for results.
"""

from __future__ import annotations

import contextlib
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection

import numpy as np

from autoscaler.forecasting.forecaster import Forecaster, ForecastSettings, Predictor
from autoscaler.series import Batch, Floats, Forecast, Grade, Ints

_START_UP_S = 30.0
"""Extra patience for the first answer of a worker: it has to import the model first."""
_NONSENSE = 1e9
_Answer = Predictor | str


@dataclass(slots=True)
class Isolated:
    """Implements Forecaster around another one. Everything passed has to be picklable.

    deadline_s: for the fit of one workload.
    """

    inner: Forecaster
    fallback: Forecaster
    deadline_s: float
    start_up_s: float = _START_UP_S
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = self.inner.name

    def fit(self, history: Batch, settings: ForecastSettings) -> Predictor:
        """Fit every workload in the worker, those that fail by the fallback."""
        answers = [
            _checked(answer, _row(history, row), settings)
            for row, answer in enumerate(self._answers(history, settings))
        ]
        failed = [row for row, answer in enumerate(answers) if isinstance(answer, str)]
        instead = self.fallback.fit(history, settings) if failed else None
        reasons = {
            row: f"{self.name} {answer}; {self.fallback.name} instead"
            for row, answer in enumerate(answers)
            if isinstance(answer, str)
        }
        served = tuple(None if isinstance(answer, str) else answer for answer in answers)
        return _PerWorkload(served, instead, reasons)

    def _answers(self, history: Batch, settings: ForecastSettings) -> list[_Answer]:
        answers: list[_Answer] = []
        while len(answers) < len(history):
            # A worker that failed is dead: the next one goes on with the workloads after it.
            answers.extend(self._one_worker(history, settings, len(answers)))
        return answers

    def _one_worker(self, history: Batch, settings: ForecastSettings, first: int) -> Iterator[_Answer]:
        """Answers from `first` on, up to and including the first one that killed the worker."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        arguments = (
            theirs,
            self.inner,
            history.values[first:],
            history.end_s[first:],
            history.step_s,
            settings,
        )
        worker = context.Process(target=_work, args=arguments, daemon=True)
        try:
            worker.start()
            theirs.close()
            patience_s = self.deadline_s + self.start_up_s
            for _ in range(first, len(history)):
                if not ours.poll(patience_s):
                    yield f"took longer than {self.deadline_s:g} s"
                    return
                try:
                    answer: _Answer = ours.recv()
                except (EOFError, OSError):
                    yield "ended without an answer"
                    return
                yield answer
                patience_s = self.deadline_s
        finally:
            ours.close()
            with contextlib.suppress(ValueError):
                worker.kill()
                worker.join()


def _work(
    connection: Connection,
    inner: Forecaster,
    values: Floats,
    end_s: Ints,
    step_s: int,
    settings: ForecastSettings,
) -> None:
    for row in range(len(values)):
        try:
            answer: _Answer = inner.fit(Batch(values[row : row + 1], end_s[row : row + 1], step_s), settings)
        except Exception as error:  # noqa: BLE001 - whatever a model raises is its answer, and reported as such
            answer = f"failed ({type(error).__name__}: {str(error)[:200]})"
        connection.send(answer)
    connection.close()


def _row(history: Batch, row: int) -> Batch:
    return Batch(history.values[row : row + 1], history.end_s[row : row + 1], history.step_s)


def _checked(answer: _Answer, history: Batch, settings: ForecastSettings) -> _Answer:
    """The answer, or what is wrong with its forecast from the end of its own history."""
    if isinstance(answer, str):
        return answer
    try:
        forecast = answer.predict(history, np.zeros(1, np.int64))
    except Exception as error:  # noqa: BLE001 - a predictor that cannot predict is discarded, and that is said
        return f"failed to predict ({type(error).__name__})"
    if forecast.grades[0] is Grade.NONE:
        return answer
    known = history.values[np.isfinite(history.values)]
    highest = float(known.max(initial=0.0))
    for part in (forecast.values, forecast.peaks):
        if not np.isfinite(part).all() or (part < 0).any() or (part > _NONSENSE * max(highest, 1e-9)).any():
            return "gave nonsense"
    if forecast.values.shape != (1, settings.horizon, len(settings.levels)):
        return "gave a forecast of the wrong shape"
    return answer


@dataclass(frozen=True, slots=True)
class _PerWorkload:
    """One predictor for each workload. served: None where `instead` serves, for the reason given."""

    served: tuple[Predictor | None, ...]
    instead: Predictor | None
    reasons: dict[int, str]

    def predict(self, recent: Batch, workload: Ints) -> Forecast:
        """Forecast every row by its workload's predictor."""
        parts: list[tuple[Ints, Forecast]] = []
        lost = np.isin(workload, list(self.reasons))
        if lost.any() and self.instead is not None:
            rows = np.flatnonzero(lost)
            forecast = self.instead.predict(_rows(recent, rows), workload[rows])
            notes = tuple(
                f"{self.reasons[int(index)]}; {note}"
                for index, note in zip(workload[rows], forecast.notes, strict=True)
            )
            parts.append((rows, replace(forecast, notes=notes)))
        for index in np.unique(workload[~lost]):
            predictor = self.served[index]
            if predictor is not None:
                rows = np.flatnonzero(workload == index)
                zeros = np.zeros(len(rows), np.int64)
                parts.append((rows, predictor.predict(_rows(recent, rows), zeros)))
        return _joined(parts, recent)


def _rows(recent: Batch, rows: Ints) -> Batch:
    """Some rows; a view where they follow one another, since copying a backtest's rows is ruinous."""
    if len(rows) and int(rows[-1]) - int(rows[0]) + 1 == len(rows):
        span = slice(int(rows[0]), int(rows[-1]) + 1)
        return Batch(recent.values[span], recent.end_s[span], recent.step_s)
    return Batch(recent.values[rows], recent.end_s[rows], recent.step_s)


def _joined(parts: list[tuple[Ints, Forecast]], recent: Batch) -> Forecast:
    first = parts[0][1]
    shape = (len(recent), *first.values.shape[1:])
    values, peaks = np.full(shape, np.nan), np.full(shape, np.nan)
    models, grades, notes = [""] * len(recent), [Grade.NONE] * len(recent), [""] * len(recent)
    for rows, forecast in parts:
        values[rows], peaks[rows] = forecast.values, forecast.peaks
        for place, row in enumerate(rows.tolist()):
            models[row] = forecast.models[place]
            grades[row] = forecast.grades[place]
            notes[row] = forecast.notes[place]
    return Forecast(
        recent.end_s, recent.step_s, first.levels, values, peaks, tuple(models), tuple(grades), tuple(notes)
    )
