"""Tables that several tests of the resource read: a valid object, its faults, and the rules."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

ABSENT = object()

START, END = "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z"
CPU = {"type": "CPU", "targetUtilization": 70}
QUEUE = {"type": "QueueDepth", "query": "q", "drainWithin": "1m", "perReplica": 15}
LATENCY = {"type": "Latency", "query": "q", "threshold": "250ms"}
ERRORS = {"type": "Errors", "query": "q", "threshold": "5%"}
EVENT = {"name": "sale", "start": START, "end": END, "minReplicas": 5}
LIKE = {"start": "2025-11-28T00:00:00Z", "factor": "1.3"}
LAUNCH = {"name": "launch", "start": START, "end": END, "like": LIKE}
CHANGE = {"at": START, "factor": "0.8"}
SPAN = {"start": START, "end": END}
RATE = {"type": "Pods", "value": 1, "periodSeconds": 60}
PRICE = {"replicaHourPrice": "0.12"}
SHADOW: dict[str, Any] = {"name": "bolder", "policy": {"forecast": {"quantile": "0.8"}}}
_ONE_GOAL = "an objective needs exactly one of unserved, shortMinutesPerWeek and replicaHoursPerDay"

MINIMAL: dict[str, Any] = {
    "apiVersion": "predictive-autoscaler.dev/v1alpha1",
    "kind": "PredictiveAutoscaler",
    "metadata": {"name": "checkout"},
    "spec": {
        "scaleTargetRef": {"kind": "Deployment", "name": "checkout"},
        "maxReplicas": 60,
        "load": {"query": "sum(rate(x[2m]))", "perReplica": 120},
    },
}


def resource(**changes: Any) -> dict[str, Any]:
    """The minimal object with fields of its spec replaced: `load__perReplica=0`."""
    made = copy.deepcopy(MINIMAL)
    for dotted, value in changes.items():
        *parents, last = dotted.split("__")
        node = made["spec"]
        for parent in parents:
            node = node.setdefault(parent, {})
        if value is ABSENT:
            del node[last]
        else:
            node[last] = copy.deepcopy(value)
    return made


@dataclass(frozen=True)
class Bad:
    """A fault: what is changed, where it is reported, part of the message.

    only_here: the cluster cannot see it, so that only our own check does.
    """

    change: dict[str, Any]
    path: str
    message: str
    only_here: bool = False


def bad(path: str, message: str, only_here: bool = False, **change: Any) -> Bad:
    return Bad(change, f"spec.{path}" if path else "spec", message, only_here)


FIELDS = [
    bad("scaleTargetRef", "is required", scaleTargetRef=ABSENT),
    bad("scaleTargetRef", "must be a mapping", scaleTargetRef="checkout"),
    bad("scaleTargetRef.kind", "is required", scaleTargetRef__kind=ABSENT),
    bad("scaleTargetRef.kind", "capital letter", scaleTargetRef__kind="deployment"),
    bad("scaleTargetRef.name", "is required", scaleTargetRef__name=ABSENT),
    bad("scaleTargetRef.name", "lower-case", scaleTargetRef__name="Checkout"),
    bad("scaleTargetRef.name", "at most 253", scaleTargetRef__name="a" * 254),
    bad("scaleTargetRef.apiVersion", "must be", scaleTargetRef__apiVersion="apps"),
    bad("mode", 'did you mean "Active"?', mode="active"),
    bad("minReplicas", "at least 0", minReplicas=-1),
    bad("minReplicas", "remove the quotes", minReplicas="2"),
    bad("minReplicas", "whole number", minReplicas=1.5),
    bad("minReplicas", "whole number", minReplicas=True),
    bad("maxReplicas", "is required", maxReplicas=ABSENT),
    bad("maxReplicas", "at least 1", maxReplicas=0),
    bad("maxReplicas", "at most 2147483647", maxReplicas=2**31),
    bad("load", "is required", load=ABSENT),
    bad("load.query", "is required", load__query=ABSENT),
    bad("load.query", "must not be empty", load__query=""),
    bad("load.query", "not blank", load__query="  "),
    bad("load.query", "is read as a number", load__query=5),
    bad("load.query", "must be a text, not a list", load__query=["up"]),
    bad("load.query", "at most 4096", load__query="x" * 4097),
    bad("load.perReplica", "is required", load__perReplica=ABSENT),
    bad("load.perReplica", "must be a quantity", load__perReplica="many"),
    bad("load.perReplica", "must be a quantity", load__perReplica=-1),
    bad("load.perReplica", "must be a quantity", load__perReplica="-1"),
    bad("load.perReplica", "must be a quantity", load__perReplica="1e3"),
    bad("load.perReplica", "must be a quantity", load__perReplica=1.5),
    bad("load.perReplica", "must be a quantity", load__perReplica=True),
    bad("load.source", "lower-case", load__source="http://evil"),
    bad("load.source", "must not be empty", load__source=""),
    bad("load.maxAge", "must be a duration", load__maxAge="soon"),
    bad("load.maxAge", "must be a duration", load__maxAge=60),
    bad("load.follows.name", "is required", load__follows={}),
    bad("load.follows.name", "lower-case", load__follows={"name": "Front"}),
    bad("load.follows.ratio", "must be a quantity", load__follows={"name": "front", "ratio": "half"}),
    bad("load.follows.maxLag", "must be a duration", load__follows={"name": "front", "maxLag": 5}),
    bad("forecast.model", 'did you mean "prophet"?', forecast__model="Profet"),
    bad("forecast.history", "must be a duration", forecast__history="28 days"),
    bad("forecast.step", "must be a duration", forecast__step=60),
    bad("forecast.leadTime", "must be a duration", forecast__leadTime="-3m"),
    bad("forecast.quantile", "must be a quantile", forecast__quantile=0.95),
    bad("forecast.quantile", "must be a quantile", forecast__quantile="1.0"),
    bad("forecast.quantile", "must be a quantile", forecast__quantile="95%"),
    bad("forecast.quantile", "must be a quantile", forecast__quantile=100),
    bad("forecast.quantile", "must be a quantile", forecast__quantile=0),
    bad("forecast.timeZone", "time zone that exists", only_here=True, forecast__timeZone="Europe/Atlantis"),
    bad("forecast.timeZone", "IANA time zone", forecast__timeZone="../../etc/passwd"),
    bad("forecast.holidays", "ISO 3166", forecast__holidays="de"),
    bad("forecast.holidays", "whose public holidays are known", only_here=True, forecast__holidays="XX"),
    bad("forecast.changes", "at most 16", forecast__changes=[CHANGE] * 17),
    bad("forecast.changes[0].at", "is required", forecast__changes=[{"factor": "0.8"}]),
    bad("forecast.changes[0].factor", "is required", forecast__changes=[{"at": START}]),
    bad("forecast.holidays", "false here: put it in quotes", forecast__holidays=False),
    bad("forecast.seasons", "at least 1", forecast__seasons=[]),
    bad("forecast.seasons", "at most 4", forecast__seasons=["1h"] * 5),
    bad("forecast.seasons", "must be a list", forecast__seasons="24h"),
    bad("forecast.seasons[1]", "must be a duration", forecast__seasons=["24h", "weekly"]),
    bad("forecast.refit", "must be a duration", forecast__refit="daily"),
    bad("forecast.exclude[0].start", "RFC 3339", forecast__exclude=[{**SPAN, "start": "yesterday"}]),
    bad("forecast.exclude[0].end", "is required", forecast__exclude=[{"start": START}]),
    bad("forecast.exclude[0].reason", "at most 256", forecast__exclude=[{**SPAN, "reason": "x" * 257}]),
    bad("objective.unserved", "must be a share", objective={"unserved": "100%"}),
    bad("objective.unserved", "must be a share", objective={"unserved": 0.001}),
    bad("objective.shortMinutesPerWeek", "at least 1", objective={"shortMinutesPerWeek": 0}),
    bad("objective.shortMinutesPerWeek", "at most 10079", objective={"shortMinutesPerWeek": 10080}),
    bad("objective.replicaHoursPerDay", "must be a quantity", objective={"replicaHoursPerDay": "much"}),
    bad("objective.window", "must be a duration", objective={"unserved": "1%", "window": 7}),
    bad("objective.slo", "unknown field", objective={"unserved": "1%", "slo": "99%"}),
    bad("signals", "must be a list", signals={"type": "CPU"}),
    bad("signals", "at most 16", signals=[{**CPU, "name": f"n{i}"} for i in range(17)]),
    bad("signals[0].type", "is required", signals=[{"query": "q"}]),
    bad("signals[0].type", 'did you mean "CPU"?', signals=[{**CPU, "type": "cpu"}]),
    bad("signals[0].name", "lower-case", signals=[{**CPU, "name": "My CPU"}]),
    bad("signals[0].maxAge", "must be a duration", signals=[{**CPU, "maxAge": "old"}]),
    bad("signals[0].query", "must not be empty", signals=[{**CPU, "query": ""}]),
    bad("signals[0].targetUtilization", "at least 1", signals=[{**CPU, "targetUtilization": 0}]),
    bad("signals[0].targetUtilization", "at most 1000", signals=[{**CPU, "targetUtilization": 1001}]),
    bad("signals[0].drainWithin", "must be a duration", signals=[{**QUEUE, "drainWithin": "quickly"}]),
    bad("signals[0].perReplica", "must be a quantity", signals=[{**QUEUE, "perReplica": "fast"}]),
    bad("signals[0].threshold", "must be a duration", signals=[{**LATENCY, "threshold": "5%"}]),
    bad("signals[0].threshold", "must be a share", signals=[{**ERRORS, "threshold": "250ms"}]),
    bad("signals[0].threshold", "must be a share", signals=[{**ERRORS, "threshold": "100%"}]),
    bad("signals[0].threshold", "must be a share", signals=[{**ERRORS, "threshold": 5}]),
    bad(
        "behavior.scaleUp.stabilizationWindowSeconds",
        "at most 3600",
        behavior__scaleUp__stabilizationWindowSeconds=3601,
    ),
    bad(
        "behavior.scaleDown.stabilizationWindowSeconds",
        "at least 0",
        behavior__scaleDown__stabilizationWindowSeconds=-1,
    ),
    bad("behavior.scaleUp.selectPolicy", "unknown value", behavior__scaleUp__selectPolicy="Average"),
    bad("behavior.scaleDown.policies", "at least 1", behavior__scaleDown__policies=[]),
    bad(
        "behavior.scaleUp.policies[0].type",
        "unknown value",
        behavior__scaleUp__policies=[{**RATE, "type": "Nodes"}],
    ),
    bad(
        "behavior.scaleUp.policies[0].value", "at least 1", behavior__scaleUp__policies=[{**RATE, "value": 0}]
    ),
    bad(
        "behavior.scaleUp.policies[0].periodSeconds",
        "at most 1800",
        behavior__scaleUp__policies=[{**RATE, "periodSeconds": 1801}],
    ),
    bad("behavior.scaleUp.tolerance", "must be a quantity", behavior__scaleUp__tolerance=0.1),
    bad("behavior.scaleDown.tolerance", "must be a quantity", behavior__scaleDown__tolerance="-0.1"),
    bad("cooldown.scaleUp", "must be a duration", cooldown__scaleUp=30),
    bad("cooldown.scaleDown", "must be a duration", cooldown__scaleDown=""),
    bad("outage.drop", "must be a share", outage__drop="150%"),
    bad("outage.recovery", "must be a duration", outage__recovery="long"),
    bad("manualGrace", "must be a duration", manualGrace="soon"),
    bad(
        "floor.kind",
        "use one of HorizontalPodAutoscaler, ScaledObject",
        floor={"kind": "Deployment", "name": "web"},
    ),
    bad("floor.name", "is required", floor={"kind": "ScaledObject"}),
    bad("zones.count", "is required", zones={}),
    bad("zones.count", "at least 2", zones__count=1),
    bad("zones.survive", "at least 0", zones={"count": 3, "survive": -1}),
    bad("pendingCap", "at least 1", pendingCap=0),
    bad("spend.replicaHourPrice", "is required", spend={"hourlyCap": "5"}),
    bad("spend.replicaHourPrice", "in quotes", spend__replicaHourPrice=0.12),
    bad("spend.hourlyCap", "in quotes", spend={**PRICE, "hourlyCap": 5}),
    bad("spend.dailyBudget", "amount of money", spend={**PRICE, "dailyBudget": "60 EUR"}),
    bad("spend.monthlyBudget", "amount of money", spend={**PRICE, "monthlyBudget": "-1"}),
    bad("spend.onBreach", "unknown value", spend={**PRICE, "onBreach": "Stop"}),
    bad("events", "at most 64", events=[{**EVENT, "name": f"e{i}"} for i in range(65)]),
    bad("events[0].name", "is required", events=[{"start": START, "end": END, "minReplicas": 5}]),
    bad("events[0].name", "lower-case", events=[{**EVENT, "name": "Black Friday"}]),
    bad("events[0].start", "RFC 3339", events=[{**EVENT, "start": "2026-11-27"}]),
    bad("events[0].end", "RFC 3339", events=[{**EVENT, "end": "2026-02-30T00:00:00Z"}]),
    bad("events[0].minReplicas", "at least 1", events=[{**EVENT, "minReplicas": 0}]),
    bad("events[0].like.start", "is required", events=[{**LAUNCH, "like": {"factor": "1.3"}}]),
    bad("events[0].like.factor", "must be a quantity", events=[{**LAUNCH, "like": {**LIKE, "factor": "-1"}}]),
    bad("minReplica", 'did you mean "minReplicas"?', minReplica=2),
    bad("forecast.horizonn", "unknown field: use one of", forecast__horizonn="1h"),
    bad("signals[0].treshold", 'did you mean "threshold"?', signals=[{**LATENCY, "treshold": "1s"}]),
    bad("events[0].minreplicas", 'did you mean "minReplicas"?', events=[{**EVENT, "minreplicas": 3}]),
    bad("shadow.name", "is required", shadow={"policy": SHADOW["policy"]}),
    bad("shadow.name", "lower-case", shadow={**SHADOW, "name": "Bolder"}),
    bad("shadow.policy", "is required", shadow={"name": "bolder"}),
    bad("shadow.policy.mode", "unknown field", shadow={**SHADOW, "policy": {"mode": "Active"}}),
    bad("shadow.policy.zones", "unknown field", shadow={**SHADOW, "policy": {"zones": {"count": 3}}}),
    bad("shadow.policy.shadow", "unknown field", shadow={**SHADOW, "policy": {"shadow": SHADOW}}),
    bad(
        "shadow.policy.forecast.model",
        "unknown field",
        shadow={**SHADOW, "policy": {"forecast": {"model": "ridge"}}},
    ),
    bad(
        "shadow.policy.load.perReplica",
        "must be a quantity",
        shadow={**SHADOW, "policy": {"load": {"perReplica": "auto"}}},
    ),
    bad("shadow.margin", "must be a share", shadow={**SHADOW, "margin": "much"}),
    bad("shadow.window", "must be a duration", shadow={**SHADOW, "window": 7}),
    bad("shadow.promotion", 'did you mean "Automatic"?', shadow={**SHADOW, "promotion": "automatic"}),
]

RULES = [
    bad("minReplicas", "minReplicas must not be greater than maxReplicas", minReplicas=61),
    bad(
        "signals",
        "names of signals must be unique; a signal without a name has its type in lower case as its name",
        signals=[CPU, {**LATENCY, "name": "cpu"}],
    ),
    bad("events", "names of events must be unique", events=[EVENT, EVENT]),
    bad(
        "events",
        "minReplicas of an event must not be greater than maxReplicas",
        events=[{**EVENT, "minReplicas": 61}],
    ),
    bad("events[0].end", "start must be before end", events=[{**EVENT, "end": START}]),
    bad(
        "events[0]",
        "an event needs minReplicas, like, or both",
        events=[{"name": "launch", "start": START, "end": END}],
    ),
    bad(
        "events[0].like.factor",
        "factor must be more than zero",
        events=[{**LAUNCH, "like": {**LIKE, "factor": "0.0"}}],
    ),
    bad(
        "events[0].like",
        "like.start must be at least a day before start",
        events=[{**LAUNCH, "end": "2026-11-27T01:00:00Z", "like": {"start": "2026-11-26T00:00:01Z"}}],
    ),
    bad(
        "events[0].like",
        "the earlier occasion, which lasts as long as the event, must be over before start",
        events=[{**LAUNCH, "end": "2026-11-30T00:00:00Z", "like": {"start": "2026-11-25T00:00:00Z"}}],
    ),
    bad(
        "events[0].end",
        "an event with like must not last longer than 14d",
        events=[{**LAUNCH, "end": "2026-12-11T00:00:01Z"}],
    ),
    bad(
        "events",
        "an event with like needs a forecast model other than none",
        events=[LAUNCH],
        forecast__model="none",
    ),
    bad(
        "forecast.exclude[0].end",
        "start must be before end",
        forecast__exclude=[{"start": END, "end": START}],
    ),
    bad("load.perReplica", "perReplica must be more than zero", load__perReplica=0),
    bad("load.perReplica", "perReplica must be more than zero", load__perReplica="0.0k"),
    bad("load.maxAge", "maxAge must be between 1s and 1d", load__maxAge="0s"),
    bad("load.maxAge", "maxAge must be between 1s and 1d", load__maxAge="24h1ms"),
    bad("load.follows.name", "a resource must not follow itself", load__follows={"name": "checkout"}),
    bad(
        "load.follows.ratio",
        "ratio must be more than zero",
        load__follows={"name": "front", "ratio": "0.0"},
    ),
    bad(
        "load.follows.maxLag",
        "maxLag must be between 0s and 1h",
        load__follows={"name": "front", "maxLag": "2h"},
    ),
    bad("forecast.history", "history must be between 10m and 400d", forecast__history="401d"),
    bad("forecast.history", "history must be between 10m and 400d", forecast__history="58w"),
    bad("forecast.step", "step must be between 1s and 1h", forecast__step="0s"),
    bad("forecast.step", "step must be whole seconds", forecast__step="1.5s"),
    bad(
        "forecast.history",
        "history must not be shorter than step",
        forecast__history="30m",
        forecast__step="1h",
    ),
    bad(
        "forecast.changes[0].factor",
        "factor must be more than zero",
        forecast__changes=[{**CHANGE, "factor": 0}],
    ),
    bad("forecast.leadTime", "leadTime must be between 0s and 1d", forecast__leadTime="25h"),
    bad("forecast.quantile", "quantile must be more than zero", forecast__quantile="0.0"),
    bad("objective", _ONE_GOAL, objective={}),
    bad("objective", _ONE_GOAL, objective={"unserved": "1%", "shortMinutesPerWeek": 20}),
    bad("objective.unserved", "unserved must be more than zero", objective={"unserved": "0%"}),
    bad(
        "objective.replicaHoursPerDay",
        "replicaHoursPerDay must be more than zero",
        objective={"replicaHoursPerDay": "0"},
    ),
    bad(
        "objective.window",
        "window must be between 1d and 28d",
        objective={"unserved": "1%", "window": "12h"},
    ),
    bad(
        "objective",
        "an objective finds the quantile itself: leave out forecast.quantile",
        objective={"unserved": "1%"},
        forecast__quantile="0.95",
    ),
    bad(
        "objective",
        "an objective needs a forecast: forecast.model must not be none",
        objective={"unserved": "1%"},
        forecast__model="none",
    ),
    bad("forecast.seasons", "every season must be between 1m and 370d", forecast__seasons=["24h", "30s"]),
    bad("forecast.refit", "refit must be between 1m and 30d", forecast__refit="0s"),
    bad("signals[0].maxAge", "maxAge must be between 1s and 1d", signals=[{**CPU, "maxAge": "2d"}]),
    bad(
        "signals[0].drainWithin",
        "drainWithin must be between 1s and 1d",
        signals=[{**QUEUE, "drainWithin": "0s"}],
    ),
    bad("signals[0].perReplica", "perReplica must be more than zero", signals=[{**QUEUE, "perReplica": "0"}]),
    bad(
        "signals[0].threshold",
        "threshold must be between 1ms and 1h",
        signals=[{**LATENCY, "threshold": "0s"}],
    ),
    bad("signals[0].threshold", "threshold must be more than zero", signals=[{**ERRORS, "threshold": "0%"}]),
    *(
        bad(
            f"signals[0].{field}",
            f"a signal of type {signal['type']} needs {field}",
            signals=[{k: v for k, v in signal.items() if k != field}],
        )
        for signal in (CPU, QUEUE, LATENCY, ERRORS)
        for field in signal
        if field != "type"
    ),
    bad(
        "signals[0].targetUtilization",
        "targetUtilization belongs to signals of type CPU only",
        signals=[{**LATENCY, "targetUtilization": 70}],
    ),
    bad(
        "signals[0].drainWithin",
        "drainWithin belongs to signals of type QueueDepth only",
        signals=[{**CPU, "drainWithin": "1m"}],
    ),
    bad(
        "signals[0].perReplica",
        "perReplica belongs to signals of type QueueDepth only",
        signals=[{**ERRORS, "perReplica": 5}],
    ),
    bad(
        "signals[0].threshold",
        "threshold belongs to signals of type Latency or Errors only",
        signals=[{**CPU, "threshold": "1s"}],
    ),
    bad("cooldown.scaleUp", "scaleUp must be between 0s and 1d", cooldown__scaleUp="2d"),
    bad("cooldown.scaleDown", "scaleDown must be between 0s and 1d", cooldown__scaleDown="1w"),
    bad("outage.drop", "drop must be more than zero", outage__drop="0%"),
    bad("outage.recovery", "recovery must be between 0s and 1d", outage__recovery="2d"),
    bad(
        "load",
        "perReplica auto needs a signal of type Latency or Errors, which tells what is served well",
        load__perReplica="auto",
    ),
    bad("manualGrace", "manualGrace must be between 0s and 1d", manualGrace="25h"),
    bad("zones.survive", "survive must be less than count", zones={"count": 2, "survive": 2}),
    bad(
        "spend.replicaHourPrice",
        "replicaHourPrice must be more than zero",
        spend={"replicaHourPrice": "0.00"},
    ),
    bad("spend.hourlyCap", "hourlyCap must be more than zero", spend={**PRICE, "hourlyCap": "0"}),
    bad("spend.dailyBudget", "dailyBudget must be more than zero", spend={**PRICE, "dailyBudget": "0"}),
    bad("spend.monthlyBudget", "monthlyBudget must be more than zero", spend={**PRICE, "monthlyBudget": "0"}),
    bad(
        "spend.dailyBudget",
        "dailyBudget must not be greater than monthlyBudget",
        spend={**PRICE, "dailyBudget": "100", "monthlyBudget": "99.99"},
    ),
    bad(
        "shadow.policy",
        "policy must differ from the spec: state what is to be tried",
        shadow={**SHADOW, "policy": {}},
    ),
    bad("shadow.margin", "margin must be more than zero", shadow={**SHADOW, "margin": "0%"}),
    bad("shadow.window", "window must be between 1h and 30d", shadow={**SHADOW, "window": "59m"}),
    *(
        bad(
            f"shadow.policy.cooldown.{field}",
            f"{field} must be between 0s and 1d",
            shadow={**SHADOW, "policy": {"cooldown": {field: "2d"}}},
        )
        for field in ("scaleUp", "scaleDown")
    ),
    bad(
        "shadow.policy.load.perReplica",
        "perReplica must be more than zero",
        shadow={**SHADOW, "policy": {"load": {"perReplica": 0}}},
    ),
    bad(
        "shadow.policy.forecast.quantile",
        "quantile must be more than zero",
        shadow={**SHADOW, "policy": {"forecast": {"quantile": "0.0"}}},
    ),
    bad(
        "shadow",
        "shadow cannot be combined with floor: what the other autoscaler adds is not simulated",
        shadow=SHADOW,
        floor={"kind": "HorizontalPodAutoscaler", "name": "web"},
    ),
    bad(
        "shadow",
        "shadow cannot be combined with objective: the dial would follow what only one of the two did",
        shadow=SHADOW,
        objective={"unserved": "1%"},
    ),
    bad(
        "shadow",
        "minReplicas must not be greater than maxReplicas in the shadow's policy either",
        shadow={**SHADOW, "policy": {"minReplicas": 61}},
    ),
    bad(
        "shadow",
        "minReplicas of an event must not be greater than maxReplicas of the shadow's policy either",
        shadow={**SHADOW, "policy": {"maxReplicas": 4}},
        events=[EVENT],
    ),
]

DEFAULTS = [
    ("metadata.namespace", "default"),
    ("spec.scale_target_ref.api_version", "apps/v1"),
    ("spec.mode", "Recommend"),
    ("spec.min_replicas", 1),
    ("spec.load.source", ""),
    ("spec.load.max_age_s", 120.0),
    ("spec.load.follows", None),
    ("spec.forecast.model", "auto"),
    ("spec.forecast.history_s", 28 * 86_400.0),
    ("spec.forecast.step_s", 60.0),
    ("spec.forecast.lead_time_s", 180.0),
    ("spec.forecast.quantile", None),
    ("spec.forecast.risk", 0.95),
    ("spec.objective", None),
    ("spec.forecast.time_zone", "UTC"),
    ("spec.forecast.holidays", ""),
    ("spec.forecast.seasons_s", (86_400.0, 604_800.0)),
    ("spec.forecast.refit_s", 21_600.0),
    ("spec.forecast.exclude", ()),
    ("spec.forecast.changes", ()),
    ("spec.signals", ()),
    ("spec.behavior.scale_up.stabilization_window_seconds", 0),
    ("spec.behavior.scale_up.select_policy", "Max"),
    ("spec.behavior.scale_up.tolerance", 0.1),
    ("spec.behavior.scale_down.stabilization_window_seconds", 300),
    ("spec.behavior.scale_down.select_policy", "Max"),
    ("spec.behavior.scale_down.tolerance", 0.1),
    ("spec.cooldown.scale_up_s", 0.0),
    ("spec.cooldown.scale_down_s", 0.0),
    ("spec.outage", None),
    ("spec.zones", None),
    ("spec.floor", None),
    ("spec.manual_grace_s", 600.0),
    ("spec.pending_cap", None),
    ("spec.spend", None),
    ("spec.events", ()),
    ("spec.shadow", None),
    ("status", None),
]
