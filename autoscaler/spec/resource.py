"""The PredictiveAutoscaler resource: what a user writes, as typed models with plain numbers.

Names in manifests are camelCase and carry their units in the text; attributes here are snake_case
with the unit in the name (`forecast.lead_time_s`).
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, Strict

from autoscaler.spec.behavior import Behavior, Cooldown
from autoscaler.spec.events import Event, modelled
from autoscaler.spec.follows import ANOTHER, Follows
from autoscaler.spec.forecast import ForecastSpec
from autoscaler.spec.names import Subdomain
from autoscaler.spec.objective import Objective
from autoscaler.spec.rules import Model, Rule, absent, between, defaulted, positive
from autoscaler.spec.shadow import Shadow
from autoscaler.spec.signals import LABEL_PATTERN, Label, Promql, Signal
from autoscaler.spec.spend import Spend
from autoscaler.spec.status import Status
from autoscaler.spec.units import AUTO, Duration, QuantityOrAuto, Share

GROUP = "predictive-autoscaler.dev"
VERSION = "v1alpha1"
KIND = "PredictiveAutoscaler"
API_VERSION = f"{GROUP}/{VERSION}"

_MOST = 2_147_483_647


class TargetRef(Model):
    """What is scaled: anything with a scale subresource, in the same namespace."""

    api_version: Annotated[
        str,
        Field(min_length=1, max_length=253, pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?v[0-9][a-z0-9]*$"),
    ] = defaulted("apps/v1", "API group and version of the target.")
    kind: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Z][A-Za-z0-9]*$")] = Field(
        description="Kind of the target: Deployment, StatefulSet, or any other with a scale subresource."
    )
    name: Subdomain = Field(description="Name of the target.")


class Load(Model):
    """What is forecast: demand that does not depend on the number of replicas."""

    query: Promql = Field(
        description="PromQL giving the load as one series: arrivals such as requests per second, "
        "never CPU per pod."
    )
    source: Label = absent(
        "Name of a Prometheus that the operator's administrator configured. Left out: the default one.",
    )
    per_replica: QuantityOrAuto = Field(
        description="Load that one ready pod serves within its objective, in the unit of the query. "
        "auto: the most that pods were seen to serve while every Latency and Errors signal was within its "
        "threshold; nothing is scaled before that is known."
    )
    max_age_s: Duration = defaulted("2m", "Older values count as stale: they remove nothing.")
    follows: Follows | None = Field(
        None,
        description="The tier in front, which sees the load first and whose forecast is followed while that "
        "proves better. Left out: this load is forecast from its own past alone.",
    )
    rules = (
        positive("perReplica", "per_replica", number=True, word=AUTO),
        between("maxAge", "max_age_s", "1s", "1d"),
    )


class Outage(Model):
    """When a fall of the load is taken for an outage instead of low demand."""

    drop: Share = defaulted(
        "50%",
        "A fall this far below the expected load, while an Errors or Latency signal is above its "
        "threshold, counts as an outage: capacity is kept.",
    )
    recovery_s: Duration = defaulted("15m", "How long capacity is kept after the outage.")
    rules = (positive("drop"), between("recovery", "recovery_s", "0s", "1d"))


class Zones(Model):
    """Headroom for losing failure zones, for pods that are spread evenly over them."""

    count: Annotated[int, Strict(), Field(ge=2, le=64)] = Field(
        description="Number of zones the pods are spread over."
    )
    survive: Annotated[int, Strict(), Field(ge=0, le=63)] = defaulted(
        1, "How many of them may fail at once without a shortage."
    )
    rules = (
        Rule(
            "survive must be less than count",
            "self.survive < self.count",
            lambda zones: zones.survive < zones.count,
            "survive",
        ),
    )


class Floor(Model):
    """An autoscaler that keeps the target and whose minimum is raised ahead of the load."""

    kind: Literal["HorizontalPodAutoscaler", "ScaledObject"] = Field(
        description="HorizontalPodAutoscaler, or KEDA's ScaledObject."
    )
    name: Subdomain = Field(description="Its name, in the same namespace.")


def _unique_names(items: tuple[Any, ...]) -> bool:
    return max(Counter(item.name for item in items).values(), default=1) == 1


def _signal_name(variable: str) -> str:
    return f"(has({variable}.name) ? {variable}.name : {variable}.type.lowerAscii())"


def _shadow_bounds(spec: Any) -> tuple[int, int]:
    """Least and most replicas of the shadow's policy."""
    policy = spec.shadow.policy
    least = spec.min_replicas if policy.min_replicas is None else policy.min_replicas
    most = spec.max_replicas if policy.max_replicas is None else policy.max_replicas
    return least, most


