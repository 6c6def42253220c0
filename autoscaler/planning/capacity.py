"""How many replicas a load needs."""

from __future__ import annotations

import math

ROUNDING = 1e-9
"""Forgives the last bits of a division: 2.1 / 0.3 must need 7 replicas, not 8."""

NEGLIGIBLE_SHARE = 0.05
"""Of what one replica serves; a forecast peak below it asks for none."""

_MOST = 2_147_483_647
"""As many as a count in Kubernetes can be; an absurd load needs no more than that."""


def replicas_for(load: float, load_per_replica: float) -> int:
    """Fewest replicas that serve `load`, both in the same unit; 0 for no load."""
    needed = load / load_per_replica - ROUNDING
    if needed <= 0.0:
        return 0
    return _MOST if needed > _MOST else math.ceil(needed)


def replicas_ahead(peak: float, load_per_replica: float) -> int:
    """Replicas to have ready for a forecast peak; none for less than a twentieth of what one serves.

    A quantile of a load that may come is hardly ever zero. If each were an occasion for a replica, a
    workload that may sleep at none never would. Load that is there wakes it, however little it is.
    """
    return 0 if peak < NEGLIGIBLE_SHARE * load_per_replica else replicas_for(peak, load_per_replica)


def shortage(load: float, ready: int, load_per_replica: float) -> float:
    """The part of a known `load` above what so many ready pods serve."""
    excess = load - ready * load_per_replica
    return excess if excess > ROUNDING * abs(load) else 0.0


def survive_zone_loss(replicas: int, zones: int, zones_lost: int) -> int:
    """Replicas to run so that `replicas` remain when `zones_lost` of `zones` fail.

    Assumes an even spread, as `topologySpreadConstraints` give it.
    """
    return math.ceil(replicas * zones / (zones - zones_lost) - ROUNDING)
