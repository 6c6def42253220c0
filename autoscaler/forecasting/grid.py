"""Regular grids: which seasons a step can show, means over coarser cells, histories that end together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.series import Batch, Floats, Ints

_FEWEST_STEPS_PER_SEASON = 4


def visible_seasons(settings: ForecastSettings, step_s: int) -> tuple[int, ...]:
    """Season lengths that a series with this step can show, shortest first; maybe none."""
    return tuple(s for s in sorted(set(settings.seasons_s)) if s >= _FEWEST_STEPS_PER_SEASON * step_s)


def aligned(history: Batch) -> Batch:
    """The same rows, padded with NaN so that all end together (to the nearest step).

    Histories normally do end together, and then this copies nothing.
    """
    if len(history) == 0 or np.all(history.end_s == history.end_s[0]):
        return history
    end_s = int(history.end_s.max())
    late = np.rint((end_s - history.end_s) / history.step_s).astype(np.int64)
    columns = np.arange(history.width)[np.newaxis, :] + late[:, np.newaxis]
    inside = columns < history.width
    values = np.where(
        inside, np.take_along_axis(history.values, np.where(inside, columns, 0), axis=1), np.nan
    )
    return Batch(values, np.full(len(history), end_s), history.step_s)


@dataclass(frozen=True, slots=True)
class Coarse:
    """Means over cells of `cell_s` seconds that begin at whole multiples of `cell_s` since the epoch.

    values: [row, cell], NaN where nothing was recorded. weights: [row, cell], recorded share of
    the cell, 0 to 1. start_s: begin of the first cell.
    """

    values: Floats
    weights: Floats
    start_s: int
    cell_s: int

    @property
    def middles_s(self) -> Ints:
        """Middle of each cell, epoch seconds, shape [cell]."""
        return self.start_s + self.cell_s // 2 + self.cell_s * np.arange(self.values.shape[1], dtype=np.int64)


def cell_length_s(step_s: int, wanted_s: int) -> int:
    """The multiple of `step_s` nearest below `wanted_s`, at least one step."""
    return step_s * max(1, wanted_s // step_s)


def coarse(history: Batch, wanted_s: int) -> Coarse:
    """Means of an aligned history over cells of about `wanted_s`, never finer than its step."""
    step_s = history.step_s
    cell_s = cell_length_s(step_s, wanted_s)
    per_cell = cell_s // step_s
    first_s = int(history.end_s[0]) - step_s * (history.width - 1)
    if per_cell == 1:
        return Coarse(history.values, np.isfinite(history.values).astype(np.float64), first_s, cell_s)
    # A step belongs to the cell in which it starts; cells cut off at either end count as partly recorded.
    lead_in = (first_s % cell_s) // step_s
    cells = -(-(lead_in + history.width) // per_cell)
    padded = np.full((len(history), cells * per_cell), np.nan)
    padded[:, lead_in : lead_in + history.width] = history.values
    blocks = padded.reshape(len(history), cells, per_cell)
    recorded = np.isfinite(blocks)
    count = recorded.sum(axis=2)
    total = np.where(recorded, blocks, 0.0).sum(axis=2)
    means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return Coarse(means, count / per_cell, first_s - lead_in * step_s, cell_s)
