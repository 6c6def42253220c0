"""Peaks by the shared model: what they rest on, what they promise, and what happens without any."""

import dataclasses

import numpy as np
import pytest
from loads import daily
from small_models import DAY, ramps, small_model_for

from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.forecasting.peaks.learned_peaks import LEARNED, FittedLearned, LearnedPeaks
from autoscaler.forecasting.peaks.model import at_levels
from autoscaler.forecasting.peaks.shipped import shipped_model
from autoscaler.forecasting.peaks.training import walk
from autoscaler.forecasting.registry import forecaster
from autoscaler.series import Batch, Floats, Series

LEAD = 5
SETTINGS = ForecastSettings(horizon=LEAD)


def peaks(series: Series, first: int, last: int, asked: ForecastSettings = SETTINGS) -> Floats:
    """Forecasts at the steps from `first` on, fitted on what was known at the first of them."""
    fitted = LearnedPeaks(small_model_for).fit(Batch.of(series.between(0, first)), asked)
    return fitted.peaks(Batch.rolling(series, first, last, first), np.zeros(last - first, np.int64))


def came(series: Series, first: int, last: int) -> Floats:
    ahead: Floats = np.lib.stride_tricks.sliding_window_view(series.values[first + 1 :], LEAD).max(axis=1)
    return ahead[: last - first]


def test_a_climb_is_seen_on_a_load_the_model_never_saw() -> None:
    series = ramps(6, seed=77)
    first, last = 5 * DAY, 6 * DAY - LEAD
    told, true = peaks(series, first, last), came(series, first, last)
    now = series.values[first:last]
    climbing = now > 130
    middle = SETTINGS.levels.index(0.5)
    errors = [np.abs(np.log(guess / true[climbing])) for guess in (told[climbing, middle], now[climbing])]
    assert np.median(errors[0]) < 0.5 * np.median(errors[1])


def test_no_quantile_lies_below_the_present_level_or_below_a_lower_one() -> None:
    series = ramps(4, seed=5)
    told = peaks(series, 3 * DAY, 3 * DAY + 500)
    level = np.lib.stride_tricks.sliding_window_view(series.values, 3).mean(axis=1)
    assert (np.diff(told, axis=1) >= 0).all()
    assert (told[:, 0] >= level[3 * DAY - 2 : 3 * DAY + 498] * (1 - 1e-12)).all()


@pytest.mark.parametrize("minutes", [1, 5, 20, 60, 170, 400, 1000], ids=lambda m: f"{m} minutes")
def test_it_answers_from_the_first_minutes_on(minutes: int) -> None:
    told = peaks(ramps(2), minutes, minutes + 1)
    assert np.isfinite(told).all()
    assert 90 < told[0, 0] <= told[0, -1] < 1000


@pytest.mark.parametrize(
    ("step_s", "lead"), [(15, 4), (15, 240), (30, 10), (60, 1), (60, 60), (300, 1), (300, 12), (3600, 1)]
)
def test_it_answers_for_any_step_and_lead(step_s: int, lead: int) -> None:
    series = daily(9, step_s=step_s)
    told = peaks(series, len(series) - 50, len(series), ForecastSettings(horizon=lead))
    assert np.isfinite(told).all()
    assert (told[:, -1] < 20 * series.values.max()).all()


@pytest.mark.parametrize(
    ("lead", "seasons_s"),
    [(121, (86_400,)), (1440, (86_400, 604_800)), (60, (2400,)), (10, (2400,))],
    ids=["over two hours", "a day", "longer than a season", "a short season"],
)
def test_further_ahead_than_it_was_trained_for_the_ridge_serves(
    lead: int, seasons_s: tuple[int, ...]
) -> None:
    series = ramps(9)
    asked = ForecastSettings(horizon=lead, seasons_s=seasons_s)
    fitted = LearnedPeaks(shipped_model).fit(Batch.of(series), asked)
    assert fitted.name == (LEARNED if lead == 10 else "ridge")
    assert np.isfinite(fitted.peaks(Batch.of(series), np.zeros(1, np.int64))).all()


def test_the_unit_of_the_load_does_not_matter() -> None:
    series = ramps(4)
    larger = dataclasses.replace(series, values=series.values * 4096.0)
    told, scaled = (peaks(one, 3 * DAY, 3 * DAY + 100) for one in (series, larger))
    np.testing.assert_allclose(scaled, told * 4096.0, rtol=1e-3)


def test_where_the_present_is_unknown_nothing_is_said() -> None:
    series = ramps(4)
    values = series.values.copy()
    values[-4:] = np.nan
    gap = dataclasses.replace(series, values=values)
    fitted = LearnedPeaks(small_model_for).fit(Batch.of(gap), SETTINGS)
    assert np.isnan(fitted.peaks(Batch.of(gap), np.zeros(1, np.int64))).all()


def test_what_training_walked_through_is_what_is_told_in_use() -> None:
    series = ramps(2, seed=9)
    at = 30 * 60 + 7  # an hour and more after the fit at 24 h
    walked = next(walk(series, LEAD, range(at, at + 1)))
    fitted = LearnedPeaks(small_model_for).fit(Batch.of(series.between(0, 1440 + 361)), SETTINGS)
    assert isinstance(fitted, FittedLearned)
    told = fitted.witness.tell(Batch.rolling(series, at, at + 1, 28 * DAY), np.zeros(1, np.int64))
    np.testing.assert_array_equal(told.table, walked.told.table)
    assert walked.rise[0] == pytest.approx(np.log(came(series, at, at + 1)[0] / told.view.level[0]))


def test_walking_through_a_load_sees_nothing_ahead() -> None:
    series = ramps(2, seed=9)
    cut = 1500
    spoilt = series.values.copy()
    spoilt[cut + 1 :] *= 1000.0
    other = dataclasses.replace(series, values=spoilt)
    for true, guess in zip(
        walk(series, LEAD, range(0, cut + 1, 7)), walk(other, LEAD, range(0, cut + 1, 7)), strict=True
    ):
        np.testing.assert_array_equal(true.told.table, guess.told.table)


@pytest.mark.parametrize("wanted", [0.05, 0.1, 0.5, 0.6, 0.9, 0.999])
def test_quantiles_in_between_lie_in_between(wanted: float) -> None:
    known = np.array([0.1, 0.5, 0.9])
    made = at_levels(np.array([[1.0, 2.0, 4.0]]), known, np.array([wanted]))[0, 0]
    below, above = np.interp(wanted, known, [1, 2, 4], left=1, right=4), 4.0
    assert {0.05: 1.0, 0.1: 1.0, 0.5: 2.0, 0.9: 4.0, 0.999: 4.0}.get(wanted, made) == made
    assert 1.0 <= made <= above
    assert wanted != 0.6 or 2.0 < made < below + 1.0


def test_without_a_model_the_ridge_serves_and_the_note_says_why() -> None:
    series = ramps(6)
    batch = Batch.of(series)
    without = forecaster(LEARNED, model_for=lambda lead_s: "the learned model is unusable: cut off")
    made = without.fit(batch, SETTINGS).predict(batch, np.zeros(1, np.int64))
    assert made.models == ("ridge",)
    assert "cut off" in made.notes[0]
