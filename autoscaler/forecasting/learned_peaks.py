"""Peaks as the shared model sees them: the workload's own ridge, and what trees make of everything else.

The ridge carries what is particular to a workload; the model, trained on many others, predicts what the
ridge leaves over. A workload too young for a ridge is served by the model alone, which was trained on such
moments too.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from autoscaler.forecasting.forecaster import DAY_S, ForecastSettings
from autoscaler.forecasting.own_ridges import FACTS, OwnRidges
from autoscaler.forecasting.peak_clues import clues
from autoscaler.forecasting.peak_model import PeakModel, Table
from autoscaler.forecasting.peak_view import PeakView
from autoscaler.forecasting.seasonal_naive import ceiling
from autoscaler.series import Batch, Floats, Ints

LEARNED = "learned"
_RIDGE_LEVELS = np.array([0.5, 0.9, 0.98])
_MOST = 12.0


@dataclass(frozen=True, slots=True)
class Told:
    """view: of every row. expected: [row], the rise that the ridge expects, 0 where there is none.
    names, table: [row, clue], what the shared model is told."""

    view: PeakView
    expected: Floats
    names: tuple[str, ...]
    table: Table


@dataclass(frozen=True, slots=True)
class Witness:
    """Everything that a fit to the workloads' own histories knows; tells the shared model of a moment."""

    ridges: OwnRidges
    lead: int
    season_s: int
    ceiling: Floats

    @staticmethod
    def fit(history: Batch, settings: ForecastSettings) -> Witness:
        """Learn from a cleaned `history` [workload, time]."""
        season_s = min(settings.seasons_s, default=DAY_S)
        ridges = OwnRidges.fit(history, settings.horizon, season_s, _RIDGE_LEVELS)
        return Witness(ridges, settings.horizon, season_s, ceiling(history.values))

    def tell(self, recent: Batch, workload: Ints) -> Told:
        """What there is to say about every row of `recent`."""
        limit = self.ceiling[workload]
        view = PeakView.of(recent, self.lead, self.season_s, limit)
        told = clues(recent, view, self.lead, self.season_s, limit)
        expected = self.ridges.expected(view, workload)
        told.add("ridge expects", expected)
        for level, rise in zip(_RIDGE_LEVELS, self.ridges.rises(view, workload).T, strict=True):
            told.add(f"ridge q{round(100 * level)}", rise)
        for place, name in enumerate(FACTS):
            told.add(name, self.ridges.facts[workload, place])
        table = told.table().astype(np.float32)
        return Told(view, np.nan_to_num(expected), tuple(told.columns), table)


@dataclass(slots=True)
class LearnedPeaks:
    """Implements PeakSource."""

    model: PeakModel
    name: str = LEARNED
    note: str = "as configured"

    def fit(self, history: Batch, settings: ForecastSettings) -> FittedLearned:
        """Learn what is particular to each workload of a cleaned `history` [workload, time]."""
        levels = np.array(sorted(settings.levels))
        return FittedLearned(self.model, Witness.fit(history, settings), levels)


@dataclass(frozen=True, slots=True)
class FittedLearned:
    """Implements FittedPeaks."""

    model: PeakModel
    witness: Witness
    levels: Floats

    def peaks(self, recent: Batch, workload: Ints) -> Floats:
        """Quantiles of the peak; NaN where the present level is unknown."""
        told = self.witness.tell(recent, workload)
        return told.view.peaks(at_levels(rises(self.model, told), self.model.levels, self.levels))


def rises(model: PeakModel, told: Told) -> Floats:
    """Quantiles of the rise at the model's levels, [row, level], none below the present level."""
    quantiles = told.expected[:, np.newaxis] + model.surplus(told.table)
    return np.maximum(np.sort(quantiles, axis=1), 0.0)


def at_levels(quantiles: Floats, known: Floats, wanted: Floats) -> Floats:
    """Quantiles [row, known] at other levels: linear in the normal distribution's own scale, and the
    outermost ones beyond them."""
    score = NormalDist().inv_cdf
    at = np.interp([score(x) for x in wanted], [score(x) for x in known], np.arange(len(known)))
    low = np.floor(at).astype(np.int64)
    high = np.minimum(low + 1, len(known) - 1)
    between: Floats = quantiles[:, low] + (at - low) * (quantiles[:, high] - quantiles[:, low])
    return between
