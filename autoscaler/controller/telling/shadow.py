"""A shadow as conditions, status and state show it."""

from __future__ import annotations

import math
from typing import Any

from autoscaler.controller.shadow_record import record_of
from autoscaler.controller.shadowing import ShadowState
from autoscaler.controller.telling.finding import Finding
from autoscaler.planning.contest.judging import Verdict, Won
from autoscaler.planning.contest.sentence import sentence
from autoscaler.planning.contest.standing import Stage
from autoscaler.planning.contest.tally import Side
from autoscaler.spec.status import ShadowStatus
from autoscaler.spec.units import format_time

CONDITIONS = ("ShadowCompared", "ShadowWon", "ShadowActing")
_LONGEST = 1024


def shadow_findings(state: ShadowState) -> list[Finding]:
    """Whether it is being tried, whether it has won, and whether it is acted by."""
    return [_compared(state), _won(state), _acting(state)]


def told(state: ShadowState) -> str:
    """How it stands, in a sentence."""
    if state.verdict is None:
        return f"{state.plan.name} is not compared: {state.failure or state.plan.problem}"
    return sentence(state.plan.name, state.verdict, state.plan.terms)


def shadow_status(state: ShadowState, before: ShadowStatus | None) -> ShadowStatus:
    """The status of a shadow after one evaluation. before: of the one before, None where there was none."""
    memory, verdict = state.memory, state.verdict
    since_s = memory.contest.since_s if memory.contest is not None else memory.standing.since_s
    status = ShadowStatus(
        name=state.plan.name,
        since=format_time(int(since_s)),
        stage=memory.standing.stage.value,
        stage_time=format_time(int(memory.standing.since_s)),
        counted_seconds=int(verdict.total.counted_s) if verdict is not None else 0,
        cost_ratio=None if verdict is None else _text(verdict.cost_ratio),
        own_unserved=_share(verdict, "own"),
        shadow_unserved=_share(verdict, "shadow"),
        actual_unserved=_share(verdict, "actual"),
        verdict=told(state)[:_LONGEST],
    )
    if before is not None and before.record and _epoch(before) == _epoch(status):
        return status.model_copy(update={"record": before.record})
    return status.model_copy(update={"record": record_of(memory)})


def _epoch(status: ShadowStatus) -> tuple[object, ...]:
    """What tells that a record is due: making one costs more than all else that is said of a shadow, and a
    restart may lose a minute."""
    return status.name, status.since, status.stage, status.stage_time, status.counted_seconds // 60


def shadow_shown(state: ShadowState, price: float | None) -> dict[str, Any]:
    """The part of a workload's state, as the service shows it. price: of a replica-hour, None without one."""
    verdict, plan, contest = state.verdict, state.plan, state.memory.contest
    total = verdict.total if verdict is not None else None

    def side(of: Side, asked: int | None) -> dict[str, Any]:
        hours = of.replica_s / 3600.0
        return {
            "replicas": asked,
            "replicaHours": _number(hours),
            "money": None if price is None else f"{hours * price:.2f}",
            "unserved": None if verdict is None else _number(verdict.unserved(of)),
        }

    return {
        "name": plan.name,
        "stage": state.memory.standing.stage.value,
        "acts": state.acts,
        "promotion": "Automatic" if plan.automatic else "Manual",
        "since": None if contest is None else format_time(int(contest.since_s)),
        "countedSeconds": 0.0 if total is None else round(total.counted_s, 1),
        "windowSeconds": plan.terms.window_s,
        "margin": plan.terms.margin,
        "won": verdict is not None and verdict.won is not None,
        "costRatio": None if verdict is None else _number(verdict.cost_ratio),
        "own": total and side(total.own, None if contest is None else contest.own.fleet.asked),
        "shadow": total and side(total.shadow, None if contest is None else contest.shadow.fleet.asked),
        "actual": total and side(total.actual, None),
        "verdict": told(state),
        "failure": state.failure,
    }


def shadow_figures(state: ShadowState) -> dict[str, float]:
    """Its metrics, by name."""
    found = {
        "shadow_failing": float(bool(state.failure)),
        "shadow_won": float(state.verdict is not None and state.verdict.won is not None),
        "shadow_acting": float(state.acts),
    }
    if state.verdict is None:
        return found
    total = state.verdict.total
    return found | {
        "shadow_counted_seconds": total.counted_s,
        "shadow_cost_ratio": state.verdict.cost_ratio,
        "shadow_unserved": state.verdict.unserved(total.shadow),
        "shadow_own_unserved": state.verdict.unserved(total.own),
    }


def _compared(state: ShadowState) -> Finding:
    if state.plan.policy is None:
        why = f"The spec with the shadow's differences is not valid: {state.plan.problem}"
        return Finding("ShadowCompared", False, "ShadowInvalid", why)
    if state.failure:
        why = f"The shadow could not be decided by, the spec's own policy was: {state.failure}"
        return Finding("ShadowCompared", False, "ShadowFailed", why)
    return Finding(
        "ShadowCompared", True, "Comparing", "The shadow is decided by beside the spec's own policy."
    )


def _won(state: ShadowState) -> Finding:
    won = state.verdict.won if state.verdict is not None else None
    if won is None:
        # Figures are in status.shadow: a message that changes at every look would be written at every look.
        return Finding("ShadowWon", False, "NotWon", f"{state.plan.name} has not won.")
    by_whom = (
        "The operator acts by it."
        if state.plan.automatic
        else "autoscaler promote puts it in the spec's place."
    )
    return Finding(
        "ShadowWon",
        True,
        "WonOnCost" if won is Won.CHEAPER else "WonOnService",
        f"{told(state)} {by_whom}",
    )


def _acting(state: ShadowState) -> Finding:
    name, stage = state.plan.name, state.memory.standing.stage
    if state.acts:
        why = f"{name} has won and is decided by in place of the spec's own policy."
        return Finding("ShadowActing", True, "ShadowPromoted", why)
    if stage is Stage.GIVEN_UP:
        why = f"{name} was decided by and has lost since: the spec's own policy decides until it is changed."
        return Finding("ShadowActing", False, "ShadowGivenUp", why)
    return Finding("ShadowActing", False, "NotPromoted", "The spec's own policy decides.")


def _share(verdict: Verdict | None, side: str) -> str | None:
    """Unserved by `own`, `shadow` or `actual`."""
    return None if verdict is None else _text(verdict.unserved(getattr(verdict.total, side)))


def _text(value: float) -> str | None:
    return f"{value:.4g}" if math.isfinite(value) else None


def _number(value: float) -> float | None:
    return float(f"{value:.6g}") if math.isfinite(value) else None
