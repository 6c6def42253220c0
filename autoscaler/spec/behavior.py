"""How fast the count may change: HPA v2 `behavior` with its defaults, and cooldowns."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Strict

from autoscaler.spec.rules import Model, between, defaulted
from autoscaler.spec.units import Duration, Quantity

_TOLERANCE = "Relative distance of utilisation from its target within which nothing is done."


class RatePolicy(Model):
    """One limit on the rate of change."""

    type: Literal["Pods", "Percent"] = Field(
        description="Unit of value: pods, or per cent of the count at the period's start."
    )
    value: Annotated[int, Strict(), Field(ge=1, le=2_147_483_647)] = Field(
        description="Largest change within one period."
    )
    period_seconds: Annotated[int, Strict(), Field(ge=1, le=1800)] = Field(
        description="Length of the period in seconds."
    )


RatePolicies = Annotated[tuple[RatePolicy, ...], Field(min_length=1, max_length=16)]
StabilizationWindow = Annotated[int, Strict(), Field(ge=0, le=3600)]
SelectPolicyWord = Literal["Max", "Min", "Disabled"]
_WINDOW = "How far back recommendations are looked at before scaling in this direction, in seconds."
_SELECT = "Which policy counts: the one allowing the largest change, the smallest, or none at all."
_POLICIES = "Limits on the rate of change in this direction."


class ScaleUp(Model):
    """Rules for adding replicas. Fields left out have HPA v2's defaults for this direction."""

    stabilization_window_seconds: StabilizationWindow = defaulted(0, _WINDOW)
    select_policy: SelectPolicyWord = defaulted("Max", _SELECT)
    policies: RatePolicies = defaulted(
        (
            {"type": "Pods", "value": 4, "periodSeconds": 15},
            {"type": "Percent", "value": 100, "periodSeconds": 15},
        ),
        _POLICIES,
    )
    tolerance: Quantity = defaulted("0.1", _TOLERANCE)


class ScaleDown(Model):
    """Rules for removing replicas. Fields left out have HPA v2's defaults for this direction."""

    stabilization_window_seconds: StabilizationWindow = defaulted(300, _WINDOW)
    select_policy: SelectPolicyWord = defaulted("Max", _SELECT)
    policies: RatePolicies = defaulted(({"type": "Percent", "value": 100, "periodSeconds": 15},), _POLICIES)
    tolerance: Quantity = defaulted("0.1", _TOLERANCE)


class Behavior(Model):
    """HPA v2 `behavior`."""

    scale_up: ScaleUp = defaulted({}, "Rules for adding replicas; HPA v2's defaults where left out.")
    scale_down: ScaleDown = defaulted({}, "Rules for removing replicas; HPA v2's defaults where left out.")


class Cooldown(Model):
    """Waiting times after accepted changes."""

    scale_up_s: Duration = defaulted("0s", "Wait at least so long after adding replicas before adding more.")
    scale_down_s: Duration = defaulted(
        "0s",
        "Wait at least so long after any change before removing replicas. Zero by default, "
        "because behavior.scaleDown already waits for its stabilization window.",
    )
    rules = (between("scaleUp", "scale_up_s", "0s", "1d"), between("scaleDown", "scale_down_s", "0s", "1d"))
