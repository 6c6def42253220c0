"""How much history each row has, and so what a forecast for it can rest on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autoscaler.forecasting.forecaster import DAY_S
from autoscaler.series import Batch, Grade, Ints, Series

_HOUR_S = 3600
_FEWEST_FOR_LEVEL = 3
_FEWEST_FOR_TREND = 12
_LONGEST_HOLDOUT_S = 7 * DAY_S
_HOLDOUT_SEASONS = (14.0, 7.0, 4.0, 2.0, 1.0, 0.5)
_HOLDOUT_SHARE = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """known: [row], samples there are. span: [row], steps from the first of them to the end."""

    known: Ints
    span: Ints
    step_s: int

    @staticmethod
    def of(history: Batch) -> Evidence:
        """Counts per row of a cleaned history."""
        finite = np.isfinite(history.values)
        known = finite.sum(axis=1)
        span = np.where(known > 0, history.width - np.argmax(finite, axis=1), 0)
        return Evidence(known, span, history.step_s)

    def grades(self, seasons: tuple[int, ...]) -> tuple[Grade, ...]:
        """The grade of every row. A season counts once it was seen whole and half of it is known."""
        return tuple(
            _grade(int(known), int(span), self.step_s, seasons)
            for known, span in zip(self.known, self.span, strict=True)
        )

    def holdouts(self, seasons: tuple[int, ...]) -> Ints:
        """Newest steps of every row to test a seasonal model on, [row]; 0 where that is not possible.

        A third of the history at most, half of the shortest season at least.
        """
        if not seasons:
            return np.zeros(len(self.span), np.int64)
        held = np.zeros(len(self.span), np.int64)
        enough = 2 * self.known >= self.span
        for share in sorted(_HOLDOUT_SEASONS):
            steps = int(min(share * seasons[0], max(_LONGEST_HOLDOUT_S, seasons[0] / 2)) // self.step_s)
            held[enough & (_HOLDOUT_SHARE * steps <= self.span) & (steps > 0)] = steps
        return held


def _grade(known: int, span: int, step_s: int, seasons: tuple[int, ...]) -> Grade:
    if known < _FEWEST_FOR_LEVEL:
        return Grade.NONE
    span_s = span * step_s
    half_known = 2 * known >= span
    if seasons and half_known and span_s >= seasons[-1]:
        return Grade.WEEKLY
    if seasons and half_known and span_s >= seasons[0]:
        return Grade.DAILY
    if known >= _FEWEST_FOR_TREND and span_s >= _HOUR_S:
        return Grade.TREND
    return Grade.LEVEL


def own_series(history: Batch, row: int) -> Series:
    """One row as a series, without the steps before its first known one."""
    values = history.values[row]
    known = np.isfinite(values)
    first = int(np.argmax(known)) if known.any() else 0
    start_s = int(history.end_s[row]) - (history.width - 1 - first) * history.step_s
    return Series("", start_s, history.step_s, values[first:])


def described(span: int, step_s: int) -> str:
    """A length of history in words."""
    span_s = span * step_s
    for unit_s, unit in ((DAY_S, "days"), (_HOUR_S, "hours"), (60, "minutes")):
        if span_s >= 2 * unit_s:
            return f"{span_s / unit_s:.0f} {unit}"
    return f"{span_s} seconds"
