"""What if: a changed policy beside the present one, a search for better ones, and manifests to take along."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from looking import Visit
from shown_service import ShownService

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_WHAT_IF = "/workloads/shop/checkout/what-if"
_PATIENCE_MS = 240_000


def test_a_changed_quantile_is_run_and_set_beside_what_happened(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, _WHAT_IF, permissions=["clipboard-read", "clipboard-write"]) as visit:
        visit.page.wait_for_selector("#setting-quantile")
        assert visit.page.input_value("#setting-quantile") == "0.95"
        visit.page.fill("#setting-quantile", "0.8")
        visit.page.fill("#setting-down", "10m")
        visit.page.keyboard.press("Tab")
        visit.until_address("quantile=0.8")
        visit.until_address("down=10m")
        assert "now 0.95" in visit.page.inner_text(".setting:has(#setting-quantile)")
        visit.page.select_option("select[aria-label='Judged over']", "1")
        visit.page.click("button:text-is('Run')")
        visit.until_address("job=")
        visit.page.wait_for_selector(".verdict", timeout=_PATIENCE_MS)
        heads = visit.page.eval_on_selector_all(
            ".figures-table th[scope=col]", "all => all.map(e => e.textContent)"
        )
        assert heads[1:] == ["What happened", "Present policy", "Changed policy", "Difference"]
        assert "than the present one" in visit.page.inner_text(
            ".verdict"
        ) or "as the present one" in visit.page.inner_text(".verdict")
        visit.drawn()
        visit.page.click(".results .copy")
        manifest = yaml.safe_load(visit.page.evaluate("navigator.clipboard.readText()"))
        assert manifest["kind"] == "PredictiveAutoscaler"
        assert manifest["spec"]["forecast"]["quantile"] == "0.8"
        assert manifest["spec"]["cooldown"]["scaleDown"] == "10m"
        visit.page.reload()
        visit.page.wait_for_selector(".verdict")


def test_what_runs_can_be_cancelled(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, f"{_WHAT_IF}?days=1") as visit:
        # A single run may be over before anyone can take it back.
        visit.page.click("button:text-is('Search for better ones')")
        visit.page.click(".job button:text-is('Cancel')")
        visit.page.wait_for_selector("text=It was cancelled")
        assert visit.page.is_enabled("button:text-is('Run')")


def test_a_search_shows_cost_against_shortage_and_its_policies_can_be_used(
    browser: Any, service: ShownService
) -> None:
    with Visit(browser, service.url, f"{_WHAT_IF}?days=1") as visit:
        visit.page.click("button:text-is('Search for better ones')")
        visit.until_address("search=")
        visit.page.wait_for_selector(".plot.front .main-svg", state="attached", timeout=_PATIENCE_MS)
        costs = visit.page.evaluate("document.querySelector('.plot.front').data[1].x")
        missed = visit.page.evaluate("document.querySelector('.plot.front').data[1].y")
        assert costs == sorted(costs) and missed == sorted(missed, reverse=True)
        visit.page.click("tr:nth-child(1) button:text-is('Use')")
        visit.until_address("window=")
        assert "quantile=" in visit.page.url or visit.page.input_value("#setting-quantile") == "0.95"


def test_what_the_service_refuses_is_told_by_its_field(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, f"{_WHAT_IF}?min=70", expected=("status of 422",)) as visit:
        visit.page.click("button:text-is('Run')")
        visit.page.wait_for_selector(".refusal:not([hidden])")
        assert "minReplicas" in visit.page.inner_text(".refusal")


def test_a_result_that_is_not_kept_any_more_asks_for_another_run(browser: Any, service: ShownService) -> None:
    path = f"{_WHAT_IF}?job=AAAAAAAAAAAAAAAAAAAAAA"
    with Visit(browser, service.url, path, expected=("status of 404",)) as visit:
        visit.page.wait_for_selector("text=This result is not kept any more")
        assert visit.page.is_enabled("button:text-is('Run')")


def test_whoever_may_not_write_is_told_before_trying(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, _WHAT_IF, token="reader-token") as visit:
        visit.page.wait_for_selector(".refusal:has-text('right to update')")
