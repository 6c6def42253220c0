"""Forecasts as they were made, and what they stated about the peak over their lead time."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoscaler.series import Floats, Ints
from autoscaler.store.rows import ForecastMade
from autoscaler.store.store import Store

_AT_ONCE = 1000
_CURRENT_FOR_S = 900.0
"""A forecast is kept every five minutes. One this old is no longer what was known at the time."""


@dataclass(frozen=True, slots=True, eq=False)
class Stated:
    """One forecast as made. levels: [level], ascending; values, peaks: [step, level], step h being
    `(h + 1) * step_s` after made_at_s. All empty where there was no usable forecast."""

    made_at_s: float
    step_s: float
    lead_steps: int
    levels: Floats
    values: Floats
    peaks: Floats
    model: str
    grade: str
    note: str

    @classmethod
    def of(cls, made: ForecastMade) -> Stated:
        """A stored forecast."""
        payload: Mapping[str, Any] = made.payload
        levels = np.array(payload.get("levels") or [], dtype=np.float64)
        return cls(
            made_at_s=made.made_at_s,
            step_s=float(payload.get("stepSeconds") or 0.0),
            lead_steps=int(payload.get("leadSteps") or 0),
            levels=levels,
            values=_table(payload.get("values"), len(levels)),
            peaks=_table(payload.get("peaks"), len(levels)),
            model=payload.get("model") or "",
            grade=payload.get("grade") or "",
            note=payload.get("note") or "",
        )

    @property
    def lead_s(self) -> float:
        """The lead time it was made for."""
        return self.lead_steps * self.step_s

    @property
    def times_s(self) -> Ints:
        """When each step is, [step], epoch seconds."""
        ahead = np.arange(1, len(self.values) + 1) * self.step_s
        return np.asarray(self.made_at_s + ahead, dtype=np.int64)

    @property
    def peak_over_lead(self) -> Floats | None:
        """Quantiles of the highest load within the lead time, [level]; None where nothing was stated."""
        if not 0 < self.lead_steps <= len(self.peaks):
            return None
        at_lead: Floats = self.peaks[self.lead_steps - 1]
        return at_lead if np.isfinite(at_lead).all() else None

    def peak(self, quantile: float) -> float:
        """A quantile of that highest load, linear between levels and none beyond the outermost; or NaN."""
        peaks = self.peak_over_lead
        return math.nan if peaks is None else float(np.interp(quantile, self.levels, peaks))


def stated_before(times_s: Ints, forecasts: Sequence[Stated], quantiles: Sequence[float]) -> Floats:
    """What was stated, one lead time before each moment, of the peak until then: [quantile, time].

    forecasts: oldest first. NaN where none was current, and for a quantile that is NaN.
    """
    due_s = [forecast.made_at_s + forecast.lead_s for forecast in forecasts]
    peaks = [[forecast.peak(quantile) for quantile in quantiles] for forecast in forecasts]
    result = np.full((len(quantiles), len(times_s)), np.nan)
    for column, time_s in enumerate(times_s.tolist()):
        at = bisect.bisect_right(due_s, time_s) - 1
        if at >= 0 and time_s - due_s[at] < _CURRENT_FOR_S:
            result[:, column] = peaks[at]
    return result


def read_stated(store: Store, workload: str, since_s: float, until_s: float) -> list[Stated]:
    """All forecasts of a workload that were made in that time, oldest first."""
    found: list[ForecastMade] = []
    while True:
        more = store.forecasts(workload, since_s, until_s, limit=_AT_ONCE)
        found += more
        if len(more) < _AT_ONCE:
            return [Stated.of(made) for made in reversed(found)]
        until_s = more[-1].made_at_s


def _table(rows: Any, levels: int) -> Floats:
    """[step, level]; unknown numbers are NaN."""
    return np.array(rows or [], dtype=np.float64).reshape(-1, levels) if levels else np.empty((0, 0))
