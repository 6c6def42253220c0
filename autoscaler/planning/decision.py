"""The outcome of one decision, with everything needed to explain and to replay it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from autoscaler.planning.memory import Memory
from autoscaler.planning.observation import Observation, Outlook


class Reason(enum.StrEnum):
    """Every rule that can change the number, in the order in which they act."""

    ZONE_HEADROOM = "ZoneHeadroom"
    OUTAGE_FLOOR = "OutageFloor"
    UNKNOWN_SIGNAL = "UnknownSignal"
    UNHEALTHY = "Unhealthy"
    PODS_NOT_READY = "PodsNotReady"
    SCALE_UP_STABILIZED = "ScaleUpStabilized"
    SCALE_DOWN_STABILIZED = "ScaleDownStabilized"
    SCALE_UP_COOLDOWN = "ScaleUpCooldown"
    SCALE_DOWN_COOLDOWN = "ScaleDownCooldown"
    SCALE_UP_LIMIT = "ScaleUpLimit"
    SCALE_DOWN_LIMIT = "ScaleDownLimit"
    PENDING_CAP = "PendingCap"
    HOURLY_CAP = "HourlyCap"
    DAILY_BUDGET = "DailyBudget"
    MONTHLY_BUDGET = "MonthlyBudget"
    KNOWN_EVENT = "KnownEvent"
    TOO_MANY_REPLICAS = "TooManyReplicas"
    TOO_FEW_REPLICAS = "TooFewReplicas"
    SCALE_OUT_ONLY = "ScaleOutOnly"
    PAUSED = "Paused"


@dataclass(frozen=True, slots=True)
class Wish:
    """What one source asked for before anything was combined.

    replicas is None when the source has no opinion; `why` then says why not.
    """

    source: str
    replicas: int | None
    value: float
    age_s: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One guard that changed the number: by which rule, from what to what, and on what grounds."""

    reason: Reason
    before: int
    after: int
    inputs: tuple[tuple[str, float | str], ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """The final count and how it came about.

    wished: the blend of all wishes before any guard. replicas: what to ask for. alerts: limits
    that were reached but, as configured, only reported. memory: for the next decision.
    """

    observation: Observation
    outlook: Outlook
    wishes: tuple[Wish, ...]
    wished: int
    changes: tuple[Change, ...]
    replicas: int
    alerts: tuple[Change, ...]
    memory: Memory
