"""A workload as the service shows it: one JSON object, made from what came of its last evaluation.

Times are RFC 3339, durations seconds, money text. What is not known is null and never 0: so is whatever a
decision would tell where a fault came before it. The fields are described in docs/store.md.
"""

from __future__ import annotations

import math
from typing import Any

from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.outcome import Outcome, Write
from autoscaler.controller.telling.shadow import shadow_shown
from autoscaler.controller.telling.status import objective_standing
from autoscaler.planning.capacity import replicas_for
from autoscaler.planning.curve import curve_points
from autoscaler.planning.policy import Policy, SignalPolicy, SignalType
from autoscaler.series import Reading
from autoscaler.spec.forecast import JUDGED_AT
from autoscaler.spec.resource import GROUP, Spec
from autoscaler.spec.status import SpendToday, Status
from autoscaler.spec.units import format_money, format_time

PRIORITY_LABEL = f"{GROUP}/priority"
_DAY_S = 86_400
_AGE_DIGITS = 1

Json = dict[str, Any]


def live_state(outcome: Outcome, status: Status, fan: Fan | None, decision_id: str) -> Json:
    """status: as it is after `outcome`. fan: the newest forecast, None where there is none. decision_id: of
    the newest decision on record, empty where there is none."""
    workload, decided = outcome.workload, outcome.decision is not None
    spec, policy = workload.spec, outcome.policy or workload.policy
    return {
        "namespace": workload.namespace,
        "name": workload.name,
        "uid": workload.uid,
        "generation": workload.generation,
        "labels": dict(workload.labels),
        "priority": workload.labels.get(PRIORITY_LABEL, ""),
        "target": spec and spec.scale_target_ref.model_dump(by_alias=True),
        "mode": spec and spec.mode,
        "at": _time(outcome.now_s),
        "load": _load(outcome),
        "perReplica": policy and _number(policy.load_per_replica),
        "forecast": _forecast(outcome, fan),
        "replicas": _replicas(outcome, policy),
        "reason": status.reason,
        "decision": status.decision if decided else None,
        "decisionId": decision_id or None,
        "write": outcome.write.value if decided else None,
        "signals": _signals(outcome, policy),
        "conditions": _conditions(status),
        "objective": _objective(outcome, spec, fan),
        "leadTime": _dumped(status.lead_time),
        "capacity": _dumped(status.capacity),
        "spend": _spend(outcome, spec, status.spend),
        "override": _dumped(status.override),
        "events": _events(spec),
        "shadow": outcome.shadow and shadow_shown(outcome.shadow, _price(policy)),
        "problem": workload.problem,
    }


def _price(policy: Policy | None) -> float | None:
    return None if policy is None or policy.spend is None else policy.spend.replica_hour_price


def _load(outcome: Outcome) -> Json | None:
    return None if outcome.decision is None else _reading(outcome.decision.observation.load)


def _forecast(outcome: Outcome, fan: Fan | None) -> Json | None:
    decision, policy = outcome.decision, outcome.policy
    if decision is None or policy is None:
        return None
    outlook = decision.outlook
    return {
        "peak": _number(outlook.peak),
        "expected": _number(outlook.expected),
        "quantile": policy.quantile,
        "leadTimeSeconds": policy.lead_time_s,
        "ageSeconds": _age(outlook.age_s),
        "model": outlook.model or None,
        "note": outlook.note,
        "coverage": fan and _number(fan.coverage),
        "coverageQuantile": policy.quantile if policy.objective is None else JUDGED_AT,
        "judged": fan and fan.judged,
    }


