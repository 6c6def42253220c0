"""Reactive signals: what is measured now. Each may only ask for more than the forecast does."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, Strict, model_validator

from autoscaler.spec.rules import Model, absent, between, defaulted, positive
from autoscaler.spec.units import Duration, Quantity, Share

LABEL_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
Label = Annotated[str, Field(min_length=1, max_length=63, pattern=LABEL_PATTERN)]
"""A DNS label, as Kubernetes names most things."""

Promql = Annotated[str, Field(min_length=1, max_length=4096, pattern=r"\S")]

_NAME = (
    "Name of the signal in decisions and status, unique within the resource. "
    "Left out: the type in lower case."
)
_MAX_AGE = "Older values count as stale: they remove nothing."
_AGE = between("maxAge", "max_age_s", "1s", "1d")


class _Signal(Model):
    name: Label = absent(_NAME)
    max_age_s: Duration = defaulted("2m", _MAX_AGE)

    @model_validator(mode="before")
    @classmethod
    def _named_after_type(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("name") is None:
            return {**data, "name": str(data.get("type", "")).lower()}
        return data


class Cpu(_Signal):
    """CPU utilisation against a target, by HPA's formula."""

    type: Literal["CPU"] = Field(description="What is measured.")
    query: Promql = absent(
        "PromQL giving the utilisation of the ready pods in per cent of their request. "
        "Left out: the cluster's resource metrics, as HPA reads them.",
    )
    target_utilization: Annotated[int, Strict(), Field(ge=1, le=1000)] = Field(
        description="Utilisation to keep, in per cent of the request."
    )
    rules = (_AGE,)


class QueueDepth(_Signal):
    """Waiting items and how fast they must be gone."""

    type: Literal["QueueDepth"] = Field(description="What is measured.")
    query: Promql = Field(description="PromQL giving the number of waiting items.")
    drain_within_s: Duration = Field(description="The backlog is to be worked off within this time.")
    per_replica: Quantity = Field(description="Items one ready pod takes out of the queue per second.")
    rules = (
        _AGE,
        between("drainWithin", "drain_within_s", "1s", "1d"),
        positive("perReplica", "per_replica", number=True),
    )


class Latency(_Signal):
    """Response time against a threshold."""

    type: Literal["Latency"] = Field(description="What is measured.")
    query: Promql = Field(description="PromQL giving the latency in seconds.")
    threshold_s: Duration = Field(
        description="Latency above which replicas are added step by step, each step judged by its effect."
    )
    rules = (_AGE, between("threshold", "threshold_s", "1ms", "1h"))


class Errors(_Signal):
    """Share of failed requests. Asks for no pods, but removes none while it is high."""

    type: Literal["Errors"] = Field(description="What is measured.")
    query: Promql = Field(description="PromQL giving the share of failed requests, from 0 to 1.")
    threshold: Share = Field(
        description='Share above which nothing is removed and outages are recognised: "5%" or "0.05".'
    )
    rules = (_AGE, positive("threshold"))


SIGNAL_TYPES: tuple[type[_Signal], ...] = (Cpu, QueueDepth, Latency, Errors)
Signal = Annotated[Cpu | QueueDepth | Latency | Errors, Field(discriminator="type")]
