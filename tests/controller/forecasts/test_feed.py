"""One source's workloads: what is read when, what is forecast of it, and whom a failure concerns."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from feed_in_hand import Running
from known_source import END_S, HORIZON, LEAD, SOURCE, Known, request, wave

from autoscaler.backtest.foresight import as_modelled
from autoscaler.backtest.stretches import modelled, stretches
from autoscaler.controller.forecasts import feed, fitting
from autoscaler.controller.forecasts.request import ForecastRequest
from autoscaler.controller.forecasts.stated_record import StatedRecord
from autoscaler.forecasting.forecaster import ForecastSettings, Predictor
from autoscaler.forecasting.promises import placed, places_to_read, read_at
from autoscaler.forecasting.registry import forecaster
from autoscaler.planning.curve import Terms
from autoscaler.series import Batch, Floats, Forecast, Grade
from autoscaler.signals.errors import InputError
from autoscaler.signals.recorded import read_recorded
from autoscaler.signals.settings import ConnectionSettings

DAYS = 3
STEPS = DAYS * 1440
FIRST = np.zeros(1, np.int64)


def fitted(history: Floats, end_s: int, asked: ForecastRequest) -> Predictor:
    return forecaster(asked.model).fit(
        Batch(history[np.newaxis], np.array([end_s]), asked.step_s), asked.settings
    )


def alone(history: Floats, end_s: int, asked: ForecastRequest) -> Forecast:
    batch = Batch(history[np.newaxis], np.array([end_s]), asked.step_s)
    return fitted(history, end_s, asked).predict(batch, FIRST)


def places_after_the_fact(history: Floats, end_s: int, asked: ForecastRequest) -> Floats:
    """Where the peaks of every 35th minute of the last three days lay on the scale of a model that was
    fitted to all of them, as levels are then to be read."""
    predictor, places = fitted(history, end_s, asked), []
    for at in range(LEAD + 1, len(history) - LEAD):
        at_s = end_s - (len(history) - 1 - at) * asked.step_s
        if at_s // asked.step_s % 35 == 0:
            recent = np.concatenate([np.full(len(history) - 1 - at, np.nan), history[: at + 1]])
            said = predictor.predict(Batch(recent[np.newaxis], np.array([at_s]), asked.step_s), FIRST)
            came = history[at + 1 : at + 1 + LEAD].max()
            places.append(placed(said.peaks[:, LEAD - 1], said.levels, np.array([came]))[0])
    return places_to_read(np.array(places), np.array(asked.settings.levels), asked.step_s)


def test_the_first_fan_is_what_the_model_says_read_by_what_it_says_of_the_days_before() -> None:
    load = wave(STEPS)
    running = Running(Known({"shop/web": load}), request())
    running.run(8)
    wanted = alone(load, END_S, request())
    fan = running.fan()
    assert fan.made_at_s == END_S
    places = places_after_the_fact(load, END_S, request())
    peaks = np.maximum.accumulate(read_at(wanted.peaks, wanted.levels, places[np.newaxis])[0], axis=0)
    np.testing.assert_allclose(fan.peaks, peaks, rtol=1e-4)
    np.testing.assert_allclose(fan.values, np.minimum(wanted.values[0], peaks), rtol=1e-4)
    assert (fan.model, fan.grade) == (wanted.models[0], Grade.DAILY)
    assert fan.horizon == HORIZON
    assert running.failures == {}


def test_every_step_brings_a_fan_and_all_workloads_share_its_read() -> None:
    loads = {f"shop/w{n}": wave(STEPS + 5, seed=n) for n in range(12)}
    known = Known(loads, end_s=END_S + 300)
    running = Running(known, *(request(key) for key in loads))
    running.now_s = END_S + 4.0
    running.run(60 + 55)
    assert [fan.made_at_s for fan in running.fans["shop/w7"]] == [END_S, END_S + 60]
    assert [sorted(asked) for asked in known.instants] == [sorted(loads)]


@pytest.mark.parametrize("model", ["auto", "ridge", "trend", "seasonal-naive", "fourier"])
def test_a_fan_without_a_record_says_what_the_model_says_in_a_backtest_at_the_same_moment(
    model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "rehearse", lambda workload: None)
    path = Path(__file__).parents[3] / "autoscaler/backtest/samples/ms_mongo_app_04_1min.csv.gz"
    series = read_recorded(path)
    fitted_at, step_s = 5 * 360, series.step_s
    history_s = 3 * 86_400.0
    past, settings = series.between(0, fitted_at + 20), ForecastSettings(horizon=LEAD)
    parts = stretches(past, history_s, 6 * 3600)
    told = [modelled(part, forecaster(model), settings, history_s) for part in parts]
    seen = as_modelled(past, settings, told)
    known = Known({"shop/web": series.values}, end_s=series.end_s, step_s=step_s)
    running = Running(known, request(model=model, history_s=history_s))
    start_s = series.start_s + fitted_at * step_s
    running.now_s = start_s + 4.0
    running.run(10 * 60 - 5)
    made = running.fans["shop/web"]
    assert [fan.made_at_s for fan in made] == [start_s + 60 * n for n in range(10)]
    stated = seen.at_quantile(0.95)
    for fan in made:
        at = int(fan.made_at_s - series.start_s) // step_s
        for after_s in (4.0, 59.0):
            outlook = fan.outlook(fan.made_at_s + after_s, 180.0, 0.95)
            assert outlook.peak == pytest.approx(stated[at], rel=1e-5)
            if at >= fitted_at + LEAD:
                assert outlook.expected == pytest.approx(seen.expected[at], rel=1e-5)


def test_expectations_of_the_present_are_older_than_the_lead_time() -> None:
    load = wave(STEPS + 30)
    load[STEPS + 5 :] = 1.0
    running = Running(Known({"shop/web": load}, end_s=END_S + 1800), request(model="trend"))
    running.now_s = END_S + 4.0
    running.run(7 * 60)
    fan = running.fan()
    collapsed = fan.outlook(fan.made_at_s + 5, 180.0, 0.5)
    assert fan.made_at_s == END_S + 7 * 60
    assert fan.values[0, 3] < 40
    assert collapsed.expected > 70


def test_right_after_a_start_earlier_moments_tell_what_was_expected() -> None:
    running = Running(Known({"shop/web": wave(STEPS)}), request())
    running.run(8)
    assert np.isfinite(running.fan().expected).all()


def test_the_share_of_peaks_within_what_was_stated_is_counted() -> None:
    load = wave(STEPS + 40)
    load[STEPS + 20 : STEPS + 30] *= 5
    running = Running(Known({"shop/web": load}, end_s=END_S + 2400), request())
    running.now_s = END_S + 4.0
    running.run(8)
    assert (running.fan().judged, math.isnan(running.fan().coverage)) == (0, True)
    running.run(30 * 60)
    made = {int(fan.made_at_s - END_S) // 60: fan for fan in running.fans["shop/web"]}
    within = []
    for step in range(made[25].judged):
        stated = made[step].outlook(made[step].made_at_s, 180, 0.95).peak
        within.append(load[STEPS + step : STEPS + step + LEAD].max() <= stated)
    assert made[25].judged == 25 - LEAD + 1
    assert made[25].coverage == pytest.approx(np.mean(within))
    assert 0.5 < made[25].coverage < 0.95


def test_while_nothing_answers_fans_grow_old_and_afterwards_the_gap_is_filled() -> None:
    load = wave(STEPS + 30)
    known = Known({"shop/web": load}, end_s=END_S + 1800)
    running = Running(known, request())
    running.now_s = END_S + 4.0
    running.run(70)
    known.down = True
    running.run(5 * 60)
    assert running.fan().made_at_s == END_S + 60
    assert running.failures["shop/web"] == ["the server is down"]
    known.down = False
    known.ranges.clear()
    running.run(65)
    assert running.fan().made_at_s > END_S + 6 * 60
    assert known.ranges == [("shop/web", END_S + 120, running.fan().made_at_s)]


def test_after_a_gap_was_filled_the_forecast_is_as_if_there_had_been_none() -> None:
    load = wave(STEPS + 30)
    known, calm = (Known({"shop/web": load}, end_s=END_S + 1800) for _ in range(2))
    running, undisturbed = Running(known, request()), Running(calm, request())
    for one in (running, undisturbed):
        one.now_s = END_S + 4.0
        one.run(70)
    known.down = True
    running.run(300)
    undisturbed.run(300)
    known.down = False
    for one in (running, undisturbed):
        one.run(180)
    assert running.fan().made_at_s == undisturbed.fan().made_at_s
    np.testing.assert_array_equal(running.fan().peaks, undisturbed.fan().peaks)


def test_a_failing_query_concerns_its_own_workload_only() -> None:
    known = Known({"shop/a": wave(STEPS + 9), "shop/b": wave(STEPS + 9, seed=2)}, end_s=END_S + 540)
    running = Running(known, request("shop/a"), request("shop/b"))
    running.now_s = END_S + 4.0
    running.run(70)
    known.failing["shop/a"] = "400: parse error"
    running.run(180)
    assert running.fan("shop/a").made_at_s == END_S + 60
    assert running.fan("shop/b").made_at_s == END_S + 240
    assert running.failures == {"shop/a": ["400: parse error"]}


def test_a_workload_that_cannot_be_fitted_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = fitting.forecaster

    class Fragile:
        name = "fragile"

        def fit(self, history: Batch, settings: ForecastSettings) -> object:
            if (history.values == 666.0).any():
                raise RuntimeError("beast")
            return real("trend").fit(history, settings)

    monkeypatch.setattr(fitting, "forecaster", lambda *_, **__: Fragile())
    bad = wave(STEPS)
    bad[7] = 666.0
    running = Running(Known({"shop/a": wave(STEPS), "shop/b": bad}), request("shop/a"), request("shop/b"))
    running.run(10)
    assert running.fan("shop/a").model == "trend"
    assert "shop/b" not in running.fans
    assert "RuntimeError: beast" in running.failures["shop/b"][0]


@pytest.mark.parametrize(
    ("load", "grade"),
    [
        ([], Grade.NONE),
        ([5.0], Grade.NONE),
        ([5.0, 6.0], Grade.NONE),
        ([5.0] * 10, Grade.LEVEL),
        ([0.0] * 1500, Grade.DAILY),
        ([7.0] * 1500, Grade.DAILY),
    ],
    ids=["nothing", "one point", "two points", "ten points", "zeros", "constant"],
)
def test_little_or_odd_history_gives_a_fan_that_says_so(load: list[float], grade: Grade) -> None:
    running = Running(Known({"shop/web": np.array(load)}), request())
    running.run(8)
    fan = running.fan()
    outlook = fan.outlook(fan.made_at_s + 5, 180.0, 0.95)
    assert fan.grade is grade
    assert fan.note
    if grade is Grade.NONE:
        assert math.isnan(outlook.peak)
        assert outlook.note == fan.note
    elif grade is Grade.DAILY:
        assert outlook.peak == pytest.approx(load[0], abs=1e-6, rel=0.02)


def test_a_workload_without_load_so_far_is_forecast_soon_after_it_has_some() -> None:
    load = np.full(60, 20.0)
    running = Running(Known({"shop/web": load}, end_s=END_S + 3600), request())
    running.now_s = END_S - 300.0
    running.run(60)
    assert running.failures["shop/web"] == ["finds nothing", "the query finds nothing"]
    running.run(1500)
    assert running.fan().grade is Grade.LEVEL


def test_missing_load_is_no_load_of_zero_and_makes_no_forecast() -> None:
    load = wave(STEPS + 9)
    load[STEPS + 1 :] = np.nan
    running = Running(Known({"shop/web": load}, end_s=END_S + 540), request())
    running.now_s = END_S + 4.0
    running.run(400)
    assert running.fan().made_at_s == END_S + 60
    assert running.failures["shop/web"] == ["the query finds nothing"]


def test_long_histories_are_begun_with_what_one_request_gives() -> None:
    steps = 28 * 1440
    known = Known({f"shop/w{n}": wave(steps + 9, seed=n) for n in range(3)}, end_s=END_S + 540)
    running = Running(known, *(request(key, history_s=28 * 86_400.0) for key in known.loads))
    running.now_s = END_S + 4.0
    running.run(60)
    asked = [(end_s - start_s) // 60 + 1 for _, start_s, end_s in known.ranges]
    assert asked[:3] == [SOURCE.max_points] * 3
    assert asked[3:] == [steps] * 3
    running.run(200)
    assert running.fan("shop/w0").grade is Grade.WEEKLY


def test_another_lead_time_takes_the_whole_history_at_once(tmp_path: Path) -> None:
    steps = 28 * 1440
    known = Known({"shop/web": wave(steps + 9)}, end_s=END_S + 540)
    asked = request(history_s=28 * 86_400.0)
    running = Running(known, asked, folder=tmp_path)
    running.run(100)
    known.ranges.clear()
    running.feed.want("shop/web", 1, replace(asked, settings=replace(asked.settings, lead=5)))
    running.run(90)
    assert [(end_s - start_s) // 60 for _, start_s, end_s in known.ranges] == [10]
    assert (running.fan().lead, running.fan().grade) == (5, Grade.WEEKLY)


def test_histories_are_not_read_faster_than_the_source_is_promised() -> None:
    loads = {f"shop/w{n:03d}": wave(200, seed=n) for n in range(200)}
    known = Known(loads)
    running = Running(known, *(request(key) for key in loads))
    running.run(15)
    assert 45 <= len(known.ranges) + len(known.instants) <= 60


def test_a_restart_asks_only_for_what_came_since(tmp_path: Path) -> None:
    known = Known({"shop/web": wave(STEPS)})
    Running(known, request(), folder=tmp_path).run(8)
    known.ranges.clear()
    again = Running(known, request(), folder=tmp_path)
    again.run(8)
    assert [(end_s - start_s) // 60 for _, start_s, end_s in known.ranges] == [9]
    assert again.fan().made_at_s == END_S


def test_what_is_no_longer_wanted_is_neither_read_nor_kept(tmp_path: Path) -> None:
    known = Known({"shop/a": wave(STEPS + 9), "shop/b": wave(STEPS + 9)}, end_s=END_S + 540)
    running = Running(known, request("shop/a"), request("shop/b"), folder=tmp_path)
    running.now_s = END_S + 4.0
    running.run(10)
    assert len(list(tmp_path.iterdir())) == 2
    running.feed.drop("shop/a")
    known.instants.clear()
    running.run(60)
    assert known.instants == [["shop/b"]]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_source_that_cannot_be_opened_is_told_of_every_workload_and_tried_again() -> None:
    known = Known({"shop/web": wave(STEPS)})
    broken = [True]

    def opens(_: ConnectionSettings) -> Known:
        if broken[0]:
            raise InputError("the token file is missing")
        return known

    running = Running(opens, request())
    running.run(8)
    assert running.failures["shop/web"] == ["the token file is missing"]
    broken[0] = False
    running.run(60)
    assert running.fan().grade is Grade.DAILY


TERMS = Terms(per_replica=5.0, least=1, most=1000, spare=1.0, lead_s=180.0, hold_s=300.0)


def test_a_workload_with_an_objective_gets_a_curve_of_the_last_days_soon_after_its_first_fan() -> None:
    load = wave(STEPS + 5)
    running = Running(
        Known({"shop/web": load, "shop/plain": load}, end_s=END_S + 300),
        request(terms=TERMS),
        request("shop/plain"),
    )
    running.run(70)
    curve = running.fan().curve
    assert curve is not None
    assert 1.9 < curve.days <= 2.0
    assert curve.unserved[0] > curve.unserved[-1]
    assert running.fan("shop/plain").curve is None


def test_other_terms_draw_the_curve_anew_and_fit_nothing() -> None:
    known = Known({"shop/web": wave(STEPS + 5)}, end_s=END_S + 300)
    running = Running(known, request(terms=TERMS))
    running.run(70)
    before, read = running.fan().curve, len(known.ranges)
    running.feed.want("shop/web", 7, request(terms=replace(TERMS, per_replica=2.5)))
    running.run(70)
    after = running.fan().curve
    assert before is not None and after is not None
    assert after.replica_hours[0] == pytest.approx(2 * before.replica_hours[0], rel=0.05)
    assert len(known.ranges) == read


def test_what_was_stated_takes_the_place_of_what_was_rehearsed_step_by_step() -> None:
    record = StatedRecord(np.array([0.05, 0.5, 0.95]), 60)
    minutes = np.arange(10) * 60 + END_S
    loads, peaks = np.arange(10.0), np.arange(30.0).reshape(10, 3)
    record.note(minutes[3:4], loads[3:4], 100 + peaks[3:4], np.array([50.0]))
    record.note(minutes, loads, peaks, np.full(10, np.inf))
    stated = record.stated(int(minutes[-1]))
    np.testing.assert_array_equal(stated.loads[-10:], loads)
    np.testing.assert_array_equal(stated.levels, [0.5, 0.95])
    np.testing.assert_array_equal(stated.peaks[-7], [110.0, 111.0])
    assert (stated.limits[-7], stated.limits[-1]) == (50.0, np.inf)
    assert np.isnan(stated.loads[:-10]).all()
    later = record.stated(int(minutes[-1]) + 60)
    assert np.isnan(later.loads[-1]) and later.loads[-2] == 9.0
