"""The peak ridges of many workloads side by side, and what their errors say about each workload.

Each ridge is fitted to one workload alone (`ridge`); here they are asked all at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoscaler.forecasting.forecaster import DAY_S
from autoscaler.forecasting.history import own_series
from autoscaler.forecasting.peaks.ridge import Moments, PeakRidge, clipped, scale
from autoscaler.forecasting.peaks.view import SIGNS, PeakView
from autoscaler.series import Batch, Floats, Ints

_DAYS = (1, 3, 14)
_FACT_LEVELS = (0.5, 0.9, 0.98)
_FEWEST_ERRORS = 20
_LEAST = 1e-3

_ABOUT_ERRORS = ("error q50", "error q90", "error q98", "error size", "error against none")
_ABOUT_RISES = ("rise q50", "rise q90", "rise q98")

FACTS = tuple(f"own {days}d {name}" for days in _DAYS for name in (*_ABOUT_ERRORS, *_ABOUT_RISES))
"""Facts about the newest days of a workload: quantiles of its ridge's errors, the logarithm of their mean
size, and of that relative to a forecast that only knows the mean rise, and quantiles of the rises."""


@dataclass(frozen=True, slots=True)
class OwnRidges:
    """centre, spread: [workload, sign]. least: [workload]. errors: [workload, level]. facts:
    [workload, fact]. As in `PeakRidge`; NaN for workloads that have none."""

    centre: Floats
    spread: Floats
    least: Floats
    errors: Floats
    facts: Floats

    @staticmethod
    def fit(history: Batch, lead: int, season_s: int, levels: Floats) -> OwnRidges:
        """One ridge for every row of a cleaned history that has enough of a past."""
        fitted = []
        for row in range(len(history)):
            moments = Moments.of(own_series(history, row), lead, season_s)
            ridge = PeakRidge.fit(moments, levels) if moments is not None else None
            fitted.append((ridge, _facts(moments, ridge) if moments and ridge else None))
        return OwnRidges._of(fitted, levels)

    @staticmethod
    def _of(fitted: Sequence[tuple[PeakRidge | None, Floats | None]], levels: Floats) -> OwnRidges:
        count = len(fitted)
        made = OwnRidges(
            np.full((count, SIGNS), np.nan),
            np.full((count, SIGNS), np.nan),
            np.full(count, np.nan),
            np.full((count, len(levels)), np.nan),
            np.full((count, len(FACTS)), np.nan),
        )
        for row, (ridge, facts) in enumerate(fitted):
            if ridge is not None and facts is not None:
                made.centre[row], made.spread[row], made.least[row] = ridge.centre, ridge.spread, ridge.least
                made.errors[row], made.facts[row] = ridge.errors, facts
        return made

    def expected(self, view: PeakView, workload: Ints) -> Floats:
        """The rise that each row's ridge expects, [row]."""
        return clipped(np.einsum("rs,rs->r", view.signs, self.centre[workload]))

    def rises(self, view: PeakView, workload: Ints) -> Floats:
        """Quantiles of the rise, [row, level]."""
        size = scale(np.einsum("rs,rs->r", view.signs, self.spread[workload]), self.least[workload])
        return self.expected(view, workload)[:, np.newaxis] + size[:, np.newaxis] * self.errors[workload]


def _facts(moments: Moments, ridge: PeakRidge) -> Floats:
    error = moments.rise - clipped(moments.view.signs @ ridge.centre)
    known = np.isfinite(error)
    facts = []
    for days in _DAYS:
        newest = known & (moments.age_s < days * DAY_S)
        if newest.sum() < _FEWEST_ERRORS:
            facts.append(np.full(len(FACTS) // len(_DAYS), np.nan))
            continue
        mine, rise = error[newest], moments.rise[newest]
        size = np.abs(mine).mean() + _LEAST
        without = np.abs(rise - rise.mean()).mean() + _LEAST
        errors, rises = np.quantile(mine, _FACT_LEVELS), np.quantile(rise, _FACT_LEVELS)
        facts.append(np.array([*errors, np.log(size), np.log(size / without), *rises]))
    return np.concatenate(facts)
