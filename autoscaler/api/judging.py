"""How good the forecasts of one workload were, as held against what came."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoscaler.api.stated import StatedPeak
from autoscaler.forecasting.accuracy import bias, coverage, pinball_loss, wape
from autoscaler.series import Floats
from autoscaler.store.rows import Observed

_LONGEST_HOLE_S = 150.0
"""Observations are kept once a minute; with a longer hole between two, the peak may have been missed."""

_MEDIAN = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Accuracy:
    """Of the peak over the lead time. coverage: by level, the share of peaks that stayed within it.

    wape, bias: of the median. pinball: mean over all levels, in the load's unit. NaN where none was judged.
    """

    judged: int
    coverage: dict[float, float]
    wape: float
    bias: float
    pinball: float


def judged(stated: Sequence[StatedPeak], observed: Sequence[Observed], now_s: float) -> Accuracy:
    """Judge those forecasts whose lead time is over and was observed without a hole.

    stated, observed: oldest first. Forecasts of other levels than the newest are left out.
    """
    levels = next((one.levels for one in reversed(stated) if one.levels), ())
    times_s = [one.at_s for one in observed]
    loads = np.array([one.load for one in observed])
    came, said = [], []
    for one in stated:
        if not one.levels or one.levels != levels:
            continue
        peak = _peak(times_s, loads, one.made_at_s, one.due_s, now_s)
        if math.isfinite(peak):
            came.append(peak)
            said.append(one)
    return _accuracy(np.array(came), said, levels)


def _peak(times_s: list[float], loads: Floats, made_s: float, end_s: float, now_s: float) -> float:
    """The highest load after `made_s` up to `end_s`; NaN where it cannot be known."""
    first, last = bisect.bisect_right(times_s, made_s), bisect.bisect_right(times_s, end_s)
    if end_s > now_s or first == last:
        return math.nan
    gaps = np.diff([made_s, *times_s[first:last], end_s])
    # The maximum of anything with a NaN is NaN.
    return float(loads[first:last].max()) if gaps.max() <= _LONGEST_HOLE_S else math.nan


def _accuracy(came: Floats, said: Sequence[StatedPeak], levels: Sequence[float]) -> Accuracy:
    """came: [forecast], of each of those that `said` something."""
    if not said:
        return Accuracy(0, dict.fromkeys(levels, math.nan), math.nan, math.nan, math.nan)
    quantiles = np.array([one.quantiles for one in said])
    median = np.array([one.at(_MEDIAN) for one in said])
    return Accuracy(
        judged=len(said),
        coverage={level: coverage(came, quantiles[:, at]) for at, level in enumerate(levels)},
        wape=wape(came, median),
        bias=bias(came, median),
        pinball=float(
            np.mean([pinball_loss(came, quantiles[:, at], level) for at, level in enumerate(levels)])
        ),
    )
