"""What holds for every view: quiet, within the screen, readable by everybody, and nothing from elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from looking import Visit
from shown_service import ShownService

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_VIEWS = {
    "fleet": ("/", ".lines .line"),
    "workload": ("/workloads/shop/search", ".plot .main-svg"),
    "decision": ("/workloads/shop/search", ".plot .main-svg"),
    "what-if": ("/workloads/shop/search/what-if?quantile=0.9", ".settings"),
    "decisions": ("/decisions", ".decision"),
    "spend": ("/spend", ".tiles"),
    "help": ("/help", ".legend-list"),
    "login": ("/login", "#token"),
}
_VIOLATIONS = """window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));"""


def _open(browser: Any, service: ShownService, view: str, **options: Any) -> Visit:
    path, sign = _VIEWS[view]
    visit = Visit(browser, service.url, path, **options)
    visit.page.wait_for_selector(sign, state="attached")
    if view == "decision":
        visit.page.click(".decision a.sentence >> nth=0")
        visit.page.wait_for_selector("#panel .jump")
    return visit


@pytest.mark.parametrize(("scheme", "width"), [("light", 1300), ("dark", 1300), ("light", 360)])
@pytest.mark.parametrize("view", _VIEWS)
def test_every_view_passes_the_accessibility_check(
    browser: Any, service: ShownService, view: str, scheme: str, width: int
) -> None:
    with _open(browser, service, view, color_scheme=scheme, width=width) as visit:
        found = Axe().run(visit.page).response["violations"]
        told = [f"{one['id']}: {one['help']}: {node['html'][:200]}" for one in found for node in one["nodes"]]
        assert told == []


@pytest.mark.parametrize("view", _VIEWS)
def test_every_view_fits_a_phone(browser: Any, service: ShownService, view: str) -> None:
    with _open(browser, service, view, width=360, is_mobile=True, has_touch=True) as visit:
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360
        small = visit.page.evaluate(
            """[...document.querySelectorAll("button, select, nav a, input:not([type=range])")]
              .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 32)
              .map((one) => one.outerHTML.slice(0, 120))"""
        )
        assert small == [], "too small for a finger"


@pytest.mark.parametrize("view", _VIEWS)
def test_nothing_jumps_while_a_view_comes_up(browser: Any, service: ShownService, view: str) -> None:
    with _open(browser, service, view) as visit:
        visit.page.wait_for_timeout(1000)
        shift = visit.page.evaluate(
            """() => new Promise((resolve) => {
              let total = 0;
              new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
                if (!entry.hadRecentInput) total += entry.value;
              })).observe({ type: "layout-shift", buffered: true });
              setTimeout(() => resolve(total), 200);
            })"""
        )
        # Browsers call a page good up to 0.1.
        assert shift < 0.1


def test_the_strictest_policy_on_styles_is_enough(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, "/help") as visit:
        visit.context.add_init_script(_VIOLATIONS)

        def stricter(route: Any) -> None:
            answer = route.fetch()
            headers = {**answer.headers, "content-security-policy": _STRICT}
            route.fulfill(response=answer, headers=headers)

        visit.page.route(f"{service.url}/workloads/**", stricter)
        visit.page.goto(f"{service.url}/workloads/shop/checkout")
        visit.drawn()
        assert visit.page.evaluate("violations") == []


_STRICT = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def test_the_colours_can_be_chosen_and_stay_chosen(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, "/workloads/shop/checkout", color_scheme="light") as visit:
        visit.drawn()
        paper = "getComputedStyle(document.body).backgroundColor"
        light = visit.page.evaluate(paper)
        line = "document.querySelector('.plot').data.at(-1).marker.line.color"
        light_line = visit.page.evaluate(line)
        visit.page.click("#theme")
        visit.page.click("#theme")
        assert visit.page.get_attribute("html", "data-theme") == "dark"
        visit.until(f"{paper} !== '{light}'")
        visit.until(f"{line} !== '{light_line}'")
        visit.page.reload()
        visit.drawn()
        assert visit.page.evaluate(paper) != light


def test_keys_lead_from_view_to_view(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url) as visit:
        visit.page.wait_for_selector(".lines .line")
        for key, path in (("d", "/decisions"), ("s", "/spend"), ("?", "/help"), ("f", "/")):
            visit.page.keyboard.press(key)
            visit.page.wait_for_url(service.url + path)
        visit.page.wait_for_selector(".lines .line")
        visit.page.keyboard.press("/")
        visit.page.keyboard.type("d")
        assert visit.page.url == f"{service.url}/?q=d", "a letter that is typed is no command"


def test_the_first_stop_of_the_tabulator_leads_past_the_navigation(
    browser: Any, service: ShownService
) -> None:
    with Visit(browser, service.url, "/help") as visit:
        visit.page.wait_for_selector("h1:text-is('Help')")
        visit.page.keyboard.press("Tab")
        assert visit.page.evaluate("document.activeElement.textContent") == "Skip to the content"
        visit.page.keyboard.press("Enter")
        assert visit.page.evaluate("document.activeElement.id") == "main"
