"""Quantiles that keep their promise: each is read where the forecast's own record says that it lies.

Every forecast of a peak is held against the peak that came, and what came is given a place on the scale
of the forecast: the score of a standard normal at the level which the forecast gave it. If the forecast is
right, the places are normally distributed. Where they are not, p95 is read at the place below which 95 % of
the late ones lay, instead of at 1.645. So all levels are corrected at once, cannot cross, and keep the
forecast's own idea of when it is unsure. Nothing is assumed but that the next hours are like the last days.

Conformal prediction with the place as the score (Romano, Patterson and Candès 2019, "Conformalized quantile
regression"; Kuleshov, Fenner and Ermon 2018 for the recalibration of levels), over a rolling window.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from autoscaler.forecasting.forecaster import DAY_S
from autoscaler.series import Floats, Ints

WINDOW_S = 3 * DAY_S
_RENEWED_S = 900
_ABOUT_JUDGED = 617
"""Forecasts of a window that are judged: every seventh at a step of a minute. Neighbours tell the same."""
_FEWEST = 30
_MOST_NARROWED = 0.25
"""Widened is as far as need be, narrowed only so far: asleep, a load stays below all that is stated, and once
it wakes it would for days be promised too little. What is too wide costs, and `worth` sees to that."""
_FURTHEST = 5.0
"""Places end here. Beyond the outermost quantiles the scale goes on as it went from the median to them."""


def judged_every(step_s: int) -> int:
    """Steps from one judged forecast to the next; without a factor in common with an hour's minutes."""
    wanted = max(1, round(WINDOW_S / step_s / _ABOUT_JUDGED))
    return next(steps for steps in range(wanted, wanted + 60) if steps == 1 or math.gcd(steps, 60) == 1)


def placed(stated: Floats, levels: Floats, came: Floats) -> Floats:
    """The place of what came on the scale of what was stated, [row]; NaN where either is unknown.

    stated: [row, level], quantiles at `levels`, rising. came: [row].
    """
    knots, at = _scale(stated, levels)
    above = np.sum(knots < came[:, np.newaxis], axis=1)
    high = np.clip(above, 1, len(at) - 1)
    rows = np.arange(len(came))
    below, gap = knots[rows, high - 1], knots[rows, high] - knots[rows, high - 1]
    share = np.where(gap > 0, np.minimum((came - below) / np.where(gap > 0, gap, 1.0), 1.0), 1.0)
    place = at[high - 1] + share * (at[high] - at[high - 1])
    place = np.where(above == 0, at[0], place)
    return np.where(np.isfinite(came) & np.isfinite(knots).all(axis=1), place, np.nan)


def places_to_read(places: Floats, levels: Floats, step_s: int) -> Floats:
    """Where to read each level, [level], rising.

    places: [moment], those of the newest window; NaN counts as not judged. Of n places the k-th smallest
    stands for the level k / (n + 1). While a window is not full, the rest is the forecast's own word.
    """
    own = _scores(levels)
    known = np.sort(places[np.isfinite(places)])
    if len(known) < _FEWEST:
        return own
    position = np.clip(levels * (len(known) + 1) - 1, 0, len(known) - 1)
    seen = np.interp(position, np.arange(len(known)), known)
    full = WINDOW_S / (step_s * judged_every(step_s))
    believed = min(1.0, len(known) / full)
    read: Floats = np.maximum(own + believed * (seen - own), own - _MOST_NARROWED)
    return read


def read_at(stated: Floats, levels: Floats, places: Floats) -> Floats:
    """The quantiles at other places of their own scale; in the shape of `stated`.

    stated: [row, level] or [row, lead, level]. places: [row, level].
    """
    knots, at = _scale(stated, levels)
    wanted = np.clip(places, at[0], at[-1])
    high = np.clip(np.searchsorted(at, wanted), 1, len(at) - 1)
    share = (wanted - at[high - 1]) / (at[high] - at[high - 1])
    if stated.ndim == 3:
        high = np.broadcast_to(high[:, np.newaxis], stated.shape)
        share = share[:, np.newaxis]
    below = np.take_along_axis(knots, high - 1, axis=-1)
    read: Floats = below + share * (np.take_along_axis(knots, high, axis=-1) - below)
    return read


