"""Measures of accuracy, against their definitions by hand."""

import math

import numpy as np
import pytest

from autoscaler.forecasting.accuracy import bias, coverage, mase, pinball_loss, wape

ACTUAL = np.array([10.0, 20.0, np.nan, 30.0])
FORECAST = np.array([12.0, 16.0, 5.0, 30.0])


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (wape(ACTUAL, FORECAST), 6 / 60),
        (bias(ACTUAL, FORECAST), -2 / 60),
        (coverage(ACTUAL, FORECAST), 2 / 3),
        (pinball_loss(ACTUAL, FORECAST, 0.9), (0.1 * 2 + 0.9 * 4 + 0) / 3),
        (mase(ACTUAL, FORECAST, np.array([1.0, 4.0, 2.0])), 2 / 2.5),
        (mase(ACTUAL, FORECAST, np.array([1.0, 4.0, 2.0]), cycle=2), 2.0),
    ],
    ids=["wape", "bias", "coverage", "pinball", "mase", "seasonal mase"],
)
def test_measure_by_hand(measured: float, expected: float) -> None:
    assert measured == pytest.approx(expected)


def test_nothing_known_is_not_perfect() -> None:
    nothing = np.array([np.nan])
    for value in (
        wape(nothing, nothing),
        bias(nothing, nothing),
        coverage(nothing, nothing),
        pinball_loss(nothing, nothing, 0.5),
        mase(nothing, nothing, np.array([1.0, 2.0])),
    ):
        assert math.isnan(value)


def test_the_true_quantile_has_the_least_pinball_loss() -> None:
    sample = np.random.default_rng(3).normal(size=20_000)
    losses = {q: pinball_loss(sample, np.full_like(sample, q), 0.95) for q in (1.2, 1.645, 2.1)}
    assert min(losses, key=losses.__getitem__) == 1.645
