"""Choosing a model for each workload by how well it would have done on that workload's own past.

The score is what the autoscaler lives by: the pinball loss of the forecast quantile of the peak over
the lead time. Quantiles are taken from one half of the origins and scored on the other, in both
directions, so that no model is judged on errors it was calibrated with. Which half a moment belongs to
is told by the clock alone, lest the choice change from fit to fit by how the past happens to be divided.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from autoscaler.forecasting.accuracy import pinball_each
from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.forecasting.residuals import Residuals, quantiles
from autoscaler.series import Floats, Ints

_CLEARLY = 0.97
"""A less simple model has to bring the loss below this share of the simpler one's."""
_STRETCH_S = 10 * 3600
"""Stretches of the clock go to the two halves in turn. Within five days each half gets every hour of the day;
with stretches of 12 hours one would get the days and the other the nights."""
_FEWEST_STRETCHES = 14
"""Of a past that is shorter than so many, the stretches are shorter."""


def by_pinball(
    names: Sequence[str], measured: Sequence[Residuals], eps: Floats, settings: ForecastSettings
) -> tuple[Ints, list[str]]:
    """Index of the best model per workload, simplest first in case of doubt, and the reason in words."""
    losses = np.stack([peak_loss(residuals, eps, settings.quantile) for residuals in measured])
    best = np.zeros(len(eps), np.int64)
    for index in range(1, len(names)):
        held = np.take_along_axis(losses, best[np.newaxis, :], axis=0)[0]
        best = np.where(losses[index] < _CLEARLY * held, index, best)
    return best, [_reason(names, losses[:, row], int(best[row])) for row in range(len(eps))]


def peak_loss(residuals: Residuals, eps: Floats, level: float) -> Floats:
    """Mean pinball loss of the `level` quantile of the peak at the last lead, cross-fitted, [workload]."""
    if residuals.at_s.shape[1] == 0:
        return np.full(len(eps), np.inf)
    half = _halves(residuals.at_s)
    errors = residuals.peak[:, :, -1:]
    base = eps[:, np.newaxis]
    loss = np.full(residuals.path_peak.shape, np.nan)
    for mine in (half, ~half):
        others = np.where(mine[:, :, np.newaxis], np.nan, errors)
        factor = np.exp(quantiles(others, np.array([level]))[:, 0, 0])
        told = (residuals.path_peak + base) * factor[:, np.newaxis] - base
        loss = np.where(mine, pinball_each(residuals.actual_peak, told, level), loss)
    known = np.isfinite(loss)
    count = known.sum(axis=1)
    total = np.where(known, loss, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.inf)


def _halves(at_s: Ints) -> NDArray[np.bool_]:
    """Which origins belong to the first half, [workload, origin]."""
    spanned_s = at_s[:, -1:] - at_s[:, :1]
    stretch_s = np.clip(spanned_s // _FEWEST_STRETCHES, 1, _STRETCH_S)
    first: NDArray[np.bool_] = at_s // stretch_s % 2 == 0
    return first


def _reason(names: Sequence[str], losses: Floats, best: int) -> str:
    if not np.isfinite(losses[best]):
        return f"{names[best]}: nothing to compare on"
    others = ", ".join(f"{losses[index]:.3g} for {name}" for index, name in enumerate(names) if index != best)
    return f"{names[best]}: pinball {losses[best]:.3g} against {others}" if others else names[best]
