"""Two constructed tiers: a front, and what comes after it some steps later."""

from __future__ import annotations

import numpy as np
from loads import MONDAY_S

from autoscaler.series import Floats, Series

FRONT = "frontend"


def front_load(days: float, step_s: int = 60, seed: int = 1, bursts: bool = True) -> Floats:
    """A daily rhythm with noise and, if asked for, six bursts a day at no fixed time."""
    random = np.random.default_rng(seed)
    steps = int(days * 86_400 // step_s)
    load = 100 + 60 * np.sin(2 * np.pi * np.arange(steps) * step_s / 86_400 - 1.5)
    load *= random.lognormal(0, 0.05, steps)
    if bursts:
        for first in np.sort(random.choice(steps, int(6 * days), replace=False)).tolist():
            length = int(random.integers(10, 40))
            within = np.arange(length)
            shape = np.minimum(1, within / 3) * np.minimum(1, (length - within) / 5)
            shape = shape[: steps - first]
            load[first : first + length] *= 1 + random.uniform(1, 3) * shape
    return load


def after(front: Floats, lag: int, ratio: float | Floats, noise: float = 0.05, seed: int = 2) -> Floats:
    """What comes after the front, `lag` steps later."""
    earlier = np.concatenate([np.full(lag, front[0]), front[: len(front) - lag]])
    return ratio * earlier * np.random.default_rng(seed).lognormal(0, noise, len(front))


def tiers(own: Floats, front: Floats, step_s: int = 60) -> Series:
    """A follower's load with that of its front beside it."""
    return Series("checkout", MONDAY_S, step_s, own, {FRONT: front})
