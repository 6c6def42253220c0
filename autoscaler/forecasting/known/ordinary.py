"""Known futures for every model alike: it sees the load as it would be on ordinary days, and no other.

    load = ordinary load x what a holiday makes of it x what a known change makes of it

A model is fitted to the ordinary load, told of nothing else, and its forecast is put back in place. So no
model has to know of calendars, none learns from a holiday what an ordinary Tuesday is like, and a price cut
neither looks like a collapse nor has to be learned anew. Of what is excluded a model sees nothing once it
is over; while it lasts it has to be served, and is seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from autoscaler.forecasting.forecaster import DAY_S, Change, Forecaster, ForecastSettings, Interval, Predictor
from autoscaler.forecasting.grid import aligned
from autoscaler.forecasting.known.holiday_ratios import HolidayRatios
from autoscaler.forecasting.known.public_holidays import holidays_between
from autoscaler.forecasting.known.spans import touching
from autoscaler.forecasting.localtime import Clock
from autoscaler.series import Batch, Floats, Forecast, Ints

_AHEAD_S = 62 * DAY_S
"""Longer than a model is used without being fitted again."""


@dataclass(slots=True)
class Ordinary:
    """Implements Forecaster. base: the model. seasonal: it expects of a day what earlier days were like; to
    one that does not, a holiday is a day like any other."""

    base: Forecaster
    seasonal: bool = True
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = self.base.name

    def fit(self, history: Batch, settings: ForecastSettings) -> Predictor:
        """Fit the model to the ordinary load; to the load itself where nothing else is known of it."""
        settings = settings if self.seasonal else replace(settings, holidays="")
        if not (settings.holidays or settings.changes or settings.excluded) or len(history) == 0:
            return self.base.fit(history, settings)
        history = aligned(history)
        known = _Known.of(history, settings)
        plain = replace(settings, holidays="", changes=())
        fitted = self.base.fit(known.ordinary(history, np.arange(len(history))), plain)
        return _OrdinaryPredictor(fitted, known)


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """changes: ascending, those within the history and to come. spans: to be unseen, by their ends.
    holidays: names by local day, ascending. clock: valid as far as anything is asked."""

    changes: tuple[Change, ...]
    spans: tuple[Interval, ...]
    holidays: dict[int, str]
    ratios: HolidayRatios
    clock: Clock

    @staticmethod
    def of(history: Batch, settings: ForecastSettings) -> _Known:
        """What is known of the load in `history` [workload, time], rows ending together, and after it."""
        times_s = _times(history)
        first_s, last_s = int(times_s[0]), int(times_s[-1]) + _AHEAD_S
        clock = Clock.of(settings.time_zone, first_s, last_s)
        first_day, last_day = (int(day) for day in clock.local_s(np.array([first_s, last_s])) // DAY_S)
        holidays = holidays_between(settings.holidays, first_day, last_day) if settings.holidays else {}
        changes = sorted((one for one in settings.changes if one.at_s > first_s), key=lambda one: one.at_s)
        spans = sorted(settings.excluded, key=lambda span: span.end_s)
        known = _Known(tuple(changes), tuple(spans), holidays, _no_ratios(len(history)), clock)
        if not holidays:
            return known
        level = history.values / np.exp(known._changed(times_s))
        level[:, touching(times_s, history.step_s, spans)] = np.nan
        ratios = HolidayRatios.of(Batch(level, history.end_s, history.step_s), holidays, clock)
        return replace(known, ratios=ratios)

    def ordinary(self, rows: Batch, workload: Ints) -> Batch:
        """The ordinary load of rows that end together."""
        times_s = _times(rows)
        changed, local_s = self._changed(times_s), self.clock.local_s(times_s)
        holiday = np.flatnonzero(np.isin(local_s // DAY_S, list(self.holidays)))
        if not (changed.any() or len(holiday)):
            return rows
        values = rows.values / np.exp(changed) if changed.any() else rows.values.copy()
        # Day by day, since what is done to all columns takes longer than the forecast.
        days = np.split(holiday, np.flatnonzero(np.diff(local_s[holiday] // DAY_S)) + 1)
        for day in days if len(holiday) else ():
            moments = slice(int(day[0]), int(day[-1]) + 1)
            values[:, moments] /= np.exp(self.ratios.within_a_day(local_s[moments], workload))
        return Batch(values, rows.end_s, rows.step_s)

    def log_factors(self, times_s: Ints, workload: Ints) -> Floats:
        """Logarithm of the load over the ordinary load, [row or 1, time]. times_s: [row or 1, time]."""
        changed = self._changed(times_s)
        local_s = self.clock.local_s(times_s)
        holiday = np.isin(local_s // DAY_S, list(self.holidays))
        if not holiday.any():
            return changed
        return changed + np.where(holiday, self.ratios.at(local_s, workload[:, np.newaxis]), 0.0)

    def holiday_near(self, end_s: int, ahead_s: int) -> str:
        """The name of the first holiday from a row's end to so much later; empty where there is none."""
        first, last = self.clock.local_s(np.array([end_s, end_s + ahead_s])) // DAY_S
        return next((name for day, name in self.holidays.items() if first <= day <= last), "")

    def likeness(self, workload: int) -> str:
        """What a workload's holidays are expected to be like."""
        seen = int(self.ratios.seen[workload])
        return f"like {seen} earlier holiday{'s' if seen > 1 else ''}" if seen else "like Sundays"

    def _changed(self, times_s: Ints) -> Floats:
        at_s = np.array([change.at_s for change in self.changes])
        factors = np.array([change.factor for change in self.changes])
        total = np.concatenate([[0.0], np.cumsum(np.log(factors))])
        return np.asarray(total[np.searchsorted(at_s, times_s, side="right")], np.float64)


