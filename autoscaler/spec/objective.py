"""What is to be kept, in place of a quantile: the policy finds the quantile itself."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, Strict

from autoscaler.spec.rules import Model, Rule, between, defaulted, positive
from autoscaler.spec.units import Duration, Quantity, Share

_GOALS = ("unserved", "shortMinutesPerWeek", "replicaHoursPerDay")


def _one_goal(objective: Any) -> bool:
    goals = (objective.unserved, objective.short_minutes_per_week, objective.replica_hours_per_day)
    return sum(goal is not None for goal in goals) == 1


class Objective(Model):
    """One goal, kept over a window that moves on."""

    unserved: Share | None = Field(
        None, description="Share of the load that may come while ready pods cannot serve it."
    )
    short_minutes_per_week: Annotated[int, Strict(), Field(ge=1, le=10_079)] | None = Field(
        None, description="Minutes a week in which more load may come than ready pods serve."
    )
    replica_hours_per_day: Quantity | None = Field(
        None, description="Replica-hours a day to spend at most, and to use as well as they can be."
    )
    window_s: Duration = defaulted("7d", "Over how long it is kept; what is older is forgotten.")
    rules = (
        Rule(
            "an objective needs exactly one of unserved, shortMinutesPerWeek and replicaHoursPerDay",
            f"[{', '.join(f'has(self.{goal})' for goal in _GOALS)}].exists_one(given, given)",
            _one_goal,
        ),
        positive("unserved", optional=True),
        positive("replicaHoursPerDay", "replica_hours_per_day", optional=True, number=True),
        between("window", "window_s", "1d", "28d"),
    )
