"""The fleet: what is worst stands first, is found quickly, and does not move under a reader's hand."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from looking import Visit
from shown_service import ShownService

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_FIRST_VIEW_S = 1.0
_LARGE_FIRST_VIEW_S = 2.0


def test_the_worst_workload_stands_first_and_says_what_is_wrong(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url) as visit:
        visit.page.wait_for_selector(".lines .line")
        assert visit.rows()[0] == "search"
        first = visit.page.inner_text(".lines .line >> nth=0")
        assert "Short by" in first and "shop" in first
        words = visit.page.eval_on_selector_all(
            ".lines .line:not([hidden]) .words", "all => all.map(e => e.textContent)"
        )
        assert any("A signal is unhealthy" in text for text in words)
        assert any("more than needed" in text for text in words)
        icons = visit.page.eval_on_selector_all(
            ".lines .line:not([hidden]) .state path", "all => new Set(all.map(p => p.getAttribute('d'))).size"
        )
        assert icons >= 4, "each problem has a shape of its own"


def test_words_in_the_search_narrow_the_list_and_stay_in_the_address(
    browser: Any, service: ShownService
) -> None:
    with Visit(browser, service.url) as visit:
        visit.page.wait_for_selector(".lines .line")
        visit.page.keyboard.press("/")
        visit.page.keyboard.type("SHOP che")
        visit.until_address("q=SHOP+che")
        visit.until("document.querySelector('.found').textContent === '1 of 8'")
        assert visit.rows() == ["checkout"]
        visit.page.reload()
        visit.until("document.querySelector('.found').textContent === '1 of 8'")
        assert visit.page.input_value("#search") == "SHOP che"
        visit.page.focus("#search")
        visit.page.keyboard.press("Escape")
        visit.until("document.querySelectorAll('.lines .line:not([hidden])').length === 8")


def test_a_total_filters_by_its_problem_and_back_takes_the_filter_away(
    browser: Any, service: ShownService
) -> None:
    with Visit(browser, service.url) as visit:
        visit.page.click(".tile:has-text('Wasting')")
        visit.until_address("problem=Wasting")
        assert set(visit.rows()) == {"thumbnails", "refunds", "reports"}
        assert visit.page.get_attribute(".tile:has-text('Wasting')", "aria-pressed") == "true"
        visit.page.go_back()
        visit.until("document.querySelectorAll('.lines .line:not([hidden])').length === 8")


def test_namespace_mode_and_labels_filter_too(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url) as visit:
        visit.page.wait_for_selector(".lines .line")
        visit.page.select_option("select[aria-label=Namespace]", "pay")
        visit.until("document.querySelector('.found').textContent === '2 of 8'")
        visit.page.select_option("select[aria-label=Mode]", "Recommend")
        visit.until("document.querySelector('.found').textContent === '1 of 8'")
        assert visit.rows() == ["refunds"]
        visit.page.goto(f"{service.url}/?labels=team%3Dmedia")
        visit.page.wait_for_selector(".lines .line")
        assert set(visit.rows()) == {"thumbnails", "uploads"}


def test_a_column_head_sorts_by_its_column(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, "/?sort=name") as visit:
        visit.page.wait_for_selector(".lines .line")
        assert visit.rows() == [
            "reports",
            "thumbnails",
            "uploads",
            "cards",
            "refunds",
            "cart",
            "checkout",
            "search",
        ]
        visit.page.click(".heads .load button")
        visit.until_address("sort=load")
        assert visit.rows()[0] == "search"
        assert visit.page.get_attribute(".heads .load", "aria-sort") == "descending"


def test_keys_walk_through_the_list_and_open_a_workload(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url) as visit:
        visit.page.wait_for_selector(".lines .line")
        names = visit.rows()
        for key, expected in (("j", 0), ("j", 1), ("ArrowDown", 2), ("k", 1), ("ArrowUp", 0)):
            visit.page.keyboard.press(key)
            assert visit.page.evaluate("document.activeElement.textContent") == names[expected], key
        assert visit.page.eval_on_selector_all(".lines a[tabindex='0']", "all => all.length") == 1
        visit.page.keyboard.press("Enter")
        visit.until_address("/workloads/shop/search")
        visit.page.wait_for_selector("h1:has-text('search')")
        visit.page.go_back()
        visit.page.wait_for_selector(".lines .line")


def test_a_change_appears_by_itself_and_leaves_the_order_to_who_holds_a_line(
    browser: Any, service: ShownService
) -> None:
    with Visit(browser, service.url) as visit:
        visit.page.wait_for_selector("#stream[data-state=live]")
        visit.page.wait_for_selector(".lines .line")
        before = visit.rows()
        visit.page.hover(".lines .line >> nth=3")
        healthy = {"min": 2, "max": 60, "current": 40, "ready": 1, "desired": 40, "needed": 40}
        service.change(
            "batch/reports",
            replicas=healthy,
            load={"value": 4800.0, "state": "Value", "ageSeconds": 1.0, "detail": ""},
        )
        visit.page.wait_for_selector(".again:not([hidden])")
        assert visit.rows() == before, "nothing moves under the pointer"
        assert "Short by 39" in visit.page.inner_text(".line[data-id='batch/reports']")
        visit.page.click(".again")
        assert visit.rows()[0] == "reports"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShownService]:
    """Five thousand workloads, of which little is kept but their state."""
    with ShownService(tmp_path_factory.mktemp("large"), workloads=5000, days=0.003) as running:
        yield running


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShownService]:
    with ShownService(tmp_path_factory.mktemp("thousand"), workloads=1000, days=0.003) as running:
        yield running


_WHEN_SHOWN = """() => new Promise((resolve) => {
  const look = () => document.querySelector(".lines .line")
    ? requestAnimationFrame(() => resolve(performance.now())) : requestAnimationFrame(look);
  look();
})"""


def _first_view_s(browser: Any, url: str) -> float:
    """From asking for the page until the list is on the screen, with nothing cached."""
    with Visit(browser, url) as visit:
        return float(visit.page.evaluate(_WHEN_SHOWN)) / 1000


@pytest.mark.quiet
def test_a_thousand_workloads_are_on_the_screen_within_a_second(browser: Any, thousand: ShownService) -> None:
    # The best of a few: what else the machine does is not what is measured.
    seconds = min(_first_view_s(browser, thousand.url) for _ in range(5))
    print(f"\nfirst view of 1,000 workloads: {seconds:.2f} s")
    assert seconds <= _FIRST_VIEW_S


@pytest.mark.quiet
def test_five_thousand_workloads_are_on_the_screen_within_two_seconds(
    browser: Any, large: ShownService
) -> None:
    seconds = min(_first_view_s(browser, large.url) for _ in range(5))
    print(f"\nfirst view of 5,000 workloads: {seconds:.2f} s")
    assert seconds <= _LARGE_FIRST_VIEW_S


def test_five_thousand_workloads_take_no_more_elements_than_fit_the_screen(
    browser: Any, large: ShownService
) -> None:
    with Visit(browser, large.url) as visit:
        visit.page.wait_for_selector(".lines .line")
        assert visit.page.eval_on_selector_all(".lines .line", "all => all.length") < 60
        assert visit.page.get_attribute(".fleet", "aria-rowcount") == "5001"
        began = time.perf_counter()
        visit.page.evaluate("window.scrollTo(0, document.documentElement.scrollHeight)")
        visit.page.wait_for_selector(".line[aria-rowindex='5001']", state="attached")
        visit.page.fill("#search", "checkout-500")
        visit.until("document.querySelector('.found').textContent.startsWith('1 of 5,000')")
        print(f"\n5,000 workloads: to the end and found in {time.perf_counter() - began:.2f} s")


def test_one_picture_shows_all_workloads_and_leads_to_each(browser: Any, large: ShownService) -> None:
    with Visit(browser, large.url) as visit:
        visit.page.wait_for_selector(".mosaic canvas")
        label = visit.page.get_attribute(".mosaic canvas", "aria-label")
        assert label is not None and label.startswith("5000 workloads")
        visit.page.hover(".mosaic canvas", position={"x": 300, "y": 40})
        visit.page.wait_for_selector(".mosaic-label:not([hidden])")
        pointed_at = visit.page.inner_text(".mosaic-label").split(":")[0]
        visit.page.mouse.down()
        visit.page.mouse.up()
        visit.until(f"document.activeElement.closest('.line')?.dataset.id === '{pointed_at}'")


_STEP_OF_SCROLLING_MS = """() => {
  const began = performance.now();
  for (let step = 1; step <= 100; step++) {
    window.scrollTo(0, 200 * step);
    window.dispatchEvent(new Event("scroll"));
  }
  return (performance.now() - began) / 100;
}"""


@pytest.mark.quiet
def test_scrolling_through_five_thousand_stays_within_a_frame(browser: Any, large: ShownService) -> None:
    with Visit(browser, large.url) as visit:
        visit.page.wait_for_selector(".lines .line")
        spent = min(visit.page.evaluate(_STEP_OF_SCROLLING_MS) for _ in range(3))
        print(f"\na step of scrolling through 5,000 workloads: {spent:.1f} ms")
        assert spent < 16
