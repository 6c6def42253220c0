"""Slices of the past of many rows at once, counted backwards from each row's newest step.

What the row does not reach back to, and what was not recorded, is NaN; summaries are of what is
known, and NaN where nothing is. Long spans are thinned evenly, so that a week costs no more than an hour.
"""

from __future__ import annotations

import math

import numpy as np

from autoscaler.series import Batch, Floats

THINNED_TO = 160
"""Columns that are looked at of a long span."""


class Past:
    """recent: the rows. ceiling: [row], above which a sample is absurd and counts as missing."""

    def __init__(self, recent: Batch, ceiling: Floats) -> None:
        self._values = recent.values
        self._step_s = recent.step_s
        self._ceiling = ceiling[:, np.newaxis]
        self.rows = len(recent)
        self.width = recent.width

    def steps(self, seconds: float) -> int:
        """A span in steps, at least one."""
        return max(1, round(seconds / self._step_s))

    def slice(self, back: int, width: int) -> Floats:
        """The `width` steps up to and including the one `back` steps ago, cut to what there is."""
        end = self.width - max(back, 0)
        first = max(0, self.width - back - width)
        return self._believable(self._values[:, first : max(end, first)])

    def whole_slice(self, back: int, width: int) -> Floats:
        """The same, filled up with NaN where the rows do not reach back so far: [row, width]."""
        part = self.slice(back, width)
        missing = width - part.shape[1]
        if missing <= 0:
            return part
        return np.concatenate([np.full((self.rows, missing), np.nan), part], axis=1)

    def mean(self, back: int, width: int) -> Floats:
        """Mean of that slice, [row]."""
        return mean_of(self.slice(back, width))

    def maximum(self, back: int, width: int) -> Floats:
        """Maximum of that slice, [row]."""
        part = self.slice(back, width)
        if part.shape[1] == 0:
            return np.full(self.rows, np.nan)
        highest: Floats = np.fmax.reduce(part, axis=1)
        return highest

    def minimum(self, back: int, width: int) -> Floats:
        """Minimum of that slice, [row]."""
        part = self.slice(back, width)
        if part.shape[1] == 0:
            return np.full(self.rows, np.nan)
        lowest: Floats = np.fmin.reduce(part, axis=1)
        return lowest

    def smoothed_maximum(self, back: int, lead: int, reach: int) -> Floats:
        """Maximum, over the `lead` steps after `back`, of the mean over `reach` steps to both sides."""
        width = 2 * reach + 1
        part = self.slice(max(0, back - lead - reach), lead + 2 * reach)
        if part.shape[1] < width:
            return np.full(self.rows, np.nan)
        running = np.cumsum(part, axis=1)
        running[:, width:] -= running[:, :-width].copy()
        highest: Floats = np.fmax.reduce(running[:, width - 1 :], axis=1) / width
        return highest

    def thinned(self, width: int) -> Floats:
        """The newest `width` steps, newest first, evenly thinned: [row, at most 160]."""
        newest_first = self._values[:, -width:][:, ::-1]
        return self._believable(newest_first[:, :: max(1, math.ceil(width / THINNED_TO))])

    def _believable(self, part: Floats) -> Floats:
        absurd = part > self._ceiling
        return np.where(absurd, np.nan, part) if absurd.any() else part


def mean_of(part: Floats) -> Floats:
    """Mean of every row."""
    total: Floats = part.sum(axis=1)
    gaps = np.isnan(total)
    if part.shape[1] == 0:
        return np.full(len(part), np.nan)
    mean: Floats = total / part.shape[1]
    if gaps.any():
        some = part[gaps]
        known = np.isfinite(some)
        count = known.sum(axis=1)
        sums = np.where(known, some, 0.0).sum(axis=1)
        mean[gaps] = np.divide(sums, count, out=np.full(len(some), np.nan), where=count > 0)
    return mean


def deviation_of(part: Floats) -> Floats:
    """Standard deviation of every row."""
    off = part - mean_of(part)[:, np.newaxis]
    deviation: Floats = np.sqrt(mean_of(off * off))
    return deviation


def median_of(columns: list[Floats]) -> Floats:
    """Element-wise median of several columns [row]."""
    ordered = np.sort(np.stack(columns), axis=0)  # NaN last
    count = np.isfinite(ordered).sum(axis=0)
    low = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0)[np.newaxis], axis=0)[0]
    high = np.take_along_axis(ordered, np.minimum(count // 2, len(columns) - 1)[np.newaxis], axis=0)[0]
    middle: Floats = (low + high) / 2.0
    return middle


def quantiles_of(part: Floats, levels: tuple[float, ...]) -> list[Floats]:
    """Nearest-rank quantiles of every row, one [row] for each level."""
    if part.shape[1] == 0:
        return [np.full(len(part), np.nan) for _ in levels]
    ordered = np.sort(part, axis=1)  # NaN last
    last = np.maximum(np.isfinite(ordered).sum(axis=1) - 1, 0)
    ranks = [np.rint(level * last).astype(np.int64)[:, np.newaxis] for level in levels]
    return [np.take_along_axis(ordered, rank, axis=1)[:, 0] for rank in ranks]


def maximum_after(part: Floats, lead: int) -> Floats:
    """Maximum of the `lead` steps after each step, of those that are all in `part`: [row, step - lead]."""
    highest = part[:, 1:]
    reach = 1
    while reach < lead:
        shift = min(reach, lead - reach)
        highest = np.fmax(highest[:, :-shift], highest[:, shift:])
        reach += shift
    return highest
