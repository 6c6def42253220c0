"""What is not learned from, and what must never be removed."""

import numpy as np
import pytest
from loads import MONDAY_S, daily, recorded, replaced

from autoscaler.forecasting.cleaning import Cleaned, bridged, clean, completed
from autoscaler.forecasting.forecaster import ForecastSettings, Interval
from autoscaler.series import Batch, Series

SETTINGS = ForecastSettings(horizon=3)


def cleaned(series: Series, settings: ForecastSettings = SETTINGS) -> Cleaned:
    return clean(Batch.of(series), settings)


def test_an_ordinary_load_is_left_alone() -> None:
    assert not cleaned(daily(21)).removed.any()


def test_a_gap_is_not_zero_and_not_filled() -> None:
    load = daily(21)
    values = load.values.copy()
    values[1000:1100] = np.nan
    result = cleaned(replaced(load, values))
    assert np.isnan(result.history.values[0, 1000:1100]).all()
    assert not result.removed.any()


def test_an_outage_at_the_daily_peak_is_masked_and_said() -> None:
    load = daily(21)
    values = load.values.copy()
    outage = slice(10 * 288 + 50, 10 * 288 + 80)
    values[outage] = 0.5
    result = cleaned(replaced(load, values))
    assert result.removed[0, outage].all()
    assert result.removed.sum() == 30
    assert result.notes == ("outages of 2.5 h left out",)


def test_a_weekend_that_is_always_quiet_is_no_outage() -> None:
    load = daily(28)
    weekday = (load.times_s - MONDAY_S) // 86_400 % 7
    values = np.where(weekday >= 5, 0.02, 1.0) * load.values
    assert not cleaned(replaced(load, values)).removed.any()


def test_the_first_quiet_weekend_is_no_outage() -> None:
    load = daily(8)
    weekday = (load.times_s - MONDAY_S) // 86_400 % 7
    values = np.where(weekday >= 5, 0.02, 1.0) * load.values
    assert not cleaned(replaced(load, values)).removed.any()


def test_a_load_that_ended_for_good_is_no_outage() -> None:
    load = daily(28)
    values = load.values.copy()
    values[-10 * 288 :] = 0.0
    assert not cleaned(replaced(load, values)).removed.any()


@pytest.mark.parametrize("height", [1e12, 1e300, 30_000.0])
def test_an_isolated_absurd_spike_is_removed(height: float) -> None:
    load = daily(14)
    values = load.values.copy()
    values[2000] = height
    result = cleaned(replaced(load, values))
    assert np.flatnonzero(result.removed[0]).tolist() == [2000]


def test_a_daily_peak_of_one_step_is_genuine_however_high() -> None:
    load = daily(14)
    values = load.values.copy()
    values[100::288] = 50_000.0
    assert not cleaned(replaced(load, values)).removed.any()


@pytest.mark.traces
@pytest.mark.parametrize("name", ["worldcup98_web_1min", "ms_mongo_app_04_1min", "tencent_crane_01_1min"])
def test_hardly_anything_of_a_recorded_trace_is_removed(name: str) -> None:
    series = recorded(name)
    result = cleaned(series.between(0, min(len(series), 40_320)))
    assert result.removed.mean() < 0.02
    assert np.nanmax(result.history.values) == np.nanmax(series.values[:40_320])


def test_excluded_spans_are_masked_to_the_step() -> None:
    load = daily(7)
    span = Interval(MONDAY_S + 86_400, MONDAY_S + 90_000)
    result = cleaned(load, ForecastSettings(horizon=3, excluded=(span,)))
    assert np.flatnonzero(result.removed[0]).tolist() == list(range(288, 300))


@pytest.mark.parametrize("bad", [np.inf, -np.inf, -3.0])
def test_what_cannot_be_a_load_is_missing(bad: float) -> None:
    load = daily(3)
    values = load.values.copy()
    values[5] = bad
    assert np.isnan(cleaned(replaced(load, values)).history.values[0, 5])


def test_cleaning_leaves_its_input_alone() -> None:
    load = daily(14)
    values = load.values.copy()
    values[2000] = 1e12
    before = values.copy()
    cleaned(replaced(load, values))
    assert (values == before).all()


def test_only_short_gaps_are_bridged() -> None:
    values = np.array([1.0, np.nan, 3.0, np.nan, np.nan, np.nan, 7.0, np.nan])
    assert bridged(values, 2).tolist()[:3] == [1.0, 2.0, 3.0]
    assert np.isnan(bridged(values, 2)[3:6]).all()
    assert np.isnan(bridged(values, 9)[-1])


def test_long_gaps_are_completed_by_the_same_phase() -> None:
    values = np.tile([1.0, 2.0, 3.0, 4.0], 5)
    expected = values.copy()
    values[8:12] = np.nan
    assert completed(values, 4, 1).tolist() == expected.tolist()
