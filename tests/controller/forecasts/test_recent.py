"""What is kept of the newest load: enough for every model, and no more than that."""

from __future__ import annotations

import numpy as np
import pytest
from known_source import wave

from autoscaler.controller.forecasts.recent import Reach, Recent
from autoscaler.forecasting.forecaster import DAY_S, WEEK_S, ForecastSettings
from autoscaler.forecasting.registry import FAST, forecaster
from autoscaler.series import Batch, Floats

STEP_S = 300
WIDTH = 28 * DAY_S // STEP_S
END_S = 1_711_846_800 + 2 * DAY_S  # two days after Berlin's clocks went forward
REFIT_S = 6 * 3600.0
SMALL = Reach(width=4, near=4, older=())


def laid_out(recent: Recent, width: int) -> Floats:
    row = np.empty(width)
    recent.write_into(row)
    return row


@pytest.mark.parametrize("seasons", [(DAY_S, WEEK_S), (3600, DAY_S), (DAY_S,), (6 * 3600, WEEK_S)])
@pytest.mark.parametrize("model", ["auto", "ridge", *FAST])
def test_no_model_misses_what_is_not_kept(model: str, seasons: tuple[int, ...]) -> None:
    settings = ForecastSettings(horizon=15, lead=3, seasons_s=seasons, time_zone="Europe/Berlin")
    later = int(1.5 * REFIT_S) // STEP_S
    load = wave(WIDTH + later, STEP_S) * (1 + np.arange(WIDTH + later) // 288 % 7)
    history = load[:WIDTH]
    fitted = forecaster(model).fit(Batch(history[np.newaxis], np.array([END_S]), STEP_S), settings)
    recent = Recent(history, END_S, STEP_S, Reach.of(settings, STEP_S, WIDTH, 2 * REFIT_S))
    for step in range(later):
        recent.append(END_S + STEP_S * (step + 1), load[WIDTH + step])
    ends = np.array([END_S + STEP_S * later])
    told, wanted = (
        fitted.predict(Batch(values[np.newaxis], ends, STEP_S), np.zeros(1, np.int64))
        for values in (laid_out(recent, WIDTH), load[-WIDTH:])
    )
    np.testing.assert_allclose(told.peaks, wanted.peaks, rtol=1e-5)
    np.testing.assert_allclose(told.values, wanted.values, rtol=1e-5)


def test_four_weeks_of_minutes_are_kept_in_a_sixth_of_the_memory() -> None:
    width = 28 * 1440
    reach = Reach.of(ForecastSettings(horizon=63, lead=3), 60, width, 2 * REFIT_S)
    kept = reach.near + sum(furthest - nearest for furthest, nearest in reach.older)
    assert kept * 4 < width * 8 / 5
    assert reach.near >= 7 * 1440


def test_a_history_that_is_looked_at_in_full_is_kept_in_full() -> None:
    reach = Reach.of(ForecastSettings(horizon=3), 60, 5 * 1440, 2 * REFIT_S)
    assert (reach.near, reach.older) == (5 * 1440, ())


def test_steps_passed_over_are_unknown_and_can_be_filled_in_later() -> None:
    recent = Recent(np.array([1.0, 2.0]), 60, 60, SMALL)
    recent.append(240, 5.0)
    np.testing.assert_array_equal(laid_out(recent, 6), [np.nan, 1, 2, np.nan, np.nan, 5])
    recent.fill(60, np.array([9.0, 3.0, 4.0, 9.0]))
    np.testing.assert_array_equal(laid_out(recent, 6), [np.nan, 1, 2, 3, 4, 5])


@pytest.mark.parametrize("gap", [1, 3, 1000])
def test_however_much_comes_the_newest_is_kept(gap: int) -> None:
    recent = Recent(np.arange(4.0), 0, 60, SMALL)
    for number in range(1, 500):
        recent.append(number * gap * 60, float(number))
    wanted = [499.0 - n // gap if n % gap == 0 else np.nan for n in range(4)][::-1]
    np.testing.assert_array_equal(laid_out(recent, 4), wanted)
    assert recent.end_s == 499 * gap * 60
