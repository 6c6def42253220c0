"""What forecasts stated, as they were made, about the highest load within their lead time."""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autoscaler.series import Floats, Ints
from autoscaler.store.rows import ForecastMade
from autoscaler.store.store import Store

_AT_ONCE = 1000
_CURRENT_FOR_S = 900.0
"""A forecast is kept every five minutes. One this old is no longer what was known at the time."""


@dataclass(frozen=True, slots=True)
class StatedPeak:
    """Of one forecast: quantiles of the peak over the lead time, by ascending level. No levels where nothing
    usable was stated."""

    made_at_s: float
    lead_s: float
    levels: tuple[float, ...]
    quantiles: tuple[float, ...]

    @classmethod
    def of(cls, made: ForecastMade) -> StatedPeak:
        """What a stored forecast stated."""
        payload = made.payload
        steps, peaks = int(payload.get("leadSteps") or 0), payload.get("peaks") or []
        lead_s = steps * float(payload.get("stepSeconds") or 0.0)
        at_lead = peaks[steps - 1] if 0 < steps <= len(peaks) else ()
        if None in at_lead:
            return cls(made.made_at_s, lead_s, (), ())
        return cls(made.made_at_s, lead_s, tuple(payload["levels"] if at_lead else ()), tuple(at_lead))

    @property
    def due_s(self) -> float:
        """When its lead time is over."""
        return self.made_at_s + self.lead_s

    def at(self, level: float) -> float:
        """The quantile at a level, linear between those that were stated, and none beyond the outermost."""
        if not self.levels or math.isnan(level):
            return math.nan
        above = bisect.bisect_left(self.levels, level)
        if above == 0 or above == len(self.levels):
            return self.quantiles[0 if above == 0 else -1]
        low, high = self.levels[above - 1], self.levels[above]
        before, after = self.quantiles[above - 1], self.quantiles[above]
        return before + (level - low) / (high - low) * (after - before)


def stated_before(times_s: Ints, peaks: Sequence[StatedPeak], levels: Sequence[float]) -> Floats:
    """What was stated, one lead time before each moment, of the peak until then: [level, time].

    NaN where no forecast was current, and for a level that is NaN.
    """
    if not peaks:
        return np.full((len(levels), len(times_s)), np.nan)
    ordered = sorted(peaks, key=lambda peak: peak.due_s)
    due_s = np.array([peak.due_s for peak in ordered])
    quantiles = np.array([[peak.at(level) for peak in ordered] for level in levels])
    newest = np.searchsorted(due_s, times_s, side="right") - 1
    current = (newest >= 0) & (times_s - due_s[newest] < _CURRENT_FOR_S)
    stated: Floats = np.where(current, quantiles[:, newest], np.nan)
    return stated


def read_peaks(store: Store, workload: str, since_s: float, until_s: float) -> list[StatedPeak]:
    """Of all forecasts of a workload that were made in that time, oldest first."""
    found: list[StatedPeak] = []
    while True:
        more = store.forecasts(workload, since_s, until_s, limit=_AT_ONCE)
        found += [StatedPeak.of(made) for made in more]
        if len(more) < _AT_ONCE:
            return found[::-1]
        until_s = more[-1].made_at_s
