"""The HTML report: complete, offline, escaped; and the picture."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fixtures_report import START_S, bare_run, comparison, daily_load
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from autoscaler.backtest.report.html import html_page, shortages
from autoscaler.backtest.report.png import png_bytes, thinned
from autoscaler.backtest.result import Comparison, Kind, TraceResult
from autoscaler.series import Floats, Series

EVIL = "</script><img src=x onerror=alert(1)>&\"'$x_{1}$"


def data_of(html: str) -> dict[str, Any]:
    element = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert element is not None
    data: dict[str, Any] = json.loads(element[1])
    return data


def a_trace(load: Floats, ready: list[int]) -> TraceResult:
    run = replace(bare_run("p"), desired=np.array(ready), ready=np.array(ready))
    return TraceResult(Series("t", START_S, 60, load), 10.0, 300.0, 0.1, 0, (run,), "")


@pytest.fixture(scope="module")
def outcome() -> Comparison:
    return comparison(days=2)


@pytest.fixture(scope="module")
def page(outcome: Comparison) -> str:
    return html_page(outcome)


def test_shortages_of_a_case_worked_out_by_hand() -> None:
    trace = a_trace(np.array([15.0, 5, 35, 25, np.nan, 12]), [1, 1, 1, 2, 1, 1])
    assert shortages(trace, trace.runs[0]) == [[0, 1, 5.0, 1], [2, 2, 30.0, 3], [5, 1, 2.0, 1]]


@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_shortages_hold_every_short_step_and_no_other(seed: int, length: int) -> None:
    random = np.random.default_rng(seed)
    load = random.integers(0, 50, length).astype(np.float64)
    load[random.random(length) < 0.15] = np.nan
    trace = a_trace(load, random.integers(1, 6, length).tolist())
    found = np.zeros(length, dtype=bool)
    lost = 0.0
    for first, steps, unserved, _ in shortages(trace, trace.runs[0]):
        found[int(first) : int(first + steps)] = True
        lost += unserved
    over = np.nan_to_num(load - trace.runs[0].ready * 10.0)
    assert found.tolist() == (over > 0).tolist()
    assert lost == pytest.approx(over[over > 0].sum(), rel=1e-4)


def test_every_shortage_of_every_run_is_in_the_page(outcome: Comparison, page: str) -> None:
    told = data_of(page)["traces"][0]["runs"]
    assert any(run["shortages"] for run in told)
    for run, data in zip(outcome.traces[0].runs, told, strict=True):
        assert data["shortages"] == shortages(outcome.traces[0], run)


def test_the_page_holds_load_and_ready_of_every_step(outcome: Comparison, page: str) -> None:
    trace, data = outcome.traces[0], data_of(page)["traces"][0]
    load = np.frombuffer(base64.b64decode(data["load"]), dtype="<f4")
    assert np.allclose(load, trace.series.values, rtol=1e-6, equal_nan=True)
    for run, told in zip(trace.runs, data["runs"], strict=True):
        at = np.frombuffer(base64.b64decode(told["readyAt"]), dtype="<i4")
        to = np.frombuffer(base64.b64decode(told["readyTo"]), dtype="<i4")
        assert np.repeat(to, np.diff([*at, len(load)])).tolist() == run.ready.tolist()


def test_verdict_and_scores_are_there_without_scripts(outcome: Comparison, page: str) -> None:
    markup = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert outcome.verdict in markup.replace("&nbsp;", " ")
    for run in outcome.traces[0].runs:
        assert run.policy in markup
        assert run.note in markup


def test_the_page_calls_nobody(page: str) -> None:
    own = re.sub(r"<script>.*?</script>", "", page, count=1, flags=re.DOTALL)
    assert "default-src 'none'" in own
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", own)
    assert "@import" not in own


def test_names_and_sentences_are_escaped() -> None:
    wicked = comparison(days=1.5, traces=(EVIL, EVIL + "2"), policies=(EVIL + "@q0.9", "b@q0.5"))
    page = html_page(wicked)
    assert "<img src=x" not in page
    assert page.count("</script>") == page.count("<script")
    assert data_of(page)["traces"][0]["name"] == EVIL


def test_a_week_stays_below_ten_megabytes() -> None:
    assert len(html_page(comparison(days=7))) < 10e6


def test_only_the_largest_of_very_many_decisions_are_kept() -> None:
    outcome = comparison(days=1.5)
    trace = outcome.traces[0]
    run = trace.runs[0]
    one = run.decisions[0]
    small = replace(one, before=1, after=2)
    large = replace(one, before=1, after=50, index=7)
    many = replace(trace, runs=(replace(run, decisions=(small,) * 6000 + (large,)), *trace.runs[1:]))
    told = data_of(html_page(replace(outcome, traces=(many,))))["traces"][0]["runs"][0]
    assert len(told["decisions"]) == 5000
    assert told["decisionsMade"] == 6001
    assert 50 in [decision[2] for decision in told["decisions"]]


@pytest.mark.parametrize(
    "load",
    [
        pytest.param(np.full(300, np.nan), id="all-missing"),
        pytest.param(np.zeros(300), id="all-zero"),
        pytest.param(np.full(300, 5.0), id="constant"),
        pytest.param(np.array([5.0]), id="one-step"),
    ],
)
def test_odd_traces_still_make_a_report_and_a_picture(load: Floats) -> None:
    ready = np.ones(len(load), dtype=np.int64)
    runs = tuple(
        replace(bare_run(name, kind), desired=ready, ready=ready)
        for name, kind in (("p", Kind.POLICY), ("hpa", Kind.BASELINE), ("oracle", Kind.ORACLE))
    )
    trace = TraceResult(Series("odd", START_S, 60, load), 10.0, 300.0, 0.1, 0, runs, "A verdict.")
    outcome = Comparison((trace,), "A verdict.")
    assert "A verdict." in html_page(outcome)
    assert png_bytes(outcome).startswith(b"\x89PNG")


def test_only_baselines_make_a_report() -> None:
    outcome = comparison(days=1.5, policies=())
    assert "Only baselines were run" in html_page(outcome)
    assert png_bytes(outcome).startswith(b"\x89PNG")


def test_a_picture_takes_any_name() -> None:
    assert png_bytes(comparison(days=1.5, traces=(EVIL,), policies=(EVIL,))).startswith(b"\x89PNG")


@given(
    arrays.arrays(np.float64, st.integers(1, 500), elements=st.floats(-1e6, 1e6) | st.just(np.nan)),
    st.integers(2, 100),
)
def test_thinning_keeps_extremes_and_order(values: Floats, most: int) -> None:
    at, thin = thinned(values, most)
    assert np.all(np.diff(at) >= 0)
    assert np.array_equal(values[at.astype(int)], thin, equal_nan=True)
    if not np.isnan(values).all():
        assert np.nanmax(thin) == np.nanmax(values)
        assert np.nanmin(thin) == np.nanmin(values)
    assert len(thin) <= max(most, 2) + 2 or len(values) <= most


def test_long_traces_are_thinned_for_the_picture() -> None:
    at, _ = thinned(daily_load(days=30), 4000)
    assert len(at) <= 4002
