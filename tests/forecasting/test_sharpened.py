"""Sharpened peaks: what the ridge learns, when it is used, and when the base forecast stands."""

import dataclasses
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from loads import MONDAY_S, daily

from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.forecasting.known.ordinary import Ordinary
from autoscaler.forecasting.peaks.learned_peaks import LEARNED
from autoscaler.forecasting.peaks.ridge import Moments, PeakRidge
from autoscaler.forecasting.peaks.source import RIDGE, FittedPeaks, PeakSource, RidgePeaks
from autoscaler.forecasting.peaks.view import PeakView
from autoscaler.forecasting.reaching import Reaching
from autoscaler.forecasting.registry import forecaster
from autoscaler.forecasting.sharpened import Sharpened
from autoscaler.series import Batch, Floats, Ints, Series

LEAD = 5
SETTINGS = ForecastSettings(horizon=LEAD)
LEVELS = np.array(SETTINGS.levels)
DAY = 1440


def ramps(days: float, seed: int = 3) -> Series:
    """A flat load of 100 that at random minutes climbs by 8 % a minute for 20 minutes and falls back.

    The slope of the last minutes tells the peak ahead; the time of day tells nothing.
    """
    random = np.random.default_rng(seed)
    values = np.full(int(days * DAY), 100.0)
    for start in np.cumsum(random.integers(60, 240, len(values) // 100)):
        climb = values[start : start + 20]
        climb *= 1.08 ** np.arange(1, len(climb) + 1)
    return Series("ramps", MONDAY_S, 60, values * random.lognormal(0, 0.01, len(values)))


def peaks(series: Series, name: str, first: int, last: int) -> tuple[Floats, tuple[str, ...]]:
    fitted = forecaster(name).fit(Batch.of(series.between(0, first)), SETTINGS)
    made = fitted.predict(Batch.rolling(series, first, last, first), np.zeros(last - first, np.int64))
    return made.peaks[:, -1, :], made.models


def test_a_slope_that_always_continues_is_learned() -> None:
    series = ramps(6)
    first, last = 5 * DAY, 6 * DAY - LEAD
    sharp, models = peaks(series, RIDGE, first, last)
    base, _ = peaks(series, "seasonal-naive", first, last)
    came = np.lib.stride_tricks.sliding_window_view(series.values[first + 1 :], LEAD).max(axis=1)[
        : last - first
    ]
    assert set(models) == {RIDGE}
    middle = int(np.searchsorted(LEVELS, 0.5))
    climbing = series.values[first:last] > 130
    errors = [np.abs(np.log(told[climbing, middle] / came[climbing])).mean() for told in (sharp, base)]
    assert errors[0] < 0.7 * errors[1]


def test_the_weights_solve_the_normal_equations() -> None:
    moments = Moments.of(ramps(4), LEAD, 86_400)
    assert moments is not None
    ridge = PeakRidge.fit(moments, LEVELS)
    assert ridge is not None
    signs, rise = moments.view.signs, moments.rise
    weight = moments.view.weight * 0.5 ** (moments.age_s / (3 * 86_400))
    size = signs.shape[1]
    penalty = max(1.0, 0.001 * float((weight[:, None] * signs**2).sum()) / size)
    rows = np.concatenate([signs * np.sqrt(weight)[:, None], np.sqrt(penalty) * np.eye(size)])
    rows[len(signs)] *= np.sqrt(0.1)
    wanted = np.concatenate([rise * np.sqrt(weight), np.zeros(size)])
    reference = np.linalg.lstsq(rows, wanted, rcond=None)[0]
    np.testing.assert_allclose(ridge.centre, reference, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_stated_risk_is_kept(level: float) -> None:
    series = ramps(9, seed=8)
    first, last = 6 * DAY, 9 * DAY - LEAD
    sharp, _ = peaks(series, RIDGE, first, last)
    came = np.lib.stride_tricks.sliding_window_view(series.values[first + 1 :], LEAD).max(axis=1)[
        : last - first
    ]
    kept = (came <= sharp[:, int(np.searchsorted(LEVELS, level))]).mean()
    assert kept == pytest.approx(level, abs=0.04)


def test_peaks_of_the_source_are_used_where_they_pay_and_it_is_said_against_what() -> None:
    series = ramps(6)
    fitted = Sharpened("auto", forecaster("seasonal-naive"), RidgePeaks()).fit(Batch.of(series), SETTINGS)
    made = fitted.predict(Batch.of(series), np.zeros(1, np.int64))
    assert made.models == (RIDGE,)
    assert "against" in made.notes[0]


@dataclasses.dataclass
class Exaggerated:
    """A ridge, its peaks `times` as high."""

    times: float
    name: str = "exaggerated"

    def fit(self, history: Batch, settings: ForecastSettings) -> FittedPeaks:
        return FittedExaggerated(RidgePeaks().fit(history, settings), self.times)

    def replayed(self) -> PeakSource:
        return self


@dataclasses.dataclass(frozen=True)
class FittedExaggerated:
    ridge: FittedPeaks
    times: float
    name: str = "exaggerated"
    note: str = ""
    seasoned: bool = False

    def peaks(self, recent: Batch, workload: Ints) -> Floats:
        return self.times * self.ridge.peaks(recent, workload)


@pytest.mark.parametrize("days", [0.5, 6], ids=["younger than a day", "six days old"])
@pytest.mark.parametrize(("times", "used"), [(1.0, True), (20.0, False), (0.05, False)])
def test_peaks_of_a_source_that_lately_lost_far_more_are_left_alone(
    times: float, used: bool, days: float
) -> None:
    series = ramps(days)
    base = forecaster("seasonal-naive")
    fitted = Sharpened("auto", base, Exaggerated(times)).fit(Batch.of(series), SETTINGS)
    made = fitted.predict(Batch.of(series), np.zeros(1, np.int64))
    assert (made.models == ("exaggerated",)) is used
    if not used:
        plain = base.fit(Batch.of(series), SETTINGS).predict(Batch.of(series), np.zeros(1, np.int64))
        np.testing.assert_array_equal(made.peaks, plain.peaks)
        assert made.notes == plain.notes


@dataclasses.dataclass(frozen=True)
class Taught:
    """A source that needs no past: 130 at every level, whatever came before."""

    seasoned: bool
    name: str = "taught"
    note: str = ""

    def fit(self, history: Batch, settings: ForecastSettings) -> FittedPeaks:
        return self

    def replayed(self) -> PeakSource:
        return self

    def peaks(self, recent: Batch, workload: Ints) -> Floats:
        return np.full((len(recent), len(LEVELS)), 130.0)


def served(series: Series, seasoned: bool, settings: ForecastSettings = SETTINGS) -> tuple[str, str]:
    """Which model answers, and why."""
    sharpened = Sharpened("auto", forecaster("seasonal-naive"), Taught(seasoned))
    made = sharpened.fit(Batch.of(series), settings).predict(Batch.of(series), np.zeros(1, np.int64))
    return made.models[0], made.notes[0]


def test_a_load_too_young_to_compare_on_is_served_by_what_others_have_taught() -> None:
    for minutes in (10, 60, 104):
        model, note = served(ramps(6).between(0, minutes), seasoned=True)
        assert model == "taught" and "too few to compare it on" in note
        assert served(ramps(6).between(0, minutes), seasoned=False)[0] != "taught"
    assert "too few to compare it on" not in served(ramps(6).between(0, 105), seasoned=True)[1]


def test_where_steps_are_too_long_for_a_replay_no_load_is_too_young_for_one() -> None:
    half_hourly = dataclasses.replace(ramps(1).between(0, 48), step_s=1800)
    assert served(half_hourly, seasoned=True, settings=ForecastSettings(horizon=1))[0] != "taught"


@pytest.mark.parametrize("minutes", [10, 30, 90])
def test_auto_asks_for_little_more_than_the_load_of_the_first_minutes(minutes: int) -> None:
    noise = np.random.default_rng(4).lognormal(0.0, 0.05, minutes + LEAD)
    told, models = peaks(Series("new", MONDAY_S, 60, 100.0 * noise), "auto", minutes, minutes + 1)
    assert set(models) == {LEARNED}
    assert 100.0 < told[0, int(np.searchsorted(LEVELS, 0.95))] < 140.0


def test_too_short_a_history_leaves_the_base_forecast() -> None:
    series = ramps(0.1)
    base, _ = peaks(series, "seasonal-naive", 100, 120)
    sharp, models = peaks(series, RIDGE, 100, 120)
    assert RIDGE not in models
    np.testing.assert_array_equal(sharp, base)


def test_a_missing_present_leaves_the_base_forecast() -> None:
    series = ramps(6)
    values = series.values.copy()
    values[-4:] = np.nan
    gap = dataclasses.replace(series, values=values)
    fitted = forecaster(RIDGE).fit(Batch.of(gap), SETTINGS)
    made = fitted.predict(Batch.of(gap), np.zeros(1, np.int64))
    assert made.models != (RIDGE,)
    assert np.isfinite(made.peaks).all()


@pytest.mark.parametrize(
    ("zone", "shift_s"),
    [
        pytest.param("Europe/Berlin", 1_711_846_800, id="Berlin forward"),  # 2024-03-31 01:00 UTC
        pytest.param("Europe/Berlin", 1_729_990_800, id="Berlin back"),  # 2024-10-27 01:00 UTC
        pytest.param("Australia/Lord_Howe", 1_728_142_200, id="Lord Howe forward"),  # 2024-10-05 15:30 UTC
        pytest.param("Australia/Lord_Howe", 1_712_415_600, id="Lord Howe back"),  # 2024-04-06 15:00 UTC
    ],
)
def test_for_seven_seasons_after_a_clock_change_the_base_forecast_stands(zone: str, shift_s: int) -> None:
    moment, clock = datetime.fromtimestamp(shift_s, UTC), ZoneInfo(zone)
    before = (moment - timedelta(seconds=1)).astimezone(clock)
    assert before.utcoffset() != moment.astimezone(clock).utcoffset()
    settings = dataclasses.replace(SETTINGS, time_zone=zone)
    series = dataclasses.replace(ramps(20), start_s=shift_s - 10 * 86_400)
    model = forecaster(RIDGE)
    fitted = model.fit(Batch.of(series.between(0, 9 * DAY)), settings)
    for day, used in ((9, True), (11, False), (16, False), (18, True)):
        at = day * DAY
        made = fitted.predict(Batch.rolling(series, at, at + 1, at), np.zeros(1, np.int64))
        assert (made.models == (RIDGE,)) is used, f"day {day}"


def test_peaks_of_shorter_leads_rise_towards_the_sharpened_one() -> None:
    series = ramps(6)
    fitted = forecaster(RIDGE).fit(Batch.of(series), SETTINGS)
    made = fitted.predict(Batch.rolling(series, 5 * DAY, 6 * DAY, 5 * DAY), np.zeros(DAY, np.int64))
    assert (np.diff(made.peaks, axis=1) >= 0).all()
    assert (np.diff(made.peaks, axis=2) >= 0).all()
    assert (made.values <= made.peaks).all()


def test_signs_do_not_depend_on_the_unit_of_the_load() -> None:
    series = daily(9, step_s=60)
    views = [
        PeakView.of(
            Batch.of(dataclasses.replace(series, values=series.values * unit)),
            LEAD,
            86_400,
            np.array([np.inf]),
        )
        for unit in (1.0, 1000.0)
    ]
    np.testing.assert_allclose(views[0].signs, views[1].signs, atol=1e-9)


def test_the_ridge_is_offered_by_name() -> None:
    model = forecaster(RIDGE)
    assert isinstance(model, Ordinary)
    assert isinstance(model.base, Reaching)
    assert isinstance(model.base.near, Sharpened)
    assert model.base.near.always