_SHADOW_LEAST, _SHADOW_MOST = (
    f"(has(self.shadow.policy.{field}) ? self.shadow.policy.{field} : self.{field})"
    for field in ("minReplicas", "maxReplicas")
)
_SHADOW_RULES = (
    Rule(
        "shadow cannot be combined with floor: what the other autoscaler adds is not simulated",
        "!has(self.shadow) || !has(self.floor)",
        lambda spec: spec.shadow is None or spec.floor is None,
        "shadow",
    ),
    Rule(
        "minReplicas must not be greater than maxReplicas in the shadow's policy either",
        f"!has(self.shadow) || {_SHADOW_LEAST} <= {_SHADOW_MOST}",
        lambda spec: spec.shadow is None or _shadow_bounds(spec)[0] <= _shadow_bounds(spec)[1],
        "shadow",
    ),
    Rule(
        "minReplicas of an event must not be greater than maxReplicas of the shadow's policy either",
        f"!has(self.shadow) || self.events.all(e, !has(e.minReplicas) || e.minReplicas <= {_SHADOW_MOST})",
        lambda spec: (
            spec.shadow is None
            or all((event.min_replicas or 0) <= _shadow_bounds(spec)[1] for event in spec.events)
        ),
        "shadow",
    ),
    Rule(
        "shadow cannot be combined with objective: the dial would follow what only one of the two did",
        "!has(self.shadow) || !has(self.objective)",
        lambda spec: spec.shadow is None or spec.objective is None,
        "shadow",
    ),
)


