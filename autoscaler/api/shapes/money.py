"""Money: so far, limits, and what it is going to be."""

from __future__ import annotations

import datetime

from pydantic import Field

from autoscaler.api.shapes.shape import Money, Shape


class SpendFigures(Shape):
    """Money of one workload or of several, null where no price is set. Days and months are UTC."""

    today: Money | None
    forecast_today: Money | None = Field(description="To the end of the day at the present count.")
    month: Money | None
    forecast_month: Money | None = Field(description="To the end of the month, the other days as today.")
    per_hour_now: Money | None = Field(description="What the present count costs per hour.")
    daily_budget: Money | None = Field(description="Sum of the budgets there are.")
    monthly_budget: Money | None = Field(description="Sum of the budgets there are.")


class SpendOfSeveral(SpendFigures):
    """Money of several workloads, of which some may have a budget and some none: what is spent by the former
    is told by itself, since only that can be held against a sum of budgets."""

    workloads: int = Field(description="How many have a price.")
    budgeted_today: Money | None = Field(description="`today` of those with a daily budget.")
    budgeted_forecast_today: Money | None = Field(description="`forecastToday` of those with a daily budget.")
    budgeted_month: Money | None = Field(description="`month` of those with a monthly budget.")
    budgeted_forecast_month: Money | None = Field(
        description="`forecastMonth` of those with a monthly budget."
    )


class SpendOfNamespace(SpendOfSeveral):
    """Money of all workloads of a namespace."""

    namespace: str


class SpendOfPriority(SpendOfSeveral):
    """Money of all workloads of a priority."""

    priority: str = Field(description="Empty for workloads without one.")


class FleetSpend(SpendOfSeveral):
    """Money of all workloads that there are and that the caller may see."""

    without_daily_budget: int = Field(description="How many of those have no daily budget.")
    by_namespace: list[SpendOfNamespace]
    by_priority: list[SpendOfPriority]


class DaySpend(Shape):
    """Money of one UTC day."""

    day: datetime.date
    amount: Money


class WorkloadSpend(SpendFigures):
    """Money of one workload."""

    hourly_cap: Money | None
    days: list[DaySpend]
