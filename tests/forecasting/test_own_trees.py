"""Trees of a workload's own: they answer as LightGBM would, each for its own workload, and they help."""

import numpy as np
import pytest
from small_models import DAY, small_model_for

from autoscaler.forecasting.accuracy import coverage, pinball_loss
from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.forecasting.peaks import own_trees
from autoscaler.forecasting.peaks.learned_peaks import FittedLearned, LearnedPeaks
from autoscaler.forecasting.peaks.own_trees import LEVELS, Groves, OwnTrees, known
from autoscaler.series import Batch, Floats, Series

LEAD = 5
SETTINGS = ForecastSettings(horizon=LEAD)
NO_ROWS = np.empty(0, np.int64)


def shown(rows: int, seed: int = 0) -> own_trees.Table:
    random = np.random.default_rng(seed)
    table = random.normal(size=(rows, 12)).astype(np.float32)
    table[random.random(table.shape) < 0.05] = np.nan
    return table


def grown(slope: float, seed: int = 0) -> OwnTrees:
    """Trees of a workload that rises by `slope` times its first clue more than the shared model says."""
    table = shown(800, seed)
    left_over = slope * np.nan_to_num(table[:, :1]) + np.random.default_rng(seed).normal(size=(800, 4)) * 0.1
    return OwnTrees.grow(table, left_over, np.ones(800))


def test_the_arrays_answer_as_lightgbm_does() -> None:
    import lightgbm

    table, left_over = shown(800), np.random.default_rng(5).normal(size=(800, len(LEVELS)))
    answers = Groves.of([OwnTrees.grow(table, left_over, np.ones(800))]).surplus(
        table, np.zeros(800, np.int64)
    )
    for place, (level, fewest) in enumerate(zip(LEVELS, (30, 30, 38, 150), strict=True)):
        data = lightgbm.Dataset(known(table), left_over[:, place], params=own_trees._GROWN)
        settings = {**own_trees._GROWN, "alpha": level, "min_data_in_leaf": fewest}
        wanted = lightgbm.train(settings, data, 30).predict(known(table))
        np.testing.assert_allclose(answers[:, place], np.asarray(wanted), atol=1e-12)


def test_every_workload_is_answered_by_its_own_trees_and_one_without_any_by_nothing() -> None:
    up, down = grown(1.0), grown(-1.0, seed=1)
    table = shown(60, seed=9)
    each = [Groves.of([trees]).surplus(table, np.zeros(60, np.int64)) for trees in (up, down)]
    assert np.abs(each[0] - each[1]).max() > 0.5
    together = Groves.of([None, up, None, down])
    workload = np.arange(60) % 4
    answers = together.surplus(table, workload)
    np.testing.assert_array_equal(answers[workload == 1], each[0][workload == 1])
    np.testing.assert_array_equal(answers[workload == 3], each[1][workload == 3])
    assert not answers[workload % 2 == 0].any()


def test_without_any_trees_or_rows_nothing_is_corrected() -> None:
    assert not Groves.of([None, None]).surplus(shown(3), np.zeros(3, np.int64)).any()
    assert Groves.of([grown(1.0)]).surplus(shown(0), NO_ROWS).shape == (0, len(LEVELS))


def test_growing_again_gives_the_same_trees() -> None:
    first, second = grown(0.5), grown(0.5)
    np.testing.assert_array_equal(first.threshold, second.threshold)
    np.testing.assert_array_equal(first.leaf, second.leaf)


def bursts(days: float) -> Series:
    """A load that dips for two minutes and then always doubles for ten: a habit no other load taught."""
    random = np.random.default_rng(4)
    values = np.full(int(days * DAY), 100.0)
    for start in np.cumsum(random.integers(40, 160, len(values) // 60)).tolist():
        values[start : start + 2] *= 0.8
        values[start + 2 : start + 12] *= 2.0
    return Series("bursts", 1_700_438_400, 60, values * random.lognormal(0, 0.01, len(values)))


def test_a_habit_of_the_workload_that_no_other_load_has_is_learned() -> None:
    series, first, last = bursts(7), 6 * DAY, 7 * DAY - LEAD
    history = Batch.of(series.between(0, first))
    recent = Batch.rolling(series, first, last, first)
    came: Floats = np.lib.stride_tricks.sliding_window_view(series.values[first + 1 :], LEAD).max(axis=1)
    level = SETTINGS.levels.index(0.9)
    told = [
        LearnedPeaks(small_model_for, adapts=adapts)
        .fit(history, SETTINGS)
        .peaks(recent, np.zeros(len(recent), np.int64))[:, level]
        for adapts in (False, True)
    ]
    shared, own = (pinball_loss(came[: len(recent)], each, 0.9) for each in told)
    assert own < 0.9 * shared
    assert coverage(came[: len(recent)], told[1]) > 0.85


@pytest.mark.parametrize("days", [0.5, 2.5])
def test_a_young_workload_has_no_trees_yet(days: float) -> None:
    fitted = LearnedPeaks(small_model_for).fit(Batch.of(bursts(days)), SETTINGS)
    assert isinstance(fitted, FittedLearned)
    assert fitted.groves.place.tolist() == [-1]
