"""A forecaster whose peaks are sharpened, workload by workload, by what that workload's own rises teach.

The base forecaster gives the course of the load and its quantiles at every lead. Unless replaying
the newest hours shows that the peak ridge would have lost clearly more, its quantiles of the peak over the
whole lead time replace the base's, and the peaks of shorter leads are bent towards them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from autoscaler.forecasting.accuracy import pinball_loss
from autoscaler.forecasting.cleaning import clean
from autoscaler.forecasting.forecaster import DAY_S, Forecaster, ForecastSettings, Predictor
from autoscaler.forecasting.grid import aligned
from autoscaler.forecasting.history import described
from autoscaler.forecasting.localtime import Clock
from autoscaler.forecasting.peak_ridge import Moments, PeakRidge
from autoscaler.forecasting.peak_view import PeakView
from autoscaler.forecasting.seasonal_naive import ceiling
from autoscaler.series import Batch, Floats, Forecast, Ints, Series

RIDGE = "ridge"
_TESTED_S = DAY_S / 2
_TESTED_SHARE = 3
_CLEARLY_WORSE = 2.0
"""The base was calibrated with the hours both are tested on, and the ridge is not yet fitted to them,
so only a loss this many times the base's speaks against it."""
_MOST_TESTED = 288
_LEAST_LOAD = 1e-12


@dataclass(slots=True)
class Sharpened:
    """Implements Forecaster. always: use the ridge wherever it can be fitted, without a replay."""

    name: str
    base: Forecaster
    always: bool = False

    def fit(self, history: Batch, settings: ForecastSettings) -> Predictor:
        """Fit the base, and a ridge for every workload that has enough of a past."""
        history = aligned(history)
        base = self.base.fit(history, settings)
        cleaned = clean(history, settings).history
        season_s = min(settings.seasons_s, default=DAY_S)
        levels = np.array(sorted(settings.levels))
        ridges: list[PeakRidge | None] = []
        notes: list[str] = []
        for row in range(len(history)):
            own = _series(cleaned, row)
            moments = Moments.of(own, settings.horizon, season_s)
            ridge, note = None, ""
            if moments is not None:
                pays, note = (
                    (True, f"{RIDGE}: as configured")
                    if self.always
                    else _pays(moments, own, row, base, settings, levels)
                )
                ridge = PeakRidge.fit(moments, levels) if pays else None
            ridges.append(ridge)
            notes.append(note)
        limit = ceiling(cleaned.values)
        return _SharpenedPredictor(base, tuple(ridges), tuple(notes), settings, season_s, limit)


@dataclass(frozen=True, slots=True)
class _SharpenedPredictor:
    base: Predictor
    ridges: tuple[PeakRidge | None, ...]
    notes: tuple[str, ...]
    settings: ForecastSettings
    season_s: int
    ceiling: Floats

    def predict(self, recent: Batch, workload: Ints) -> Forecast:
        """Forecast every row of `recent`."""
        made = self.base.predict(recent, workload)
        served = np.array([self.ridges[index] is not None for index in workload.tolist()], dtype=np.bool_)
        served &= _clock_stood(recent, self.settings.time_zone, self.season_s)
        if not served.any():
            return made
        view = PeakView.of(recent, self.settings.horizon, self.season_s, self.ceiling[workload])
        sharp = np.full((len(recent), len(made.levels)), np.nan)
        for index in np.unique(workload[served]).tolist():
            ridge = self.ridges[index]
            rows = workload == index
            if ridge is not None:
                sharp[rows] = ridge.peaks(_rows(view, rows))
        served &= np.isfinite(sharp).all(axis=1) & np.isfinite(made.peaks[:, -1, :]).all(axis=1)
        names = zip(made.models, workload.tolist(), served.tolist(), made.notes, strict=True)
        told = [(RIDGE, self.notes[w]) if mine else (model, note) for model, w, mine, note in names]
        peaks = np.where(served[:, np.newaxis, np.newaxis], _bent(made.peaks, sharp), made.peaks)
        return replace(
            made,
            values=np.minimum(made.values, peaks),
            peaks=peaks,
            models=tuple(model for model, _ in told),
            notes=tuple(note for _, note in told),
        )


def _bent(peaks: Floats, sharp: Floats) -> Floats:
    """Base peaks [row, lead, level] bent so that those of the last lead become `sharp` [row, level].

    In logarithms the correction grows evenly with the lead. The result rises with lead and level.
    """
    horizon = peaks.shape[1]
    share = (np.arange(1, horizon + 1) / horizon)[np.newaxis, :, np.newaxis]
    positive = np.maximum(peaks, _LEAST_LOAD)
    ratio = np.maximum(sharp, _LEAST_LOAD)[:, np.newaxis, :] / positive[:, -1:, :]
    bent = positive * ratio**share
    bent[:, -1, :] = sharp
    np.minimum(bent, sharp[:, np.newaxis, :], out=bent)
    np.maximum.accumulate(bent, axis=1, out=bent)
    return np.maximum.accumulate(bent, axis=2, out=bent)


def _pays(
    moments: Moments, own: Series, row: int, base: Predictor, settings: ForecastSettings, levels: Floats
) -> tuple[bool, str]:
    """Whether a ridge fitted before the newest hours would not have lost clearly more in them."""
    tested_s = min(_TESTED_S, float(moments.age_s[0]) / _TESTED_SHARE)
    earlier = PeakRidge.fit(moments, levels, since_s=tested_s + settings.horizon * own.step_s)
    tested = int(np.count_nonzero(moments.age_s < tested_s))
    if earlier is None or tested == 0:
        return False, ""
    newest = slice(-tested, None, -(-tested // _MOST_TESTED))
    at = moments.at[newest]
    every = Batch.rolling(own, at[0], at[-1] + 1, len(own))
    recent = Batch(every.values[:: at.step], every.end_s[:: at.step], own.step_s)
    theirs = base.predict(recent, np.full(len(at), row, np.int64))
    ours = replace(theirs, peaks=earlier.peaks(_rows(moments.view, newest))[:, np.newaxis, :])
    came = moments.peak[newest]
    mine = pinball_loss(came, ours.peak(1, settings.quantile), settings.quantile)
    other = pinball_loss(came, theirs.peak(settings.horizon, settings.quantile), settings.quantile)
    tested_for = described(int(tested_s // own.step_s), own.step_s)
    why = f"pinball {mine:.3g} against {other:.3g} for {theirs.models[0]} over the last {tested_for}"
    return bool(mine < _CLEARLY_WORSE * other), f"{RIDGE}: {why}"


def _clock_stood(recent: Batch, time_zone: str, season_s: int) -> NDArray[np.bool_]:
    """Rows within whose last seven seasons the local clock was not changed: [row]."""
    if time_zone == "UTC" or len(recent) == 0:
        return np.ones(len(recent), np.bool_)
    earlier = recent.end_s - 7 * season_s
    clock = Clock.of(time_zone, int(earlier.min()), int(recent.end_s.max()))
    return np.asarray(clock.local_s(recent.end_s) - clock.local_s(earlier) == recent.end_s - earlier)


def _series(history: Batch, row: int) -> Series:
    """One row as a series, without the steps before its first known one."""
    values = history.values[row]
    known = np.isfinite(values)
    first = int(np.argmax(known)) if known.any() else 0
    start_s = int(history.end_s[row]) - (history.width - 1 - first) * history.step_s
    return Series("", start_s, history.step_s, values[first:])


def _rows(view: PeakView, rows: slice | NDArray[np.bool_]) -> PeakView:
    return PeakView(view.level[rows], view.negligible[rows], view.weight[rows], view.signs[rows])
