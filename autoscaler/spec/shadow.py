"""A second policy, written as differences to a resource's own, that is tried without acting."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

from autoscaler.spec.behavior import RatePolicies, SelectPolicyWord, StabilizationWindow
from autoscaler.spec.rules import Model, Rule, between, defaulted, positive
from autoscaler.spec.signals import Label
from autoscaler.spec.units import Duration, Quantile, Quantity, Share

_MOST = 2_147_483_647


class ShadowForecast(Model):
    """What of the forecast may differ: not the forecast itself, which both policies read."""

    quantile: Quantile | None = Field(None, description="Instead of spec.forecast.quantile.")
    rules = (
        Rule(
            "quantile must be more than zero",
            "!has(self.quantile) || type(self.quantile) == int || self.quantile.matches('[1-9]')",
            lambda forecast: forecast.quantile is None or forecast.quantile > 0.0,
            "quantile",
        ),
    )


class ShadowLoad(Model):
    """What of the load may differ: not the load itself, which both policies serve."""

    per_replica: Quantity | None = Field(
        None,
        description="Instead of spec.load.perReplica, to plan with more or less headroom. What counts as "
        "served is told by spec.load.perReplica for both.",
    )
    rules = (positive("perReplica", "per_replica", optional=True, number=True),)


class ShadowScaling(Model):
    """One direction of behavior. What is left out is as in spec.behavior."""

    stabilization_window_seconds: StabilizationWindow | None = Field(
        None, description="Instead of stabilizationWindowSeconds in the spec."
    )
    select_policy: SelectPolicyWord | None = Field(None, description="Instead of selectPolicy in the spec.")
    policies: RatePolicies | None = Field(None, description="Instead of all policies in the spec.")
    tolerance: Quantity | None = Field(None, description="Instead of tolerance in the spec.")


class ShadowBehavior(Model):
    """How fast the count may change. What is left out is as in spec.behavior."""

    scale_up: ShadowScaling | None = Field(None, description="Other rules for adding replicas.")
    scale_down: ShadowScaling | None = Field(None, description="Other rules for removing replicas.")


class ShadowCooldown(Model):
    """Waiting times after changes. What is left out is as in spec.cooldown."""

    scale_up_s: Duration | None = Field(None, description="Instead of spec.cooldown.scaleUp.")
    scale_down_s: Duration | None = Field(None, description="Instead of spec.cooldown.scaleDown.")
    rules = (
        between("scaleUp", "scale_up_s", "0s", "1d", optional=True),
        between("scaleDown", "scale_down_s", "0s", "1d", optional=True),
    )


class ShadowPolicy(Model):
    """Differences to the spec. What a comparison of cost and shortage cannot judge may not differ."""

    min_replicas: Annotated[int, Strict(), Field(ge=0, le=_MOST)] | None = Field(
        None, description="Instead of spec.minReplicas."
    )
    max_replicas: Annotated[int, Strict(), Field(ge=1, le=_MOST)] | None = Field(
        None, description="Instead of spec.maxReplicas."
    )
    load: ShadowLoad | None = Field(None, description="Another load per replica to plan with.")
    forecast: ShadowForecast | None = Field(None, description="Another stated risk.")
    behavior: ShadowBehavior | None = Field(None, description="Other limits on how fast counts change.")
    cooldown: ShadowCooldown | None = Field(None, description="Other waiting times after changes.")
    pending_cap: Annotated[int, Strict(), Field(ge=1, le=_MOST)] | None = Field(
        None, description="Instead of spec.pendingCap."
    )
    rules = (
        Rule(
            "policy must differ from the spec: state what is to be tried",
            " || ".join(
                f"has(self.{field})"
                for field in (
                    "minReplicas",
                    "maxReplicas",
                    "load",
                    "forecast",
                    "behavior",
                    "cooldown",
                    "pendingCap",
                )
            ),
            lambda policy: any(value is not None for _, value in policy),
        ),
    )


class Shadow(Model):
    """A second policy, decided by at every evaluation beside the spec's own, on simulated pods."""

    name: Label = Field(description="What it is called where it is shown.")
    policy: ShadowPolicy = Field(description="Differences to this spec, merged into it (RFC 7396).")
    margin: Share = defaulted(
        "10%",
        "What winning takes: to cost less by this share and leave no more load unserved, or to leave less "
        "unserved by this share and cost no more.",
    )
    window_s: Duration = defaulted(
        "7d",
        "Over how much time it has to win. Time without evaluations, or with unknown inputs, is not counted.",
    )
    promotion: Literal["Manual", "Automatic"] = defaulted(
        "Manual",
        "Automatic: once it has won, the operator acts by it for as long as it is not changed, removed or "
        "losing. Manual: it is only reported.",
    )
    rules = (
        positive("margin"),
        between("window", "window_s", "1h", "30d"),
    )
