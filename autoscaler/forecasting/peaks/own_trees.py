"""What the shared model gets wrong about one workload, learned from that workload's own past.

A few small trees for each of a few quantiles are grown on what the shared model left over at earlier
moments of the workload, as a continuation of its boosting. They are kept as plain arrays, so that those
of many workloads answer in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoscaler.forecasting.peaks.forest_text import splits_of
from autoscaler.forecasting.peaks.model import Table
from autoscaler.series import Floats, Ints

LEVELS = (0.3, 0.7, 0.92, 0.98)
"""Quantiles that are corrected; those between them by what is between."""

_TREES = 30
_LEAVES = 7
_FEWEST_IN_LEAF, _FEWEST_BEYOND = 30, 3
"""Moments in a leaf, and those of them that have to be beyond its quantile: fewer say nothing of it."""
_UNKNOWN = -15.0
"""Stands for a clue that is missing: below all that there are."""
_GROWN: dict[str, Any] = {
    "objective": "quantile",
    "learning_rate": 0.1,
    "num_leaves": _LEAVES,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "max_bin": 63,
    "lambda_l2": 1.0,
    "use_missing": False,
    "seed": 1,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


@dataclass(frozen=True, slots=True)
class OwnTrees:
    """Trees of one workload, all of the first level, then all of the next: [tree, split] and [tree, leaf].

    left, right: the next split, or -1 - leaf. A tree that never splits has leaf 0 on both sides.
    """

    clue: NDArray[np.int16]
    threshold: Floats
    left: NDArray[np.int8]
    right: NDArray[np.int8]
    leaf: Floats

    @staticmethod
    def grow(table: Table, left_over: Floats, weight: Floats) -> OwnTrees:
        """Learn from earlier moments.

        table: [moment, clue]. left_over: [moment, level], the rise that came less what the shared model
        said for each of LEVELS. weight: [moment].
        """
        import lightgbm

        data = lightgbm.Dataset(known(table), weight=weight, params=_GROWN, free_raw_data=False)
        grown = []
        for place, level in enumerate(LEVELS):
            data.set_label(left_over[:, place])
            fewest = max(_FEWEST_IN_LEAF, round(_FEWEST_BEYOND / (1.0 - level)))
            settings = {**_GROWN, "alpha": level, "min_data_in_leaf": fewest}
            booster = lightgbm.train(settings, data, _TREES)
            grown.append(splits_of(booster.model_to_string(), _TREES, _LEAVES))
        return OwnTrees(*(np.concatenate(part) for part in zip(*grown, strict=True)))


@dataclass(frozen=True, slots=True)
class Groves:
    """The trees of many workloads. place: [workload], where its trees are, or -1. The rest as in
    `OwnTrees`, flat, one workload after the other."""

    place: Ints
    clue: NDArray[np.int16]
    threshold: Floats
    left: NDArray[np.int8]
    right: NDArray[np.int8]
    leaf: Floats

    @staticmethod
    def of(trees: Sequence[OwnTrees | None]) -> Groves:
        """The trees of each workload; None where there are none."""
        has = np.array([grown is not None for grown in trees], np.bool_)
        place = np.where(has, np.cumsum(has) - 1, -1).astype(np.int64)
        there = [grown for grown in trees if grown is not None]
        return Groves(
            place,
            *(_flat([getattr(grown, column) for grown in there]) for column in OwnTrees.__slots__),
        )

    def surplus(self, table: Table, workload: Ints) -> Floats:
        """Corrections of the rise, [row, level]; 0 for workloads without trees."""
        corrections = np.zeros((len(table), len(LEVELS)))
        rows = np.flatnonzero(self.place[workload] >= 0)
        if len(rows) == 0:
            return corrections
        shown = known(table[rows])
        trees = len(LEVELS) * _TREES
        tree = self.place[workload[rows]][:, np.newaxis] * trees + np.arange(trees)
        row = np.arange(len(rows))[:, np.newaxis]
        at = np.zeros(tree.shape, np.int64)
        for _ in range(_LEAVES - 1):
            split = tree * (_LEAVES - 1) + np.maximum(at, 0)
            below = shown[row, self.clue[split]] <= self.threshold[split]
            at = np.where(at < 0, at, np.where(below, self.left[split], self.right[split]))
        answers = self.leaf[tree * _LEAVES - 1 - at]
        corrections[rows] = answers.reshape(len(rows), len(LEVELS), _TREES).sum(axis=2)
        return corrections


def _flat(parts: list[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate([part.ravel() for part in parts]) if parts else np.empty(0)


def known(table: Table) -> Table:
    """The table without NaN."""
    return np.where(np.isnan(table), np.float32(_UNKNOWN), table)