def _objective(outcome: Outcome, spec: Spec | None, fan: Fan | None) -> Json | None:
    """What is to be kept, how it stands, and the curve that the dial was chosen from."""
    stands = objective_standing(outcome, fan)
    if spec is None or spec.objective is None or stands is None:
        return None
    curve = None if fan is None else fan.curve
    return {
        "spec": spec.objective.model_dump(mode="json", by_alias=True, exclude_none=True),
        "verdict": stands.verdict.value,
        "quantile": stands.place.quantile,
        "headroom": stands.place.headroom,
        "promised": _number(stands.promised),
        "observed": _number(stands.observed),
        "observedSeconds": round(stands.seen_s),
        "left": _number(stands.left),
        "message": stands.sentence,
        "curveDays": None if curve is None else _number(curve.days),
        "curve": [] if curve is None else [_point(point) for point in curve_points(curve)],
    }


def _point(point: dict[str, float]) -> Json:
    return {name: _number(value) for name, value in point.items()}


def _replicas(outcome: Outcome, policy: Policy | None) -> Json:
    decision, setting = outcome.decision, outcome.setting
    current = setting and setting.replicas
    return {
        "min": policy and policy.min_replicas,
        "max": policy and policy.max_replicas,
        "current": outcome.count if outcome.write is Write.DONE else current,
        "ready": decision and decision.observation.ready,
        "desired": outcome.count,
        "needed": _needed(outcome),
    }


def _needed(outcome: Outcome) -> int | None:
    """Replicas that the present load needs, whatever was decided."""
    if outcome.decision is None or outcome.policy is None:
        return None
    load = outcome.decision.observation.load
    return replicas_for(load.value, outcome.policy.load_per_replica) if load.may_add else None


def _signals(outcome: Outcome, policy: Policy | None) -> list[Json]:
    signals = policy.signals if policy is not None else ()
    return [_signal(signal, outcome.signals.get(signal.name)) for signal in signals]


def _signal(signal: SignalPolicy, reading: Reading | None) -> Json:
    unread = {"value": None, "state": None, "ageSeconds": None, "detail": ""}
    target = None if signal.type is SignalType.QUEUE_DEPTH else _number(signal.target)
    shown = _reading(reading) if reading is not None else unread
    return {"name": signal.name, "type": signal.type.value, "target": target, **shown}


def _reading(reading: Reading) -> Json:
    return {
        "value": _number(reading.value),
        "state": reading.state.value,
        "ageSeconds": _age(reading.age_s),
        "detail": reading.detail,
    }


def _conditions(status: Status) -> list[Json]:
    return [
        {
            "type": one.type,
            "status": one.status,
            "reason": one.reason,
            "message": one.message,
            "lastTransitionTime": _time(one.last_transition_time),
        }
        for one in status.conditions or ()
    ]


def _spend(outcome: Outcome, spec: Spec | None, spent: SpendToday | None) -> Json | None:
    """What may be spent, and what was spent on the present day as far as that was summed up."""
    if spec is None or spec.spend is None:
        return None
    limits = spec.spend
    today = spent if spent is not None and spent.time // _DAY_S == outcome.now_s // _DAY_S else None
    return {
        "replicaHourPrice": format_money(limits.replica_hour_price),
        "today": today and today.today,
        "month": today and today.month,
        "hourlyCap": None if limits.hourly_cap is None else format_money(limits.hourly_cap),
        "dailyBudget": None if limits.daily_budget is None else format_money(limits.daily_budget),
        "monthlyBudget": None if limits.monthly_budget is None else format_money(limits.monthly_budget),
    }


def _events(spec: Spec | None) -> list[Json]:
    return [
        {
            "name": event.name,
            "start": _time(event.start_s),
            "end": _time(event.end_s),
            "minReplicas": event.min_replicas,
        }
        for event in (spec.events if spec is not None else ())
    ]


def _dumped(part: Any) -> Json | None:
    """A part of the status as it is in the resource, with null for what is absent."""
    return None if part is None else part.model_dump(mode="json", by_alias=True)


def _number(value: float) -> float | None:
    """To six digits, which keeps the object small; null where it is not known."""
    return float(f"{value:.6g}") if math.isfinite(value) else None


def _age(age_s: float) -> float | None:
    return round(age_s, _AGE_DIGITS) if math.isfinite(age_s) else None


def _time(at_s: float) -> str:
    return format_time(int(at_s))