def recalibrated(
    stated: Floats, levels: Floats, came: Floats, lead: int, start_s: int, step_s: int
) -> Floats:
    """Forecasts of the peak made one step after the other, each read by the record there was then.

    stated: [time, level]. came: [time], the peak of the `lead` steps after each, NaN where unknown. What was
    stated at a step is judged `lead` steps later and no sooner. start_s: epoch seconds of the first step.
    """
    steps = start_s // step_s + np.arange(len(stated))
    judged = np.flatnonzero(steps % judged_every(step_s) == 0)
    places = placed(stated[judged], levels, came[judged])
    window = WINDOW_S // step_s
    renewed = np.flatnonzero(np.diff(steps * step_s // _RENEWED_S, prepend=-1) != 0)
    read = np.empty(stated.shape)
    for first, until in zip(renewed, [*renewed[1:], len(stated)], strict=True):
        oldest, newest = np.searchsorted(judged, (first - lead - window, first - lead), side="right")
        read[first:until] = places_to_read(places[oldest:newest], levels, step_s)
    return read_at(stated, levels, read)


class Promises:
    """The record of one workload, kept step by step. What it keeps is as much as a window."""

    def __init__(self, levels: Floats, lead: int, step_s: int) -> None:
        self._levels = levels
        self._lead_s = lead * step_s
        self._step_s = step_s
        self._judged_s = judged_every(step_s) * step_s
        size = WINDOW_S // self._judged_s + 1
        self._pending: dict[int, Floats] = {}
        self._places = np.full(size, np.nan, np.float32)
        self._made_s: Ints = np.full(size, -1, np.int64)
        self._read = _scores(levels)
        self._renewed = -1

    def state(self, made_at_s: int, stated: Floats) -> None:
        """At `made_at_s` the model stated these quantiles, [level], of the peak over the lead."""
        if made_at_s % self._judged_s < self._step_s:
            self._pending[made_at_s] = stated

    def judge(self, now_s: int, came: float) -> None:
        """The lead that ends at `now_s` is over, and this was its peak; NaN where that is not known."""
        made_at_s = now_s - self._lead_s
        stated = self._pending.pop(made_at_s, None)
        if self._pending and min(self._pending) < made_at_s:
            self._pending = {at_s: one for at_s, one in self._pending.items() if at_s > made_at_s}
        if stated is not None:
            at = made_at_s // self._judged_s % len(self._places)
            self._places[at] = placed(stated[np.newaxis], self._levels, np.array([came]))[0]
            self._made_s[at] = made_at_s

    def places(self, now_s: int) -> Floats:
        """Where to read each level of a forecast made at `now_s`, [level]."""
        if now_s // _RENEWED_S != self._renewed:
            self._renewed = now_s // _RENEWED_S
            newest = self._made_s > now_s - self._lead_s - WINDOW_S
            self._read = places_to_read(self._places[newest].astype(np.float64), self._levels, self._step_s)
        return self._read


def _scores(levels: Floats) -> Floats:
    score = NormalDist().inv_cdf
    return np.array([score(level) for level in levels.tolist()])


def _scale(stated: Floats, levels: Floats) -> tuple[Floats, Floats]:
    """Quantiles [..., knot] and their places [knot]: those stated, and one far out at each end."""
    at = _scores(levels)
    middle = int(np.argmin(np.abs(at)))
    lowest, median, highest = stated[..., :1], stated[..., middle : middle + 1], stated[..., -1:]
    upwards = (highest - median) / max(at[-1] - at[middle], 1.0)
    downwards = (median - lowest) / max(at[middle] - at[0], 1.0)
    bottom = np.maximum(lowest - downwards * (_FURTHEST + at[0]), 0.0)
    top = highest + upwards * (_FURTHEST - at[-1])
    return (
        np.concatenate([np.minimum(bottom, lowest), stated, top], axis=-1),
        np.concatenate([[-_FURTHEST], at, [_FURTHEST]]),
    )
