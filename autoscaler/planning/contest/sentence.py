"""How a comparison of two policies stands, in a sentence."""

from __future__ import annotations

from autoscaler.planning.contest.judging import Terms, Verdict


def sentence(name: str, verdict: Verdict, terms: Terms) -> str:
    """`name`: of the shadow."""
    counted_s = verdict.total.counted_s
    if counted_s <= 0.0:
        return f"{name}: nothing has been compared yet."
    figures = f"{_cost(verdict)}, and {_unserved(verdict)}"
    if not verdict.complete:
        return f"{name} after {_span(counted_s)} of {_span(terms.window_s)}: {figures}."
    outcome = "has not won" if verdict.won is None else "has won"
    return f"{name} {outcome} over {_span(counted_s)}: {figures}."


def _cost(verdict: Verdict) -> str:
    change = verdict.cost_ratio - 1.0
    if abs(change) < 5e-4 or change != change:
        return "it would cost as much as the spec's own policy"
    return f"it would cost {100 * abs(change):.3g} % {'less' if change < 0 else 'more'}"


def _unserved(verdict: Verdict) -> str:
    own, shadow = (verdict.unserved(side) for side in (verdict.total.own, verdict.total.shadow))
    return f"leave {100 * shadow:.3g} % of the load unserved instead of {100 * own:.3g} %"


def _span(seconds: float) -> str:
    return f"{seconds / 86_400.0:.3g} d" if seconds >= 2 * 86_400.0 else f"{seconds / 3600.0:.3g} h"
