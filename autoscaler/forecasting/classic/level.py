"""The present level of a workload, and how an expected course is corrected by it.

A profile learned over weeks knows the shape of a day; the last minutes know how busy today is. Both
together beat either alone, the more so the nearer the instant that is forecast.
"""

from __future__ import annotations

import numpy as np

from autoscaler.series import Batch, Floats

LEVEL_WINDOW_S = 900
"""Stretch of the recent past that is compared with what was expected for it."""

_HALF_LIFE_S = 6 * 3600
"""How long until half of the present deviation (as a logarithm) is expected to have gone."""

_RATIO_RANGE = (0.3, 3.0)
"""What a deviation exceeds this range by is not believed to last …"""
_EXCESS_HALF_LIFE_S = 3600
"""… and half of it is gone after this."""

_NEGLIGIBLE_SHARE = 0.02
_TINY = 1e-9
_IMPOSSIBLE = 1e6


def window_steps(step_s: int, window_s: int = LEVEL_WINDOW_S, at_least: int = 1) -> int:
    """Number of steps that make up a window."""
    return max(at_least, window_s // step_s)


def negligible(history: Floats) -> Floats:
    """A load too small to matter, 2 % of the mean, added before taking ratios so that zero is harmless.

    history: [row, time]. Shape [row], always positive.
    """
    known = np.isfinite(history)
    count = np.maximum(known.sum(axis=1), 1)
    mean = np.where(known, history, 0.0).sum(axis=1) / count
    small: Floats = np.maximum(_NEGLIGIBLE_SHARE * mean, _TINY)
    return small


def last_samples(recent: Batch, count: int, ceiling: Floats) -> Floats:
    """The last `count` samples of every row, absurd ones removed, shape [row, count].

    ceiling: [row], more than the row can plausibly reach. A sample above it is taken for a slip of
    the recorder and becomes NaN, unless half of the samples agree with it; one a million times
    above is never believed.
    """
    block = recent.values[:, -count:]
    if block.shape[1] < count:
        missing = np.full((len(block), count - block.shape[1]), np.nan)
        block = np.concatenate([missing, block], axis=1)
    with np.errstate(invalid="ignore"):
        absurd = block > ceiling[:, np.newaxis]
        impossible = block > _IMPOSSIBLE * ceiling[:, np.newaxis]
    known = np.isfinite(block)
    lone = 2 * absurd.sum(axis=1) < known.sum(axis=1)
    keep = known & ~impossible & ~(absurd & lone[:, np.newaxis])
    samples: Floats = np.where(keep, block, np.nan)
    return samples


def mean_known(samples: Floats) -> Floats:
    """Mean of the known samples of every row, NaN where there is none, shape [row]."""
    known = np.isfinite(samples)
    count = known.sum(axis=1)
    total = np.where(known, samples, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def corrected(seen: Floats, expected_then: Floats, expected: Floats, eps: Floats, step_s: int) -> Floats:
    """The expected course, scaled by how the last samples compare with what was expected of them.

    seen, expected_then: [row, past], the last samples and what the profile says for them.
    expected: [row, horizon], what the profile says for the steps to come. eps: [row].
    The scale is the ratio of means and tends to 1 with the horizon, slowly as far as it lies within
    0.3 to 3 and faster beyond. Where nothing is known of the present, the course is left as it is.
    """
    both = np.isfinite(seen) & np.isfinite(expected_then)
    actual = mean_known(np.where(both, seen, np.nan)) + eps
    believed = mean_known(np.where(both, expected_then, np.nan)) + eps
    log_ratio = np.log(actual / believed)
    log_ratio = np.where(np.isfinite(log_ratio), log_ratio, 0.0)[:, np.newaxis]
    lasting = np.clip(log_ratio, *np.log(_RATIO_RANGE))
    ahead_s = step_s * np.arange(1, expected.shape[1] + 1)
    scale = np.exp(
        lasting * np.exp2(-ahead_s / _HALF_LIFE_S)
        + (log_ratio - lasting) * np.exp2(-ahead_s / _EXCESS_HALF_LIFE_S)
    )
    base = eps[:, np.newaxis]
    course: Floats = np.maximum((expected + base) * scale - base, 0.0)
    return course
