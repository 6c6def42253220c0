"""One workload: its time and what was forecast, its decisions and their grounds, and a person's own word."""

from __future__ import annotations

import json
from typing import Any

import pytest
from looking import Visit
from shown_service import ShownService

from autoscaler.api.shapes.shadow import EXAMPLE as SHADOW

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_CHECKOUT = "/workloads/shop/checkout"


def _traces(visit: Visit) -> list[dict[str, Any]]:
    """What the chart is drawn from: names of colours and shapes are not looked at, only the data."""
    drawn: list[dict[str, Any]] = visit.page.evaluate(
        """[...document.querySelector('.plot').data].map((trace) => ({
          points: trace.x.length, fill: trace.fill ?? "", mode: trace.mode, y: Array.from(trace.y),
          symbol: trace.marker?.symbol ?? "", picks: trace.customdata ?? [],
        }))"""
    )
    return drawn


def test_the_chart_shows_load_capacity_forecast_and_decisions(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, _CHECKOUT) as visit:
        visit.drawn()
        traces = _traces(visit)
        assert sum(trace["fill"] == "tonexty" for trace in traces) >= 2, "the bands of the fan"
        assert any(trace["points"] > 300 and max(v or 0 for v in trace["y"]) > 300 for trace in traces), (
            "load"
        )
        decisions = [trace for trace in traces if trace["picks"] and trace["mode"] == "markers"]
        assert len(decisions) == 1 and decisions[0]["points"] > 0
        shapes = visit.page.evaluate("document.querySelector('.plot').layout.shapes.map((s) => s.type)")
        assert "rect" in shapes, "the lead time"
        words = visit.page.text_content(".plot")
        assert words is not None and "lead time 3 min" in words


_WRONG = """async (path) => {
  const end = Math.floor(Date.now() / 1000);
  const answer = await fetch(`${path}?start=${end - 21600}&end=${end}`);
  const { load, stated } = (await answer.json()).columns;
  const isWrong = (value, i) => value !== null && stated[i] !== null && value > stated[i];
  return load.filter(isWrong).length;
}"""


def test_where_the_forecast_was_wrong_is_marked(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, "/workloads/shop/search") as visit:
        visit.drawn()
        wrong = visit.page.evaluate(_WRONG, "/api/v1/namespaces/shop/workloads/search/series")
        marked = [trace for trace in _traces(visit) if str(trace["symbol"]).startswith("circle")]
        assert len(marked) == 1
        assert wrong - 1 <= marked[0]["points"] <= wrong and wrong > 0


def test_the_legend_tells_the_values_under_the_pointer(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, _CHECKOUT) as visit:
        visit.drawn()
        box = visit.page.locator(".plot").bounding_box()
        visit.page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 3)
        visit.until("document.querySelector('.legend .when').textContent !== ''")
        assert not visit.page.is_hidden(".cursor")
        values = visit.page.eval_on_selector_all(".legend .value", "all => all.map(e => e.textContent)")
        assert all(value.replace(",", "").isdigit() for value in (values[0], values[1], values[5], values[7]))


def test_the_range_and_a_zoom_are_in_the_address_and_back_undoes_them(
    browser: Any, service: ShownService
) -> None:
    with Visit(browser, service.url, _CHECKOUT) as visit:
        visit.drawn()
        visit.page.click(".ranges button:has-text('1h')")
        visit.until_address("range=1h")
        visit.until("document.querySelector('.ranges [aria-pressed=true]').textContent === '1h'")
        box = visit.page.locator(".plot .draglayer").bounding_box()
        visit.page.mouse.move(box["x"] + 200, box["y"] + 80)
        visit.page.mouse.down()
        visit.page.mouse.move(box["x"] + 500, box["y"] + 80, steps=4)
        visit.page.mouse.up()
        visit.until_address("start=")
        assert "end=" in visit.page.url and "range=" not in visit.page.url
        visit.page.go_back()
        visit.until_address("range=1h")
        visit.page.go_back()
        visit.page.wait_for_url(f"**{_CHECKOUT}")
        visit.until("document.querySelector('.ranges [aria-pressed=true]').textContent === '6h'")


def test_an_earlier_forecast_is_drawn_beside_what_came(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, _CHECKOUT) as visit:
        visit.drawn()
        newest = visit.page.get_attribute(".fans time", "datetime")
        visit.page.click("button[aria-label='The forecast before']")
        visit.until_address("fan=")
        visit.until(f"document.querySelector('.fans time').dateTime < '{newest}'")
        visit.page.click(".fans button:has-text('Newest')")
        visit.until(f"document.querySelector('.fans time').dateTime >= '{newest}'")


