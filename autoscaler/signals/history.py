"""Ranges of one query: asked in chunks the server accepts, stitched, with what was wrong beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autoscaler.series import Floats, Series, State
from autoscaler.signals.answer import MalformedAnswer, TimedValues
from autoscaler.signals.errors import InputError
from autoscaler.signals.failures import Cause, QueryFailed

SMALLEST_CHUNK = 60
"""Steps below which a refused chunk is not halved any more: then the query is too large, not the span."""


@dataclass(frozen=True, slots=True)
class History:
    """What came of reading a range.

    series: on the grid asked for, NaN where nothing was found or read. state: VALUE when every
    chunk was answered and at least one value is there; otherwise the first thing that was wrong.
    detail: that in words. answered: [step], True where the server answered completely, a gap
    included; what is not may be asked again. labels: those of the one series, None before any was seen.
    """

    series: Series
    state: State
    detail: str
    answered: NDArray[np.bool_]
    labels: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class Span:
    """Steps `first` to, not including, `last` of a grid that starts at `start_s`."""

    start_s: int
    step_s: int
    first: int
    last: int

    @property
    def begins_s(self) -> int:
        """Time of the first step."""
        return self.start_s + self.first * self.step_s

    @property
    def ends_s(self) -> int:
        """Time of the last step itself."""
        return self.start_s + (self.last - 1) * self.step_s

    def halves(self) -> tuple[Span, Span]:
        """The earlier and the later half."""
        middle = (self.first + self.last) // 2
        return (
            Span(self.start_s, self.step_s, self.first, middle),
            Span(self.start_s, self.step_s, middle, self.last),
        )


@dataclass(frozen=True, slots=True)
class Chunk:
    """The answer for one span: every series in it, and whether the server warned."""

    found: list[TimedValues]
    warned: bool


def read_history(
    ask: Callable[[Span], Chunk], query: str, start_s: int, end_s: int, step_s: int, most_points: int
) -> History:
    """Steps from `start_s` to `end_s`, both included, asked for with `ask` in chunks of `most_points`.

    A chunk that is too much for the server is halved, and later chunks keep that size. A chunk that
    fails otherwise ends the reading. Raises InputError for an empty or endless range.
    """
    steps = (end_s - start_s) // step_s + 1 if step_s > 0 else 0
    if steps < 1 or steps > 50_000_000:
        raise InputError(
            f"Prometheus: a range of {steps} steps of {step_s} s cannot be read; ask for at least one"
        )
    reading = _Reading(np.full(steps, np.nan), np.zeros(steps, dtype=bool))
    pending = [
        Span(start_s, step_s, at, min(at + most_points, steps)) for at in range(0, steps, most_points)
    ][::-1]
    while pending:
        span = pending.pop()
        if reading.several:
            break
        try:
            reading.take(span, ask(span))
        except MalformedAnswer as error:
            reading.note(State.FAILED, f"the answer {error}")
            break
        except QueryFailed as failure:
            if not _splits(failure, span):
                reading.note(State.FAILED, str(failure))
                break
            size = max(SMALLEST_CHUNK, (span.last - span.first) // 2)
            pending = _resized([span, *pending[::-1]], size)[::-1]
    return reading.history(Series(query, start_s, step_s, reading.values))


def _splits(failure: QueryFailed, span: Span) -> bool:
    too_much = failure.cause in (Cause.LIMIT, Cause.TOO_LARGE, Cause.TIMED_OUT)
    return too_much and span.last - span.first > SMALLEST_CHUNK


def _resized(spans: list[Span], size: int) -> list[Span]:
    """The same steps in spans of at most `size`."""
    return [
        Span(span.start_s, span.step_s, at, min(at + size, span.last))
        for span in spans
        for at in range(span.first, span.last, size)
    ]


class _Reading:
    """What has been read so far, [step], and the first thing that was wrong with it."""

    def __init__(self, values: Floats, answered: NDArray[np.bool_]) -> None:
        self.values = values
        self._answered = answered
        self._state = State.VALUE
        self._detail = ""
        self._labels: Mapping[str, str] | None = None
        self._samples = 0
        self._infinite = 0

    @property
    def several(self) -> bool:
        """Whether more than one series has turned up."""
        return self._state is State.SEVERAL_SERIES

    def note(self, state: State, detail: str) -> None:
        """Something is wrong; what was noted first stays unless it was mere incompleteness."""
        if self._state in (State.VALUE, State.PARTIAL):
            self._state, self._detail = state, detail

    def take(self, span: Span, chunk: Chunk) -> None:
        """Put one answer in its place."""
        if len(chunk.found) > 1:
            many = f"the query gives {len(chunk.found)} series; sum() them so that one is left"
            self.note(State.SEVERAL_SERIES, many)
            return
        labels = chunk.found[0].labels if chunk.found else self._labels
        if self._labels is not None and labels != self._labels:
            self.note(State.SEVERAL_SERIES, "the query gives one series after another; sum() them into one")
            return
        self._labels = labels
        if chunk.warned:
            self.note(State.PARTIAL, "the server warns that its answer may be incomplete")
        for found in chunk.found:
            self._place(span, found)
        self._answered[span.first : span.last] = not chunk.warned

    def _place(self, span: Span, found: TimedValues) -> None:
        offsets = (found.times_s - span.start_s) / span.step_s
        places = np.rint(offsets).astype(np.int64)
        inside = (places >= span.first) & (places < span.last) & (np.abs(offsets - places) < 0.01)
        if not inside.all() or (np.diff(places) <= 0).any():
            raise MalformedAnswer("has samples at times that were not asked for")
        infinite = np.isinf(found.values)
        self._samples += len(infinite)
        self._infinite += int(infinite.sum())
        self.values[places] = np.where(infinite, np.nan, found.values)

    def history(self, series: Series) -> History:
        """The outcome as a whole."""
        state, detail = self._state, self._detail
        if state is State.VALUE and not np.isfinite(self.values).any():
            if self._samples:
                state, detail = State.NOT_A_NUMBER, "the query gives no finite number"
            else:
                state, detail = State.EMPTY, "the query finds nothing in this time span"
        elif state is State.VALUE and self._infinite:
            detail = f"{self._infinite} infinite values are left out"
        return History(series, state, detail, self._answered, self._labels)


def usable_series(history: History, where: str) -> Series:
    """The series for someone who needs a complete one; InputError, one line, for any other outcome."""
    if history.state is not State.VALUE:
        what = {State.EMPTY: "; check metric name, labels and time span"}.get(history.state, "")
        raise InputError(f"{where}: query {_short(history.series.name)}: {history.detail}{what}")
    negative = np.flatnonzero(history.series.values < 0)
    if len(negative):
        at = int(history.series.times_s[negative[0]])
        raise InputError(
            f"{where}: query {_short(history.series.name)} is negative at epoch {at}; a load is at least 0"
        )
    return history.series


def _short(query: str) -> str:
    return repr(query if len(query) <= 80 else query[:77] + "...")
