"""A forecaster whose peaks are sharpened by a model that predicts nothing but the peak.

The base forecaster gives the course of the load and its quantiles at every lead. Unless replaying half a
day shows that the model of the peak would have lost clearly more, its quantiles of the peak over the whole
lead time replace the base's, and the peaks of shorter leads are bent towards them. A workload that is a day
old is replayed once a day, with what was known at midnight; a younger one at every fit. One that is too young
for that gets the peaks of a model that many other loads have taught.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from autoscaler.forecasting.accuracy import pinball_loss
from autoscaler.forecasting.cleaning import clean
from autoscaler.forecasting.daily import Daily, until_midnight
from autoscaler.forecasting.forecaster import DAY_S, Forecaster, ForecastSettings, Predictor
from autoscaler.forecasting.grid import aligned
from autoscaler.forecasting.history import described, own_series
from autoscaler.forecasting.localtime import Clock
from autoscaler.forecasting.origins import spread
from autoscaler.forecasting.peaks.source import FittedPeaks, PeakSource
from autoscaler.series import Batch, Floats, Forecast, Ints, Series

_TESTED_S = DAY_S / 2
_TESTED_SHARE = 3
_FEWEST_TESTED = 30
_ABOUT_TESTED = 144
_CLEARLY_WORSE = 2.0
"""The base was calibrated with the hours both are tested on, and the other is not yet fitted to them,
so only a loss this many times the base's speaks against it."""
_LEAST_LOAD = 1e-12


@dataclass(slots=True)
class Sharpened:
    """Implements Forecaster. always: use the source's peaks wherever it has any, without a replay."""

    name: str
    base: Forecaster
    source: PeakSource
    always: bool = False
    _daily: Daily[tuple[bool, str]] = field(default_factory=Daily)

    def fit(self, history: Batch, settings: ForecastSettings) -> Predictor:
        """Fit the base and the source; replay half a day of every workload that is due for it."""
        history = aligned(history)
        base = self.base.fit(history, settings)
        cleaned = clean(history, settings).history
        fitted = self.source.fit(cleaned, settings)
        used, notes = (
            np.ones(len(history), np.bool_),
            [f"{fitted.name}: {fitted.note}"] * len(history),
        )
        if not self.always:
            for row in range(len(history)):
                used[row], notes[row] = self._pays(cleaned, row, base, fitted, settings)
        season_s = min(settings.seasons_s, default=DAY_S)
        return _SharpenedPredictor(base, fitted, used, tuple(notes), settings, season_s)

    def _pays(
        self, history: Batch, row: int, base: Predictor, fitted: FittedPeaks, settings: ForecastSettings
    ) -> tuple[bool, str]:
        own = own_series(history, row)
        if fitted.seasoned and _is_too_young(own, settings):
            known_for = described(len(own), own.step_s)
            return True, f"{fitted.name}: {known_for} of history are too few to compare it on"
        if len(until_midnight(own)) * own.step_s < DAY_S:
            return _pays(self.source, own, row, base, settings)

        def replay(days: Series) -> tuple[bool, str]:
            return _pays(self.source, days, 0, self.base.fit(Batch.of(days), settings), settings)

        return self._daily.of(own, settings, replay)


@dataclass(frozen=True, slots=True)
class _SharpenedPredictor:
    base: Predictor
    fitted: FittedPeaks
    used: NDArray[np.bool_]
    notes: tuple[str, ...]
    settings: ForecastSettings
    season_s: int

    def predict(self, recent: Batch, workload: Ints) -> Forecast:
        """Forecast every row of `recent`."""
        made = self.base.predict(recent, workload)
        served = self.used[workload] & _clock_stood(recent, self.settings.time_zone, self.season_s)
        if not served.any():
            return made
        sharp = self.fitted.peaks(recent, workload)
        served &= np.isfinite(sharp).all(axis=1) & np.isfinite(made.peaks[:, -1, :]).all(axis=1)
        names = zip(made.models, workload.tolist(), served.tolist(), made.notes, strict=True)
        told = [
            (self.fitted.name, self.notes[w]) if mine else (model, note) for model, w, mine, note in names
        ]
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
    source: PeakSource, own: Series, row: int, base: Predictor, settings: ForecastSettings
) -> tuple[bool, str]:
    """Whether the source, fitted before the newest hours, would not have lost clearly more in them."""
    lead = settings.horizon
    tested = min(_most_tested(own), len(own) // _TESTED_SHARE)
    if tested - lead < _FEWEST_TESTED:
        return False, ""
    at = spread(len(own) - tested, len(own) - lead, _ABOUT_TESTED)
    earlier = source.replayed().fit(Batch.of(own.between(0, len(own) - tested)), settings)
    every = Batch.rolling(own, at[0], at[-1] + 1, len(own))
    recent = Batch(every.values[:: at.step], every.end_s[:: at.step], own.step_s)
    theirs = base.predict(recent, np.full(len(at), row, np.int64))
    ours = replace(theirs, peaks=earlier.peaks(recent, np.zeros(len(at), np.int64))[:, np.newaxis, :])
    ahead = np.lib.stride_tricks.sliding_window_view(own.values[1:], lead)
    came = np.fmax.reduce(ahead[at.start : at.stop : at.step], axis=1)
    told = ours.peak(1, settings.quantile)
    if not np.isfinite(told).any():
        return False, ""
    mine = pinball_loss(came, told, settings.quantile)
    other = pinball_loss(came, theirs.peak(lead, settings.quantile), settings.quantile)
    tested_for = described(tested, own.step_s)
    why = f"pinball {mine:.3g} against {other:.3g} for {theirs.models[0]} over the last {tested_for}"
    return bool(mine < _CLEARLY_WORSE * other), f"{earlier.name}: {why}"


def _most_tested(own: Series) -> int:
    return int(_TESTED_S // own.step_s)


def _is_too_young(own: Series, settings: ForecastSettings) -> bool:
    """Whether it could be replayed if only there were more of it, as is not so with long steps."""
    fewest = _FEWEST_TESTED + settings.horizon
    return len(own) // _TESTED_SHARE < fewest <= _most_tested(own)


def _clock_stood(recent: Batch, time_zone: str, season_s: int) -> NDArray[np.bool_]:
    """Rows within whose last seven seasons the local clock was not changed: [row]."""
    if time_zone == "UTC" or len(recent) == 0:
        return np.ones(len(recent), np.bool_)
    earlier = recent.end_s - 7 * season_s
    clock = Clock.of(time_zone, int(earlier.min()), int(recent.end_s.max()))
    return np.asarray(clock.local_s(recent.end_s) - clock.local_s(earlier) == recent.end_s - earlier)
