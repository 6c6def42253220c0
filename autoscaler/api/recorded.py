"""What was observed of a workload, moment by moment, on a regular grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoscaler.planning.capacity import replicas_for
from autoscaler.series import Floats, Ints
from autoscaler.store.rows import HourObserved, Observed

HOUR_S = 3600
_HOLDS_S = 120
"""One observation a minute is kept, at any second of it: it stands for the next two, or lines would break."""

_STEPS_S = (60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)
_COMFORTABLE = 2500
"""Points that a chart can show without hiding one behind another, and to spare."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Steps of `step_s`, each beginning at a multiple of it. times_s: [time], epoch seconds."""

    start_s: int
    step_s: int
    count: int

    @property
    def times_s(self) -> Ints:
        """Start of each step."""
        return self.start_s + self.step_s * np.arange(self.count, dtype=np.int64)

    @property
    def end_s(self) -> int:
        """End of the last step."""
        return self.start_s + self.step_s * self.count


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """On a grid, all [time], NaN where nothing is known: mean and highest load, fewest ready replicas, most
    replicas asked for."""

    load: Floats
    peak: Floats
    ready: Floats
    asked: Floats


def fitting_step_s(start_s: float, end_s: float, hours_until_s: float, wanted_s: int | None) -> int:
    """The step for a range: the one that is wanted, else one that suits a chart; whole hours where part of
    the range is kept by the hour only, as it is up to `hours_until_s`."""
    span_s = max(0.0, end_s - start_s)
    comfortable = (step_s for step_s in _STEPS_S if span_s <= step_s * _COMFORTABLE)
    step_s = wanted_s or next(comfortable, _STEPS_S[-1])
    if start_s < hours_until_s:
        return math.ceil(step_s / HOUR_S) * HOUR_S
    return step_s


def grid(start_s: float, end_s: float, step_s: int) -> Grid:
    """The steps that begin in the range: its start included, its end not."""
    first, last = math.ceil(start_s / step_s), math.ceil(end_s / step_s)
    return Grid(first * step_s, step_s, max(0, last - first))


def on_grid(steps: Grid, observed: Sequence[Observed], hours: Sequence[HourObserved] = ()) -> Recorded:
    """Bring observations and, for times of which there are no others, hours to the grid."""
    rows = [
        *((hour.at_s, hour.load_mean, hour.load_max, hour.ready_min, hour.asked_max) for hour in hours),
        *((one.at_s, one.load, one.load, one.ready, one.asked) for one in observed),
    ]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 5)
    step = np.floor((table[:, 0] - steps.start_s) / steps.step_s).astype(np.int64)
    within = (step >= 0) & (step < steps.count)
    table, step = table[within], step[within]
    seen = np.bincount(step, minlength=steps.count) > 0
    recorded = Recorded(
        load=_mean(step, table[:, 1], steps.count),
        peak=_extreme(np.fmax, step, table[:, 2], steps.count),
        ready=_extreme(np.fmin, step, table[:, 3], steps.count),
        asked=_extreme(np.fmax, step, table[:, 4], steps.count),
    )
    return _held(recorded, seen, _HOLDS_S // steps.step_s)


def needed(peak: Floats, per_replica: float) -> Floats:
    """Replicas that serve each load, [time]; NaN where it, or what one serves, is not known."""
    if not per_replica > 0:
        return np.full(len(peak), np.nan)
    counts = [replicas_for(load, per_replica) if math.isfinite(load) else math.nan for load in peak.tolist()]
    return np.array(counts, dtype=np.float64)


def _mean(step: Ints, values: Floats, count: int) -> Floats:
    known = np.isfinite(values)
    total = np.bincount(step[known], weights=values[known], minlength=count)
    number = np.bincount(step[known], minlength=count)
    with np.errstate(invalid="ignore"):
        mean: Floats = total / number
    return mean


def _extreme(which: np.ufunc, step: Ints, values: Floats, count: int) -> Floats:
    """`which` ignores the unknown."""
    result = np.full(count, np.nan)
    which.at(result, step, values)
    return result


def _held(recorded: Recorded, seen: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], most: int) -> Recorded:
    """Steps in which nothing was observed take what was observed up to `most` steps before."""
    if most == 0 or not seen.any():
        return recorded
    at = np.arange(len(seen))
    latest = np.maximum.accumulate(np.where(seen, at, -1))
    take = np.where((latest >= 0) & (at - latest <= most), latest, at)
    return Recorded(recorded.load[take], recorded.peak[take], recorded.ready[take], recorded.asked[take])
