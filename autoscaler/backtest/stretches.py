"""A trace in stretches of about a day, each forecast as the live loop forecasts.

The model is fitted on its schedule on the history up to that moment, and between two fits every step is
forecast from the load up to that step. No fit depends on another, so stretches can be done side by side.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from autoscaler.forecasting.forecaster import DAY_S, Forecaster, ForecastSettings
from autoscaler.series import Batch, Floats, Forecast, Grade, Series

_FIRST_FITS_S = (0, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 24 * 3600)
"""A workload without history learns quickly at first, so early fits come sooner than the schedule."""

_FEWEST_STEPS_BETWEEN_FITS = 96
_ROWS_AT_ONCE = 2048
_MOST_STRETCHES = 16


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a trace, with fits of its own.

    series: its steps, and before them whatever its first fit looks back at. begins: step of the trace at
    which `series` does. fits: steps of `series` after which the model is fitted, ascending; each serves
    until the next, the last one to the end.
    """

    series: Series
    begins: int
    fits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Modelled:
    """What a model says at the steps of a stretch, in its own quantiles.

    first: step of the trace. peaks: [step, level], of the whole lead. median: [step], of the load one lead
    later. served: steps by model. notes: by model, why it was last used.
    """

    first: int
    peaks: Floats
    median: Floats
    served: Counter[str]
    notes: dict[str, str]


def stretches(series: Series, history_s: float, refit_s: float) -> list[Stretch]:
    """All of `series`, in stretches of a day or more that begin with a fit."""
    width = _width(history_s, series.step_s)
    fits = _fit_steps(len(series), series.step_s, refit_s)
    least = max(DAY_S // series.step_s, math.ceil(len(series) / _MOST_STRETCHES))
    firsts = [fits[0]]
    for fit in fits:
        if fit - firsts[-1] >= least:
            firsts.append(fit)
    parts = []
    for first, until in zip(firsts, [*firsts[1:], len(series)], strict=True):
        begins = max(0, first + 1 - width)
        mine = tuple(fit - begins for fit in fits if first <= fit < until)
        parts.append(Stretch(replace(series.between(begins, until), columns={}), begins, mine))
    return parts


def modelled(
    stretch: Stretch, forecaster: Forecaster, settings: ForecastSettings, history_s: float
) -> Modelled:
    """What the model says at every step of a stretch."""
    lead = settings.horizon
    middle = int(np.argmin(np.abs(np.asarray(settings.levels) - 0.5)))
    peaks, medians = [], []
    served: Counter[str] = Counter()
    notes: dict[str, str] = {}
    for _, forecast in forecasts(stretch, forecaster, settings, history_s):
        # Copies: what was cut out of a forecast would keep all of it in memory.
        peaks.append(forecast.peaks[:, lead - 1, :].copy())
        medians.append(forecast.values[:, lead - 1, middle].copy())
        if forecast.grades[0] is not Grade.NONE:
            served[forecast.models[0]] += len(forecast.made_at_s)
            notes[forecast.models[0]] = forecast.notes[0]
    first = stretch.begins + stretch.fits[0]
    return Modelled(first, np.concatenate(peaks), np.concatenate(medians), served, notes)


def forecasts(
    stretch: Stretch, forecaster: Forecaster, settings: ForecastSettings, history_s: float
) -> Iterator[tuple[int, Forecast]]:
    """What the model says at every step of a stretch, a row each: pieces of it with the trace's step at
    which each begins."""
    series = stretch.series
    width = _width(history_s, series.step_s)
    for first, until in zip(stretch.fits, [*stretch.fits[1:], len(series)], strict=True):
        history = Batch.of(series.between(max(0, first + 1 - width), first + 1))
        predictor = forecaster.fit(history, settings)
        for begin in range(first, until, _ROWS_AT_ONCE):
            end = min(until, begin + _ROWS_AT_ONCE)
            recent = Batch.rolling(series, begin, end, width)
            yield stretch.begins + begin, predictor.predict(recent, np.zeros(end - begin, np.int64))


def _width(history_s: float, step_s: int) -> int:
    """Steps that a fit looks back at."""
    return max(2, int(history_s // step_s))


def _fit_steps(steps: int, step_s: int, refit_s: float) -> list[int]:
    """Steps after which the model is fitted: sooner at first, then every `refit_s`."""
    every = max(int(refit_s // step_s), _FEWEST_STEPS_BETWEEN_FITS)
    early = [int(at_s // step_s) for at_s in _FIRST_FITS_S if at_s < refit_s * 4]
    regular = range(every, steps, every)
    return sorted({step for step in [*early, *regular] if step < steps})
