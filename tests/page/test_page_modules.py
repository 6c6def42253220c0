"""What the page computes itself, asked of its own modules in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from looking import Visit
from shown_service import ShownService

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def berlin(browser: Any, service: ShownService) -> Iterator[Visit]:
    """A reader whose clocks change twice a year."""
    with Visit(browser, service.url, "/help", timezone_id="Europe/Berlin", locale="en-GB") as visit:
        visit.page.wait_for_selector("h1:text-is('Help')")
        yield visit


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.25, "0.3 s"),
        (45, "45 s"),
        (180, "3 min"),
        (5400, "1 h 30 min"),
        (7200, "2 h"),
        (400_000, "5 d"),
        ("null", "–"),
    ],
)
def test_durations_read_as_people_say_them(berlin: Visit, seconds: object, text: str) -> None:
    assert berlin.module("numbers.js", f"it.duration({seconds})") == text


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("it.amount(0.004)", "0.004"),
        ("it.amount(812.345)", "812"),
        ("it.amount(1234567)", "1.23 M"),
        ("it.amount(234567)", "235 k"),
        ("it.amount(null)", "–"),
        ("it.money('12.3')", "12.30"),
        ("it.money('2612.3')", "2,612"),
        ("it.percent(0.9471)", "94.7 %"),
        ("it.percent(0.0000001, 3)", "< 0.001 %"),
        ("it.percent(0, 3)", "0 %"),
        ("it.plural(1, 'replica')", "1 replica"),
    ],
)
def test_numbers_are_short_and_unknown_is_not_zero(berlin: Visit, expression: str, text: str) -> None:
    assert berlin.module("numbers.js", expression) == text


@pytest.mark.parametrize(
    "utc",
    [
        "2026-03-29T00:30:00Z",
        "2026-03-29T01:30:00Z",
        "2026-07-01T12:00:00Z",
        "2026-10-25T02:30:00Z",
        "2026-12-31T23:59:59Z",
    ],
)
def test_a_place_on_an_axis_leads_back_to_its_moment_when_the_clocks_change(berlin: Visit, utc: str) -> None:
    expression = f"it.offAxis(it.onAxis(Date.parse('{utc}') / 1000)) - Date.parse('{utc}') / 1000"
    assert berlin.module("charts/axis_times.js", expression) == 0


def test_an_axis_shows_the_readers_own_clock(berlin: Visit) -> None:
    summer = "new Date(it.onAxis(Date.parse('2026-07-01T12:00:00Z') / 1000)).toISOString()"
    winter = "new Date(it.onAxis(Date.parse('2026-12-01T12:00:00Z') / 1000)).toISOString()"
    assert berlin.module("charts/axis_times.js", summer).startswith("2026-07-01T14:00")
    assert berlin.module("charts/axis_times.js", winter).startswith("2026-12-01T13:00")


@pytest.mark.parametrize(
    ("params", "length_s", "is_live"),
    [
        ("{}", 21_600, True),
        ("{range: '7d'}", 604_800, True),
        ("{range: 'nonsense'}", 21_600, True),
        ("{start: '2026-11-01T00:00:00Z', end: '2026-11-01T01:00:00Z'}", 3600, False),
        ("{start: '1793491200', end: '1793494800'}", 3600, False),
        ("{start: '2026-11-01T01:00:00Z', end: '2026-11-01T00:00:00Z'}", 21_600, True),
        ("{start: 'x', end: 'y'}", 21_600, True),
    ],
)
def test_a_range_in_an_address_is_read_or_left(
    berlin: Visit, params: str, length_s: int, is_live: bool
) -> None:
    found = berlin.module("moments.js", f"it.rangeOf({params})")
    assert found["endS"] - found["startS"] == pytest.approx(length_s)
    assert found["live"] is is_live


_YEARS_SHOWN = """[it.shortTime, (atS) => it.timeElement(atS).textContent].map((words) => {
  const year = new Date().getFullYear();
  const days = [new Date(), ...[0, 6].map((month) => new Date(year, month, 15))];
  const others = [-1, 1].map((years) => new Date(year + years, 6, 15));
  return [days, others].map((all) => all.map((day) => /20[0-9]{2}/.test(words(day / 1000))));
})"""


def test_a_time_of_another_year_says_which(berlin: Visit) -> None:
    assert berlin.module("moments.js", _YEARS_SHOWN) == [[[False] * 3, [True] * 2]] * 2


def test_thinning_keeps_every_peak_and_every_gap(berlin: Visit) -> None:
    kept = berlin.module(
        "charts/thin.js",
        """(() => {
          const values = Array.from({ length: 10000 }, (_, i) => Math.sin(i / 50));
          values[4321] = 99;
          values[7654] = -99;
          values.fill(null, 5000, 6000);
          const at = it.thinned(values, 200);
          return { at, values: at.map((i) => values[i]), plain: it.thinned([1, null, 3], 200) };
        })()""",
    )
    assert 99 in kept["values"] and -99 in kept["values"]
    assert kept["at"] == sorted(set(kept["at"]))
    assert len(kept["at"]) <= 401
    inside = [value for i, value in zip(kept["at"], kept["values"], strict=True) if 5000 <= i < 6000]
    assert inside and set(inside) == {None}
    assert kept["plain"] == [0, 1, 2]


def test_an_area_covers_what_lies_between_two_lines_and_nothing_in_gaps(berlin: Visit) -> None:
    found = berlin.module(
        "charts/areas.js",
        "it.between([0, 10, 20, 30, 40], [1, 1, null, 1, 5], [3, 2, 9, 4, 4], 10)",
    )
    outlines: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(found["x"], found["y"], strict=True):
        if x is None:
            outlines.append([])
        else:
            outlines[-1].append((x, y))
    assert outlines[0] == [(0, 3), (10, 3), (10, 2), (20, 2), (20, 1), (10, 1), (10, 1), (0, 1), (0, 3)]
    assert outlines[1] == [(30, 4), (40, 4), (40, 1), (30, 1), (30, 4)]
    assert outlines[2:] == [[]], "where the upper line is below the lower one there is no area"


_SPEC = "{ minReplicas: 2, maxReplicas: 60, load: { perReplica: '120' }, forecast: { quantile: 95 } }"


@pytest.mark.parametrize(
    ("params", "patch"),
    [
        ("{}", {}),
        ("{ quantile: '0.95', min: '2' }", {}),
        ("{ quantile: '0.9' }", {"forecast": {"quantile": "0.9"}}),
        ("{ min: '3', max: '9' }", {"minReplicas": 3, "maxReplicas": 9}),
        ("{ window: '60' }", {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}}}),
        ("{ daily: '60', price: '0.12' }", {"spend": {"dailyBudget": "60", "replicaHourPrice": "0.12"}}),
        ("{ per: '-' }", {"load": {"perReplica": None}}),
        ("{ other: '1' }", {}),
    ],
)
def test_settings_of_an_address_become_a_patch_of_what_differs(
    berlin: Visit, params: str, patch: object
) -> None:
    assert berlin.module("whatif/settings.js", f"it.patchOf(it.changesOf({_SPEC}, {params}))") == patch


def test_a_patch_becomes_the_settings_that_it_names(berlin: Visit) -> None:
    patch = "{ forecast: { quantile: '0.8' }, behavior: { scaleDown: { stabilizationWindowSeconds: 60 } } }"
    params = berlin.module("whatif/settings.js", f"it.paramsOf({patch})")
    assert {key: value for key, value in params.items() if value is not None} == {
        "quantile": "0.8",
        "window": "60",
    }


@pytest.mark.parametrize(
    ("number", "width", "side"), [(10, 1000, 16), (1000, 1284, 9), (5000, 1284, 4), (10**6, 300, 4)]
)
def test_the_picture_of_all_workloads_makes_its_cells_as_large_as_they_fit(
    berlin: Visit, number: int, width: int, side: int
) -> None:
    assert berlin.module("fleet/mosaic.js", f"it.sideOf({number}, {width})") == side


def test_every_problem_of_the_service_has_words_and_a_shape(berlin: Visit) -> None:
    from autoscaler.api.health import WorkloadProblem

    assert berlin.module("problems.js", "Object.keys(it.PROBLEMS)") == [one.value for one in WorkloadProblem]
    shapes = (
        "Object.keys((await import(new URL('problems.js', own))).PROBLEMS).map((c) => it.icon(c).innerHTML)"
    )
    assert len(set(berlin.module("icons.js", shapes))) == len(WorkloadProblem)


def test_every_guard_has_words_in_the_order_in_which_guards_act(berlin: Visit) -> None:
    from autoscaler.planning.decision import Reason

    assert set(berlin.module("decisions/words.js", "Object.keys(it.GUARDS)")) == {one.value for one in Reason}


def test_every_outcome_has_words(berlin: Visit) -> None:
    from autoscaler.controller.outcome import Write

    for write in Write:
        words, _ = berlin.module("decisions/words.js", f"it.outcome('{write.value}')")
        assert words != write.value


def test_the_services_clock_counts_where_the_readers_own_is_wrong_or_a_demonstration_runs_ahead(
    berlin: Visit,
) -> None:
    told = berlin.module(
        "clock.js?of-this-test",
        """(() => {
          const own = () => it.nowS() - Date.now() / 1000;
          const plain = own();
          it.answeredAt(new Date(Date.now() + 600_000).toUTCString());
          const corrected = own();
          it.answeredAt(new Date().toUTCString());
          const back = own();
          it.hasBeen(Date.now() / 1000 - 50);
          const past = own();
          it.hasBeen(Date.now() / 1000 + 7200);
          return { plain, corrected, back, past, ahead: own() };
        })()""",
    )
    assert told["plain"] == told["back"] == told["past"] == 0
    assert told["corrected"] == pytest.approx(600, abs=1)
    assert told["ahead"] == pytest.approx(7200, abs=1)
