"""History before fitting: what must not be learned from becomes NaN, and is said.

Removed are excluded spans, outages (a collapse far below what the season explains) and absurd
spikes (isolated and never repeated). Gaps stay gaps: nothing is filled in here. `bridged` and
`completed` are for models that cannot do with NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autoscaler.forecasting.forecaster import DAY_S, WEEK_S, ForecastSettings
from autoscaler.forecasting.grid import Coarse, coarse, visible_seasons
from autoscaler.forecasting.known.spans import touching
from autoscaler.forecasting.localtime import Clock
from autoscaler.series import Batch, Floats

Mask = NDArray[np.bool_]

_SPIKE = 30.0
"""A spike is absurd above this multiple of what the row reaches in 99.5 % of its busy samples."""
_SPIKE_STEPS = 3
"""… and only as long as it lasts no longer."""
_MOST_SPIKES = 100
_ECHO_S = 600
"""A spike that comes again within this distance of the same time of another season is genuine."""

_CELL_S = 300
_CELLS_PER_SEASON = 48
_COLLAPSED = 0.15
"""An outage falls below this share of what the season lets expect."""
_BUSY = 0.3
"""… at a time when at least this share of the row's median load is expected."""
_OUTAGE_CELLS = 3
_LONGEST_OUTAGE_S = 3 * DAY_S
"""What lasts longer is the new normal."""
_LONGEST_UNSURE_S = DAY_S // 2
"""The same while less than two of the longest seasons have been seen: it could be a quiet Sunday."""
_MOST_COLLAPSED = 0.15
"""A row that collapses more often than this is one that comes and goes, not one with outages."""
_FEWEST_CYCLES = 3


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A history fit to learn from. removed: [row, time], what was taken out. notes: [row], in words."""

    history: Batch
    removed: Mask
    notes: tuple[str, ...]


def clean(history: Batch, settings: ForecastSettings) -> Cleaned:
    """`history` [workload, time] (rows ending together) without what must not be learned from."""
    values = np.where(np.isfinite(history.values) & (history.values >= 0), history.values, np.nan)
    excluded = _excluded(history, settings)
    values[:, excluded] = np.nan
    cycles = tuple(season // history.step_s for season in visible_seasons(settings, history.step_s))
    spikes = _absurd_spikes(values, cycles, max(1, _ECHO_S // history.step_s))
    values[spikes] = np.nan
    outages = _outages(Batch(values, history.end_s, history.step_s), settings)
    values[outages] = np.nan
    notes = tuple(
        _note(int(spikes[row].sum()), int(outages[row].sum()) * history.step_s) for row in range(len(history))
    )
    removed = spikes | outages | excluded[np.newaxis, :]
    return Cleaned(Batch(values, history.end_s, history.step_s), removed, notes)


def bridged(values: Floats, longest: int) -> Floats:
    """One row with every gap of at most `longest` samples filled linearly; longer ones stay NaN."""
    known = np.isfinite(values)
    if known.all() or not known.any():
        return values.copy()
    steps = np.arange(len(values))
    filled = np.interp(steps, steps[known], values[known])
    before = np.maximum.accumulate(np.where(known, steps, -1))
    after = np.minimum.accumulate(np.where(known, steps, len(values))[::-1])[::-1]
    inside = (before >= 0) & (after < len(values)) & (after - before - 1 <= longest)
    return np.where(known | inside, filled, np.nan)


def completed(values: Floats, cycle: int, longest: int) -> Floats:
    """One row without NaN: short gaps linearly, long ones by the median of the same phase.

    cycle: season in samples. A row of NaN only stays as it is.
    """
    filled = bridged(values, longest)
    missing = np.flatnonzero(~np.isfinite(filled))
    if len(missing) == 0 or len(missing) == len(filled):
        return filled
    whole = np.median(filled[np.isfinite(filled)])
    typical = np.full(cycle, whole)
    for phase in np.unique(missing % cycle):
        same = filled[phase::cycle]
        if np.isfinite(same).any():
            typical[phase] = np.median(same[np.isfinite(same)])
    filled[missing] = typical[missing % cycle]
    return filled


def _excluded(history: Batch, settings: ForecastSettings) -> Mask:
    """[time], steps that overlap an excluded span."""
    begin = int(history.end_s[0]) + history.step_s * (np.arange(history.width) + 1 - history.width)
    return touching(begin, history.step_s, settings.excluded)


def _absurd_spikes(values: Floats, cycles: tuple[int, ...], echo: int) -> Mask:
    spikes = np.zeros(values.shape, np.bool_)
    largest = np.where(np.isfinite(values), values, 0.0).max(axis=1, initial=0.0)
    for row in np.flatnonzero(largest > 0):
        load = values[row]
        busy = load[load > 0]
        high = float(np.partition(busy, int(0.995 * (len(busy) - 1)))[int(0.995 * (len(busy) - 1))])
        suspects = np.flatnonzero(load > _SPIKE * high)
        if len(suspects) == 0 or len(suspects) > _MOST_SPIKES:
            continue
        for run in np.split(suspects, np.flatnonzero(np.diff(suspects) > 1) + 1):
            if len(run) <= _SPIKE_STEPS and not _comes_again(load, run, cycles, echo):
                spikes[row, run] = True
    return spikes


def _comes_again(load: Floats, run: NDArray[np.int64], cycles: tuple[int, ...], echo: int) -> bool:
    """Whether something comparable happened about a season earlier or later."""
    height = float(np.nanmax(load[run])) / 10.0
    for cycle in cycles:
        for lag in (-cycle, cycle):
            reach = min(echo, cycle // 4)
            low, high = int(run[0]) + lag - reach, int(run[-1]) + lag + reach + 1
            near = load[max(0, low) : max(0, high)]
            if bool((near > height).any()):
                return True
    return False


def _outages(history: Batch, settings: ForecastSettings) -> Mask:
    """[row, time], collapses that last several cells and that no season explains."""
    nothing = np.zeros(history.values.shape, np.bool_)
    seasons = visible_seasons(settings, history.step_s)
    if not seasons:
        return nothing
    cells = coarse(history, min(_CELL_S, seasons[0] // _CELLS_PER_SEASON))
    span_s = cells.cell_s * cells.values.shape[1]
    if span_s < _FEWEST_CYCLES * seasons[0]:
        return nothing
    middle = _row_median(cells.values)
    expected = _same_phase_median(cells, seasons[0], settings.time_zone)
    sure = span_s >= 2 * seasons[-1] and len(seasons) > 1
    for season_s in seasons[1:]:
        if span_s >= 2 * season_s:
            longer = _same_phase_median(cells, season_s, settings.time_zone)
            expected = np.fmin(expected, longer)
    with np.errstate(invalid="ignore"):
        low = (cells.values < _COLLAPSED * expected) & (expected > _BUSY * middle[:, np.newaxis])
    longest_s = _LONGEST_OUTAGE_S if sure or seasons[-1] < WEEK_S else _LONGEST_UNSURE_S
    kept = _lasting(low, longest_s // cells.cell_s)
    if not kept.any():
        return nothing
    kept[kept.mean(axis=1) > _MOST_COLLAPSED] = False
    per_cell = cells.cell_s // history.step_s
    first_s = int(history.end_s[0]) - history.step_s * (history.width - 1)
    lead_in = (first_s - cells.start_s) // history.step_s
    return np.repeat(kept, per_cell, axis=1)[:, lead_in : lead_in + history.width]


def _same_phase_median(cells: Coarse, season_s: int, time_zone: str) -> Floats:
    """What is usual at the phase of every cell: the lower median over all cycles, [row, cell].

    With up to three cycles the largest stands for it, since a collapse would drag the median down;
    what is low in every cycle stays low.
    """
    clock = Clock.of(time_zone, int(cells.middles_s[0]), int(cells.middles_s[-1]))
    phase = clock.phase_s(cells.middles_s, season_s) // cells.cell_s
    count = int(phase.max()) + 1
    cycle = np.cumsum(np.concatenate([[0], np.diff(phase) < 0]))
    stacked = np.full((len(cells.values), int(cycle[-1]) + 1, count), np.nan)
    stacked[:, cycle, phase] = cells.values
    ordered = np.sort(stacked, axis=1)
    last = np.maximum(np.isfinite(stacked).sum(axis=1) - 1, 0)
    rank = np.where(last < _FEWEST_CYCLES, last, last // 2)
    typical = np.take_along_axis(ordered, rank[:, np.newaxis, :], axis=1)[:, 0, :]
    return typical[:, phase]


def _lasting(low: Mask, longest: int) -> Mask:
    """Runs of True of at least three and at most `longest` cells, in every row."""
    edges = np.diff(np.pad(low, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    kept = np.zeros_like(low)
    for row, start, end in zip(rows, starts, ends, strict=True):
        if _OUTAGE_CELLS <= end - start <= max(longest, _OUTAGE_CELLS):
            kept[row, start:end] = True
    return kept


def _row_median(values: Floats) -> Floats:
    """Median of the known values of every row, 0 where there are none."""
    ordered = np.sort(values, axis=1)
    count = np.isfinite(ordered).sum(axis=1)
    middle = np.take_along_axis(ordered, np.maximum(count - 1, 0)[:, np.newaxis] // 2, axis=1)[:, 0]
    return np.where(count > 0, middle, 0.0)


def _note(spikes: int, outage_s: int) -> str:
    parts = []
    if spikes:
        parts.append(f"{spikes} absurd sample{'s' if spikes > 1 else ''} left out")
    if outage_s:
        parts.append(f"outages of {outage_s / 3600:.1f} h left out")
    return ", ".join(parts)
