"""What a path got wrong in the past, as log ratios, and the quantiles of that.

Quantiles are empirical (split conformal: Vovk et al. 2005; Lei et al. 2018): nothing is assumed
about the shape of the errors except that they come again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoscaler.forecasting.forecaster import PathPredictor
from autoscaler.forecasting.origins import replay
from autoscaler.series import Batch, Floats, Ints

_MOST_LEADS = 24
_KNOWN_SHARE = 0.8
"""A peak counts when at least this share of its window was recorded."""

_FEW = 60
_PRIOR_COUNT = 19
_PRIOR_SCALE = 0.3
"""Assumed before anything is known: Laplace distributed log ratios, half of them within 23 %, a tenth
beyond a factor of two."""


@dataclass(frozen=True, slots=True)
class Residuals:
    """log((actual + eps) / (path + eps)) per workload, origin and lead; NaN where unknown.

    single: of the load in the step at that lead. peak: of its maximum up to that lead, against the
    maximum of the path. path_peak, actual_peak: [workload, origin], the maxima at the last lead.
    at_s: [workload, origin], epoch seconds of the origins.
    """

    leads: Ints
    at_s: Ints
    single: Floats
    peak: Floats
    path_peak: Floats
    actual_peak: Floats


@dataclass(frozen=True, slots=True)
class Bands:
    """Factors from path to quantile, [workload, lead, level]: exp of the residuals' quantiles."""

    leads: Ints
    single: Floats
    peak: Floats


def chosen_leads(horizon: int) -> Ints:
    """At most 24 leads from 1 to `horizon`, geometrically spaced."""
    if horizon <= _MOST_LEADS:
        return np.arange(1, horizon + 1)
    return np.unique(np.rint(np.geomspace(1, horizon, _MOST_LEADS)).astype(np.int64))


def measure(
    path: PathPredictor, fallback: PathPredictor, history: Batch, origins: range, horizon: int, eps: Floats
) -> Residuals:
    """Residuals of a path over rolling origins. Where it has no answer, `fallback` answers."""
    leads = chosen_leads(horizon)
    shape = (len(history), len(origins))
    single = np.full((*shape, len(leads)), np.nan)
    peak = np.full((*shape, len(leads)), np.nan)
    path_peak, actual_peak = np.full(shape, np.nan), np.full(shape, np.nan)
    before_end_s = (history.width - 1 - np.asarray(origins, np.int64)) * history.step_s
    for moment in replay(history, origins, horizon):
        course = filled(path, fallback, moment.recent, moment.workload, horizon)
        base = eps[moment.workload, np.newaxis]
        highest = running_maximum(moment.ahead)[:, leads - 1]
        crest = np.maximum.accumulate(course, axis=1)[:, leads - 1]
        single[moment.place] = np.log((moment.ahead[:, leads - 1] + base) / (course[:, leads - 1] + base))
        peak[moment.place] = np.log((highest + base) / (crest + base))
        path_peak[moment.place] = crest[:, -1]
        actual_peak[moment.place] = highest[:, -1]
    return Residuals(leads, history.end_s[:, np.newaxis] - before_end_s, single, peak, path_peak, actual_peak)


def filled(
    path: PathPredictor, fallback: PathPredictor, recent: Batch, workload: Ints, horizon: int
) -> Floats:
    """The path, with the fallback's values where the path has none."""
    course = path.path(recent, workload, horizon)
    unknown = ~np.isfinite(course)
    if unknown.any():
        course = np.where(unknown, fallback.path(recent, workload, horizon), course)
    return course


def running_maximum(ahead: Floats) -> Floats:
    """Maximum so far, NaN while less than four fifths of the steps so far are known."""
    known = np.isfinite(ahead)
    highest: Floats = np.maximum.accumulate(np.where(known, ahead, -np.inf), axis=1)
    if known.all():
        return highest
    steps = np.arange(1, ahead.shape[1] + 1)
    return np.where(np.cumsum(known, axis=1) >= _KNOWN_SHARE * steps, highest, np.nan)


def bands(residuals: Residuals, levels: Floats) -> Bands:
    """Quantiles of the residuals as factors; few residuals are joined by a wide prior."""
    single = np.exp(quantiles(_with_prior(residuals.single), levels))
    peak = np.exp(quantiles(_with_prior(residuals.peak), levels))
    return Bands(residuals.leads, single, peak)


def _with_prior(residuals: Floats) -> Floats:
    """Residuals [workload, origin, lead] with prior ones appended where there are fewer than 60."""
    few = np.isfinite(residuals).sum(axis=1).min(axis=1) < _FEW
    if not few.any():
        return residuals
    uniform = (np.arange(_PRIOR_COUNT) + 0.5) / _PRIOR_COUNT
    laplace = _PRIOR_SCALE * np.sign(uniform - 0.5) * -np.log1p(-2 * np.abs(uniform - 0.5))
    prior = np.full((len(residuals), _PRIOR_COUNT, residuals.shape[2]), np.nan)
    prior[few] = laplace[np.newaxis, :, np.newaxis]
    return np.concatenate([residuals, prior], axis=1)


def quantiles(residuals: Floats, levels: Floats) -> Floats:
    """Quantiles over the origins of the known residuals, [workload, lead, level].

    The k-th smallest of n stands for the level k / (n + 1), which is what makes coverage right for a
    new observation in finite samples; levels beyond the outermost ones take those.
    """
    ordered = np.sort(residuals, axis=1)
    count = np.isfinite(ordered).sum(axis=1)
    position = np.clip(
        levels[:, np.newaxis, np.newaxis] * (count + 1) - 1, 0, np.maximum(count - 1, 0)
    )  # [level, workload, lead]
    low = np.floor(position).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    rows = np.moveaxis(ordered, 1, 0)  # [origin, workload, lead]
    below, above = np.take_along_axis(rows, low, axis=0), np.take_along_axis(rows, high, axis=0)
    return np.moveaxis(below + (position - low) * (above - below), 0, 2)
