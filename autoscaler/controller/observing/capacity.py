"""What one ready pod has been seen to serve, to hold against what `load.perReplica` claims.

Only workloads with a latency or error signal can tell: a load that was served is one that was
served *well*. The claim is too low where more was served while all such signals were within their
thresholds, and too high where one was above its threshold at less.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from autoscaler.planning.policy import Policy, SignalType
from autoscaler.series import Reading

_HOUR_S = 3600.0
_HOURS = 24
_FEWEST_HOURS = 1
_SEEN_SHARE = 3
_CLEARLY = 1.1


@dataclass(slots=True)
class _Hour:
    """Load per ready pod within one hour. well: the most served while all was well; ill: the least at
    which it was not. seen_well, seen_ill: how often."""

    starts_s: float
    well: float = 0.0
    ill: float = float("inf")
    seen_well: int = 0
    seen_ill: int = 0


@dataclass(frozen=True, slots=True)
class ObservedCapacity:
    """well: the most load a pod served while all was well; ill: the least at which it was not, infinite
    where it always was. hours: over how many of the last 24 hours."""

    well: float
    ill: float
    hours: int


class ServedLoad:
    """The last 24 hours of one workload. Not for several threads at once."""

    def __init__(self) -> None:
        self._hours: deque[_Hour] = deque(maxlen=_HOURS)

    def watch(
        self, policy: Policy, load: Reading, signals: tuple[Reading, ...], ready: int | None, now_s: float
    ) -> None:
        """Take note of one moment; of nothing while anything about it is unknown, or pods are missing."""
        health = [
            (signal.target, reading)
            for signal, reading in zip(policy.signals, signals, strict=True)
            if signal.type in (SignalType.LATENCY, SignalType.ERRORS)
        ]
        if not health or not all(reading.known for _, reading in health) or not ready or not load.known:
            return
        hour_s = now_s // _HOUR_S * _HOUR_S
        if not self._hours or self._hours[-1].starts_s != hour_s:
            self._hours.append(_Hour(hour_s))
        hour, per_pod = self._hours[-1], load.value / ready
        if all(reading.value <= target for target, reading in health):
            hour.well, hour.seen_well = max(hour.well, per_pod), hour.seen_well + 1
        else:
            hour.ill, hour.seen_ill = min(hour.ill, per_pod), hour.seen_ill + 1

    def recall(self, well: float, now_s: float) -> None:
        """Begin with what was seen before a restart."""
        self._hours.append(_Hour(now_s // _HOUR_S * _HOUR_S - _HOUR_S, well=well, seen_well=1))

    def observed(self) -> ObservedCapacity | None:
        """What they show together; None before a whole hour has been seen."""
        if len(self._hours) <= _FEWEST_HOURS:
            return None
        # One bad moment among many good ones is an incident and no limit.
        ill = [hour.ill for hour in self._hours if hour.seen_ill * _SEEN_SHARE > hour.seen_well]
        return ObservedCapacity(
            well=max(hour.well for hour in self._hours),
            ill=min(ill, default=float("inf")),
            hours=len(self._hours),
        )


def learned(observed: ObservedCapacity | None) -> float | None:
    """Load per replica to plan with where that is to be found out; None before it can be."""
    if observed is None:
        return None
    value = min(observed.well, observed.ill / _CLEARLY)
    return value if value > 0.0 else None


def in_use(configured: float, served: ServedLoad | None) -> float:
    """Load per replica that decisions use; NaN where it is to be found out and is not known yet.

    configured: NaN where it is to be found out. served: what was seen, None for nothing.
    """
    if not math.isnan(configured) or served is None:
        return configured
    return learned(served.observed()) or math.nan


def disagreement(configured: float, observed: ObservedCapacity | None) -> str:
    """How what was seen speaks against `load.perReplica`, in words; empty where it does not."""
    if observed is None:
        return ""
    if observed.ill * _CLEARLY < configured:
        return (
            f"a health signal was above its threshold at a load of {observed.ill:.4g} per pod, "
            f"less than the {configured:.4g} of load.perReplica"
        )
    if observed.well > _CLEARLY * configured:
        return (
            f"pods served {observed.well:.4g} each with every health signal within its threshold, "
            f"more than the {configured:.4g} of load.perReplica"
        )
    return ""
