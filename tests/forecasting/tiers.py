"""Two constructed tiers: a front, and what comes after it some steps later."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from loads import MONDAY_S
from numpy.typing import NDArray

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


_AFTER: dict[str, Callable[[Floats], Floats]] = {
    "10 minutes later": lambda front: after(front, 10, 0.5),
    "2 minutes later": lambda front: after(front, 2, 3.0),
    "at once": lambda front: after(front, 0, 0.1),
    "10 minutes later, the ratio drifting": lambda front: after(
        front, 10, np.geomspace(0.2, 0.8, len(front))
    ),
    "10 minutes later, doubled halfway": lambda front: after(front, 10, np.where(_late(front), 1.0, 0.5)),
    "10 minutes later, broken off halfway": lambda front: np.where(
        _late(front), _unrelated(front), after(front, 10, 0.5)
    ),
    "half of it 10 minutes later, half unrelated": lambda front: (
        0.5 * after(front, 10, 0.5) + 0.5 * _unrelated(front)
    ),
    "unrelated": lambda front: _unrelated(front),
}
NAMES = tuple(_AFTER)


def tiers(name: str, days: float) -> Series:
    """A follower's load with that of its front, in minutes. name: what comes of the front's bursts."""
    front = front_load(days)
    return Series("checkout", MONDAY_S, 60, _AFTER[name](front), {FRONT: front})


def _late(front: Floats) -> NDArray[np.bool_]:
    return np.arange(len(front)) >= len(front) // 2


def _unrelated(front: Floats) -> Floats:
    return after(front_load(len(front) / 1440, seed=8), 0, 0.5)
