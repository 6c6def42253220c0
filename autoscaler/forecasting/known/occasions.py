"""Occasions whose load is known from an earlier one: what was recorded then, times a factor, comes again.

What follows from it is a floor under the forecast and no part of it: no model is fitted to it, its record
does not count it, and doubts about the model do not limit it. It is known before the occasion begins, since
the earlier one lies at least a day, and so more than any lead time, before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from autoscaler.forecasting.cleaning import bridged
from autoscaler.forecasting.forecaster import Repeat
from autoscaler.series import Floats, Ints, Series

_BRIDGED_S = 1800
"""Gaps in what was recorded are bridged up to here; where there are longer ones nothing is expected."""


@dataclass(frozen=True, slots=True, eq=False)
class Occasion:
    """repeat: what comes again. course: [step], load expected from its beginning on, NaN where unknown.
    step_s: of the course."""

    repeat: Repeat
    course: Floats
    step_s: int

    @staticmethod
    def of(repeat: Repeat, load: Series) -> Occasion:
        """What `load` tells of it; it need not reach back to the earlier occasion, nor as far as its end."""
        steps = earlier_steps(repeat, load.step_s)
        first = round((repeat.earlier_s - load.start_s) / load.step_s)
        recorded = np.full(steps, np.nan)
        low, high = max(0, -first), min(steps, len(load) - first)
        if high > low:
            recorded[low:high] = load.values[first + low : first + high]
        known = np.where(np.isfinite(recorded) & (recorded >= 0), recorded, np.nan)
        course = repeat.factor * bridged(known, max(1, _BRIDGED_S // load.step_s))
        return Occasion(repeat, course, load.step_s)

    @property
    def known(self) -> bool:
        """Whether anything is known of the load that it brings."""
        return bool(np.isfinite(self.course).any())

    @property
    def lacking(self) -> str:
        """What was not recorded of the earlier occasion, in words; empty where nothing is missing."""
        share = float(np.mean(np.isfinite(self.course)))
        if share == 1.0:
            return ""
        recorded = f"{share:.0%}" if self.known else "nothing"
        since = _time(self.repeat.earlier_s)
        return f"event {self.repeat.name}: {recorded} of the load from {since} on is known"

    def at(self, times_s: Ints) -> Floats:
        """The load it lets expect at each of `times_s`, [time]; NaN outside and where nothing is known."""
        inside = (times_s >= self.repeat.start_s) & (times_s < self.repeat.end_s)
        step = ((times_s - self.repeat.start_s) // self.step_s).astype(np.int64)
        return np.where(inside, self.course[np.clip(step, 0, len(self.course) - 1)], np.nan)


def earlier_steps(repeat: Repeat, step_s: int) -> int:
    """Steps of the earlier occasion, which lasted as long."""
    return max(1, -int(-(repeat.end_s - repeat.start_s) // step_s))


def known_load(occasions: Sequence[Occasion], times_s: Ints) -> Floats:
    """The most that any of them lets expect at each of `times_s`, [time]; NaN where none does."""
    most = np.full(len(times_s), np.nan)
    for occasion in occasions:
        most = np.fmax(most, occasion.at(times_s))
    return most


def known_peaks(occasions: Sequence[Occasion], load: Series, lead: int) -> Floats:
    """The highest load that they let expect over the `lead` steps after each step of `load`, [time]."""
    times_s = load.start_s + load.step_s * np.arange(1, len(load) + lead, dtype=np.int64)
    ahead = np.lib.stride_tricks.sliding_window_view(known_load(occasions, times_s), lead)
    return np.asarray(np.fmax.reduce(ahead, axis=1), np.float64)


def raised(values: Floats, peaks: Floats, known: Floats) -> tuple[Floats, Floats]:
    """One forecast's quantiles, [step, level] each, none below the load that is `known` to come, [step]."""
    crest = np.fmax.accumulate(known)
    return np.fmax(values, known[:, np.newaxis]), np.fmax(peaks, crest[:, np.newaxis])


def at_least(peak: float, known: float) -> float:
    """A forecast peak raised to what known occasions let expect; either may be NaN."""
    return known if known > peak or peak != peak else peak


def in_words(repeat: Repeat) -> str:
    """What is expected of it."""
    return (
        f"event {repeat.name}: at least the load from {_time(repeat.earlier_s)} on, times {repeat.factor:g}"
    )


def _time(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%MZ")
