"""Money: what has been spent, and how many replicas the limits still allow.

Prices are per replica-hour. Days and months are UTC. A replica is paid from being asked for.
"""

from __future__ import annotations

import datetime
import functools
import math

from autoscaler.planning.decision import Reason
from autoscaler.planning.memory import Spent
from autoscaler.planning.policy import SpendPolicy

_HOUR_S = 3600.0
_DAY_S = 86_400.0
_BURST = 1.5
"""Up to this multiple of the even pace may be spent. Spending always at the limit leaves
(1 - t/T) ** 1.5 of the budget after a share t/T of the day, so it never ends before the day does."""


def accrue(spent: Spent, replicas: int, price: float, since_s: float | None, now_s: float) -> Spent:
    """Add the cost of `replicas` since the last decision, starting afresh on a new day or month."""
    day_start_s = math.floor(now_s / _DAY_S) * _DAY_S
    month_start_s = spent.month_start_s if day_start_s == spent.day_start_s else _month_start_s(now_s)
    since = now_s if since_s is None else min(since_s, now_s)
    rate = replicas * price / _HOUR_S
    day = spent.day if spent.day_start_s == day_start_s else 0.0
    month = spent.month if spent.month_start_s == month_start_s else 0.0
    return Spent(
        day_start_s=day_start_s,
        day=day + rate * (now_s - max(since, day_start_s)),
        month_start_s=month_start_s,
        month=month + rate * (now_s - max(since, month_start_s)),
    )


def affordable(policy: SpendPolicy, spent: Spent, now_s: float, step_s: float) -> tuple[int, Reason] | None:
    """Most replicas the tightest limit allows until the next decision, and which limit that is.

    None when no limit is set. Budgets are paced: what is left may be spent at up to 1.5 times
    the even pace over the time that is left.
    """
    tightest, reason = math.inf, None
    if policy.daily_budget is not None:
        left_s = spent.day_start_s + _DAY_S - now_s
        tightest = _pace(policy.daily_budget - spent.day, left_s, step_s)
        reason = Reason.DAILY_BUDGET
    if policy.hourly_cap is not None and policy.hourly_cap < tightest:
        tightest, reason = policy.hourly_cap, Reason.HOURLY_CAP
    if policy.monthly_budget is not None:
        left_s = _month_end_s(spent.month_start_s) - now_s
        pace = _pace(policy.monthly_budget - spent.month, left_s, step_s)
        if pace < tightest:
            tightest, reason = pace, Reason.MONTHLY_BUDGET
    if reason is None:
        return None
    return math.floor(tightest / policy.replica_hour_price + 1e-9), reason


def _pace(left: float, left_s: float, step_s: float) -> float:
    """Money per hour that may be spent now."""
    if left <= 0.0:
        return 0.0
    until_next_s = max(step_s, 1.0)
    rate = min(_BURST * left / max(left_s, until_next_s), left / until_next_s)
    return rate * _HOUR_S


def _month_start_s(now_s: float) -> float:
    moment = datetime.datetime.fromtimestamp(now_s, datetime.UTC)
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0).timestamp()


@functools.lru_cache(maxsize=16)
def _month_end_s(month_start_s: float) -> float:
    return _month_start_s(month_start_s + 32 * _DAY_S)
