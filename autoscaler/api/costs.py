"""Money of workloads: so far, limits, and what it is going to be.

A forecast of money is simple on purpose: what is spent so far, and the present count until the end of the
day; the other days of the month cost as much as today is going to.
"""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from autoscaler.api.snapshot import Entry

_HOUR_S = 3600.0
_DAY_S = 86_400.0
_CENT = Decimal("0.01")
_MILL = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Costs:
    """Amounts in the currency of the prices, None where nothing is known; days and months are UTC."""

    today: float | None = None
    forecast_today: float | None = None
    month: float | None = None
    forecast_month: float | None = None
    per_hour_now: float | None = None
    daily_budget: float | None = None
    monthly_budget: float | None = None

    @property
    def priced(self) -> bool:
        """Whether there is a price, so that anything is known."""
        return self.per_hour_now is not None or self.today is not None

    def as_json(self) -> dict[str, Any]:
        """With the names and the decimal texts of the answers."""
        return {
            "today": money(self.today),
            "forecastToday": money(self.forecast_today),
            "month": money(self.month),
            "forecastMonth": money(self.forecast_month),
            "perHourNow": money(self.per_hour_now, _MILL),
            "dailyBudget": money(self.daily_budget),
            "monthlyBudget": money(self.monthly_budget),
        }


NOTHING = Costs()


def costs(entry: Entry, now_s: float) -> Costs:
    """Of one workload. What was spent on a day that is over is nothing of today."""
    price, current = entry.number("spend", "replicaHourPrice"), entry.number("replicas", "current")
    if price is None:
        return NOTHING
    moment = datetime.datetime.fromtimestamp(now_s, datetime.UTC)
    seen = datetime.datetime.fromtimestamp(entry.at_s, datetime.UTC)
    same_day, same_month = (
        seen.date() == moment.date(),
        (seen.year, seen.month) == (moment.year, moment.month),
    )
    today = entry.number("spend", "today") if same_day else 0.0
    month = entry.number("spend", "month") if same_month else 0.0
    per_hour = None if current is None else price * current
    rest = None if per_hour is None else per_hour * (_DAY_S - now_s % _DAY_S) / _HOUR_S
    forecast_today = _sum(today, rest)
    days_left = calendar.monthrange(moment.year, moment.month)[1] - moment.day
    others = None if forecast_today is None else forecast_today * days_left
    return Costs(
        today=today,
        forecast_today=forecast_today,
        month=month,
        forecast_month=_sum(month, rest, others),
        per_hour_now=per_hour,
        daily_budget=entry.number("spend", "dailyBudget"),
        monthly_budget=entry.number("spend", "monthlyBudget"),
    )


def total(several: Sequence[Costs]) -> Costs:
    """The sum of what is known; None where nothing is."""
    columns = [[getattr(one, field.name) for one in several] for field in fields(Costs)]
    known = [[amount for amount in column if amount is not None] for column in columns]
    return Costs(*(sum(column) if column else None for column in known))


def money(amount: float | None, smallest: Decimal = _CENT) -> str | None:
    """Decimal text, to the cent if not said otherwise."""
    return None if amount is None else f"{Decimal(amount).quantize(smallest):f}"


def _sum(*amounts: float | None) -> float | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None
