"""Spend: money by namespace, priority and workload, and what of it is held against budgets."""

from __future__ import annotations

from typing import Any

import pytest
from looking import Visit
from shown_service import ShownService

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_budgets_are_held_against_those_who_have_one(browser: Any, service: ShownService) -> None:
    spend = {"replicaHourPrice": "0.12", "today": "5000.00", "month": "5000.00", "dailyBudget": None}
    service.change("media/uploads", spend=spend)
    service.look()
    with Visit(browser, service.url) as visit:
        visit.page.wait_for_selector(".lines .line")
        detail = visit.page.inner_text(".tile:has-text('Spent today') .detail")
        budgeted, _, budget = detail.partition(" of ")
        assert float(budgeted) < float(budget) < 5000, detail
    with Visit(browser, service.url, "/spend") as visit:
        visit.page.wait_for_selector(".tiles")
        told = visit.page.evaluate("fetch('/api/v1/spend').then((answer) => answer.json())")
        assert float(told["forecastToday"]) > 5000 > float(told["dailyBudget"])
        tile = visit.page.locator(".tile:has-text('Today, by its end')")
        assert "budgeted" in tile.inner_text() and tile.get_attribute("data-tone") is None
        row = visit.page.locator("tr:has(th:has-text('media'))").first
        assert " of " in row.locator("td").nth(2).inner_text()
        assert row.locator(".over").count() == 0
        service.change("media/uploads", spend=spend | {"dailyBudget": "40"})
        service.look()
        visit.page.reload()
        visit.page.wait_for_selector(".tile[data-tone=warn]:has-text('Today, by its end')")
        assert "over" in (row.locator("td").nth(2).get_attribute("class") or "")