def test_a_decision_opens_in_full_with_its_grounds_and_can_be_replayed(
    browser: Any, service: ShownService
) -> None:
    with Visit(browser, service.url, _CHECKOUT) as visit:
        visit.page.click(".decision a.sentence >> nth=0")
        visit.until_address("decision=")
        visit.page.wait_for_selector("#panel .jump")
        told = visit.page.inner_text("#panel")
        for part in (
            "What each source wished",
            "forecast",
            "Guards, in the order they acted",
            "Largest wish",
            "Policy",
        ):
            assert part in told
        assert (
            visit.page.evaluate("document.activeElement.getAttribute('aria-label')") == "Close the decision"
        )
        visit.page.click("#panel button:has-text('Replay')")
        visit.page.wait_for_selector("#panel .replay p")
        assert "The same, in every part" in visit.page.inner_text("#panel .replay")
        visit.page.keyboard.press("Escape")
        visit.page.wait_for_selector("#panel", state="hidden")
        assert "decision=" not in visit.page.url
        assert visit.page.evaluate("document.activeElement.matches('.decision a.sentence')"), "focus is back"


_PLACE_OF_MARK = """(id) => {
  const plot = document.querySelector(".plot"), marks = plot.data.at(-1), at = marks.customdata.indexOf(id);
  const { xaxis, yaxis2 } = plot._fullLayout, { left, top } = plot.getBoundingClientRect();
  return [
    left + xaxis._offset + xaxis.d2p(marks.x[at]),
    top + yaxis2._offset + yaxis2.d2p(marks.y[at]),
  ];
}"""


def test_a_mark_in_the_chart_says_why_when_pointed_at_and_opens_its_decision_when_clicked(
    browser: Any, service: ShownService
) -> None:
    told = "Scale out by 3: as this test says."
    decision = service.decide("media/uploads", told, (4, 7), ["TooManyReplicas"])
    with Visit(browser, service.url, "/workloads/media/uploads?range=1h") as visit:
        visit.drawn()
        x, y = visit.page.evaluate(_PLACE_OF_MARK, decision)
        visit.page.mouse.move(x - 3, y)
        visit.page.mouse.move(x, y)
        visit.page.wait_for_selector(".hoverlayer .hovertext")
        shown = visit.page.text_content(".hoverlayer .hovertext")
        assert shown is not None and told in shown and "·" in shown.partition(told)[2], "sentence and guard"
        visit.page.mouse.down()
        visit.page.mouse.up()
        visit.until_address(f"decision={decision}")
        visit.page.wait_for_selector("#panel .jump")


def test_guards_that_changed_the_number_are_listed_in_their_order(
    browser: Any, service: ShownService
) -> None:
    with Visit(browser, service.url, "/workloads/shop/checkout?range=24h") as visit:
        visit.page.click(".decision:has(.badge) a.sentence >> nth=0")
        visit.page.wait_for_selector("#panel .steps li:nth-child(3)")
        decision = visit.page.evaluate(
            """async () => {
              const id = new URLSearchParams(location.search).get("decision");
              return (await fetch(`/api/v1/decisions/${id}`)).json();
            }"""
        )
        numbers = visit.page.eval_on_selector_all(
            "#panel .steps:first-of-type .to", "all => all.map(e => Number(e.textContent))"
        )
        expected = [
            decision["wished"],
            *(change["after"] for change in decision["changes"]),
            decision["after"],
        ]
        assert numbers == expected


def test_an_override_is_asked_for_confirmed_and_ended(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, "/workloads/media/thumbnails") as visit:
        visit.page.click("summary:has-text('New override')")
        visit.page.select_option("form.override select", "Minimum")
        visit.page.fill("form.override [name=replicas]", "12")
        visit.page.click("form.override button:has-text('4 h')")
        visit.page.fill("form.override [name=reason]", "load test <b>tonight</b>")
        visit.page.click("form.override button.main")
        visit.page.wait_for_selector("dialog[open]")
        assert "at least 12 replicas" in visit.page.inner_text("dialog")
        visit.page.click("dialog button:has-text('Leave it')")
        assert service.overrides.texts.get("media/thumbnails") is None, "not before it is confirmed"
        visit.page.click("form.override button.main")
        visit.page.click("dialog button:has-text('Override')")
        visit.page.wait_for_selector(".overrides li[data-state=InForce]")
        told = visit.page.inner_text(".overrides li[data-state=InForce]")
        assert "At least 12 replicas" in told and "load test <b>tonight</b>" in told and "root" in told
        text = service.overrides.texts["media/thumbnails"]
        assert text is not None and text.startswith("at least 12 until")
        visit.page.click("button:has-text('End now')")
        visit.page.click("dialog button:has-text('End it')")
        visit.page.wait_for_selector(".overrides li[data-state=Ended]")
        assert service.overrides.texts["media/thumbnails"] is None


def test_whoever_may_not_write_is_told_what_it_takes(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, _CHECKOUT, token="reader-token") as visit:
        visit.page.wait_for_selector("text=you need to be allowed to update")
        assert visit.page.locator("form.override").count() == 0


def test_a_stale_signal_says_so_with_its_age_and_reason(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, "/workloads/pay/cards") as visit:
        row = visit.page.locator("tr:has(th:has-text('cpu'))")
        row.wait_for()
        told = row.inner_text()
        assert "stale" in told and "241 s old" in told and "4 min" in told


