"""A small model of the peak, trained on constructed loads in a second."""

from __future__ import annotations

import functools

import numpy as np

from autoscaler.forecasting.peaks import training
from autoscaler.forecasting.peaks.model import PeakModel, read_model
from autoscaler.forecasting.peaks.training import Lessons, joined, lessons
from autoscaler.series import Series

DAY = 1440
ROUNDS = 25


def ramps(days: float, seed: int = 3) -> Series:
    """A load of 100 that at random minutes climbs by 8 % a minute for 20 minutes and falls back."""
    random = np.random.default_rng(seed)
    values = np.full(int(days * DAY), 100.0)
    for start in np.cumsum(random.integers(60, 240, len(values) // 100)):
        climb = values[start : start + 20]
        climb *= 1.08 ** np.arange(1, len(climb) + 1)
    return Series("ramps", 1_700_438_400, 60, values * random.lognormal(0, 0.01, len(values)))


@functools.cache
def small_lessons() -> Lessons:
    """What three such loads teach, five minutes ahead."""
    return joined([lessons(ramps(1.9, seed), (300,)) for seed in (11, 12, 13)])


@functools.cache
def small_files() -> dict[str, bytes]:
    """The files of a model that learned them."""
    return training.train(small_lessons(), {"trained_on": []}, rounds=ROUNDS)


@functools.cache
def small_model() -> PeakModel:
    """That model."""
    return read_model(small_files())


def small_model_for(lead_s: float) -> PeakModel:
    """That model, whatever the lead."""
    return small_model()
