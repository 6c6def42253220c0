"""From the resource a user wrote to the policy in plain numbers that decisions work from."""

from __future__ import annotations

import math

from autoscaler.planning.policy import (
    Goal,
    KnownEvent,
    Mode,
    ObjectivePolicy,
    OnBreach,
    OutagePolicy,
    Policy,
    PolicyType,
    RatePolicy,
    ScalingRules,
    SelectPolicy,
    SignalPolicy,
    SignalType,
    SpendPolicy,
)
from autoscaler.spec.behavior import ScaleDown, ScaleUp
from autoscaler.spec.events import Event
from autoscaler.spec.objective import Objective
from autoscaler.spec.resource import Outage, PredictiveAutoscaler
from autoscaler.spec.signals import Cpu, Errors, Latency, QueueDepth
from autoscaler.spec.spend import Spend


def compile_policy(resource: PredictiveAutoscaler) -> Policy:
    """The policy of a valid resource, named after it. Signals and events keep their order.

    `load_per_replica` is NaN where it is to be found out, and must be given before anything is decided.
    """
    spec = resource.spec
    return Policy(
        name=resource.metadata.name,
        min_replicas=spec.min_replicas,
        max_replicas=spec.max_replicas,
        load_per_replica=math.nan if spec.load.per_replica is None else spec.load.per_replica,
        quantile=spec.forecast.risk,
        lead_time_s=spec.forecast.lead_time_s,
        step_s=spec.forecast.step_s,
        mode=Mode(spec.mode),
        signals=tuple(_signal(signal) for signal in spec.signals),
        scale_up=_rules(spec.behavior.scale_up),
        scale_down=_rules(spec.behavior.scale_down),
        cooldown_up_s=spec.cooldown.scale_up_s,
        cooldown_down_s=spec.cooldown.scale_down_s,
        outage=_outage(spec.outage),
        zones=spec.zones.count if spec.zones else 1,
        zones_lost=spec.zones.survive if spec.zones else 0,
        pending_cap=spec.pending_cap,
        spend=_spend(spec.spend),
        events=tuple(_event(event) for event in spec.events),
        objective=_objective(spec.objective),
    )


def _signal(signal: Cpu | QueueDepth | Latency | Errors) -> SignalPolicy:
    kind = SignalType(signal.type)
    match signal:
        case Cpu():
            return SignalPolicy(signal.name, kind, target=float(signal.target_utilization))
        case QueueDepth():
            return SignalPolicy(
                signal.name, kind, drain_within_s=signal.drain_within_s, per_replica=signal.per_replica
            )
        case Latency():
            return SignalPolicy(signal.name, kind, target=signal.threshold_s)
        case Errors():
            return SignalPolicy(signal.name, kind, target=signal.threshold)


def _rules(rules: ScaleUp | ScaleDown) -> ScalingRules:
    return ScalingRules(
        stabilization_s=float(rules.stabilization_window_seconds),
        select=SelectPolicy(rules.select_policy),
        policies=tuple(
            RatePolicy(PolicyType(rate.type), rate.value, float(rate.period_seconds))
            for rate in rules.policies
        ),
        tolerance=rules.tolerance,
    )


def _outage(outage: Outage | None) -> OutagePolicy | None:
    return None if outage is None else OutagePolicy(drop=outage.drop, recovery_s=outage.recovery_s)


def _spend(spend: Spend | None) -> SpendPolicy | None:
    if spend is None:
        return None
    return SpendPolicy(
        replica_hour_price=float(spend.replica_hour_price),
        hourly_cap=None if spend.hourly_cap is None else float(spend.hourly_cap),
        daily_budget=None if spend.daily_budget is None else float(spend.daily_budget),
        monthly_budget=None if spend.monthly_budget is None else float(spend.monthly_budget),
        on_breach=OnBreach(spend.on_breach),
    )


def _event(event: Event) -> KnownEvent:
    return KnownEvent(event.name, event.start_s, event.end_s, event.min_replicas or 0)


def _objective(objective: Objective | None) -> ObjectivePolicy | None:
    if objective is None:
        return None
    if objective.unserved is not None:
        return ObjectivePolicy(Goal.UNSERVED, objective.unserved, objective.window_s)
    if objective.short_minutes_per_week is not None:
        return ObjectivePolicy(
            Goal.SHORT_MINUTES, float(objective.short_minutes_per_week), objective.window_s
        )
    assert objective.replica_hours_per_day is not None  # one of the three is there
    return ObjectivePolicy(Goal.REPLICA_HOURS, objective.replica_hours_per_day, objective.window_s)
