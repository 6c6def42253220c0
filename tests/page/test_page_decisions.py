"""All decisions: narrowed down, page by page, and new ones announced."""

from __future__ import annotations

from typing import Any

import pytest
from looking import Visit
from shown_service import ShownService

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_NEWEST_AT = "document.querySelector('.decision time').dateTime"


def test_filters_narrow_the_list_and_stay_in_the_address(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, "/decisions") as visit:
        visit.page.wait_for_selector(".decision")
        visit.page.fill(".filters input", "shop/checkout")
        visit.page.keyboard.press("Tab")
        visit.until_address("workload=checkout")
        visit.until("[...document.querySelectorAll('.whose a')].every((a) => a.textContent === 'checkout')")
        visit.page.select_option("select[aria-label=Guard]", "ScaleDownStabilized")
        visit.until_address("reason=ScaleDownStabilized")
        visit.until(
            "[...document.querySelectorAll('.decision .guards')]"
            ".every((guards) => guards.textContent.includes('Scale-down window'))"
        )
        visit.page.go_back()
        visit.until("document.querySelector('select[aria-label=Guard]').value === ''")


def test_older_decisions_are_added_below(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, "/decisions") as visit:
        visit.page.wait_for_selector(".decision")
        assert visit.page.locator(".decision").count() == 100
        visit.page.click("button:text-is('Older decisions')")
        visit.until("document.querySelectorAll('.decision').length === 200")
        times = visit.page.eval_on_selector_all(".decision time", "all => all.map(e => e.dateTime)")
        assert times == sorted(times, reverse=True)
        ids = visit.page.eval_on_selector_all(
            ".decision a.sentence", "all => all.map(e => e.dataset.decision)"
        )
        assert len(set(ids)) == 200


def test_a_decision_opens_beside_the_list_and_can_be_sent_as_an_address(
    browser: Any, service: ShownService
) -> None:
    with Visit(browser, service.url, "/decisions") as visit:
        visit.page.click(".decision a.sentence >> nth=2")
        visit.page.wait_for_selector("#panel .jump")
        sentence = visit.page.inner_text("#panel .sentence >> nth=0")
        visit.page.goto(visit.page.url)
        visit.page.wait_for_selector("#panel .jump")
        assert visit.page.inner_text("#panel .sentence >> nth=0") == sentence
        visit.page.go_back()


def test_a_new_decision_is_announced_and_shown_when_asked_for(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, "/decisions?namespace=batch") as visit:
        visit.page.wait_for_selector("#stream[data-state=live]")
        visit.page.wait_for_selector(".decision")
        before = visit.page.evaluate(_NEWEST_AT)
        service.decide("batch/reports", "Keep 10: as the test says.")
        visit.page.click("button:has-text('1 new decision: show')")
        visit.until(f"{_NEWEST_AT} > '{before}'")
        assert "as the test says" in visit.page.inner_text(".decision >> nth=0")
