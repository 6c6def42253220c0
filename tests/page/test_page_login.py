"""Coming in: without a token nothing is shown but the form, and it leads back to where one wanted to go."""

from __future__ import annotations

from typing import Any

import pytest
from looking import Visit
from shown_service import TOKEN, ShownService

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_WANTED = "/decisions?namespace=shop&range=7d"


def test_a_token_leads_to_where_one_wanted_to_go(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, _WANTED, token=None) as visit:
        visit.page.wait_for_selector("h1:text-is('Predictive autoscaler')")
        assert visit.page.evaluate("getComputedStyle(document.querySelector('form')).display") == "grid"
        assert "kubectl create token" in visit.page.inner_text("body")
        visit.page.fill("#token", TOKEN)
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_url(f"**{_WANTED}")
        visit.page.wait_for_selector("h1:text-is('Decisions')")
        assert visit.page.evaluate("document.cookie") == "", "no script can read the token"


def test_a_wrong_token_is_refused_in_words(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, _WANTED, token=None) as visit:
        visit.page.fill("#token", "not-a-token-of-anybody")
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_selector("[role=alert]:not([hidden])")
        assert "not known, or has expired" in visit.page.inner_text("[role=alert]")
        assert visit.page.input_value("#next") == _WANTED


def test_signing_out_forgets_the_token(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, "/help") as visit:
        visit.page.click("#who")
        visit.page.wait_for_selector("#token")
        visit.page.goto(f"{service.url}/help")
        visit.page.wait_for_selector("#token")


def test_a_token_that_expires_while_looking_leads_to_the_form(browser: Any, service: ShownService) -> None:
    expected = ("status of 401", "Failed to fetch dynamically imported module")
    with Visit(browser, service.url, "/help", expected=expected) as visit:
        visit.page.wait_for_selector("h1:text-is('Help')")
        visit.context.clear_cookies()
        visit.page.click("nav a:text-is('Spend')")
        visit.page.wait_for_selector("#token")
        assert visit.page.input_value("#next") == "/spend"


def test_whoever_may_see_one_namespace_sees_that_and_its_changes(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, token="anna-token") as visit:
        visit.page.wait_for_selector("#stream[data-state=live]")
        visit.page.wait_for_selector(".lines .line")
        assert set(visit.rows()) == {"checkout", "search", "cart"}
        service.change("shop/cart", mode="Paused")
        visit.page.wait_for_selector(".line[data-id='shop/cart'] .mode:has-text('Paused')")
        for path in ("/decisions", "/spend"):
            visit.page.goto(service.url + path)
            visit.page.wait_for_selector("main a[href^='/workloads/shop/']")
            assert visit.page.locator("main a[href^='/workloads/pay/']").count() == 0
