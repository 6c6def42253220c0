"""What goes into the store and comes out of it.

`workload` is always "namespace/name"; times are epoch seconds, UTC.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DecisionMade:
    """A decision. The caller takes `id` from `ids.new_id`, so that it can be named before it is stored.

    reasons: names of the rules that changed the number. outcome: what became of it, in a word; replaced by
    `Outcome` later. payload: plain JSON types. shared: keys of the payload whose values many decisions
    have in common; those are stored once, and come back in the payload.
    """

    workload: str
    id: str
    at_s: float
    before: int
    after: int
    reasons: tuple[str, ...]
    sentence: str
    payload: Mapping[str, Any]
    outcome: str = ""
    shared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a decision that was stored before: written, refused, not allowed to be written, …"""

    workload: str
    decision: str
    outcome: str


@dataclass(frozen=True, slots=True)
class MemoryKept:
    """The memory of a workload at `at_s`. Only the newest is kept; an older one that comes late is not."""

    workload: str
    at_s: float
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StateKept:
    """What is shown of a workload at `at_s`. Only the newest is kept; an older one that comes late is not.

    changed_s: when it was written, by the writer's clock; given by the store, None before.
    """

    workload: str
    at_s: float
    payload: Mapping[str, Any]
    changed_s: float | None = None


@dataclass(frozen=True, slots=True)
class StateGone:
    """That a workload is not there any more: its state and its manifest go, its history stays."""

    workload: str


@dataclass(frozen=True, slots=True)
class ManifestKept:
    """A resource as it was written, at `at_s`. Only the newest is kept."""

    workload: str
    at_s: float
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen at one moment, to the second. load: NaN where unknown; ready: None where unknown."""

    workload: str
    at_s: float
    load: float
    ready: int | None
    asked: int


@dataclass(frozen=True, slots=True)
class HourObserved:
    """What was seen in the hour from `at_s`, in so many `rows`; load: NaN where it was never known."""

    workload: str
    at_s: float
    rows: int
    load_mean: float
    load_max: float
    ready_min: int | None
    asked_mean: float
    asked_max: int


@dataclass(frozen=True, slots=True)
class ForecastMade:
    """A forecast as it was made, one for a workload and second."""

    workload: str
    made_at_s: float
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DaySpend:
    """Money spent on a workload on one UTC day until now. Within a day the stored amount never falls."""

    workload: str
    day: datetime.date
    amount: float


@dataclass(frozen=True, slots=True)
class WorkloadSeen:
    """That a workload exists, and which one: `uid` differs when it was deleted and made anew."""

    workload: str
    uid: str | None
    at_s: float | None


@dataclass(frozen=True, slots=True)
class OverrideMade:
    """A count put in force by a person until `expires_s`. id: of `ids.new_id`. ended_s: taken back early."""

    workload: str
    id: str
    made_s: float
    expires_s: float
    made_by: str
    payload: Mapping[str, Any]
    ended_s: float | None = None


@dataclass(frozen=True, slots=True)
class OverrideEnded:
    """That an override was taken back."""

    workload: str
    id: str
    at_s: float


@dataclass(frozen=True, slots=True)
class Audited:
    """Who did what to what, and whether it was allowed. id: of `ids.new_id`."""

    id: str
    at_s: float
    actor: str
    action: str
    target: str
    allowed: bool
    payload: Mapping[str, Any]


Row = (
    DecisionMade
    | Outcome
    | MemoryKept
    | StateKept
    | StateGone
    | ManifestKept
    | Observed
    | ForecastMade
    | DaySpend
    | WorkloadSeen
    | OverrideMade
    | OverrideEnded
    | Audited
)


@dataclass(frozen=True, slots=True)
class FoundDecision:
    """A stored decision without its payload."""

    workload: str
    id: str
    at_s: float
    before: int
    after: int
    reasons: tuple[str, ...]
    outcome: str
    sentence: str


@dataclass(frozen=True, slots=True)
class WholeDecision:
    """A stored decision with its payload."""

    summary: FoundDecision
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Decisions, newest first. older: pass as `before` for the next page; None when there is none."""

    decisions: tuple[FoundDecision, ...]
    older: str | None


@dataclass(frozen=True, slots=True)
class AnsweredKey:
    """What is known of an idempotency key. asked: a digest of the request it belongs to. answer: to that
    request; None while it is being worked on."""

    asked: str
    answer: Mapping[str, Any] | None
