"""A decision as one English sentence."""

from __future__ import annotations

import math
from collections.abc import Callable

from autoscaler.planning.decide import FORECAST, LOAD
from autoscaler.planning.decision import Change, Decision, Reason, Wish
from autoscaler.planning.observation import Outlook

_PHRASES: dict[Reason, Callable[[dict[str, float | str]], str]] = {
    Reason.ZONE_HEADROOM: lambda of: f"to survive the loss of {of['lost']} of {of['zones']} zones",
    Reason.OUTAGE_FLOOR: lambda of: (
        f"because load fell to {shown(of['load'])} where {shown(of['expected'])} was expected while the "
        "service is unhealthy or recovering"
    ),
    Reason.UNKNOWN_SIGNAL: lambda of: f"because {of['unknown']} and nothing is removed on unknown data",
    Reason.UNHEALTHY: lambda of: f"because {of['signal']} is above its threshold",
    Reason.PODS_NOT_READY: lambda of: f"because only {of['ready']} of {of['asked']} pods are ready",
    Reason.SCALE_UP_STABILIZED: lambda of: (
        f"because the wish has not lasted for the scale-up window of {_seconds(of['window_s'])}"
    ),
    Reason.SCALE_DOWN_STABILIZED: lambda of: (
        f"because more was recommended within the scale-down window of {_seconds(of['window_s'])}"
    ),
    Reason.SCALE_UP_COOLDOWN: lambda of: f"by the scale-up cooldown of {_seconds(of['cooldown_s'])}",
    Reason.SCALE_DOWN_COOLDOWN: lambda of: f"by the scale-down cooldown of {_seconds(of['cooldown_s'])}",
    Reason.SCALE_UP_LIMIT: lambda of: "by the scale-up rate policies",
    Reason.SCALE_DOWN_LIMIT: lambda of: "by the scale-down rate policies",
    Reason.SCALE_OUT_ONLY: lambda of: "because the mode is ScaleOutOnly",
    Reason.PENDING_CAP: lambda of: f"because at most {of['cap']} pods may be starting at once",
    Reason.HOURLY_CAP: lambda of: "by the hourly spend cap",
    Reason.DAILY_BUDGET: lambda of: f"by the daily budget, of which {shown(of['spent_today'])} is spent",
    Reason.MONTHLY_BUDGET: lambda of: f"by the monthly budget, of which {shown(of['spent_month'])} is spent",
    Reason.KNOWN_EVENT: lambda of: f"for the known event {of['event']}",
    Reason.TOO_MANY_REPLICAS: lambda of: f"by maxReplicas {of['max']}",
    Reason.TOO_FEW_REPLICAS: lambda of: f"by minReplicas {of['min']}",
    Reason.PAUSED: lambda of: "because the mode is Paused",
}


def explain(decision: Decision) -> str:
    """What was decided and why, in one sentence."""
    before, after = decision.observation.current, decision.replicas
    if after > before:
        verdict = f"Scale out from {before} to {after}"
    elif after < before:
        verdict = f"Scale in from {before} to {after}"
    else:
        verdict = f"Keep {after}"
    parts = [f"{verdict}: {_grounds(decision)}"]
    parts += [_phrase(change) for change in decision.changes]
    parts += [f"{_phrase(alert)} (reported only)" for alert in decision.alerts]
    return "; ".join(parts) + "."


def _grounds(decision: Decision) -> str:
    """Which wish won, and beside it what the other main source asked for."""
    asked = [wish for wish in decision.wishes if wish.replicas is not None]
    if not asked:
        return "no source has an opinion (" + ", ".join(f"{w.source}: {w.why}" for w in decision.wishes) + ")"
    winner = max(asked, key=_strength)
    others = [_wish(wish) for wish in asked if wish is not winner]
    beside = f" (beside it {', '.join(others)})" if others else ""
    return _wish(winner, decision.outlook) + beside


def _strength(wish: Wish) -> int:
    return -1 if wish.replicas is None else wish.replicas


def _wish(wish: Wish, outlook: Outlook | None = None) -> str:
    replicas = f"{wish.replicas} for "
    if wish.source == FORECAST:
        by = f" by {outlook.model}" if outlook is not None and outlook.model else ""
        at = f" at {outlook.dial}, as the objective asks" if outlook is not None and outlook.dial else ""
        return f"{replicas}a forecast peak of {shown(wish.value)}{by}{at}"
    if wish.source == LOAD:
        return f"{replicas}the present load of {shown(wish.value)}"
    why = f", {wish.why}" if wish.why else ""
    return f"{replicas}{wish.source} at {shown(wish.value)}{why}"


def _phrase(change: Change) -> str:
    verb = "raised to" if change.after > change.before else "held to"
    return f"{verb} {change.after} instead of {change.before} {_PHRASES[change.reason](dict(change.inputs))}"


def shown(value: float | str) -> str:
    """Four significant digits, thousands separated."""
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        return "an unknown value"
    rounded = float(f"{value:.4g}")
    return f"{rounded:,.0f}" if rounded == int(rounded) else f"{rounded:,}"


def _seconds(value: float | str) -> str:
    seconds = float(value)
    minutes = seconds / 60
    return f"{minutes:g} min" if minutes >= 1 and minutes == int(minutes) else f"{seconds:g} s"
