"""The status of a resource: what to show, and when it has changed enough to be written.

What people act on is written at once. Numbers that change with every look wait, so that a thousand
quiet resources cost the API server next to nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.observing.workload import Workload
from autoscaler.controller.outcome import Outcome, Write
from autoscaler.controller.running import Running
from autoscaler.controller.telling.conditions import (
    capacity_findings,
    findings,
    merged,
    objective_findings,
    store_findings,
)
from autoscaler.controller.telling.sentences import overruling, sentence
from autoscaler.controller.telling.shadow import CONDITIONS, shadow_status
from autoscaler.planning.explain import shown
from autoscaler.planning.policy import Policy
from autoscaler.planning.standing import Standing, amount, standing
from autoscaler.spec.forecast import JUDGED_AT
from autoscaler.spec.status import (
    Capacity,
    Condition,
    LastScale,
    LeadTime,
    ObjectiveStatus,
    Override,
    SpendToday,
    Status,
)
from autoscaler.spec.units import AUTO, format_time

_LONGEST = 1024
_PASSING = (
    "load",
    "forecast",
    "forecast_summary",
    "decision",
    "last_decision_time",
    "spend",
    "objective",
)
"""Fields whose changes may wait, as do the words of a condition, the samples behind a lead time and the score
of a shadow."""
_OF_ALL = ("DecisionsKept",)
"""Conditions that come and go for all resources at once: their changes may wait, too."""


@dataclass(slots=True)
class Published:
    """What the API server was last given for one workload."""

    status: Status = field(default_factory=Status)
    written_s: float = float("-inf")


def worth_writing(published: Published, status: Status, now_s: float, every_s: float) -> bool:
    """Whether `status` says something new that cannot wait, or that has waited for `every_s` seconds."""
    if published.status == status:
        return False
    urgent = _lasting(published.status) != _lasting(status)
    return urgent or now_s - published.written_s >= every_s


def document(status: Status) -> dict[str, Any]:
    """As the API server takes it, whole."""
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


def status_of(
    before: Status, outcome: Outcome, running: Running, fan: Fan | None, store_down: bool = False
) -> Status:
    """The status after `outcome`, which leaves alone what it says nothing about.

    fan: the newest forecast. store_down: whether decisions wait to be kept.
    """
    workload, now_s = outcome.workload, float(int(outcome.now_s))
    stands = objective_standing(outcome, fan)
    conditions = merged(
        _still_about(workload, before.conditions or ()),
        [
            *findings(outcome),
            *capacity_findings(outcome, running),
            *objective_findings(stands),
            *store_findings(store_down),
        ],
        workload.generation,
        now_s,
    )
    update: dict[str, Any] = {"observed_generation": workload.generation, "conditions": tuple(conditions)}
    update["override"] = _override(outcome)
    if outcome.shadow is not None:
        update["shadow"] = shadow_status(outcome.shadow, before.shadow)
    elif workload.shadow is None:
        update["shadow"] = None
    if outcome.decision is not None:
        update |= _decided(outcome, running, fan)
        update["objective"] = _objective(outcome, stands)
    obstacle = _obstacle(outcome)
    if obstacle:
        update["reason"] = obstacle
    if outcome.write is Write.DONE and outcome.setting is not None and outcome.count is not None:
        update["last_scale"] = LastScale(
            time=format_time(now_s), before=outcome.setting.replicas, after=outcome.count
        )
    return before.model_copy(update=update)


def _still_about(workload: Workload, before: Sequence[Condition]) -> Sequence[Condition]:
    """Without what was said of the store, and of a shadow or an objective that is no more."""
    gone = set(_OF_ALL)
    if workload.shadow is None:
        gone.update(CONDITIONS)
    if workload.policy is not None and workload.policy.objective is None:
        gone.add("ObjectiveKept")
    return [condition for condition in before if condition.type not in gone]


def objective_standing(outcome: Outcome, fan: Fan | None) -> Standing | None:
    """How the objective of a workload stands after an outcome; None without an objective or a decision."""
    dial = None if outcome.decision is None else outcome.decision.memory.dial
    return None if dial is None else standing(dial, None if fan is None else fan.curve)


def _objective(outcome: Outcome, stands: Standing | None) -> ObjectiveStatus | None:
    dial = None if outcome.decision is None else outcome.decision.memory.dial
    if dial is None or stands is None:
        return None
    return ObjectiveStatus(
        quantile=f"{stands.place.quantile:g}",
        headroom=f"{stands.place.headroom:g}",
        correction=dial.correction,
        promised=None if math.isnan(stands.promised) else amount(dial.objective, stands.promised),
        observed=None if math.isnan(stands.observed) else amount(dial.objective, stands.observed),
        left=f"{100 * stands.left:.0f} %",
        message=stands.sentence[:_LONGEST],
    )


def _override(outcome: Outcome) -> Override | None:
    asked = outcome.asked.override
    if asked is None:
        return None
    return Override(
        kind=asked.kind.value,
        replicas=asked.replicas,
        until=format_time(asked.until_s),
        reason=asked.reason or None,
    )


def _lasting(status: Status) -> tuple[object, ...]:
    conditions = {
        (one.type, one.status, one.reason, one.observed_generation)
        for one in status.conditions or ()
        if one.type not in _OF_ALL
    }
    lead_time = status.lead_time
    rest = status.model_copy(update=dict.fromkeys((*_PASSING, "conditions", "lead_time", "shadow")))
    shadow = status.shadow and (status.shadow.name, status.shadow.stage)
    return (conditions, rest, lead_time.seconds if lead_time is not None else None, shadow)


def _decided(outcome: Outcome, running: Running, fan: Fan | None) -> dict[str, Any]:
    decision, now_s = outcome.decision, float(int(outcome.now_s))
    assert decision is not None  # the caller has looked
    outlook, observation = decision.outlook, decision.observation
    peak = shown(outlook.peak) if outlook.peak == outlook.peak else ""
    reason = decision.changes[-1].reason.value if decision.changes else "AsWished"
    overrules = overruling(decision, outcome.asked.override, outcome.count) is not None
    written = outcome.write is Write.DONE
    return {
        "load": shown(observation.load.value) if observation.load.may_add else observation.load.state.value,
        "forecast": peak or None,
        "forecast_summary": (_summary(outcome, running, fan) if peak else outlook.note)[:_LONGEST] or None,
        "model": outlook.model or None,
        "ready": observation.ready,
        "current": outcome.count if written else observation.current,
        "desired": outcome.count,
        "reason": "Override" if overrules else reason,
        "decision": sentence(decision, outcome.asked.override, outcome.count)[:_LONGEST],
        "last_decision_time": now_s,
        "lead_time": _lead_time(running),
        "spend": _spend(outcome),
        "capacity": _capacity(outcome, running),
    }


def _obstacle(outcome: Outcome) -> str:
    """The reason code of what keeps the count from being decided on or written; empty where nothing does."""
    if outcome.workload.problem:
        return "InvalidSpec"
    if outcome.fault is not None:
        return outcome.fault.reason
    if outcome.hold is None or outcome.write is not Write.HELD or outcome.hold.reason == "Recommend":
        return ""  # what is only recommended is shown with the reasons for it
    return outcome.hold.reason


def _summary(outcome: Outcome, running: Running, fan: Fan | None) -> str:
    decision, policy = outcome.decision, outcome.policy
    assert decision is not None and policy is not None  # the caller has looked
    outlook = decision.outlook
    headroom = f", times {policy.headroom:g}" if policy.headroom != 1.0 else ""
    return (
        f"At most {shown(outlook.peak)} within {running.lead_time_s:.0f} s with probability "
        f"{policy.quantile:g}{headroom}, by {outlook.model}.{_kept(fan, policy)}"
    )


def _kept(fan: Fan | None, policy: Policy) -> str:
    """How well the stated quantile was kept lately, why decisions follow the forecast only so far, and what
    is missing of known events."""
    if fan is None:
        return ""
    # Forecasts are judged at one quantile, wherever the dial of an objective stands.
    limit = "it" if policy.objective is None else f"p{100 * JUDGED_AT:g}"
    share = f"{100 * fan.coverage:.0f} % of the last {fan.judged} peaks"
    kept = f" {share} were within {limit}." if fan.judged else ""
    doubt = f" {fan.doubt[0].upper()}{fan.doubt[1:]}." if fan.doubt else ""
    relation = f" {fan.relation[0].upper()}{fan.relation[1:]}." if fan.relation else ""
    lacking = f" {fan.lacking[0].upper()}{fan.lacking[1:]}." if fan.lacking else ""
    return kept + doubt + relation + lacking


def _lead_time(running: Running) -> LeadTime:
    measured = running.measured
    if measured is None:
        return LeadTime(seconds=round(running.lead_time_s), source="Configured")
    return LeadTime(
        seconds=round(running.lead_time_s),
        source="Measured",
        samples=measured.samples,
        newest_sample_time=format_time(measured.newest_s),
    )


def _capacity(outcome: Outcome, running: Running) -> Capacity | None:
    observed, policy = running.served.observed(), outcome.workload.policy
    if observed is None or policy is None:
        return None
    configured = AUTO if math.isnan(policy.load_per_replica) else f"{policy.load_per_replica:.4g}"
    return Capacity(configured=configured, observed=f"{observed.well:.4g}", hours=observed.hours)


def _spend(outcome: Outcome) -> SpendToday | None:
    policy, decision = outcome.workload.policy, outcome.decision
    if policy is None or policy.spend is None or decision is None:
        return None
    spent, budget = decision.memory.spent, policy.spend.daily_budget
    return SpendToday(
        time=format_time(int(outcome.now_s)),
        today=f"{spent.day:.2f}",
        month=f"{spent.month:.2f}",
        daily_budget=None if budget is None else f"{budget:g}",
    )
