"""Choosing a model for each workload by how well it would have done on that workload's own past.

The score is what the autoscaler lives by: the pinball loss of the forecast quantile of the peak over
the lead time. Quantiles are taken from one half of the origins and scored on the other, in both
directions, so that no model is judged on errors it was calibrated with.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autoscaler.forecasting.accuracy import pinball_each
from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.forecasting.residuals import Residuals, quantiles
from autoscaler.series import Floats, Ints

_CLEARLY = 0.97
"""A less simple model has to bring the loss below this share of the simpler one's."""
_BLOCKS = 14
"""The origins are dealt to the two halves in this many alternating stretches."""


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
    origins = residuals.peak.shape[1]
    half = (np.arange(origins) * _BLOCKS // max(origins, 1)) % 2
    errors = residuals.peak[:, :, -1:]
    base = eps[:, np.newaxis]
    loss = np.full(residuals.path_peak.shape, np.nan)
    for part in (0, 1):
        if not (half != part).any():
            continue  # a single origin, and none to take a quantile from
        factor = np.exp(quantiles(errors[:, half != part], np.array([level]))[:, 0, 0])
        told = (residuals.path_peak[:, half == part] + base) * factor[:, np.newaxis] - base
        loss[:, half == part] = pinball_each(residuals.actual_peak[:, half == part], told, level)
    known = np.isfinite(loss)
    count = known.sum(axis=1)
    total = np.where(known, loss, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.inf)


def _reason(names: Sequence[str], losses: Floats, best: int) -> str:
    if not np.isfinite(losses[best]):
        return f"{names[best]}: nothing to compare on"
    others = ", ".join(f"{losses[index]:.3g} for {name}" for index, name in enumerate(names) if index != best)
    return f"{names[best]}: pinball {losses[best]:.3g} against {others}" if others else names[best]
