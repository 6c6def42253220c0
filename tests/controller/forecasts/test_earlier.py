"""Earlier occasions in the live feed: read once, older than the history, and never in the way."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from feed_in_hand import Running
from known_source import END_S, HORIZON, LEAD, Known, request, wave

from autoscaler.controller.forecasts.request import ForecastRequest
from autoscaler.forecasting.forecaster import ForecastSettings, Interval, Repeat
from autoscaler.series import Floats

DAYS = 20
START_S = END_S + 600
EARLIER_S = START_S - 15 * 86_400
"""Long before the three days of history that are read for the model."""
LAUNCH = Repeat("launch", START_S, START_S + 3600, EARLIER_S, 2.0)


def asked(*repeats: Repeat, **changes: object) -> ForecastRequest:
    left_out = tuple(Interval(one.start_s, one.end_s, one.name) for one in repeats)
    settings = ForecastSettings(horizon=HORIZON, lead=LEAD, repeats=repeats, excluded=left_out)
    return request(model="trend", settings=settings, **changes)


def past() -> Floats:
    """Ordinary days, and a launch of 1000 with one spike of 1500 in it."""
    load = wave(DAYS * 1440 + 60)
    first = len(load) - 1 - (END_S + 3600 - EARLIER_S) // 60
    load[first : first + 60] = 1000.0
    load[first + 30] = 1500.0
    return load


def source() -> Known:
    return Known({"shop/web": past()}, end_s=END_S + 3600)


def test_the_load_of_the_earlier_occasion_is_a_floor_under_the_fan_from_a_lead_time_before() -> None:
    running = Running(source(), asked(LAUNCH))
    running.run(30)
    running.run(600)
    fan = running.fan()
    assert fan.made_at_s == START_S
    assert fan.outlook(fan.made_at_s + 5, 180.0, 0.95).peak == pytest.approx(2000.0)
    assert fan.outlook(fan.made_at_s + 5, 1800.0, 0.5).peak == pytest.approx(3000.0)
    values, peaks = fan.shown()
    assert (peaks[30:] >= 3000.0).all()
    assert (values[:29] >= 2000.0).all()
    before = next(one for one in running.fans["shop/web"] if one.made_at_s == START_S - 240)
    assert before.outlook(before.made_at_s + 5, 180.0, 0.95).peak < 300
    assert "event launch: at least the load from" in fan.note
    assert fan.lacking == ""


def test_it_is_read_once_and_history_comes_first() -> None:
    known = source()
    running = Running(known, asked(LAUNCH))
    running.run(1800)
    spans = [(first, last) for _, first, last in known.ranges if first <= EARLIER_S <= last]
    assert spans == [(EARLIER_S, EARLIER_S + 3600)]
    assert known.ranges[0][1] > EARLIER_S


def test_what_the_model_is_known_for_does_not_change_by_it() -> None:
    plain, raised = Running(source(), asked()), Running(source(), asked(LAUNCH))
    for running in (plain, raised):
        running.run(1200)
    with_it, without = raised.fan(), plain.fan()
    assert with_it.doubt == without.doubt
    assert with_it.limit == pytest.approx(without.limit, rel=1e-4)
    assert 0 < with_it.judged < without.judged


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        pytest.param("the server is down", "event launch: the server is down", id="no answer"),
        pytest.param("", "event launch: nothing of the load from", id="an empty answer"),
    ],
)
def test_an_occasion_that_cannot_be_had_is_named_and_harms_nothing(reason: str, told: str) -> None:
    known = source()
    far = replace(LAUNCH, earlier_s=float(END_S - 300 * 86_400))
    running = Running(known, asked(far))
    running.run(30)
    if reason:
        ordinary = known.read_range

        def failing(query: str, start_s: int, end_s: int, step_s: int) -> object:
            known.failing = {query: reason} if start_s < END_S - 200 * 86_400 else {}
            answer = ordinary(query, start_s, end_s, step_s)
            known.failing = {}
            return answer

        known.read_range = failing  # type: ignore[method-assign, assignment]
        running = Running(known, asked(far))
        running.run(30)
    running.run(900)
    fan = running.fan()
    assert fan.made_at_s == END_S + 900
    assert told in fan.lacking
    assert len(fan.known) == 0
    assert math.isfinite(fan.outlook(fan.made_at_s + 5, 180.0, 0.95).peak)
    assert running.failures == {}


def test_a_source_that_did_not_answer_is_asked_again_in_vain_only_every_five_minutes() -> None:
    known = source()
    ordinary, tries = known.read_range, []

    def failing(query: str, start_s: int, end_s: int, step_s: int) -> object:
        old = start_s == EARLIER_S
        tries.extend([end_s] if old else [])
        known.down = old and len(tries) < 3
        answer = ordinary(query, start_s, end_s, step_s)
        known.down = False
        return answer

    known.read_range = failing  # type: ignore[method-assign, assignment]
    running = Running(known, asked(LAUNCH))
    running.run(1200)
    assert len(tries) == 3
    assert running.fan().lacking == ""
    assert running.fan().outlook(running.fan().made_at_s + 5, 180.0, 0.95).peak == pytest.approx(2000.0)


def test_an_occasion_that_is_over_is_not_read() -> None:
    known = source()
    over = replace(LAUNCH, start_s=float(END_S - 7200), end_s=float(END_S - 3600))
    running = Running(known, asked(over))
    running.run(120)
    assert all(first > EARLIER_S for _, first, _ in known.ranges)
    assert running.fan().lacking == ""


def test_with_a_folder_it_survives_a_restart_after_the_source_has_dropped_it(tmp_path: Path) -> None:
    first = Running(source(), asked(LAUNCH), folder=tmp_path)
    first.run(60)
    forgetful = source()
    forgetful.loads["shop/web"][: -4 * 1440] = np.nan
    second = Running(forgetful, asked(LAUNCH), folder=tmp_path)
    second.run(660)
    fan = second.fan()
    assert fan.outlook(fan.made_at_s + 5, 180.0, 0.95).peak == pytest.approx(2000.0)


def test_nothing_is_left_in_the_folder_of_a_workload_that_is_gone(tmp_path: Path) -> None:
    running = Running(source(), asked(LAUNCH), folder=tmp_path)
    running.run(60)
    assert len(list(tmp_path.iterdir())) == 2
    running.feed.drop("shop/web")
    assert list(tmp_path.iterdir()) == []


def test_a_changed_request_for_the_same_load_keeps_what_was_read() -> None:
    known = source()
    running = Running(known, asked(LAUNCH))
    running.run(60)
    known.ranges.clear()
    running.feed.want("shop/web", 7, asked(LAUNCH, refit_s=7200.0))
    running.run(660)
    assert all(first != EARLIER_S for _, first, _ in known.ranges)
    assert running.fan().outlook(running.fan().made_at_s + 5, 180.0, 0.95).peak == pytest.approx(2000.0)
