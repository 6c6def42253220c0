"""The best that could be had: cost against shortage over two settings of a policy.

The quantile is the stated risk, and so the policy's headroom. The scale-down stabilization window is how
long spare replicas are kept. Everything else stays as it is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autoscaler.api.whatif.comparison import check_reach, conditions, figures, notes
from autoscaler.api.whatif.history import History
from autoscaler.api.whatif.manifest import changed
from autoscaler.api.whatif.terms import Terms
from autoscaler.api.whatif.trial import Advance, Foresights, Tried, candidate, happened, tried
from autoscaler.backtest.candidate import NO_MODEL
from autoscaler.backtest.tuning.front import on_front
from autoscaler.backtest.tuning.settings import SCALE_DOWN_WINDOWS_S, quantile_levels
from autoscaler.spec.variation import WrittenPolicy

FEWEST_QUANTILES, MOST_QUANTILES = 2, 10
"""With at most four windows each, forty runs at most."""


@dataclass(frozen=True, slots=True)
class _Point:
    """quantile: as a manifest writes it; None where nothing is forecast, so that it plays no part."""

    quantile: str | None
    window_s: int
    patch: dict[str, Any]
    policy: WrittenPolicy
    run: Tried

    @property
    def cost(self) -> float:
        return self.run.scores.replica_hours

    @property
    def shortage(self) -> float:
        return self.run.scores.unserved_share


def searched(
    present: WrittenPolicy,
    history: History,
    terms: Terms,
    foresights: Foresights,
    advance: Advance,
    quantiles: int,
) -> dict[str, Any]:
    """All policies that were tried, cheapest first, with a manifest for each on the front. Plain JSON types.

    quantiles: how many to try. Raises Unanswerable.
    """
    spec = present.resource.spec
    chosen_at = spec.forecast.risk
    as_is = candidate(present, history, terms, chosen_at)
    check_reach(as_is.settings.horizon, history)
    tries = [
        (quantile, window_s)
        for window_s in sorted({*SCALE_DOWN_WINDOWS_S, spec.behavior.scale_down.stabilization_window_seconds})
        for quantile in (quantile_levels(quantiles) if spec.forecast.model != NO_MODEL else [None])
    ]
    advance(0.0, "forecasting and running the present policy")
    present_run = tried(as_is, history, terms, foresights)
    points = []
    for done, (quantile, window_s) in enumerate(tries, start=1):
        advance(done / (len(tries) + 1), f"running quantile {quantile or '-'}, window {window_s} s")
        patch = _patch(quantile, window_s, of_objective=spec.objective is not None)
        policy = changed(present, patch)
        run = tried(candidate(policy, history, terms, chosen_at), history, terms, foresights)
        points.append(_Point(quantile, window_s, patch, policy, run))
    points.sort(key=lambda point: (point.cost, point.shortage))
    front = on_front([(point.cost, point.shortage) for point in points])
    return {
        **conditions(history, terms),
        "happened": figures(happened(history, terms)),
        "present": figures(present_run),
        "points": [_told(point, best) for point, best in zip(points, front, strict=True)],
        "notes": notes(present, history, terms),
    }


def _patch(quantile: str | None, window_s: int, of_objective: bool) -> dict[str, Any]:
    """of_objective: of a policy with one, in whose place the quantile comes."""
    patch: dict[str, Any] = {"behavior": {"scaleDown": {"stabilizationWindowSeconds": window_s}}}
    if quantile is None:
        return patch
    without = {"objective": None} if of_objective else {}
    return {"forecast": {"quantile": quantile}, **without, **patch}


def _told(point: _Point, on_front: bool) -> dict[str, Any]:
    return {
        "quantile": None if point.quantile is None else float(point.quantile),
        "scaleDownWindowSeconds": point.window_s,
        "onFront": on_front,
        **figures(point.run),
        "patch": point.patch,
        "manifest": point.policy.as_yaml if on_front else None,
    }
