"""What is known of the calendar and of changes serves every model, and harms no other day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from autoscaler.forecasting.classic.prophet import installed
from autoscaler.forecasting.forecaster import Change, ForecastSettings, Interval
from autoscaler.forecasting.known.ordinary import Ordinary
from autoscaler.forecasting.known.public_holidays import holidays_between
from autoscaler.forecasting.localtime import Clock
from autoscaler.forecasting.registry import FAST, NAMES, SLOW, forecaster
from autoscaler.series import Batch, Floats, Forecast, Grade, Series

STEP_S, DAY, LEAD = 1800, 48, 2
DAY_S = 86_400
SEASONAL = [
    pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in NAMES if name != "trend"
]
SETTINGS = ForecastSettings(horizon=LEAD)


def midnight(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


FIRST = midnight("2026-04-13")
"""A Monday. In Germany 1 May is a holiday, a Friday, and so are 14 May, a Thursday, and 25 May, a Monday."""


def office(holiday: Floats | None = None, days: int = 50, noise: float = 0.04, draw: int = 5) -> Series:
    """Busy working days and quiet weekends. holiday: the course of a public holiday, [half-hour]. draw: of
    the noise."""
    times_s = FIRST + STEP_S * np.arange(days * DAY)
    day, slot = times_s // DAY_S, np.arange(days * DAY) % DAY
    values = np.where((day + 3) % 7 >= 5, QUIET[slot], WORK[slot])
    if holiday is not None:
        free = np.isin(day, list(holidays_between("DE", int(day[0]), int(day[-1]))))
        values = np.where(free, holiday[slot], values)
    return Series(
        "office", FIRST, STEP_S, values * np.random.default_rng(draw).lognormal(0, noise, len(values))
    )


PHASE = 2 * np.pi * np.arange(DAY) / DAY
WORK = 200 + 160 * np.sin(PHASE - 1.8)
QUIET = 70 + 25 * np.sin(PHASE - 2.6)
BUSY = 400 + 250 * np.sin(PHASE - 2.2)


def day_forecast(series: Series, day: str, model: str, settings: ForecastSettings) -> tuple[Floats, Floats]:
    """The p95 of every moment of a day, and the peaks that came; fitted at the evening before."""
    first = (midnight(day) - series.start_s) // STEP_S
    fitted = forecaster(model).fit(Batch.of(series.between(0, first - 4)), settings)
    made = fitted.predict(
        Batch.rolling(series, first - 1, first + DAY - LEAD, first - 4), rows(DAY - LEAD + 1)
    )
    came = np.lib.stride_tricks.sliding_window_view(series.values[first : first + DAY], LEAD).max(axis=1)
    return made.peak(LEAD, settings.quantile), came[: DAY - LEAD + 1]


def rows(count: int) -> NDArray[np.int64]:
    return np.zeros(count, np.int64)


def pinball(told: tuple[Floats, Floats]) -> float:
    stated, came = told
    return float(np.mean(np.maximum(0.95 * (came - stated), 0.05 * (stated - came))))


def shortage(told: tuple[Floats, Floats]) -> float:
    stated, came = told
    return float(np.maximum(came - stated, 0).sum() / came.sum())


@pytest.mark.parametrize("model", SEASONAL)
@pytest.mark.parametrize("holiday", [pytest.param(QUIET, id="quiet"), pytest.param(BUSY, id="busy")])
def test_a_holiday_is_forecast_better_once_one_was_seen_and_the_day_after_no_worse(
    holiday: Floats, model: str
) -> None:
    if model == "prophet" and not installed():
        pytest.skip("prophet is not installed")
    # Trees that learn from the noise differ from one draw of it to the next.
    drawn = [office(holiday, draw=draw) for draw in ((5, 6, 7) if model == "learned" else (5,))]
    told, untold = replace(SETTINGS, holidays="DE"), SETTINGS

    def lost(day: str, settings: ForecastSettings) -> float:
        return sum(pinball(day_forecast(series, day, model, settings)) for series in drawn)

    if model != "learned" or holiday is BUSY:  # which follows a quiet day by itself
        assert lost("2026-05-25", told) < lost("2026-05-25", untold)
    assert lost("2026-05-26", told) < 1.1 * lost("2026-05-26", untold)


def test_before_a_holiday_was_seen_it_is_taken_for_a_sunday() -> None:
    series = office(QUIET)
    told = day_forecast(series, "2026-05-01", "seasonal-naive", replace(SETTINGS, holidays="DE"))
    untold = day_forecast(series, "2026-05-01", "seasonal-naive", SETTINGS)
    assert pinball(told) < 0.5 * pinball(untold)


def test_a_holiday_on_a_sunday_is_a_sunday() -> None:
    series = office(None)
    day = "2026-05-24"
    sunday = replace(SETTINGS, holidays="DE")
    np.testing.assert_allclose(
        day_forecast(series, day, "seasonal-naive", sunday)[0][: DAY - 4],
        day_forecast(series, day, "seasonal-naive", SETTINGS)[0][: DAY - 4],
        rtol=0.05,
    )


def test_where_holidays_are_days_like_any_other_they_stay_so() -> None:
    """Once one was seen; the first is taken for a Sunday, and its morning corrects that."""
    series = office(None)
    told = day_forecast(series, "2026-05-14", "seasonal-naive", replace(SETTINGS, holidays="DE"))
    untold = day_forecast(series, "2026-05-14", "seasonal-naive", SETTINGS)
    assert shortage(told) < shortage(untold) + 0.01


@pytest.mark.parametrize(
    ("time_zone", "country", "holiday", "first"),
    [
        pytest.param("UTC", "DE", "2026-05-01", 0, id="at UTC"),
        pytest.param("Asia/Tokyo", "JP", "2026-04-29", -18, id="nine hours before it"),
        pytest.param("America/New_York", "US", "2026-05-25", 8, id="four hours after it"),
    ],
)
def test_a_holiday_begins_and_ends_at_local_midnight(
    time_zone: str, country: str, holiday: str, first: int
) -> None:
    """A model that expects 1 at all times shows where a holiday is told apart."""
    times_s = FIRST + STEP_S * np.arange(50 * DAY)
    local_s = Clock.of(time_zone, int(times_s[0]), int(times_s[-1])).local_s(times_s)
    sunday = (local_s // DAY_S + 3) % 7 == 6
    series = Series("sundays", FIRST, STEP_S, np.where(sunday, 1.0, 3.0))
    begin = (midnight(holiday) - FIRST) // STEP_S
    asked = replace(SETTINGS, horizon=1, holidays=country, time_zone=time_zone)
    fitted = Ordinary(_One()).fit(Batch.of(series.between(0, begin - 60)), asked)
    made = fitted.predict(Batch.rolling(series, begin - 60, begin + 80, DAY), rows(140))
    special = np.flatnonzero(made.values[:, 0, 0] != 1.0) - 59
    assert special.tolist() == list(range(first, first + DAY))


@pytest.mark.parametrize("model", [*FAST, "ridge", "learned", "auto"])
@pytest.mark.parametrize("factor", [0.4, 2.5])
def test_the_hours_after_a_known_change_are_forecast_at_the_new_level(model: str, factor: float) -> None:
    series = office()
    at = (midnight("2026-05-12") - FIRST) // STEP_S + 24
    values = np.where(np.arange(len(series)) >= at, factor, 1.0) * series.values
    changed = replace(series, values=values)
    change = Change(float(FIRST + at * STEP_S), factor)
    told = replace(SETTINGS, changes=(change,))
    same = day_forecast(series, "2026-05-12", model, SETTINGS)[0]
    scale = np.where(np.arange(DAY - LEAD + 1) + LEAD > 24, factor, 1.0)
    made = day_forecast(changed, "2026-05-12", model, told)[0]
    clear = np.abs(np.arange(DAY - LEAD + 1) + 1 - 24) > LEAD
    np.testing.assert_allclose(made[clear], (scale * same)[clear], rtol=1e-6)
    fitted_after = day_forecast(changed, "2026-05-14", model, told)[0]
    np.testing.assert_allclose(
        fitted_after, factor * day_forecast(series, "2026-05-14", model, SETTINGS)[0], rtol=0.2
    )


def test_across_a_change_the_peak_is_the_larger_of_both_sides() -> None:
    fitted = Ordinary(_One()).fit(Batch.of(office()), replace(SETTINGS, horizon=4, changes=_changes(2.0, 3)))
    made = fitted.predict(Batch.of(office()), rows(1))
    assert made.values[0, :, 0].tolist() == [1.0, 1.0, 2.0, 2.0]
    assert made.peaks[0, :, 0].tolist() == [1.0, 1.0, 2.0, 2.0]
    fitted = Ordinary(_One()).fit(Batch.of(office()), replace(SETTINGS, horizon=4, changes=_changes(0.5, 3)))
    made = fitted.predict(Batch.of(office()), rows(1))
    assert made.values[0, :, 0].tolist() == [1.0, 1.0, 0.5, 0.5]
    assert made.peaks[0, :, 0].tolist() == [1.0, 1.0, 1.0, 1.0]


@pytest.mark.parametrize("model", [name for name in NAMES if name not in SLOW])
def test_a_load_test_that_is_over_and_excluded_leaves_no_trace(model: str) -> None:
    series = office()
    begin = (midnight("2026-05-12") - FIRST) // STEP_S + 20
    values = series.values.copy()
    values[begin : begin + 6] *= 8.0
    span = Interval(float(FIRST + begin * STEP_S), float(FIRST + (begin + 6) * STEP_S), "load test")
    asked = replace(SETTINGS, excluded=(span,))
    tested = replace(series, values=values)
    for day in ("2026-05-13", "2026-05-19"):
        stated = day_forecast(tested, day, model, asked)[0]
        np.testing.assert_allclose(stated, day_forecast(series, day, model, asked)[0], rtol=1e-9)


def test_while_it_lasts_an_excluded_load_is_seen() -> None:
    """It has to be served."""
    series = office()
    values = series.values.copy()
    values[-3:] *= 8.0
    end_s = series.end_s + STEP_S
    span = Interval(float(end_s - 3 * STEP_S), float(end_s + 10 * STEP_S))
    history, tested = Batch.of(series.between(0, len(series) - 3)), Batch.of(replace(series, values=values))
    during = forecaster("trend").fit(history, replace(SETTINGS, excluded=(span,))).predict(tested, rows(1))
    assert during.peak(1, 0.5)[0] > 3 * series.values[-1]


@pytest.mark.parametrize("every", [1, 3])
def test_views_of_one_series_and_rows_of_their_own_are_forecast_alike(every: int) -> None:
    series = office(QUIET)
    end = (midnight("2026-05-26") - FIRST) // STEP_S
    span = Interval(float(series.start_s + (end - 30) * STEP_S), float(series.start_s + (end - 20) * STEP_S))
    asked = replace(SETTINGS, holidays="DE", changes=_changes(2.0, 3 - (len(series) - end)), excluded=(span,))
    fitted = forecaster("seasonal-naive").fit(Batch.of(series.between(0, end - 60)), asked)
    views = Batch.rolling(series, end - 50, end, 900)
    views = Batch(views.values[::every], views.end_s[::every], STEP_S)
    copies = Batch(views.values.copy(), views.end_s, STEP_S)
    for one, other in zip(
        _numbers(fitted.predict(views, rows(len(views)))),
        _numbers(fitted.predict(copies, rows(len(views)))),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-9)


def test_workloads_with_holidays_of_their_own_are_kept_apart() -> None:
    quiet, busy = office(QUIET), office(BUSY)
    asked = replace(SETTINGS, holidays="DE")
    first = (midnight("2026-05-25") - FIRST) // STEP_S
    both = Batch(
        np.stack([quiet.values[: first + 20], busy.values[: first + 20]]),
        np.full(2, FIRST + (first + 19) * STEP_S),
        STEP_S,
    )
    made = forecaster("seasonal-naive").fit(both, asked).predict(both, np.arange(2))
    assert made.peak(1, 0.5)[1] > 3 * made.peak(1, 0.5)[0]
    assert made.notes[0].endswith(": like 2 earlier holidays")


def test_a_country_without_holidays_changes_nothing() -> None:
    series = office()
    asked = replace(SETTINGS, holidays="XX")
    one = day_forecast(series, "2026-05-14", "auto", asked)[0]
    np.testing.assert_array_equal(one, day_forecast(series, "2026-05-14", "auto", SETTINGS)[0])


@pytest.mark.parametrize("days", [0.1, 0.6, 3, 8])
def test_with_little_history_nothing_is_made_of_a_holiday(days: float) -> None:
    series = office().between(0, int(days * DAY))
    asked = replace(SETTINGS, holidays="DE", changes=_changes(2.0, 1), time_zone="Europe/Berlin")
    made = forecaster("auto").fit(Batch.of(series), asked).predict(Batch.of(series), rows(1))
    assert np.isfinite(made.peaks).all()


def _numbers(forecast: Forecast) -> tuple[Floats, Floats]:
    return forecast.values, forecast.peaks


def _changes(factor: float, ahead: int) -> tuple[Change, ...]:
    return (Change(float(office().end_s + ahead * STEP_S), factor),)


class _One:
    """Expects a load of 1, always, at every level."""

    name = "one"

    def fit(self, history: Batch, settings: ForecastSettings) -> _One:
        self.horizon = settings.horizon
        return self

    def predict(self, recent: Batch, workload: NDArray[np.int64]) -> Forecast:
        count = len(recent)
        flat = np.ones((count, self.horizon, 1))
        levels = np.array([0.5])
        return Forecast(
            recent.end_s,
            recent.step_s,
            levels,
            flat,
            flat,
            ("one",) * count,
            (Grade.DAILY,) * count,
            ("",) * count,
        )
