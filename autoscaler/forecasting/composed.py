"""A fitted forecast made of several paths, one for each workload, with calibrated quantiles around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from autoscaler.forecasting.forecaster import PathPredictor
from autoscaler.forecasting.residuals import Bands
from autoscaler.series import Batch, Floats, Forecast, Grade, Ints


@runtime_checkable
class ShortSighted(Protocol):
    """A path that looks at the newest steps only, so that few columns need to be handed to it."""

    def path(self, recent: Batch, workload: Ints, horizon: int) -> Floats:
        """As of any path."""
        ...

    def reach(self, step_s: int) -> int:
        """Number of recent steps that the path looks at."""
        ...


@dataclass(frozen=True, slots=True)
class Composed:
    """Implements Predictor.

    paths: the models in use; choice: [workload], which of them serves it. fallback: answers where a
    path has no value. bands: of the chosen path. eps: [workload]. The rest as in Forecast.
    """

    horizon: int
    levels: Floats
    paths: tuple[PathPredictor, ...]
    names: tuple[str, ...]
    choice: Ints
    fallback: PathPredictor
    bands: Bands
    eps: Floats
    grades: tuple[Grade, ...]
    notes: tuple[str, ...]

    def predict(self, recent: Batch, workload: Ints) -> Forecast:
        """Forecast every row of `recent`."""
        course = self._course(recent, workload)
        single = _at_every_step(self.bands.single[workload], self.bands.leads, self.horizon)
        peak = _at_every_step(self.bands.peak[workload], self.bands.leads, self.horizon)
        base = self.eps[workload][:, np.newaxis, np.newaxis]
        crest = np.maximum.accumulate(course, axis=1)
        values = _quantile_of(course, single, base)
        peaks = np.maximum(_quantile_of(crest, peak, base), values)
        np.maximum.accumulate(peaks, axis=1, out=peaks)
        unusable = np.array([grade is Grade.NONE for grade in self.grades])[workload]
        if unusable.any():
            values[unusable] = np.nan
            peaks[unusable] = np.nan
        rows = workload.tolist()
        served = [self.names[index] for index in self.choice.tolist()]
        return Forecast(
            made_at_s=recent.end_s,
            step_s=recent.step_s,
            levels=self.levels,
            values=values,
            peaks=peaks,
            models=tuple(served[row] for row in rows),
            grades=tuple(self.grades[row] for row in rows),
            notes=tuple(self.notes[row] for row in rows),
        )

    def _course(self, recent: Batch, workload: Ints) -> Floats:
        """The chosen path of every row, [row, horizon]."""
        choice = self.choice[workload]
        course = np.full((len(recent), self.horizon), np.nan)
        for index in np.unique(choice):
            rows = choice == index
            path = self.paths[index]
            if rows.all():
                course = path.path(recent, workload, self.horizon)
            elif isinstance(path, ShortSighted):
                # Only then is it cheap to pick rows out: picking copies them.
                some = Batch(_newest(recent, path)[rows], recent.end_s[rows], recent.step_s)
                course[rows] = path.path(some, workload[rows], self.horizon)
            else:
                course[rows] = path.path(recent, workload, self.horizon)[rows]
        lost = ~np.isfinite(course).all(axis=1)
        if lost.any():
            short = recent.values
            if isinstance(self.fallback, ShortSighted):
                short = _newest(recent, self.fallback)
            some = Batch(short[lost], recent.end_s[lost], recent.step_s)
            instead = self.fallback.path(some, workload[lost], self.horizon)
            course[lost] = np.where(np.isfinite(course[lost]), course[lost], instead)
        return course


def _newest(recent: Batch, path: ShortSighted) -> Floats:
    return recent.values[:, -path.reach(recent.step_s) :]


def _quantile_of(course: Floats, factor: Floats, base: Floats) -> Floats:
    """(course + base) * factor - base, never below zero, [row, horizon, level]."""
    quantile: Floats = (course[:, :, np.newaxis] + base) * factor
    quantile -= base
    return np.maximum(quantile, 0.0, out=quantile)


def _at_every_step(factors: Floats, leads: Ints, horizon: int) -> Floats:
    """Factors [row, lead, level] at every step of the horizon, linear between the leads."""
    if len(leads) == horizon:
        return factors
    position = np.interp(np.arange(1, horizon + 1), leads, np.arange(len(leads)))
    low = np.floor(position).astype(np.int64)
    high = np.minimum(low + 1, len(leads) - 1)
    share = (position - low)[np.newaxis, :, np.newaxis]
    between: Floats = factors[:, low] * (1 - share) + factors[:, high] * share
    return between
