"""What a rule that is set up once from the warm-up does until it is set up.

The scored part uses a number taken from the whole warm-up. Using it during the warm-up would look
ahead there, so until then the largest need seen so far is asked for.
"""

from __future__ import annotations

import math

import numpy as np

from autoscaler.backtest.rivals.rival import RivalContext
from autoscaler.backtest.scores import need
from autoscaler.planning.capacity import replicas_for
from autoscaler.series import Floats
from autoscaler.signals.errors import InputError


class RunningPeak:
    """Largest need seen so far, at least one replica."""

    def __init__(self, per_replica: float) -> None:
        self._per_replica = per_replica
        self.replicas = 1

    def see(self, load: float) -> int:
        """Takes in one load (NaN says nothing) and gives the peak."""
        if not math.isnan(load):
            self.replicas = max(self.replicas, replicas_for(load, self._per_replica))
        return self.replicas


def needs_of_warm_up(name: str, instead: str, context: RivalContext) -> tuple[Floats, Floats]:
    """Replicas needed at each known step of the warm-up, and the time of each (epoch seconds).

    Raises InputError when there is nothing to learn from. instead: the setting to give then.
    """
    warm_up = context.warm_up
    known = ~np.isnan(warm_up.values)
    if not known.any():
        raise InputError(
            f"baseline {name} is set up from the warm-up, which holds no load; "
            f"give it {instead} or a longer warm-up"
        )
    needs = need(warm_up.values[known], context.per_replica).astype(np.float64)
    return needs, warm_up.times_s[known].astype(np.float64)