@dataclass(frozen=True, slots=True)
class _OrdinaryPredictor:
    base: Predictor
    known: _Known

    def predict(self, recent: Batch, workload: Ints) -> Forecast:
        """Forecast every row of `recent` from its ordinary load, and put the forecast in its place."""
        made = [self._predicted(part, workload[rows]) for rows, part in self._alike(recent)]
        return made[0] if len(made) == 1 else _joined(made)

    def _alike(self, recent: Batch) -> Iterator[tuple[slice, Batch]]:
        """Runs of rows by how many of the spans are over at their ends."""
        over_s = np.array([span.end_s for span in self.known.spans])
        over = np.searchsorted(over_s, recent.end_s + recent.step_s, side="right")
        starts = [0, *(np.flatnonzero(np.diff(over)) + 1).tolist(), len(recent)]
        for first, last in pairwise(starts):
            rows = slice(first, last)
            yield rows, Batch(recent.values[rows], recent.end_s[rows], recent.step_s)

    def _predicted(self, recent: Batch, workload: Ints) -> Forecast:
        forecast = self.base.predict(self._seen(recent, workload), workload)
        ahead_s = recent.step_s * np.arange(1, forecast.horizon + 1, dtype=np.int64)
        factors = self.known.log_factors(recent.end_s[:, np.newaxis] + ahead_s, workload)
        if factors.any():
            forecast = _scaled(forecast, np.exp(factors))
        return self._told(forecast, workload, int(ahead_s[-1]))

    def _told(self, forecast: Forecast, workload: Ints, ahead_s: int) -> Forecast:
        """With a word on the holiday that is near, if one is."""
        ends_s = forecast.made_at_s.tolist()
        near = {end_s: self.known.holiday_near(end_s, ahead_s) for end_s in set(ends_s)}
        if not any(near.values()):
            return forecast
        notes = tuple(
            "; ".join(filter(None, (note, f"{near[end_s]}: {self.known.likeness(row)}")))
            if near[end_s]
            else note
            for note, end_s, row in zip(forecast.notes, ends_s, workload.tolist(), strict=True)
        )
        return replace(forecast, notes=notes)

    def _seen(self, recent: Batch, workload: Ints) -> Batch:
        """The ordinary load of rows for which the same spans are over."""
        series, every = _one_series(recent, workload)
        if series is not None:
            # Successive moments of one workload are views of one series: corrected once, not row by row.
            whole = self._corrected(series, workload[:1])
            windows = np.lib.stride_tricks.sliding_window_view(whole.values[0], recent.width)
            return Batch(windows[::every], recent.end_s, recent.step_s)
        if (recent.end_s == recent.end_s[0]).all():
            return self._corrected(recent, workload)
        rows = [
            self._corrected(Batch(recent.values[[row]], recent.end_s[[row]], recent.step_s), workload[[row]])
            for row in range(len(recent))
        ]
        return Batch(np.concatenate([row.values for row in rows]), recent.end_s, recent.step_s)

    def _corrected(self, rows: Batch, workload: Ints) -> Batch:
        """The same for rows that end together."""
        times_s = _times(rows)
        over = [span for span in self.known.spans if span.end_s <= int(rows.end_s[0]) + rows.step_s]
        unseen = touching(times_s, rows.step_s, over)
        ordinary = self.known.ordinary(rows, workload)
        if not unseen.any():
            return ordinary
        return Batch(np.where(unseen, np.nan, ordinary.values), rows.end_s, rows.step_s)


