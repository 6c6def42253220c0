"""When something is missing: what stands there instead says what to do."""

from __future__ import annotations

import time
from typing import Any

import pytest
from looking import Visit
from shown_service import ShownService

from autoscaler.spec.units import format_time
from autoscaler.store.errors import StoreError

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_without_workloads_there_is_a_manifest_to_begin_with(
    browser: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with (
        ShownService(tmp_path_factory.mktemp("empty"), workloads=0, days=0) as empty,
        Visit(browser, empty.url) as visit,
    ):
        visit.page.wait_for_selector("h1:text-is('No workloads yet')")
        manifest = visit.page.inner_text("pre")
        assert manifest.startswith("apiVersion:") and len(manifest.strip().splitlines()) == 10
        for path in ("/decisions", "/spend"):
            visit.page.goto(empty.url + path)
            visit.page.wait_for_selector("main .empty:not(.waiting)")


def test_a_service_that_went_away_is_told_with_the_age_of_what_is_shown(
    browser: Any, service: ShownService
) -> None:
    with Visit(browser, service.url, expected=("ERR_INTERNET_DISCONNECTED", "ERR_NETWORK_CHANGED")) as visit:
        visit.page.wait_for_selector(".lines .line")
        before = visit.rows()
        visit.context.set_offline(True)
        visit.page.wait_for_selector("#banner:has-text('cannot be reached')")
        assert visit.rows() == before, "what was read stays"
        visit.context.set_offline(False)
        visit.page.wait_for_selector("#banner", state="hidden")


def test_a_store_that_cannot_be_read_is_told_with_the_age_of_what_is_shown(
    browser: Any, service: ShownService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object, **__: object) -> Any:
        raise StoreError("a test took it away")

    expected = ("status of 503",)
    with Visit(browser, service.url, expected=expected) as visit, monkeypatch.context() as broken:
        visit.page.wait_for_selector(".lines .line")
        for name in ("states", "state_keys", "decisions", "decisions_after"):
            broken.setattr(type(service.store), name, unreadable)
        time.sleep(7)  # the service goes on trusting what it read for a few seconds
        visit.page.reload()
        visit.page.wait_for_selector("#banner:has-text('store of decisions cannot be read')")
        assert len(visit.rows()) == 8
        visit.page.click("nav a:text-is('Decisions')")
        visit.page.wait_for_selector(".refusal:has-text('cannot be read at present')")


def test_an_address_that_leads_nowhere_says_so(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, "/help") as visit:
        visit.page.evaluate("history.pushState(null, '', '/nothing/here')")
        visit.page.evaluate("window.dispatchEvent(new PopStateEvent('popstate'))")
        visit.page.wait_for_selector("h1:text-is('Nothing is here')")


def test_a_page_older_than_the_service_offers_to_load_the_new_one(
    browser: Any, service: ShownService
) -> None:
    expected = ("status of 404", "Failed to fetch dynamically imported module")
    with Visit(browser, service.url, "/help", expected=expected) as visit:
        visit.page.route("**/spend.js", lambda route: route.fulfill(status=404, body=""))
        visit.page.click("nav a:text-is('Spend')")
        visit.page.wait_for_selector("h1:text-is('This page is older than the service')")


def test_charts_that_cannot_be_loaded_are_told_and_the_rest_stays(
    browser: Any, service: ShownService
) -> None:
    with Visit(browser, service.url, "/help", expected=("status of 404",)) as visit:
        visit.page.route("**/plotly.min.js", lambda route: route.fulfill(status=404, body=""))
        visit.page.goto(f"{service.url}/workloads/shop/checkout")
        visit.page.wait_for_selector("text=The code that draws charts cannot be loaded")
        visit.page.wait_for_selector(".decision")


def test_a_demonstration_that_runs_ahead_of_the_clock_is_shown_up_to_its_own_now(
    browser: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    ahead_s = 7200.0
    with ShownService(tmp_path_factory.mktemp("ahead"), workloads=1, days=0.02) as fast:
        at_s = time.time() + ahead_s
        fast.change("shop/checkout", at_s, at=format_time(at_s))
        fast.look()
        with Visit(browser, fast.url, "/workloads/shop/checkout") as visit:
            visit.drawn()
            shown_from = (
                visit.page.evaluate("Number(document.querySelector('.plot').layout.xaxis.range[0])") / 1000
            )
            assert shown_from == pytest.approx(at_s - 6 * 3600, abs=60)
