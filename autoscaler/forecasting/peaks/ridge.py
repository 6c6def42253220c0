"""A workload's own way of rising: ridge regression of the coming peak on what the recent load shows.

The peak over the lead time, as a log ratio to the present level, is regressed on the signs of
`view` at earlier moments of the same workload. Recent moments and high levels weigh more,
since it is at high levels that shortages hurt. A second regression with the same weights predicts how large
the error will be, and quantiles are empirical ones of the errors so scaled.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoscaler.forecasting.forecaster import DAY_S
from autoscaler.forecasting.origins import spread
from autoscaler.forecasting.peaks.view import PeakView
from autoscaler.forecasting.residuals import quantiles
from autoscaler.series import Batch, Floats, Series

_SPAN_S = 14 * DAY_S
_HALF_LIFE_S = 3 * DAY_S
_CALIBRATED_S = 3 * DAY_S
_ABOUT_MOMENTS = 2016
_FEWEST_MOMENTS = 150
_PENALTY = 0.001
_LEAST_SPREAD = 0.3
_LOWEST, _HIGHEST = -0.5, 2.0
_LEARNED = (-2.0, 3.0)
"""Rises are learned within these bounds, lest one burst from nothing bend all weights. The errors
they are calibrated with are not bounded: such bursts come again."""


@dataclass(frozen=True, slots=True)
class Moments:
    """Earlier moments of one workload, oldest first, with what came after them.

    view: of every moment. rise: [moment], what there was to predict. age_s: [moment], before the
    end of the history. peak: [moment], the load behind `rise`.
    """

    view: PeakView
    rise: Floats
    peak: Floats
    age_s: Floats
    at: range

    @staticmethod
    def of(history: Series, lead: int, season_s: int) -> Moments | None:
        """Evenly spaced moments of the newest two weeks whose lead time is over; None if too few.

        history: cleaned.
        """
        steps = len(history)
        last = steps - lead
        first = max(1, steps - int(_SPAN_S // history.step_s))
        if last - first < _FEWEST_MOMENTS:
            return None
        at = spread(first, last, _ABOUT_MOMENTS)
        every = Batch.rolling(history, at[0], at[-1] + 1, min(steps, int(_SPAN_S // history.step_s)))
        recent = Batch(every.values[:: at.step], every.end_s[:: at.step], history.step_s)
        view = PeakView.of(recent, lead, season_s, np.full(len(at), np.inf))
        ahead = np.lib.stride_tricks.sliding_window_view(history.values[1:], lead)
        peak: Floats = np.fmax.reduce(ahead[at.start : at.stop : at.step], axis=1)
        rise = view.rise(peak)
        known = np.isfinite(rise)
        if known.sum() < _FEWEST_MOMENTS:
            return None
        age_s = history.step_s * (steps - 1 - np.arange(at.start, at.stop, at.step)).astype(np.float64)
        return Moments(view, rise, peak, age_s, at)


@dataclass(frozen=True, slots=True)
class PeakRidge:
    """centre, spread: [sign], weights of the expected rise and of its expected absolute error.
    least: smallest spread. errors: [level], quantiles of the scaled errors."""

    centre: Floats
    spread: Floats
    least: float
    errors: Floats

    @staticmethod
    def fit(moments: Moments, levels: Floats, since_s: float = 0.0) -> PeakRidge | None:
        """Learn from the moments that were at least `since_s` old; None if too few are."""
        known = np.isfinite(moments.rise) & (moments.age_s >= since_s)
        if known.sum() < _FEWEST_MOMENTS:
            return None
        signs, rise = moments.view.signs[known], moments.rise[known]
        age_s = moments.age_s[known] - since_s
        weighted = signs * (moments.view.weight[known] * 0.5 ** (age_s / _HALF_LIFE_S))[:, np.newaxis]
        normal = weighted.T @ signs
        penalty = np.full(len(normal), max(1.0, _PENALTY * float(np.trace(normal)) / len(normal)))
        penalty[0] *= 0.1
        normal[np.diag_indices_from(normal)] += penalty
        centre = np.linalg.solve(normal, weighted.T @ np.clip(rise, *_LEARNED)).astype(np.float64)
        error = rise - clipped(signs @ centre)
        spread = np.linalg.solve(normal, weighted.T @ np.minimum(np.abs(error), _LEARNED[1])).astype(
            np.float64
        )
        least = _LEAST_SPREAD * float(np.median(np.abs(error))) + 1e-4
        newest = age_s <= max(_CALIBRATED_S, float(np.sort(age_s)[min(len(age_s), _FEWEST_MOMENTS) - 1]))
        scaled = error[newest] / scale(signs[newest] @ spread, least)
        found = quantiles(scaled[np.newaxis, :, np.newaxis], levels)[0, 0]
        return PeakRidge(centre, spread, least, found)


def clipped(rise: Floats) -> Floats:
    """An expected rise within what a linear model is believed."""
    return np.clip(rise, _LOWEST, _HIGHEST)


def scale(spread: Floats, least: Floats | float) -> Floats:
    """The square root of the predicted error: half-way between trusting it and ignoring it."""
    size: Floats = np.sqrt(np.maximum(spread, least))
    return size
