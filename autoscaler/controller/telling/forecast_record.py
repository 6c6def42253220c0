"""A forecast as it is kept, to be shown later and held against what came.

A fan has more levels and reaches further than anybody asks of an old one, and all of it would take most of
the room that the store has. Kept are the levels that are looked at, and fifteen steps past the lead time.
"""

from __future__ import annotations

import math

import numpy as np

from autoscaler.controller.forecasts.fan import Fan
from autoscaler.series import Floats
from autoscaler.store.rows import ForecastMade

_LEVELS = (0.05, 0.5, 0.9, 0.95, 0.99)
_STEPS_BEYOND = 15
_DIGITS = 4


def forecast_made(workload: str, fan: Fan, quantile: float) -> ForecastMade:
    """The row of one fan.

    quantile: of the policy; its neighbours among the levels are kept, so that it can be read off later. In
    the payload, step h from 0 of `values` (load, [step][level]) and `peaks` (maximum load up to the step) is
    the instant `(h + 1) * stepSeconds` after the row's time; `expected` begins at that time itself. A number
    that is not known is null.
    """
    steps = min(fan.horizon, fan.lead + _STEPS_BEYOND)
    kept = _kept_levels(fan.levels, quantile)
    values, peaks = fan.shown()
    return ForecastMade(
        workload,
        fan.made_at_s,
        {
            "stepSeconds": fan.step_s,
            "leadSteps": fan.lead,
            "levels": fan.levels[kept].tolist(),
            "values": _table(values[:steps, kept]),
            "peaks": _table(peaks[:steps, kept]),
            "expected": [_short(value) for value in fan.expected[: steps + 1].tolist()],
            "model": fan.model,
            "grade": fan.grade.value,
            "note": fan.note,
        },
    )


def _kept_levels(levels: Floats, quantile: float) -> list[int]:
    """Positions of the levels that are kept."""
    wanted = {int(np.argmin(np.abs(levels - level))) for level in _LEVELS}
    above = int(np.searchsorted(levels, quantile))
    exact = above < len(levels) and levels[above] == quantile
    wanted |= {above} if exact else {max(0, above - 1), min(above, len(levels) - 1)}
    return sorted(wanted)


def _table(numbers: Floats) -> list[list[float | None]]:
    return [[_short(value) for value in row] for row in numbers.tolist()]


def _short(value: float) -> float | None:
    return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
