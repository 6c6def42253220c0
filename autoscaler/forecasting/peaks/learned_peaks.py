"""Peaks as the shared model sees them: the workload's own ridge, and what trees make of everything else.

The ridge carries what is particular to a workload; the model, trained on many others, predicts what the
ridge leaves over. A workload too young for a ridge is served by the model alone, which was trained on such
moments too; one that is old enough has trees of its own besides, for what the model gets wrong there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.forecasting.peaks.adaptation import Adaptation, shared_rises
from autoscaler.forecasting.peaks.model import PeakModel, at_levels
from autoscaler.forecasting.peaks.own_trees import LEVELS as OWN_LEVELS
from autoscaler.forecasting.peaks.own_trees import Groves, OwnTrees
from autoscaler.forecasting.peaks.source import FittedPeaks, PeakSource, RidgePeaks
from autoscaler.forecasting.peaks.witness import Witness
from autoscaler.series import Batch, Floats, Ints

LEARNED = "learned"

ModelFor = Callable[[float], PeakModel | str]
"""The shared model for a lead time in seconds, or the reason in words why there is none; always the same
for the same lead. Hashable, and equal only to what gives the same models."""


@dataclass(slots=True)
class LearnedPeaks:
    """Implements PeakSource. adapts: whether it also learns from each workload's own past what the shared
    model gets wrong there."""

    model_for: ModelFor
    adapts: bool = True
    name: str = LEARNED
    _adaptation: Adaptation = field(default_factory=Adaptation)

    def fit(self, history: Batch, settings: ForecastSettings) -> FittedPeaks:
        """Learn what is particular to each workload of a cleaned `history` [workload, time].

        Where there is no model for the lead, each workload's own ridge serves, and its note says why.
        """
        lead_s = settings.horizon * history.step_s
        if lead_s > min(settings.seasons_s, default=lead_s):
            return RidgePeaks("the lead time is longer than a season").fit(history, settings)
        model = self.model_for(lead_s)
        if isinstance(model, str):
            return RidgePeaks(model).fit(history, settings)
        witness = Witness.fit(history, settings)
        trees: list[OwnTrees | None] = [None] * len(history)
        if self.adapts:
            trees = [self._adaptation.trees(model, history, row, settings) for row in range(len(history))]
        levels = np.array(sorted(settings.levels))
        return FittedLearned(model, witness, Groves.of(trees), levels)

    def replayed(self) -> PeakSource:
        """The shared model alone."""
        return LearnedPeaks(self.model_for, adapts=False)


@dataclass(frozen=True, slots=True)
class FittedLearned:
    """Implements FittedPeaks."""

    model: PeakModel
    witness: Witness
    groves: Groves
    levels: Floats
    name: str = LEARNED
    seasoned: bool = True
    note: str = "as configured"

    def peaks(self, recent: Batch, workload: Ints) -> Floats:
        """Quantiles of the peak; NaN where the present level is unknown."""
        told = self.witness.tell(recent, workload)
        corrections = self.groves.surplus(told.table, workload)
        quantiles = rises(shared_rises(self.model, told), corrections, self.model.levels)
        return told.view.peaks(at_levels(quantiles, self.model.levels, self.levels))


def rises(shared: Floats, corrections: Floats, levels: Floats) -> Floats:
    """Quantiles of the rise at the model's levels, [row, level], none below the present level.

    corrections: [row, level of `own_trees`].
    """
    corrected = shared + at_levels(corrections, np.array(OWN_LEVELS), levels)
    return np.maximum(np.sort(corrected, axis=1), 0.0)
