"""What capacity costs and may cost."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from autoscaler.spec.rules import Model, Rule, defaulted, positive
from autoscaler.spec.units import Money


def _day_fits_month(spend: Any) -> bool:
    day, month = spend.daily_budget, spend.monthly_budget
    return day is None or month is None or bool(day <= month)


class Spend(Model):
    """Limits in money. Days and months are UTC. The minimum is never taken."""

    replica_hour_price: Money = Field(description='Price of one replica for one hour: "0.12".')
    hourly_cap: Money | None = Field(None, description="Most that may be spent per hour.")
    daily_budget: Money | None = Field(
        None, description="Budget of a UTC day, paced so that it lasts until the day ends."
    )
    monthly_budget: Money | None = Field(
        None, description="Budget of a UTC calendar month, paced so that it lasts until the month ends."
    )
    on_breach: Literal["Cap", "Alert"] = defaulted(
        "Cap", "What a limit does: Cap the count at what is affordable, or only Alert."
    )
    rules = (
        positive("replicaHourPrice", "replica_hour_price"),
        positive("hourlyCap", "hourly_cap", optional=True),
        positive("dailyBudget", "daily_budget", optional=True),
        positive("monthlyBudget", "monthly_budget", optional=True),
        Rule(
            "dailyBudget must not be greater than monthlyBudget",
            "!has(self.dailyBudget) || !has(self.monthlyBudget) || "
            "double(self.dailyBudget) <= double(self.monthlyBudget)",
            _day_fits_month,
            "dailyBudget",
        ),
    )
