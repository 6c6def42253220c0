"""What is wrong with a workload, read off its newest state, and how much that matters beside others."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autoscaler.planning.capacity import replicas_for

STALE_AFTER_S = 300.0
"""A state is renewed every minute while somebody decides."""

_DAY_S = 86_400.0
_AHEAD_OF_DAY = 0.1
"""Share of a day's budget by which spending may run ahead of the day, as in the alert SpendAheadOfDay."""

_ROUNDING = 1e-9


class WorkloadProblem(enum.StrEnum):
    """Everything that can be wrong with a workload, what matters most first."""

    SHORT = "Short"
    WILL_BE_SHORT = "WillBeShort"
    AT_MAX = "AtMax"
    UNHEALTHY_SIGNAL = "UnhealthySignal"
    OVER_BUDGET = "OverBudget"
    CONFLICT = "Conflict"
    FALLBACK = "Fallback"
    STALE = "Stale"
    WASTING = "Wasting"
    INVALID = "Invalid"


@dataclass(frozen=True, slots=True)
class Health:
    """problems: what matters most first. severity: 0 for none; its whole part is the rank of the first
    problem, the rest the share by which the workload is short, so that sorting by it puts the worst first."""

    problems: tuple[WorkloadProblem, ...]
    severity: float


@dataclass(frozen=True, slots=True)
class _Figures:
    """The numbers of a state that problems are told by; NaN where one is not known."""

    load: float
    peak: float
    per_replica: float
    ready: float
    current: float
    desired: float
    least: float
    most: float

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> _Figures:
        load, forecast = _part(state, "load"), _part(state, "forecast")
        replicas = _part(state, "replicas")
        return cls(
            load=_number(load.get("value")),
            peak=_number(forecast.get("peak")),
            per_replica=_number(state.get("perReplica")),
            ready=_number(replicas.get("ready")),
            current=_number(replicas.get("current")),
            desired=_number(replicas.get("desired")),
            least=_number(replicas.get("min")),
            most=_number(replicas.get("max")),
        )

    @property
    def served(self) -> float:
        """Load that the ready pods serve within their objective."""
        return self.ready * self.per_replica

    def needed(self, load: float) -> float:
        """Replicas for a load; NaN when that, or what one serves, is not known."""
        if not (math.isfinite(load) and self.per_replica > 0):
            return math.nan
        return float(replicas_for(load, self.per_replica))


def health(state: Mapping[str, Any], at_s: float, now_s: float) -> Health:
    """Judge the state of one workload, as the controller keeps it. at_s: when it was seen; epoch seconds."""
    figures = _Figures.of(state)
    found = {
        WorkloadProblem.SHORT: _exceeds(figures.load, figures.served),
        WorkloadProblem.WILL_BE_SHORT: _exceeds(figures.peak, figures.served),
        WorkloadProblem.AT_MAX: _at_max(state, figures),
        WorkloadProblem.UNHEALTHY_SIGNAL: _unhealthy_signal(state),
        WorkloadProblem.OVER_BUDGET: _over_budget(state, at_s),
        WorkloadProblem.CONFLICT: _condition(state, "Conflict", "True"),
        WorkloadProblem.FALLBACK: _condition(state, "ForecastReady", "False", but="Disabled"),
        WorkloadProblem.STALE: now_s - at_s > STALE_AFTER_S,
        WorkloadProblem.WASTING: _wasting(figures),
        WorkloadProblem.INVALID: bool(state.get("problem")),
    }
    problems = tuple(problem for problem in WorkloadProblem if found[problem])
    return Health(problems, _severity(problems, figures))


def _severity(problems: tuple[WorkloadProblem, ...], figures: _Figures) -> float:
    if not problems:
        return 0.0
    order = list(WorkloadProblem)
    rank = len(order) - order.index(problems[0])
    load = figures.load if WorkloadProblem.SHORT in problems else figures.peak
    lacking = (load - figures.served) / load if _exceeds(load, figures.served) else 0.0
    return round(rank + min(lacking, 0.999), 3)


def _exceeds(load: float, served: float) -> bool:
    """False when either is not known: an unknown number is no shortage."""
    return load > served * (1 + _ROUNDING) + _ROUNDING


def _at_max(state: Mapping[str, Any], figures: _Figures) -> bool:
    """The maximum is asked for, and load, forecast or (as the reason tells) a signal wants more."""
    if figures.desired != figures.most:
        return False
    more = any(figures.needed(load) > figures.most for load in (figures.load, figures.peak))
    return more or state.get("reason") == "TooManyReplicas"


def _unhealthy_signal(state: Mapping[str, Any]) -> bool:
    """Any number that decisions are made from is not plainly known, or was not read at all."""
    readings = [_part(state, "load"), *(state.get("signals") or ())]
    return any(reading.get("state") != "Value" for reading in readings)


def _over_budget(state: Mapping[str, Any], at_s: float) -> bool:
    spend = _part(state, "spend")
    today, budget = _number(spend.get("today")), _number(spend.get("dailyBudget"))
    if not budget > 0:
        return False
    share = today / budget
    return share > 1.0 or share > at_s % _DAY_S / _DAY_S + _AHEAD_OF_DAY


def _wasting(figures: _Figures) -> bool:
    """More than twice what load and forecast need, and not because the minimum asks for it."""
    if not figures.ready > figures.least:
        return False
    return all(figures.ready > 2 * figures.needed(load) for load in (figures.load, figures.peak))


def _condition(state: Mapping[str, Any], kind: str, status: str, but: str = "") -> bool:
    return any(
        one.get("type") == kind and one.get("status") == status and one.get("reason") != but
        for one in state.get("conditions") or ()
    )


def _part(state: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part: Mapping[str, Any] = state.get(name) or {}
    return part


def _number(value: Any) -> float:
    """Numbers as they are, money from its text."""
    return math.nan if value is None else float(value)
