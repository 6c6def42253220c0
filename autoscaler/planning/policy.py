"""A scaling policy in plain numbers: what `decide` works from.

Compiled once from a validated resource, so that a decision parses nothing. Names follow the
HorizontalPodAutoscaler v2 API wherever it has one.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field


class Mode(enum.StrEnum):
    """How far the controller may go with a decision."""

    RECOMMEND = "Recommend"  # decide and publish, never write
    SCALE_OUT_ONLY = "ScaleOutOnly"
    ACTIVE = "Active"
    PAUSED = "Paused"


class SelectPolicy(enum.StrEnum):
    """Which of several rate policies counts, as in HPA v2."""

    MAX = "Max"
    MIN = "Min"
    DISABLED = "Disabled"


class PolicyType(enum.StrEnum):
    """Unit of a rate policy, as in HPA v2."""

    PODS = "Pods"
    PERCENT = "Percent"


@dataclass(frozen=True, slots=True)
class RatePolicy:
    """At most `value` pods (or per cent of the count at the period's start) within `period_s`."""

    type: PolicyType
    value: int
    period_s: float


@dataclass(frozen=True, slots=True)
class ScalingRules:
    """One direction of HPA v2 `behavior`."""

    stabilization_s: float
    select: SelectPolicy
    policies: tuple[RatePolicy, ...]
    tolerance: float = 0.1


DEFAULT_SCALE_UP = ScalingRules(
    stabilization_s=0.0,
    select=SelectPolicy.MAX,
    policies=(RatePolicy(PolicyType.PODS, 4, 15.0), RatePolicy(PolicyType.PERCENT, 100, 15.0)),
)
"""HPA v2's documented default for `behavior.scaleUp`."""

DEFAULT_SCALE_DOWN = ScalingRules(
    stabilization_s=300.0,
    select=SelectPolicy.MAX,
    policies=(RatePolicy(PolicyType.PERCENT, 100, 15.0),),
)
"""HPA v2's documented default for `behavior.scaleDown`."""


class SignalType(enum.StrEnum):
    """Kinds of reactive signal."""

    CPU = "CPU"
    QUEUE_DEPTH = "QueueDepth"
    LATENCY = "Latency"
    ERRORS = "Errors"


@dataclass(frozen=True, slots=True)
class SignalPolicy:
    """One reactive signal. Each may only ask for more than the forecast does.

    target: CPU: utilisation in per cent of the request; LATENCY: threshold in seconds;
    ERRORS: share of failed requests above which scale-in is vetoed; unused for QUEUE_DEPTH.
    drain_within_s and per_replica (items one ready pod takes out of the queue per second): QUEUE_DEPTH only.
    """

    name: str
    type: SignalType
    target: float = 0.0
    drain_within_s: float = 0.0
    per_replica: float = 0.0


class OnBreach(enum.StrEnum):
    """What a spend limit does when it is reached."""

    CAP = "Cap"
    ALERT = "Alert"


@dataclass(frozen=True, slots=True)
class SpendPolicy:
    """Limits in money. `None` means no such limit. Days and months are UTC."""

    replica_hour_price: float
    hourly_cap: float | None = None
    daily_budget: float | None = None
    monthly_budget: float | None = None
    on_breach: OnBreach = OnBreach.CAP


@dataclass(frozen=True, slots=True)
class KnownEvent:
    """A window, epoch seconds, in which at least `min_replicas` are wanted; 0 where its load alone counts."""

    name: str
    start_s: float
    end_s: float
    min_replicas: int


@dataclass(frozen=True, slots=True)
class OutagePolicy:
    """A fall of observed load by `drop` (share) below what was expected, while errors or latency
    are up, is an outage and not low demand; `recovery_s` of extra caution follows it."""

    drop: float
    recovery_s: float


class Goal(enum.StrEnum):
    """What an objective is stated in."""

    UNSERVED = "Unserved"
    SHORT_MINUTES = "ShortMinutes"
    REPLICA_HOURS = "ReplicaHours"


@dataclass(frozen=True, slots=True)
class ObjectivePolicy:
    """What is to be kept over the last `window_s`, instead of a quantile.

    allowed: UNSERVED: share of the load; SHORT_MINUTES: minutes a week with less capacity than load;
    REPLICA_HOURS: replica-hours a day.
    """

    goal: Goal
    allowed: float
    window_s: float


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything one decision needs to know about what the user asked for.

    load_per_replica: load one ready pod serves within its objective, in the unit of the load.
    quantile: of the forecast peak; the stated risk. headroom: what that is multiplied by. objective: finds
    both, where there is one; see `autoscaler.planning.objective`. lead_time_s: from asking for a pod to
    ready. zones: number of failure zones the pods are spread over, `zones_lost`: how many may fail without
    shortage (0 switches it off). pending_cap: most pods that may be starting at once. remember_s: how long an
    accepted scale event can still matter (derived).
    """

    name: str
    min_replicas: int
    max_replicas: int
    load_per_replica: float
    quantile: float = 0.95
    lead_time_s: float = 180.0
    step_s: float = 60.0
    mode: Mode = Mode.ACTIVE
    signals: tuple[SignalPolicy, ...] = ()
    scale_up: ScalingRules = DEFAULT_SCALE_UP
    scale_down: ScalingRules = DEFAULT_SCALE_DOWN
    cooldown_up_s: float = 0.0
    cooldown_down_s: float = 0.0
    outage: OutagePolicy | None = None
    zones: int = 1
    zones_lost: int = 0
    pending_cap: int | None = None
    spend: SpendPolicy | None = None
    events: tuple[KnownEvent, ...] = ()
    headroom: float = 1.0
    objective: ObjectivePolicy | None = None
    remember_s: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        periods = [rate.period_s for rules in (self.scale_up, self.scale_down) for rate in rules.policies]
        longest = max([*periods, self.cooldown_up_s, self.cooldown_down_s])
        object.__setattr__(self, "remember_s", longest)
