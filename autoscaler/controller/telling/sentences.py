"""What a count comes from, in words: a decision, or an override in its place."""

from __future__ import annotations

from autoscaler.controller.acting.overrides import Kind, Override
from autoscaler.planning.decision import Decision
from autoscaler.planning.explain import explain


def overruling(decision: Decision, override: Override | None, count: int | None) -> Override | None:
    """The override that `count` comes from; None where it is what was decided.

    A minimum that is below what was decided on changes nothing.
    """
    if override is not None and override.kind is Kind.MINIMUM and count == decision.replicas:
        return None
    return override


def sentence(decision: Decision, override: Override | None, count: int | None) -> str:
    """Why `count` is asked for; with an override in force also what would be without it."""
    overrules = overruling(decision, override, count)
    told = explain(decision)
    return told if overrules is None else f"{overrules.sentence} Without it: {told}"
