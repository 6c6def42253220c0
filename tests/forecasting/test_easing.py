"""Stated peaks come down more slowly than modelled ones, where leads are longer than plans hold a wish."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.forecasting.easing import Easing, eased
from autoscaler.series import Floats

_MINUTE_S = 60


def _column(*peaks: float) -> Floats:
    return np.array(peaks)[:, np.newaxis]


@pytest.mark.parametrize(("lead", "step_s"), [(5, 60), (1, 60), (20, 15), (1, 300)])
def test_up_to_five_minutes_ahead_what_is_modelled_is_stated(lead: int, step_s: int) -> None:
    stated = np.random.default_rng(1).random((200, 3))
    np.testing.assert_array_equal(eased(stated, lead, step_s), stated)


def test_a_rise_is_stated_at_once() -> None:
    rising = _column(*range(100))
    np.testing.assert_array_equal(eased(rising, 15, _MINUTE_S), rising)


def test_after_a_peak_half_of_the_fall_is_stated_for_what_the_lead_has_beyond_five_minutes() -> None:
    stated = _column(100.0, *[40.0] * 20)
    after = eased(stated, 15, _MINUTE_S)[:, 0]
    assert after[0] == 100.0
    assert after[1:10].tolist() == [70.0] * 9
    assert after[10:].tolist() == [40.0] * 11


def test_no_forecast_stays_none_and_hides_no_earlier_one() -> None:
    after = eased(_column(100.0, np.nan, 40.0), 15, _MINUTE_S)[:, 0]
    np.testing.assert_array_equal(after, [100.0, np.nan, 70.0])


@given(
    seed=st.integers(0, 10_000),
    lead=st.integers(1, 30),
    step_s=st.sampled_from([15, 45, 60, 300, 420, 3600]),
    missing=st.floats(0.0, 0.5),
)
def test_forecast_by_forecast_the_same_is_stated(seed: int, lead: int, step_s: int, missing: float) -> None:
    random = np.random.default_rng(seed)
    peaks = np.sort(random.random((60, lead + 4, 3)), axis=2)
    peaks = np.maximum.accumulate(peaks, axis=1)
    peaks[random.random(60) < missing] = np.nan
    easing = Easing(lead, step_s)
    one_by_one = np.stack([easing.eased(at * step_s, each) for at, each in enumerate(peaks)])
    np.testing.assert_allclose(one_by_one[:, lead - 1], eased(peaks[:, lead - 1], lead, step_s))
    told = one_by_one[np.isfinite(one_by_one).all(axis=(1, 2))]
    assert (np.diff(told, axis=1) >= 0).all(), "the peak over more steps is no lower"
    assert (np.diff(told, axis=2) >= 0).all(), "quantiles rise"
    modelled = peaks[np.isfinite(one_by_one).all(axis=(1, 2))]
    assert (told >= modelled).all()
    near = 300 // step_s
    np.testing.assert_array_equal(told[:, :near], modelled[:, :near])


def test_making_a_forecast_again_changes_nothing() -> None:
    easing = Easing(15, _MINUTE_S)
    high, low = np.full((15, 1), 100.0), np.full((15, 1), 40.0)
    easing.eased(0, high)
    first = easing.eased(_MINUTE_S, low)
    np.testing.assert_array_equal(easing.eased(_MINUTE_S, low), first)
    assert first[-1, 0] == 70.0