def test_a_new_state_appears_by_itself(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, "/workloads/pay/refunds") as visit:
        visit.page.wait_for_selector("#stream[data-state=live]")
        visit.page.wait_for_selector(".figures")
        service.change("pay/refunds", decision="Scale out from 2 to 77: as the test says.")
        visit.page.wait_for_selector("text=as the test says")


def test_times_are_the_readers_own_and_utc_when_pointed_at(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, _CHECKOUT, timezone_id="Asia/Kolkata") as visit:
        shown = visit.page.locator(".decision time >> nth=0")
        shown.wait_for()
        utc = shown.get_attribute("datetime")
        minutes = int(utc[11:13]) * 60 + int(utc[14:16]) + 330
        assert f"{minutes // 60 % 24:02}:{minutes % 60:02}" in shown.inner_text()
        assert "UTC" in shown.get_attribute("title")


def test_a_price_that_is_set_shows_what_is_spent_and_limits(browser: Any, service: ShownService) -> None:
    with Visit(browser, service.url, "/workloads/shop/cart") as visit:
        visit.page.wait_for_selector(".card:has(h2:text-is('Spend')) table")
        answer = json.loads(
            visit.page.evaluate("fetch('/api/v1/namespaces/shop/workloads/cart/spend').then((a) => a.text())")
        )
        told = visit.page.inner_text(".card:has(h2:text-is('Spend'))")
        assert answer["today"] in told and "9.00" in told


@pytest.mark.parametrize(
    ("path", "token", "title"),
    [
        pytest.param("/workloads/shop/nobody", "root-token", "Not there", id="absent"),
        pytest.param("/workloads/pay/cards", "anna-token", "Not yours to see", id="forbidden"),
    ],
)
def test_what_cannot_be_shown_says_why_and_what_to_do(
    browser: Any, service: ShownService, path: str, token: str, title: str
) -> None:
    with Visit(browser, service.url, path, token=token, expected=("status of 40",)) as visit:
        visit.page.wait_for_selector(f"h1:has-text('{title}')")
        assert "Try again" in visit.page.inner_text("main")


def test_a_shadow_shows_what_it_would_cost_and_leave_and_a_workload_without_one_shows_no_card(
    browser: Any, service: ShownService
) -> None:
    service.change("media/uploads", shadow=SHADOW)
    service.look()
    card = ".card:has(h2:text-is('Shadow policy'))"
    with Visit(browser, service.url, "/workloads/media/uploads") as visit:
        visit.page.wait_for_selector(f"{card} table")
        told = visit.page.inner_text(card)
        assert "it would cost 12.6 % less" in told and "It does not act." in told
        rows = visit.page.eval_on_selector_all(
            f"{card} tbody tr", "all => all.map((row) => [...row.children].map((cell) => cell.textContent))"
        )
        assert rows == [
            ["Spec", "9", "815", "97.82", "0.021 %"],
            ["bolder", "8", "713", "85.50", "0.034 %"],
            ["Actual", "–", "821", "98.52", "0.025 %"],
        ]
    with Visit(browser, service.url, _CHECKOUT) as visit:
        visit.drawn()
        assert not visit.page.is_visible(card)


_OBJECTIVE = {
    "spec": {"unserved": "0.1%", "window": "7d"},
    "verdict": "Kept",
    "quantile": 0.995,
    "headroom": 1.2,
    "promised": 0.0004,
    "observed": 0.0003,
    "observedSeconds": 604_800,
    "left": 0.7,
    "message": "At most 0.1 % unserved over 7 days: read at p99.5 x 1.2.",
    "curveDays": 7.0,
    "curve": [
        {
            "quantile": 0.95,
            "headroom": 1.0,
            "replicaHoursPerDay": 213.0,
            "unserved": 0.0021,
            "shortMinutesPerWeek": 44.0,
        },
        {
            "quantile": 0.995,
            "headroom": 1.2,
            "replicaHoursPerDay": 251.0,
            "unserved": 0.0004,
            "shortMinutesPerWeek": 9.0,
        },
    ],
}


def test_an_objective_shows_the_curve_it_was_chosen_from_with_its_place_marked(
    browser: Any, service: ShownService
) -> None:
    card = ".card:has(h2:text-is('Objective'))"
    with Visit(browser, service.url, "/workloads/pay/refunds") as visit:
        visit.page.wait_for_selector(".figures")
        assert not visit.page.is_visible(card), "without an objective there is no such card"
        service.change("pay/refunds", objective=_OBJECTIVE)
        visit.page.wait_for_selector(f"{card} table")
        assert "At most 0.1 % unserved" in visit.page.inner_text(card)
        assert len(visit.page.query_selector_all(f"{card} tbody tr")) == 2
        marked = visit.page.inner_text(f"{card} tr[aria-current]")
        assert "p99.5 × 1.2" in marked and "251" in marked and "0.04 %" in marked
