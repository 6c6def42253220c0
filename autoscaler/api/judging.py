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
    """Of the peak over the lead time. coverage: by level, of the forecasts that stated it, the share of peaks
    that stayed within it.

    wape, bias: of the median. pinball: mean over all levels, in the load's unit. NaN where none was judged.
    """

    judged: int
    coverage: dict[float, float]
    wape: float
    bias: float
    pinball: float


def judged(stated: Sequence[StatedPeak], observed: Sequence[Observed], now_s: float) -> Accuracy:
    """Judge those forecasts whose lead time is over and was observed without a hole.

    stated, observed: oldest first. Not all need to have stated the same levels: a policy may be changed.
    """
    times_s = [one.at_s for one in observed]
    loads = np.array([one.load for one in observed])
    peaks = [(one, _peak(times_s, loads, one.made_at_s, one.due_s, now_s)) for one in stated if one.levels]
    said = [one for one, peak in peaks if math.isfinite(peak)]
    came = np.array([peak for _, peak in peaks if math.isfinite(peak)])
    levels = sorted({level for one in stated for level in one.levels})
    quantiles = {level: np.array([_stated(one, level) for one in said]) for level in levels}
    median = np.array([one.at(_MEDIAN) for one in said])
    losses = [pinball_loss(came, quantiles[level], level) for level in levels]
    known = [loss for loss in losses if math.isfinite(loss)]
    return Accuracy(
        judged=len(said),
        coverage={level: coverage(came, quantiles[level]) for level in levels},
        wape=wape(came, median),
        bias=bias(came, median),
        pinball=sum(known) / len(known) if known else math.nan,
    )


def _stated(one: StatedPeak, level: float) -> float:
    """The quantile at a level; NaN where that was not stated."""
    return dict(zip(one.levels, one.quantiles, strict=True)).get(level, math.nan)


def _peak(times_s: list[float], loads: Floats, made_s: float, end_s: float, now_s: float) -> float:
    """The highest load after `made_s` up to `end_s`; NaN where it cannot be known."""
    first, last = bisect.bisect_right(times_s, made_s), bisect.bisect_right(times_s, end_s)
    if end_s > now_s or first == last:
        return math.nan
    gaps = np.diff([made_s, *times_s[first:last], end_s])
    # The maximum of anything with a NaN is NaN.
    return float(loads[first:last].max()) if gaps.max() <= _LONGEST_HOLE_S else math.nan