class Spec(Model):
    """What the user asks for."""

    scale_target_ref: TargetRef = Field(description="What is scaled.")
    floor: Floor | None = Field(
        None,
        description="Leave the target to this autoscaler and only raise its minimum ahead of the load, "
        "putting it back afterwards. Left out: the target's scale is written.",
    )
    mode: Literal["Recommend", "ScaleOutOnly", "Active", "Paused"] = defaulted(
        "Recommend",
        "How far the operator may go: Recommend decides and publishes but never scales, "
        "ScaleOutOnly never removes replicas, Active does both, Paused does nothing.",
    )
    min_replicas: Annotated[int, Strict(), Field(ge=0, le=_MOST)] = defaulted(
        1, "Least number of replicas. No spend limit takes it."
    )
    max_replicas: Annotated[int, Strict(), Field(ge=1, le=_MOST)] = Field(
        description="Most replicas, whatever is forecast or measured."
    )
    load: Load = Field(description="What is forecast: demand that does not depend on the number of replicas.")
    forecast: ForecastSpec = defaulted({}, "How the load is forecast, and with which risk.")
    objective: Objective | None = Field(
        None,
        description="What is to be kept, in place of forecast.quantile, which is then found from the "
        "forecasts of the last days and from what was observed. Left out: the quantile as given.",
    )
    signals: Annotated[tuple[Signal, ...], Field(max_length=16)] = defaulted(
        (), "Reactive signals. Each may only ask for more replicas than the forecast does."
    )
    behavior: Behavior = defaulted({}, "How fast the count may change, exactly as in HPA v2.")
    cooldown: Cooldown = defaulted({}, "Waiting times after changes, on top of behavior.")
    outage: Outage | None = Field(
        None, description="Keep capacity through an outage and after it. Left out: a fall is just low demand."
    )
    zones: Zones | None = Field(None, description="Headroom for losing failure zones. Left out: none.")
    pending_cap: Annotated[int, Strict(), Field(ge=1, le=_MOST)] | None = Field(
        None, description="Most pods that may be starting at once. Left out: no limit."
    )
    manual_grace_s: Duration = defaulted(
        "10m",
        "How long a count that somebody else set, as with kubectl scale, is left alone. A target that "
        "somebody scaled to 0 is left alone until it has replicas again.",
    )
    spend: Spend | None = Field(None, description="Limits in money. Left out: none.")
    events: Annotated[tuple[Event, ...], Field(max_length=64)] = defaulted(
        (),
        "Known occasions that want a higher minimum, or bring the load of an earlier one again.",
        schema={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    shadow: Shadow | None = Field(
        None, description="A second policy that is decided by and scored without acting. Left out: none."
    )
    rules = (
        between("manualGrace", "manual_grace_s", "0s", "1d"),
        Rule(
            "minReplicas must not be greater than maxReplicas",
            "self.minReplicas <= self.maxReplicas",
            lambda spec: spec.min_replicas <= spec.max_replicas,
            "minReplicas",
        ),
        Rule(
            "names of signals must be unique; a signal without a name has its type in lower case as its name",
            f"self.signals.all(a, self.signals.exists_one(b, {_signal_name('a')} == {_signal_name('b')}))",
            lambda spec: _unique_names(spec.signals),
            "signals",
        ),
        Rule(
            "names of events must be unique",
            "self.events.all(a, self.events.exists_one(b, a.name == b.name))",
            lambda spec: _unique_names(spec.events),
            "events",
        ),
        Rule(
            "perReplica auto needs a signal of type Latency or Errors, which tells what is served well",
            "!has(self.load) || !has(self.load.perReplica) || self.load.perReplica != 'auto' || "
            "self.signals.exists(s, s.type in ['Latency', 'Errors'])",
            lambda spec: (
                spec.load.per_replica is not None
                or any(signal.type in ("Latency", "Errors") for signal in spec.signals)
            ),
            "load",
        ),
        Rule(
            "an objective finds the quantile itself: leave out forecast.quantile",
            "!has(self.objective) || !has(self.forecast.quantile)",
            lambda spec: spec.objective is None or spec.forecast.quantile is None,
            "objective",
        ),
        Rule(
            "an objective needs a forecast: forecast.model must not be none",
            "!has(self.objective) || self.forecast.model != 'none'",
            lambda spec: spec.objective is None or spec.forecast.model != "none",
            "objective",
        ),
        Rule(
            "minReplicas of an event must not be greater than maxReplicas",
            "self.events.all(e, !has(e.minReplicas) || e.minReplicas <= self.maxReplicas)",
            lambda spec: all((event.min_replicas or 0) <= spec.max_replicas for event in spec.events),
            "events",
        ),
        Rule(
            "an event with like needs a forecast model other than none",
            "self.forecast.model != 'none' || !self.events.exists(e, has(e.like))",
            modelled,
            "events",
        ),
        *_SHADOW_RULES,
    )


class Metadata(Model):
    """The parts of ObjectMeta that we read; the rest is the cluster's."""

    model_config = ConfigDict(extra="ignore")

    name: Subdomain = Field(description="Name of the resource.")
    namespace: Annotated[str, Field(min_length=1, max_length=63, pattern=LABEL_PATTERN)] = defaulted(
        "default", "Namespace of the resource and of its target."
    )


class PredictiveAutoscaler(Model):
    """Scales a workload before its load arrives."""

    api_version: Literal["predictive-autoscaler.dev/v1alpha1"] = Field(description="Always this API version.")
    kind: Literal["PredictiveAutoscaler"] = Field(description="Always this kind.")
    metadata: Metadata = Field(description="Name and namespace.")
    spec: Spec = Field(description="What the user asks for.")
    status: Status | None = Field(None, description="What the operator last saw and did.")
    rules = (ANOTHER,)
