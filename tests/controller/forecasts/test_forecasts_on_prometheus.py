"""Forecasts from a real Prometheus: the same as from the numbers it was filled with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from feed_in_hand import Running
from known_source import Known, request
from real_prometheus import RealPrometheus, backfill_values, filled_prometheus

from autoscaler.forecasting.forecaster import ForecastSettings, Repeat
from autoscaler.forecasting.registry import forecaster
from autoscaler.series import Batch
from autoscaler.signals.prometheus import Prometheus
from autoscaler.signals.settings import ConnectionSettings

pytestmark = pytest.mark.prometheus
STEP_S, STEPS = 60, 7 * 1440 + 30
RENEWED_S = 900
END_S = int(time.time() - 600) // RENEWED_S * RENEWED_S
"""A moment at which records of forecasts are looked at anew, whenever they were begun."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealPrometheus]:
    """A week and a half hour of `load{service="s00"…"s02"}` at one minute."""
    folder = tmp_path_factory.mktemp("prometheus")
    values = backfill_values(3, STEPS)
    with filled_prometheus(folder, END_S - (STEPS - 1) * STEP_S, values) as filled:
        yield filled


def test_a_fan_is_what_the_model_says_of_what_the_server_holds(
    server: RealPrometheus, tmp_path: Path
) -> None:
    source = ConnectionSettings(server.url)
    begins_s, width = END_S - 10 * STEP_S, 7 * 1440
    wanted = [
        request(
            f"shop/{name}", f'sum(load{{service="{name}"}})', source=source, history_s=float(width * STEP_S)
        )
        for name in ("s00", "s01")
    ]
    broken = request("shop/broken", "sum(load", source=source)
    empty = request("shop/empty", "sum(nothing)", source=source)
    running = Running(Prometheus, *wanted, broken, empty, source=source, folder=tmp_path / "real")
    known = Known(
        {asked.query: server.values[asked.key.removeprefix("shop/")] for asked in wanted}, end_s=END_S
    )
    reference = Running(known, *wanted, source=source, folder=tmp_path / "known")
    for one in (running, reference):
        one.now_s = begins_s + 4.0
        one.run(10 * STEP_S + 5)
        one.feed.close()
    for asked in wanted:
        load = server.values[asked.key.removeprefix("shop/")]
        history = Batch(load[-10 - width : -10][np.newaxis], np.array([begins_s]), STEP_S)
        recent = Batch(load[-width:][np.newaxis], np.array([END_S]), STEP_S)
        fitted = forecaster("auto").fit(history, asked.settings)
        told = fitted.predict(recent, np.zeros(1, np.int64))
        fan = running.fan(asked.key)
        assert fan.made_at_s == END_S
        assert (fan.model, fan.grade) == (told.models[0], told.grades[0])
        # Peaks are read by the record of earlier ones, which begins alike from the same numbers.
        np.testing.assert_allclose(fan.peaks, reference.fan(asked.key).peaks, rtol=1e-5)
        np.testing.assert_allclose(fan.values, np.minimum(told.values[0], fan.peaks), rtol=1e-5)
        assert fan.judged == 10 - asked.lead + 1
    assert "malformed" in running.failures["shop/broken"][0]
    assert "finds nothing" in running.failures["shop/empty"][0]
    assert "shop/broken" not in running.fans


def test_an_earlier_occasion_is_read_from_the_server_though_the_history_does_not_reach_back_to_it(
    server: RealPrometheus, tmp_path: Path
) -> None:
    source = ConnectionSettings(server.url)
    earlier_s = float(END_S - 6 * 86_400)
    launch = Repeat("launch", float(END_S), float(END_S + 3600), earlier_s, 50.0)
    gone = Repeat("gone", float(END_S), float(END_S + 3600), float(END_S - 400 * 86_400), 50.0)
    settings = ForecastSettings(horizon=30, lead=3, repeats=(launch, gone))
    asked = request(
        "shop/s00", 'sum(load{service="s00"})', source=source, history_s=86_400.0, settings=settings
    )
    running = Running(Prometheus, asked, source=source, folder=tmp_path)
    running.now_s = END_S + 4.0
    running.run(65)
    running.feed.close()
    first = STEPS - 1 - 6 * 1440 + 2
    wanted = 50.0 * np.maximum.accumulate(server.values["s00"][first : first + 30])
    fan = running.fan("shop/s00")
    assert fan.made_at_s == END_S + 60
    np.testing.assert_allclose(fan.shown()[1][:, 3], wanted, rtol=1e-6)
    assert "event gone: nothing of the load" in fan.lacking
