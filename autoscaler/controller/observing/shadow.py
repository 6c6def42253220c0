"""A resource's shadow as evaluations need it: the second policy, and what it takes to win."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from autoscaler.planning.compile import compile_policy
from autoscaler.planning.contest.judging import Terms
from autoscaler.planning.policy import Policy
from autoscaler.spec.promotion import promoted
from autoscaler.spec.resource import PredictiveAutoscaler
from autoscaler.spec.variation import SpecRefused


@dataclass(frozen=True, slots=True)
class ShadowPlan:
    """policy: None where the differences make no valid spec; `problem` says why. automatic: whether it may be
    acted by without a person's word. forecast_wanted: whether either policy can do with a forecast.

    identity: of the shadow as it is written; what it came to is forgotten when that changes.
    comparison: of the two policies; the score begins anew when either changes. Neither tells whether
    events were added, which concern both alike.
    """

    name: str
    policy: Policy | None
    problem: str
    terms: Terms
    automatic: bool
    forecast_wanted: bool
    identity: str
    comparison: str


def shadow_plan(manifest: Mapping[str, Any], resource: PredictiveAutoscaler) -> ShadowPlan | None:
    """The shadow of a valid resource, which `manifest` is the text of; None where it has none."""
    shadow = resource.spec.shadow
    if shadow is None:
        return None
    own, policy, problem = compile_policy(resource), None, ""
    try:
        merged = promoted(manifest)
        policy = compile_policy(merged.resource) if merged is not None else None
    except SpecRefused as error:
        problem = str(error)
    return ShadowPlan(
        name=shadow.name,
        policy=policy,
        problem=problem,
        terms=Terms(margin=shadow.margin, window_s=shadow.window_s),
        automatic=shadow.promotion == "Automatic",
        forecast_wanted=resource.spec.forecast.model != "none",
        identity=_digest(shadow.name, shadow.policy.model_dump_json()),
        comparison=_digest(*(_lasting(one) for one in (own, policy)), repr(shadow.window_s)),
    )


def _lasting(policy: Policy | None) -> str:
    return "" if policy is None else repr(replace(policy, name="", events=()))


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
