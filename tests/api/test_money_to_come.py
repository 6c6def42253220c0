"""Money: what is spent, and what it is going to be."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from workload_state import NOON_S, state

from autoscaler.api.costs import NOTHING, costs, money, total
from autoscaler.api.health import health
from autoscaler.api.snapshot import Entry

DAY_S = 86_400.0


def entry(at_s: float = NOON_S, **parts: Any) -> Entry:
    """8 replicas at 0.12 an hour, on 27 November, a day of a month of 30."""
    made = state(**parts)
    judged = health(made, at_s, at_s)
    return Entry("shop/checkout", "shop", "checkout", at_s, at_s, made, judged, orjson.Fragment(b"{}"))


def test_a_day_ends_at_the_present_count_and_the_others_cost_the_same() -> None:
    found = costs(entry(), NOON_S)
    assert found.per_hour_now == pytest.approx(0.96)
    assert found.forecast_today == pytest.approx(12.30 + 12 * 0.96)
    assert found.forecast_month == pytest.approx(301.10 + 12 * 0.96 + 3 * (12.30 + 12 * 0.96))
    assert (found.today, found.month, found.daily_budget) == (12.30, 301.10, 60.0)


def test_what_was_spent_yesterday_is_nothing_of_today() -> None:
    found = costs(entry(NOON_S - DAY_S), NOON_S)
    assert (found.today, found.month) == (0.0, 301.10)


def test_what_was_spent_last_month_is_nothing_of_this() -> None:
    found = costs(entry(NOON_S - 27 * DAY_S), NOON_S)
    assert (found.today, found.month) == (0.0, 0.0)


def test_without_a_price_nothing_is_known() -> None:
    assert costs(entry(spend=None), NOON_S) is NOTHING
    assert set(NOTHING.as_json().values()) == {None}


def test_an_unknown_count_makes_no_forecast() -> None:
    found = costs(entry(replicas={"current": None}), NOON_S)
    assert (found.per_hour_now, found.forecast_today, found.forecast_month) == (None, None, None)
    assert found.today == 12.30


def test_a_sum_is_of_what_is_known() -> None:
    both = total([costs(entry(), NOON_S), costs(entry(spend={"dailyBudget": None}), NOON_S), NOTHING])
    assert both.today == pytest.approx(24.60)
    assert both.daily_budget == 60.0
    assert both.monthly_budget is None
    assert total([]) == NOTHING


@pytest.mark.parametrize(
    ("amount", "text"),
    [(None, None), (0.0, "0.00"), (12.3, "12.30"), (0.1 + 0.2, "0.30"), (1e9, "1000000000.00")],
)
def test_money_is_decimal_text(amount: float | None, text: str | None) -> None:
    assert money(amount) == text
