"""The pages as a person meets them: a real Chromium opens them, zooms, filters and switches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fixtures_forecast import fan, history
from fixtures_report import comparison

from autoscaler.backtest.report.html import write_html
from autoscaler.backtest.report.writing import write_bytes
from autoscaler.cli.forecast_view import html_page as forecast_page

EVIL = "<img src=x onerror=alert(1)>"

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "report.html"
    outcome = comparison(days=2, traces=("shop_front", EVIL), policies=("p@q0.8", f"{EVIL}@q0.95"))
    write_html(outcome, path)
    return path


class Visit:
    """One open page with everything it asked for and complained about."""

    def __init__(self, browser: Any, path: Path, width: int = 1300, scheme: str = "light") -> None:
        self.page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type != "log" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.complaints.append("a dialog"), dialog.dismiss()))
        self.page.goto(path.as_uri())
        self.page.wait_for_selector(".main-svg")

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_: object) -> None:
        self.page.close()

    def until(self, condition: str) -> None:
        """Wait for a JavaScript condition; the page's own policy forbids Playwright's way of doing so."""
        for _ in range(100):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(100)
        raise AssertionError(f"never true: {condition}")

    def check_clean(self) -> None:
        assert self.complaints == []
        outside = [url for url in self.requests if not url.startswith(("file:", "data:", "blob:"))]
        assert outside == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1300, 390])
def test_the_report_opens_without_errors_or_network_and_fits(
    browser: Any, report: Path, width: int, scheme: str
) -> None:
    with Visit(browser, report, width, scheme) as visit:
        drawn = visit.page.eval_on_selector_all("section:not([hidden]) .chart .main-svg", "all => all.length")
        assert drawn >= 5, "timeline, lanes, front, fan and guards"
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        paper = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == ("rgb(246, 247, 249)" if scheme == "light" else "rgb(15, 20, 26)")
        visit.check_clean()


def test_a_second_trace_and_another_policy_can_be_chosen(browser: Any, report: Path) -> None:
    with Visit(browser, report) as visit:
        visit.page.select_option("#trace", "1")
        visit.page.wait_for_selector("#trace-1 .main-svg")
        assert visit.page.is_hidden("#trace-0")
        assert EVIL in visit.page.inner_text("#trace-1 h2")
        for option in visit.page.eval_on_selector_all("#policy-1 option", "all => all.map(o => o.value)"):
            visit.page.select_option("#policy-1", option)
        legend = visit.page.text_content("#trace-1 .timeline .legend")
        assert EVIL in legend, "markup in a name is shown, not obeyed"
        visit.check_clean()


def test_the_decisions_can_be_filtered_and_lead_to_their_moment(browser: Any, report: Path) -> None:
    with Visit(browser, report) as visit:
        rows = "#trace-0 [data-rows] tr"
        every = visit.page.locator(rows).count()
        wanted = " ".join(visit.page.inner_text(f"{rows} >> nth=0 >> td.why").split()[:4])
        visit.page.fill("#trace-0 [data-filter=text]", wanted.upper())
        some = visit.page.locator(rows).count()
        assert 0 < some < every
        assert all(wanted in text for text in visit.page.locator(rows).all_inner_texts())
        visit.page.click(rows)
        visit.until("opened.get(0).view[1] - opened.get(0).view[0] <= 300")
        visit.check_clean()


def test_zooming_shows_single_steps_and_double_click_everything(browser: Any, report: Path) -> None:
    with Visit(browser, report) as visit:
        view = "opened.get(0).view"
        whole = visit.page.evaluate(view)
        visit.page.evaluate(
            "Plotly.relayout(opened.get(0).chart('timeline'),"
            "{'xaxis.range': [opened.get(0).timeOf(1500), opened.get(0).timeOf(1600)]})"
        )
        visit.until("opened.get(0).view[0] === 1500 && opened.get(0).view[1] === 1600")
        drawn = visit.page.evaluate(
            "opened.get(0).chart('timeline').data[0].x.filter(x => x >= opened.get(0).timeOf(1500)"
            " && x < opened.get(0).timeOf(1600)).length"
        )
        assert drawn == 100
        visit.page.evaluate("opened.get(0).chart('timeline').emit('plotly_doubleclick')")
        visit.until(f"String({view}) === '{whole[0]},{whole[1]}'")
        visit.check_clean()


def test_every_shortage_is_drawn_however_long_the_trace(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "long.html"
    write_html(comparison(days=60), path)
    with Visit(browser, path) as visit:
        missed = visit.page.evaluate(
            """() => {
              const view = opened.get(0), trace = view.trace, shown = trace.runs[view.shown];
              const div = view.chart("timeline");
              const area = div.data.find((d) => d.name === shown.name + " short");
              const drawn = [];
              let from = Infinity, to = -Infinity;
              for (const x of area.x) {
                if (x === null) { drawn.push([from, to]); from = Infinity; to = -Infinity; continue; }
                from = Math.min(from, x); to = Math.max(to, x);
              }
              return shown.shortages.filter(([first, length]) => !drawn.some(([a, b]) =>
                a <= view.timeOf(first) && view.timeOf(first + length) <= b)).length;
            }"""
        )
        assert visit.page.evaluate("opened.get(0).trace.runs[opened.get(0).shown].shortages.length") > 100
        assert missed == 0
        visit.check_clean()


def test_the_forecast_page_opens_without_errors_or_network(browser: Any, tmp_path: Path) -> None:
    series = history()
    path = tmp_path / "fan.html"
    write_bytes(path, forecast_page(series, fan(series)).encode())
    with Visit(browser, path, 390) as visit:
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390
        assert "seasonal-naive" in visit.page.inner_text("header")
        visit.check_clean()
