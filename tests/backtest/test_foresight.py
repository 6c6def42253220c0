"""The forecasts of a backtest: each from what had arrived, refitted on schedule, aligned with its step."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from worlds import MONDAY_S, trace, wave

from autoscaler.backtest.foresight import Foresight, as_modelled, blind, foresee
from autoscaler.backtest.stretches import Stretch, modelled, stretches
from autoscaler.backtest.track import track
from autoscaler.forecasting.accuracy import peak_ahead
from autoscaler.forecasting.forecaster import ForecastSettings, Predictor
from autoscaler.forecasting.peaks.model import PeakModel
from autoscaler.forecasting.peaks.shipped import shipped_model
from autoscaler.forecasting.registry import forecaster
from autoscaler.series import Batch, Forecast, Grade, Ints

SETTINGS = ForecastSettings(horizon=3, levels=(0.5, 0.9))


@dataclass
class Spy:
    """Forecasts the newest load plus the number of steps ahead, and keeps what it was handed."""

    name: str = "spy"
    grade: Grade = Grade.TREND
    fitted_at: list[int] = field(default_factory=list)
    fitted_on: list[list[float]] = field(default_factory=list)
    seen: dict[int, list[float]] = field(default_factory=dict)

    def fit(self, history: Batch, settings: ForecastSettings) -> Predictor:
        self.fitted_at.append(int(history.end_s[0]))
        self.fitted_on.append(history.values[0].tolist())
        self._settings = settings
        return self

    def predict(self, recent: Batch, workload: Ints) -> Forecast:
        for end_s, row in zip(recent.end_s.tolist(), recent.values, strict=True):
            self.seen[end_s] = row.tolist()
        ahead = np.arange(1, self._settings.horizon + 1)[np.newaxis, :, np.newaxis]
        values = recent.values[:, -1][:, np.newaxis, np.newaxis] + ahead + np.array([0.0, 0.5])
        rows = len(recent)
        grades = (self.grade,) * rows
        return Forecast(
            recent.end_s,
            recent.step_s,
            np.array([0.5, 0.9]),
            values,
            values,
            ("spy",) * rows,
            grades,
            ("",) * rows,
        )


@dataclass(frozen=True)
class _SameModel:
    """The shipped model under another name, of which nothing has been kept yet."""

    code: str

    def __call__(self, lead_s: float) -> PeakModel | str:
        return shipped_model(lead_s)


def _fits(parts: list[Stretch]) -> list[int]:
    return [part.begins + fit for part in parts for fit in part.fits]


def test_every_step_is_forecast_from_the_load_up_to_it_and_no_further() -> None:
    spy = Spy()
    series = trace(np.arange(200.0))
    foresee(series, spy, SETTINGS, history_s=50 * 60, refit_s=3600)
    assert sorted(spy.seen) == series.times_s.tolist()
    for index, end_s in enumerate(series.times_s.tolist()):
        row = [value for value in spy.seen[end_s] if not math.isnan(value)]
        assert row == list(range(max(0, index - 49), index + 1))


def test_fits_come_early_at_first_and_then_on_schedule_each_on_the_history_so_far() -> None:
    spy = Spy()
    foresee(trace(np.arange(400.0)), spy, SETTINGS, history_s=30 * 60, refit_s=7200)
    steps = [(end_s - MONDAY_S) // 60 for end_s in spy.fitted_at]
    assert steps == [0, 10, 30, 60, 120, 180, 240, 360]
    for step, history in zip(steps, spy.fitted_on, strict=True):
        assert history == list(range(max(0, step - 29), step + 1))


def test_forecasts_stand_at_the_step_they_were_made_and_expectations_at_the_step_they_are_for() -> None:
    found = foresee(trace(np.arange(60.0)), Spy(), SETTINGS, history_s=3600, refit_s=3600)
    assert found.peaks[:, 0].tolist() == [step + 3.0 for step in range(60)]
    assert found.at_quantile(0.7).tolist() == [step + 3.25 for step in range(60)]
    assert np.isnan(found.expected[:3]).all()
    assert found.expected[3:].tolist() == [float(step) for step in range(3, 60)]
    assert found.model == "spy"


@pytest.mark.parametrize(("asked", "column"), [(0.01, 0), (0.5, 0), (0.9, 1), (0.999, 1)])
def test_beyond_the_outermost_level_nothing_is_extrapolated(asked: float, column: int) -> None:
    found = foresee(trace(np.arange(60.0)), Spy(), SETTINGS, history_s=3600, refit_s=3600)
    np.testing.assert_array_equal(found.at_quantile(asked), found.peaks[:, column])


def test_what_rests_on_no_history_is_not_credited_to_a_model() -> None:
    found = foresee(trace([1.0] * 60), Spy(grade=Grade.NONE), SETTINGS, history_s=3600, refit_s=3600)
    assert (found.model, found.note) == ("no", "no usable history")


def test_blind_knows_nothing() -> None:
    found = blind(5, SETTINGS)
    assert np.isnan(found.peaks).all()
    assert np.isnan(found.at_quantile(0.9)).all()
    assert np.isnan(found.expected).all()
    assert len(found.expected) == 5


@pytest.mark.parametrize("name", ["trend", "seasonal-naive", "fourier", "auto"])
def test_a_real_model_forecasts_as_it_does_on_the_same_history_by_itself(name: str) -> None:
    series, settings = wave(3), ForecastSettings(horizon=4)
    parts = stretches(series, 28 * 86_400, refit_s=8 * 3600)
    told = [modelled(part, forecaster(name), settings, history_s=28 * 86_400) for part in parts]
    found = as_modelled(series, settings, told)
    at = 768  # a moment of the schedule: 8 times 8 hours of 5 minutes
    history = Batch.of(series.between(0, at + 1))
    alone = forecaster(name).fit(history, settings).predict(history, np.zeros(1, np.int64))
    np.testing.assert_allclose(found.peaks[at], alone.peaks[0, 3], rtol=1e-9)


@pytest.mark.parametrize("history_s", [30 * 3600, 28 * 86_400])
@pytest.mark.parametrize("name", ["ridge", "auto"])
def test_a_stretch_is_forecast_alike_whatever_was_forecast_before_it(name: str, history_s: float) -> None:
    series, settings = wave(4), ForecastSettings(horizon=4)
    parts = stretches(series, history_s, refit_s=8 * 3600)
    in_order = [modelled(part, forecaster(name), settings, history_s) for part in parts]
    for part, before in reversed(list(zip(parts, in_order, strict=True))):
        # A model that has kept nothing of what it found out before.
        code = f"{name} {part.begins}"
        afresh = modelled(part, forecaster(name, model_for=_SameModel(code)), settings, history_s)
        np.testing.assert_array_equal(afresh.peaks, before.peaks)
        np.testing.assert_array_equal(afresh.median, before.median)


@pytest.mark.parametrize("history_s", [3600.0, 7 * 86_400.0])
@pytest.mark.parametrize("hours", [0.1, 5, 24, 100, 24 * 60])
def test_stretches_cover_every_step_once_and_reach_back_as_far_as_a_fit_does(
    hours: float, history_s: float
) -> None:
    series = trace(np.arange(hours * 60.0))
    parts = stretches(series, history_s, refit_s=6 * 3600)
    begins = [part.begins + part.fits[0] for part in parts]
    assert begins[0] == 0
    assert [part.begins + len(part.series) for part in parts] == [*begins[1:], len(series)]
    for part in parts:
        assert part.series.values[0] == part.begins
        assert part.series.start_s == series.times_s[part.begins]
        assert part.begins == max(0, part.begins + part.fits[0] + 1 - int(history_s // 60))
    assert len(parts) <= 16
    assert sorted(_fits(parts)) == _fits(stretches(series.between(0, len(series)), 1e9, refit_s=6 * 3600))


def test_coverage_counts_steps_whose_peak_over_the_lead_time_stayed_within_what_was_stated() -> None:
    load = np.array([1.0, 5.0, 2.0, 9.0, 1.0, math.nan, 1.0, 1.0])
    assert peak_ahead(load, 2)[:3].tolist() == [5.0, 9.0, 9.0]
    assert np.isnan(peak_ahead(load, 2)[3:5]).all()  # a missing load leaves the peak unknown
    assert np.isnan(peak_ahead(load, 2)[-2:]).all()  # and so does the end of the trace
    stated = np.full((8, 2), 6.0)
    found = Foresight(
        np.array([0.5, 0.9]), 2, stated, stated[:, 0], "any", "", np.full(8, np.nan), np.zeros(8, np.bool_)
    )
    # Known peaks: 5, 9, 9 at steps 0 to 2, and 1 at step 5, which is itself unknown.
    scored = track(found, load, 0.9, 0)
    assert scored.coverage == pytest.approx(2 / 4)
    assert scored.pinball == pytest.approx((0.1 * 1 + 0.9 * 3 + 0.9 * 3 + 0.1 * 5) / 4)
    assert track(found, load, 0.9, 1).coverage == pytest.approx(1 / 3)
