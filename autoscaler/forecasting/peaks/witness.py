"""What the shared model is told of a moment: clues of the recent load, and what the workload's ridge adds.

Told in the same way when the model is trained and when it is used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoscaler.forecasting.classic.seasonal_naive import ceiling
from autoscaler.forecasting.forecaster import DAY_S, ForecastSettings
from autoscaler.forecasting.peaks.clues import clues
from autoscaler.forecasting.peaks.model import Table
from autoscaler.forecasting.peaks.own_ridges import FACTS, OwnRidges
from autoscaler.forecasting.peaks.view import PeakView
from autoscaler.series import Batch, Floats, Ints

_RIDGE_LEVELS = np.array([0.5, 0.9, 0.98])


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


def clue_names() -> tuple[str, ...]:
    """Names of the clues that this version tells, in their order."""
    something = Batch(np.ones((1, 1)), np.zeros(1, np.int64), 60)
    witness = Witness.fit(something, ForecastSettings(horizon=1))
    return witness.tell(something, np.zeros(1, np.int64)).names