def _times(rows: Batch) -> Ints:
    """Of every step of rows that end together, [time]."""
    return np.asarray(rows.end_s[0] + rows.step_s * np.arange(1 - rows.width, 1), np.int64)


def _no_ratios(rows: int) -> HolidayRatios:
    return HolidayRatios(np.zeros((rows, 7, 1)), np.zeros(rows, np.int64))


def _one_series(recent: Batch, workload: Ints) -> tuple[Batch | None, int]:
    """The series that the rows are views of, as one row, and the steps between them; None if they are not."""
    if len(recent) < 2 or (workload != workload[0]).any():
        return None, 0
    apart_s = int(recent.end_s[1] - recent.end_s[0])
    every = apart_s // recent.step_s
    stride, step = recent.values.strides
    even = (np.diff(recent.end_s) == apart_s).all() and apart_s % recent.step_s == 0
    if not (even and 0 < every <= recent.width and stride == every * step):
        return None, 0
    later = recent.values[1:, recent.width - every :].ravel()
    values = np.concatenate([recent.values[0], later])
    return Batch(values[np.newaxis], recent.end_s[-1:], recent.step_s), every


def _scaled(forecast: Forecast, factors: Floats) -> Forecast:
    """Every step of a forecast times its factor, [row, step]; peaks as that of the median moves by it."""
    median = forecast.values[:, :, int(np.argmin(np.abs(forecast.levels - 0.5)))]
    crest = np.maximum.accumulate(median, axis=1)
    moved = np.maximum.accumulate(factors * median, axis=1)
    high = np.maximum.accumulate(factors, axis=1)
    ratio = np.where(crest > 0, moved / np.where(crest > 0, crest, 1.0), high)
    values = forecast.values * factors[:, :, np.newaxis]
    peaks = np.maximum(forecast.peaks * ratio[:, :, np.newaxis], values)
    return replace(forecast, values=values, peaks=np.maximum.accumulate(peaks, axis=1))


def _joined(parts: list[Forecast]) -> Forecast:
    """The rows of several forecasts of one model, in their order."""
    return replace(
        parts[0],
        made_at_s=np.concatenate([part.made_at_s for part in parts]),
        values=np.concatenate([part.values for part in parts]),
        peaks=np.concatenate([part.peaks for part in parts]),
        models=tuple(model for part in parts for model in part.models),
        grades=tuple(grade for part in parts for grade in part.grades),
        notes=tuple(note for part in parts for note in part.notes),
    )
