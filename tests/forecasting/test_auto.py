"""How a model is chosen for each workload."""

from dataclasses import replace

import numpy as np
from loads import daily

from autoscaler.forecasting.auto import by_pinball, peak_loss
from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.forecasting.known.ordinary import Ordinary
from autoscaler.forecasting.reaching import Reaching
from autoscaler.forecasting.registry import forecaster
from autoscaler.forecasting.residuals import Residuals
from autoscaler.forecasting.sharpened import Sharpened
from autoscaler.series import Batch, Floats, Ints

SETTINGS = ForecastSettings(horizon=12)


def measured(errors: Floats) -> Residuals:
    """Residuals of one workload with the given peak errors around a path of 100."""
    path = np.full((1, len(errors)), 100.0)
    single = errors[None, :, None]
    return Residuals(np.array([1]), origins(len(errors))[None], single, single, path, path * np.exp(errors))


def origins(count: int, step_s: int = 1800) -> Ints:
    return 1_700_000_000 + step_s * np.arange(count)


def test_a_rhythm_is_given_a_seasonal_model_and_a_random_walk_the_trend() -> None:
    rhythm = daily(21, noise=0.02)
    steps = np.random.default_rng(2).normal(0, 0.03, len(rhythm))
    walk = 100 * np.exp(np.cumsum(steps) - np.linspace(0, steps.sum(), len(steps)))
    batch = Batch(np.stack([rhythm.values, walk]), np.full(2, rhythm.end_s), 300)
    auto = forecaster("auto")
    assert isinstance(auto, Ordinary)
    assert isinstance(auto.base, Reaching)
    assert isinstance(auto.base.near, Sharpened)
    result = auto.base.near.base.fit(batch, SETTINGS).predict(batch, np.arange(2))
    assert result.models[0] in ("seasonal-naive", "fourier")
    assert result.models[1] == "trend"
    assert "pinball" in result.notes[0]


def test_the_simpler_model_wins_a_tie() -> None:
    errors = np.random.default_rng(1).normal(0, 0.1, 300)
    best, reasons = by_pinball(
        ["simple", "clever"], [measured(errors), measured(errors * 0.99)], np.array([1e-9]), SETTINGS
    )
    assert best[0] == 0
    assert reasons[0].startswith("simple")


def test_the_clearly_better_model_wins_and_says_by_how_much() -> None:
    errors = np.random.default_rng(1).normal(0, 0.1, 300)
    best, reasons = by_pinball(
        ["simple", "clever"], [measured(errors), measured(errors * 0.5)], np.array([1e-9]), SETTINGS
    )
    assert best[0] == 1
    assert reasons[0].startswith("clever: pinball ")
    assert "for simple" in reasons[0]


def test_a_model_is_not_judged_on_the_errors_it_was_calibrated_with() -> None:
    # Errors alternate between the halves: a quantile taken and scored on all of them would look good.
    half = origins(280) // (10 * 3600) % 2
    swinging = measured(np.where(half == 0, 1.0, -1.0))
    steady = measured(np.zeros(280))
    assert (
        peak_loss(swinging, np.array([1e-9]), 0.95)[0] > 50 * peak_loss(steady, np.array([1e-9]), 0.95)[0] + 1
    )


def test_how_the_past_is_divided_does_not_depend_on_the_hour_of_the_fit() -> None:
    # Wrong by night alone: halves of days and of nights would tell nothing of each other.
    at_s = origins(432)
    errors = np.where(at_s % 86_400 < 43_200, np.random.default_rng(3).normal(0, 0.5, 432), 0.0)
    losses = []
    for first in range(0, 96, 12):
        fit = measured(errors[first : first + 336])
        fit = replace(fit, at_s=at_s[np.newaxis, first : first + 336])
        losses.append(peak_loss(fit, np.array([1e-9]), 0.95)[0])
    assert max(losses) < 1.25 * min(losses)


def test_a_single_moment_in_the_past_leaves_nothing_to_compare_on() -> None:
    one = measured(np.array([0.3]))
    best, reasons = by_pinball(["simple", "clever"], [one, one], np.array([1e-9]), SETTINGS)
    assert (best[0], reasons[0]) == (0, "simple: nothing to compare on")
