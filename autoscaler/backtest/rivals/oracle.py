"""The unreachable: knows the load to come, and asks for exactly what it will need in time.

It allows for the slowest start-up, so nothing stays unserved; where all pods take as long, that is
at close to the least cost for which it is possible (the present step is included although it is
over, as the yardstick's rules want it). It is the only one here that is given the whole trace.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from autoscaler.backtest.result import Kind
from autoscaler.backtest.rivals.rival import RivalContext
from autoscaler.backtest.scaler import Moment
from autoscaler.backtest.scores import need
from autoscaler.series import Series


@dataclass(frozen=True, slots=True)
class OracleSettings:
    """There is nothing to set."""


class OracleRival:
    """Largest need from this step until a pod asked for now is ready."""

    kind = Kind.ORACLE
    note = "unreachable: knows the load in advance and asks for just what it will need"

    def __init__(self, name: str, settings: OracleSettings, context: RivalContext) -> None:
        self.name = name
        slowest_s = context.longest_start_up_s
        ahead_s = context.start_up_s if slowest_s is None else slowest_s
        lead_steps = max(1, math.ceil(ahead_s / context.series.step_s - 1e-9))
        self._counts = _largest_ahead(context.series, context.per_replica, lead_steps)

    def start(self, first_load: float) -> int:
        """As at the first step."""
        return self._counts[0]

    def decide(self, moment: Moment) -> int:
        """Looked up."""
        return self._counts[moment.index]


def _largest_ahead(series: Series, per_replica: float, lead_steps: int) -> list[int]:
    """Per step the largest need over it and the `lead_steps` after it, at least one.

    Steps without load need nothing; where a whole window has none, the count stays.
    """
    known = ~np.isnan(series.values)
    needs = np.zeros(len(series), dtype=np.int64)
    needs[known] = need(series.values[known], per_replica)
    padded = np.concatenate([needs, np.zeros(lead_steps, dtype=np.int64)])
    ahead = np.lib.stride_tricks.sliding_window_view(padded, lead_steps + 1).max(axis=1)
    held = np.maximum.accumulate(np.where(ahead > 0, np.arange(len(ahead)), 0))
    counts: list[int] = np.maximum(ahead[held], 1).tolist()
    return counts
