"""Peaks as the shared model sees them: the workload's own ridge, and what trees make of everything else.

The ridge carries what is particular to a workload; the model, trained on many others, predicts what the
ridge leaves over. A workload too young for a ridge is served by the model alone, which was trained on such
moments too; one that is old enough has trees of its own besides, for what the model gets wrong there.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from autoscaler.forecasting.forecaster import DAY_S, ForecastSettings
from autoscaler.forecasting.history import own_series
from autoscaler.forecasting.origins import spread
from autoscaler.forecasting.own_ridges import FACTS, OwnRidges
from autoscaler.forecasting.own_trees import LEVELS as OWN_LEVELS
from autoscaler.forecasting.own_trees import Groves, OwnTrees
from autoscaler.forecasting.peak_clues import clues
from autoscaler.forecasting.peak_model import PeakModel, Table
from autoscaler.forecasting.peak_source import PeakSource
from autoscaler.forecasting.peak_view import PeakView
from autoscaler.forecasting.seasonal_naive import ceiling
from autoscaler.series import Batch, Floats, Ints

LEARNED = "learned"
_RIDGE_LEVELS = np.array([0.5, 0.9, 0.98])
ADAPTED_S = 14 * DAY_S
ABOUT_MOMENTS = 2000
_FEWEST_MOMENTS = 500
_YOUNGEST_S = 3 * DAY_S
_WEIGHTS = (0.2, 5.0)


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
    """Implements PeakSource. adapts: whether it also learns from each workload's own past what the shared
    model gets wrong there."""

    model: PeakModel
    adapts: bool = True
    name: str = LEARNED
    note: str = "as configured"

    def fit(self, history: Batch, settings: ForecastSettings) -> FittedLearned:
        """Learn what is particular to each workload of a cleaned `history` [workload, time]."""
        witness = Witness.fit(history, settings)
        trees: list[OwnTrees | None] = [None] * len(history)
        if self.adapts:
            trees = [_own_trees(self.model, witness, history, row) for row in range(len(history))]
        levels = np.array(sorted(settings.levels))
        return FittedLearned(self.model, witness, Groves.of(trees), levels)

    def replayed(self) -> PeakSource:
        """The shared model alone."""
        return LearnedPeaks(self.model, adapts=False)


@dataclass(frozen=True, slots=True)
class FittedLearned:
    """Implements FittedPeaks."""

    model: PeakModel
    witness: Witness
    groves: Groves
    levels: Floats

    def peaks(self, recent: Batch, workload: Ints) -> Floats:
        """Quantiles of the peak; NaN where the present level is unknown."""
        told = self.witness.tell(recent, workload)
        corrections = self.groves.surplus(told.table, workload)
        quantiles = rises(shared_rises(self.model, told), corrections, self.model.levels)
        return told.view.peaks(at_levels(quantiles, self.model.levels, self.levels))


def shared_rises(model: PeakModel, told: Told) -> Floats:
    """Quantiles of the rise as the shared model sees them, [row, level]; they may cross."""
    return told.expected[:, np.newaxis] + model.surplus(told.table)


def rises(shared: Floats, corrections: Floats, levels: Floats) -> Floats:
    """Quantiles of the rise at the model's levels, [row, level], none below the present level.

    corrections: [row, level of `own_trees`].
    """
    corrected = shared + at_levels(corrections, np.array(OWN_LEVELS), levels)
    return np.maximum(np.sort(corrected, axis=1), 0.0)


def adapted(shared: Floats, levels: Floats, table: Table, weight: Floats, rise: Floats) -> OwnTrees | None:
    """Trees for one workload from its earlier moments; None where there are too few.

    shared: [moment, level], what the shared model says of them. table, weight: what it was told, and how
    high the level was, as in `PeakView`. rise: [moment], what came.
    """
    known = np.isfinite(rise)
    if known.sum() < _FEWEST_MOMENTS:
        return None
    left_over = rise[known, np.newaxis] - at_levels(shared[known], levels, np.array(OWN_LEVELS))
    return OwnTrees.grow(table[known], left_over, np.sqrt(np.clip(weight[known], *_WEIGHTS)))


def at_levels(quantiles: Floats, known: Floats, wanted: Floats) -> Floats:
    """Quantiles [row, known] at other levels: linear in the normal distribution's own scale, and the
    outermost ones beyond them."""
    score = NormalDist().inv_cdf
    at = np.interp([score(x) for x in wanted], [score(x) for x in known], np.arange(len(known)))
    low = np.floor(at).astype(np.int64)
    high = np.minimum(low + 1, len(known) - 1)
    between: Floats = quantiles[:, low] + (at - low) * (quantiles[:, high] - quantiles[:, low])
    return between


def _own_trees(model: PeakModel, witness: Witness, history: Batch, row: int) -> OwnTrees | None:
    own, lead = own_series(history, row), witness.lead
    first = max(1, len(own) - ADAPTED_S // own.step_s)
    at = spread(first, len(own) - lead, ABOUT_MOMENTS)
    if len(at) < _FEWEST_MOMENTS or len(own) * own.step_s < _YOUNGEST_S:
        return None
    every = Batch.rolling(own, at[0], at[-1] + 1, len(own))
    recent = Batch(every.values[:: at.step], every.end_s[:: at.step], own.step_s)
    told = witness.tell(recent, np.full(len(at), row, np.int64))
    ahead = np.lib.stride_tricks.sliding_window_view(own.values[1:], lead)
    rise = told.view.rise(np.fmax.reduce(ahead[at.start : at.stop : at.step], axis=1))
    return adapted(shared_rises(model, told), model.levels, told.table, told.view.weight, rise)
