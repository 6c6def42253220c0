"""Quantiles of past errors, against scalar references."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.forecasting.origins import replay, spread
from autoscaler.forecasting.residuals import chosen_leads, quantiles, running_maximum
from autoscaler.series import Batch


@given(st.integers(1, 200), st.integers(0, 1000), st.floats(0.01, 0.99))
def test_quantiles_are_those_of_numpy_with_missing_left_out(count: int, seed: int, level: float) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(size=(2, count, 3))
    values[random.random(values.shape) < 0.2] = np.nan
    values[:, 0] = 0.0
    ours = quantiles(values, np.array([level]))
    for row in range(2):
        for lead in range(3):
            known = values[row, :, lead][np.isfinite(values[row, :, lead])]
            assert ours[row, lead, 0] == pytest.approx(np.quantile(known, level, method="weibull"), abs=1e-12)


@given(st.integers(1, 3000))
def test_leads_span_the_horizon_and_are_few(horizon: int) -> None:
    leads = chosen_leads(horizon)
    assert leads[0] == 1
    assert leads[-1] == horizon
    assert len(leads) <= 24
    assert (np.diff(leads) > 0).all()


@given(st.integers(0, 50), st.integers(0, 5000), st.integers(1, 400))
def test_origins_end_at_the_newest_and_stay_within_bounds(first: int, length: int, most: int) -> None:
    origins = spread(first, first + length, most, 288)
    assert len(origins) <= 2 * most
    assert all(first <= origin < first + length for origin in (*origins[:1], *origins[-1:]))
    assert not length or origins[-1] == first + length - 1


def test_origins_do_not_keep_to_one_minute_of_the_hour() -> None:
    assert len({origin % 60 for origin in spread(0, 7 * 1440, 336, 1440)}) == 60


def test_a_peak_over_a_mostly_missing_window_is_unknown() -> None:
    ahead = np.array([[1.0, np.nan, 3.0, np.nan], [np.nan, np.nan, np.nan, np.nan], [1.0, 3.0, 2.0, 4.0]])
    peaks = running_maximum(ahead)
    assert np.isnan(peaks[:2, 1:]).all()
    assert peaks[2].tolist() == [1.0, 3.0, 3.0, 4.0]


@pytest.mark.parametrize("workloads", [2, 50], ids=["by workload", "by origin"])
def test_replay_shows_the_past_and_what_followed(workloads: int) -> None:
    values = np.arange(workloads * 100, dtype=float).reshape(workloads, 100)
    history = Batch(values, np.full(workloads, 99 * 60), 60)
    origins = spread(10, 99, 9)
    seen = 0
    for moment in replay(history, origins, 4):
        now = moment.recent.values[:, -1]
        column = moment.recent.end_s // 60
        assert (now == values[moment.workload, column]).all()
        assert (moment.recent.values[:, -2] == now - 1).all()
        followed = np.where(column[:, None] + np.arange(1, 5) < 100, now[:, None] + np.arange(1, 5), np.nan)
        np.testing.assert_array_equal(moment.ahead, followed)
        seen += len(now)
    assert seen == workloads * len(origins)
