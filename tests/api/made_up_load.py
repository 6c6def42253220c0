"""Traffic that was never there: a daily and weekly rhythm with noise that lasts some minutes.

And forecasts of it, which know the rhythm and the present noise, but not the noise to come.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from autoscaler.controller.forecasts.fan import Fan
from autoscaler.series import Floats, Grade

STEP_S = 60
HORIZON = 33
LEVELS = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99])
_Z = np.array([-1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645, 2.326])
_LASTING = 0.9
_SPREAD = 0.06
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True, eq=False)
class MadeUpLoad:
    """values: load at each minute from start_s on, rhythm: what it varies around, a horizon longer."""

    start_s: float
    values: Floats
    rhythm: Floats

    def at(self, minute: int) -> float:
        """Load at a minute from the start."""
        return float(self.values[minute])

    def fan(self, minute: int, lead_steps: int) -> Fan:
        """The forecast made when that minute's load was known."""
        ahead = np.arange(1, HORIZON + 1)
        wobble = math.log(self.values[minute] / self.rhythm[minute])
        middle = self.rhythm[minute + ahead] * np.exp(wobble * _LASTING**ahead)
        spread = _SPREAD * np.sqrt(1 - _LASTING ** (2 * ahead))
        values = middle[:, None] * np.exp(spread[:, None] * _Z)
        # The highest of several steps: further up, and less uncertain, than any one of them.
        raised = 0.45 * spread * np.sqrt(np.log(ahead))
        peaks = np.maximum.accumulate(middle[:, None] * np.exp(0.8 * spread[:, None] * _Z + raised[:, None]))
        return Fan(
            made_at_s=self.start_s + minute * STEP_S,
            step_s=STEP_S,
            lead=lead_steps,
            levels=LEVELS,
            values=values,
            peaks=np.maximum(peaks, values),
            expected=self.rhythm[minute : minute + HORIZON + 1],
            model="auto (peak)",
            grade=Grade.DAILY,
            note="",
            coverage=0.951,
            judged=1440,
        )


def made_up_load(start_s: float, minutes: int, height: float, rng: np.random.Generator) -> MadeUpLoad:
    """height: mean load. The rhythm has a quiet night, two peaks a day and quieter weekends."""
    at_s = start_s + STEP_S * np.arange(minutes + HORIZON + 1)
    hour = 2 * np.pi * (at_s % _DAY_S) / _DAY_S + rng.uniform(-0.5, 0.5)
    weekday = (at_s // _DAY_S + 3) % 7  # the epoch began on a Thursday
    rhythm = height * (1 - 0.55 * np.cos(hour) - 0.18 * np.cos(2 * hour)) * np.where(weekday < 5, 1.0, 0.75)
    shocks = rng.normal(0, _SPREAD * math.sqrt(1 - _LASTING**2), minutes)
    wobble = np.zeros(minutes)
    for minute in range(1, minutes):
        wobble[minute] = _LASTING * wobble[minute - 1] + shocks[minute]
    return MadeUpLoad(start_s, rhythm[:minutes] * np.exp(wobble), rhythm)
