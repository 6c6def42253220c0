"""What the models that are fitted row by row share: their grid, their rows, and the table that comes out.

Such a model is a function from one complete row on a coarse grid to the expected load after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from autoscaler.forecasting.classic.level import negligible
from autoscaler.forecasting.classic.profile import ProfilePath, TableCourse
from autoscaler.forecasting.classic.seasonal_naive import ceiling
from autoscaler.forecasting.cleaning import completed
from autoscaler.forecasting.forecaster import DAY_S, ForecastSettings, PathPredictor
from autoscaler.forecasting.grid import coarse, visible_seasons
from autoscaler.forecasting.localtime import Clock, follows_the_clock
from autoscaler.series import Batch, Floats

_CELLS_PER_SEASON = 96
_BRIDGE_S = 1800
_AHEAD_S = 8 * DAY_S
"""Longer than a model is used without being fitted again."""
_FEWEST_CYCLES = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One workload's history on the coarse grid, complete, as log(load + eps).

    periods: season lengths in cells, shortest first, each seen at least twice. ahead: cells to forecast.
    """

    values: Floats
    periods: tuple[int, ...]
    ahead: int


RowModel = Callable[[Row], Floats | None]
"""Expected log load of the `ahead` cells after a row; None where the model found no answer."""


def fit_rows(
    history: Batch, settings: ForecastSettings, longest_cell_s: int, longest_s: int, model: RowModel
) -> PathPredictor:
    """Fit `model` to every row that has seen its shortest season twice; other rows have no path.

    The grid has at most 96 cells to the shortest season and none longer than `longest_cell_s`; no
    more than the newest `longest_s` are used. Whole-day seasons are laid out in local time.
    """
    seasons = visible_seasons(settings, history.step_s)
    eps, limit = negligible(history.values), ceiling(history.values)
    first_cell = max(seasons[0] // _CELLS_PER_SEASON, 1) if seasons else longest_cell_s
    width = max(2, longest_s // history.step_s)
    newest = Batch(history.values[:, -width:], history.end_s, history.step_s)
    cells = coarse(newest, min(longest_cell_s, first_cell))
    by_clock = bool(seasons) and all(follows_the_clock(s) for s in seasons)
    middles = cells.middles_s
    ahead = int(max(_AHEAD_S, 2 * max(seasons, default=0)) // cells.cell_s)
    future = middles[-1] + cells.cell_s * np.arange(1, ahead + 1)
    clock = Clock.of(settings.time_zone if by_clock else "UTC", int(middles[0]), int(future[-1]))
    # On an even local grid the same wall-clock time is always the same number of cells ago.
    local_first = int(clock.local_s(middles[:1])[0])
    local_count = int(clock.local_s(future[-1:])[0] - local_first) // cells.cell_s + 1
    local = local_first + cells.cell_s * np.arange(local_count)
    source = np.clip(np.rint((clock.utc_s(local) - middles[0]) / cells.cell_s).astype(np.int64), 0, None)
    past = int((source < len(middles)).sum())
    even = cells.values[:, source[:past]]
    target = np.clip(
        np.rint((clock.local_s(np.concatenate([middles, future])) - local_first) / cells.cell_s).astype(
            np.int64
        ),
        0,
        local_count - 1,
    )
    periods = tuple(round(s / cells.cell_s) for s in seasons)
    table = np.full((len(history), local_count), np.nan)
    for row in range(len(history)):
        table[row] = _fitted(even[row], periods, eps[row], local_count - past, cells.cell_s, model)
    course = TableCourse(
        values=table[:, target],
        first_s=float(middles[0]),
        cell_s=cells.cell_s,
        season_s=seasons[-1] if seasons else 0,
        step_s=history.step_s,
        time_zone=settings.time_zone,
    )
    return ProfilePath(course, eps, limit)


def _fitted(
    load: Floats, periods: tuple[int, ...], eps: float, ahead: int, cell_s: int, model: RowModel
) -> Floats:
    """The history followed by what the model expects, or NaN where it cannot say."""
    unknown = np.full(len(load) + ahead, np.nan)
    known = np.flatnonzero(np.isfinite(load))
    if len(known) == 0 or not periods:
        return unknown
    since = load[known[0] :]
    seen = tuple(p for p in periods if p >= 2 and len(since) >= _FEWEST_CYCLES * p)
    if not seen or 2 * len(known) < len(since):
        return unknown
    complete = completed(since, seen[0], max(1, _BRIDGE_S // cell_s))
    answer = model(Row(np.log(complete + eps), seen, ahead))
    if answer is None:
        return unknown
    # Beyond a thousandth and a thousandfold of what was seen no extrapolation is worth anything.
    low, high = np.log(eps), np.log(complete.max() + eps) + np.log(1000.0)
    unknown[len(load) :] = np.maximum(np.exp(np.clip(answer, low, high)) - eps, 0.0)
    unknown[known[0] : len(load)] = complete
    return unknown
