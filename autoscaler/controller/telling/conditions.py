"""The conditions of a resource, each from one outcome. docs/troubleshooting.md explains every reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from autoscaler.controller.observing.capacity import disagreement
from autoscaler.controller.outcome import Outcome
from autoscaler.controller.running import Running
from autoscaler.controller.telling.finding import Finding
from autoscaler.controller.telling.shadow import shadow_findings
from autoscaler.planning.decide import FORECAST
from autoscaler.planning.decision import Reason
from autoscaler.planning.standing import Standing, Verdict
from autoscaler.spec.status import Condition
from autoscaler.spec.units import format_time

_SPEND = (Reason.HOURLY_CAP, Reason.DAILY_BUDGET, Reason.MONTHLY_BUDGET)
_RIVALRY = ("RivalFound", "WritesUndone")
_LONGEST = 32_768
_WRITES_SUPPRESSED = "Writes are suppressed: "


def findings(outcome: Outcome) -> list[Finding]:
    """Every condition this outcome says something about, in the order people read them."""
    found = [_ready(outcome), _scaling_active(outcome)]
    if outcome.decision is not None:
        found += [_forecast_ready(outcome), _signals_healthy(outcome), _spend_limited(outcome)]
    found += [_conflict(outcome), _paused(outcome)]
    return found if outcome.shadow is None else [*found, *shadow_findings(outcome.shadow)]


def capacity_findings(outcome: Outcome, running: Running) -> list[Finding]:
    """Whether load.perReplica agrees with what pods were seen to serve; nothing before that is known."""
    policy, observed = outcome.workload.policy, running.served.observed()
    if policy is None or observed is None:
        return []
    told = disagreement(policy.load_per_replica, observed)
    if told:
        return [Finding("CapacityAgrees", False, "PerReplicaDisagrees", _sentence(told))]
    return [Finding("CapacityAgrees", True, "PerReplicaAgrees", "Pods serve what load.perReplica says.")]


def objective_findings(standing: Standing | None) -> list[Finding]:
    """Whether an objective is kept; nothing where there is none."""
    if standing is None:
        return []
    kept = standing.verdict in (Verdict.KEPT, Verdict.NOT_KNOWN)
    return [Finding("ObjectiveKept", kept, standing.verdict.value, standing.sentence)]


def store_findings(store_down: bool) -> list[Finding]:
    """That decisions wait to be kept; nothing while they do not."""
    if not store_down:
        return []
    told = "The store is down: what is decided waits in the operator, whose log says why, and is kept later."
    return [Finding("DecisionsKept", False, "StoreDown", told)]


def merged(
    before: Sequence[Condition], found: Sequence[Finding], generation: int, now_s: float
) -> list[Condition]:
    """Conditions to publish: those found, with since when, and the others as they were."""
    known = {condition.type: condition for condition in before}
    fresh = {one.type: _condition(one, known.get(one.type), generation, now_s) for one in found}
    return list({**known, **fresh}.values())


def _condition(one: Finding, before: Condition | None, generation: int, now_s: float) -> Condition:
    status: Literal["True", "False"] = "True" if one.holds else "False"
    told = (status, one.reason, one.message[:_LONGEST], generation)
    if before is not None and told == _told(before):
        return before  # making one anew costs more than all else that is done for a status
    since_s = before.last_transition_time if before is not None and before.status == status else int(now_s)
    return Condition(
        type=one.type,
        status=status,
        observed_generation=generation,
        last_transition_time=format_time(since_s),
        reason=one.reason,
        message=one.message[:_LONGEST],
    )


def _told(condition: Condition) -> tuple[object, ...]:
    return (condition.status, condition.reason, condition.message, condition.observed_generation)


def _ready(outcome: Outcome) -> Finding:
    workload = outcome.workload
    if workload.problem:
        still = "the last valid one is still in force" if workload.spec is not None else "nothing is scaled"
        return Finding("Ready", False, "InvalidSpec", f"The spec is not valid, {still}: {workload.problem}")
    if outcome.fault is not None:
        return Finding("Ready", False, outcome.fault.reason, _sentence(outcome.fault.message))
    if outcome.asked.problem:
        return Finding("Ready", True, "OverrideIgnored", _sentence(outcome.asked.problem))
    if outcome.asked.later is not None:
        later = outcome.asked.later
        told = f"The override of {later.wish} begins at {format_time(later.from_s)}."
        return Finding("Ready", True, "OverrideScheduled", told)
    return Finding("Ready", True, "Deciding", "Decisions are being made.")


def _scaling_active(outcome: Outcome) -> Finding:
    if outcome.fault is not None:
        return Finding("ScalingActive", False, outcome.fault.reason, _sentence(outcome.fault.message))
    if outcome.hold is not None:
        return Finding("ScalingActive", False, outcome.hold.reason, _sentence(outcome.hold.message))
    if outcome.asked.override is not None:
        return Finding("ScalingActive", True, "Overridden", outcome.asked.override.sentence)
    return Finding("ScalingActive", True, "Scaling", "The operator writes the count it decides on.")


def _forecast_ready(outcome: Outcome) -> Finding:
    decision = outcome.decision
    assert decision is not None  # see findings
    wish = next(wish for wish in decision.wishes if wish.source == FORECAST)
    if wish.replicas is not None:
        return Finding("ForecastReady", True, "Fresh", f"The load is forecast by {decision.outlook.model}.")
    spec = outcome.workload.spec
    if spec is not None and spec.forecast.model == "none":
        return Finding("ForecastReady", False, "Disabled", "spec.forecast.model is none.", good=False)
    return Finding("ForecastReady", False, "NoForecast", _sentence(f"scaling on signals alone: {wish.why}"))


def _signals_healthy(outcome: Outcome) -> Finding:
    decision = outcome.decision
    assert decision is not None  # see findings
    readings = {"load": decision.observation.load, **outcome.signals}
    bad = [(name, reading) for name, reading in readings.items() if not reading.known]
    if not bad and decision.observation.ready is not None:
        return Finding("SignalsHealthy", True, "AllKnown", "Load and all signals are known.")
    if not bad:
        why = outcome.blind_to_pods or "the target does not say which pods are its own"
        return Finding(
            "SignalsHealthy", False, "PodsUnknown", f"Nothing is removed while pods are unknown: {why}"
        )
    told = "; ".join(f"{name} is {r.state.value}: {r.detail}" for name, r in bad)
    return Finding("SignalsHealthy", False, bad[0][1].state.value, f"Nothing is removed while {told}")


def _spend_limited(outcome: Outcome) -> Finding:
    decision = outcome.decision
    assert decision is not None  # see findings
    for change in (*decision.changes, *decision.alerts):
        if change.reason in _SPEND:
            told = f"{change.after} replicas instead of {change.before}"
            verb = "Limited to" if change in decision.changes else "Over the limit, which is only reported: "
            return Finding("SpendLimited", True, change.reason.value, f"{verb} {told}.", good=False)
    return Finding("SpendLimited", False, "WithinLimits", "No spend limit is reached.", good=False)


def _conflict(outcome: Outcome) -> Finding:
    if outcome.rival:
        message = f"{outcome.rival} scales the same target. {_WRITES_SUPPRESSED}remove one of the two."
        return Finding("Conflict", True, "RivalFound", message, good=False)
    if outcome.hold is not None and outcome.hold.reason in _RIVALRY:
        return Finding("Conflict", True, outcome.hold.reason, _sentence(outcome.hold.message), good=False)
    return Finding("Conflict", False, "NoRival", "Nobody else scales the target.", good=False)


def _paused(outcome: Outcome) -> Finding:
    spec = outcome.workload.spec
    paused = spec is not None and spec.mode == "Paused"
    message = "The mode is Paused: nothing is written." if paused else "The mode is not Paused."
    return Finding("Paused", paused, "ModePaused" if paused else "NotPaused", message, good=False)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."
