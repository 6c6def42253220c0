"""How good the forecasts of one workload were, as held against what came."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoscaler.api.stated import Stated
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


def judged(forecasts: Sequence[Stated], observed: Sequence[Observed], now_s: float) -> Accuracy:
    """Judge those forecasts whose lead time is over and was observed without a hole.

    observed: oldest first. Forecasts of other levels than the newest are left out.
    """
    levels = next((one.levels for one in reversed(forecasts) if one.peak_over_lead is not None), np.empty(0))
    times_s = [one.at_s for one in observed]
    loads = np.array([one.load for one in observed])
    came, said = [], []
    for forecast in forecasts:
        peaks = forecast.peak_over_lead
        if peaks is None or not np.array_equal(forecast.levels, levels):
            continue
        peak = _peak(times_s, loads, forecast.made_at_s, forecast.made_at_s + forecast.lead_s, now_s)
        if math.isfinite(peak):
            came.append(peak)
            said.append(peaks)
    return _accuracy(np.array(came), np.array(said).reshape(len(said), len(levels)), levels)


def _peak(times_s: list[float], loads: Floats, made_s: float, end_s: float, now_s: float) -> float:
    """The highest load after `made_s` up to `end_s`; NaN where it cannot be known."""
    first, last = bisect.bisect_right(times_s, made_s), bisect.bisect_right(times_s, end_s)
    if end_s > now_s or first == last:
        return math.nan
    gaps = np.diff([made_s, *times_s[first:last], end_s])
    # The maximum of anything with a NaN is NaN.
    return float(loads[first:last].max()) if gaps.max() <= _LONGEST_HOLE_S else math.nan


def _accuracy(came: Floats, said: Floats, levels: Floats) -> Accuracy:
    """came: [forecast]. said: [forecast, level]."""
    if not len(came):
        return Accuracy(0, {level: math.nan for level in levels.tolist()}, math.nan, math.nan, math.nan)
    median = np.array([np.interp(_MEDIAN, levels, peaks) for peaks in said])
    by_level = list(enumerate(levels.tolist()))
    return Accuracy(
        judged=len(came),
        coverage={level: coverage(came, said[:, at]) for at, level in by_level},
        wape=wape(came, median),
        bias=bias(came, median),
        pinball=float(np.mean([pinball_loss(came, said[:, at], level) for at, level in by_level])),
    )
