"""Present values of many queries: asked together in few requests, each judged on its own.

A query that spoils a shared request is found by halving, judged alone, and for a while asked alone
from then on, so that it costs the others nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autoscaler.series import Reading, State
from autoscaler.signals.answer import MalformedAnswer, Sample
from autoscaler.signals.batching import Found, portions, self_contained, taken_apart, united
from autoscaler.signals.failures import Cause, QueryFailed

_APART_S = 1800.0
"""How long a query that spoiled a shared request is asked alone."""
_EXTRA_FOR_WARNINGS = 16
"""Requests one reading may spend on finding out whom a warning concerns."""
_MOST_TOGETHER = 50
_LEAST_S = 0.05
"""A request with less time than this is not worth sending."""


@dataclass(frozen=True, slots=True)
class InstantQuery:
    """A query for one number, and how old its newest sample may be."""

    query: str
    max_age_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Instant:
    """Every series of an instant answer; `vector` is False for a scalar, which has no sample time."""

    samples: list[Sample]
    warned: bool
    vector: bool = True


AskInstant = Callable[[str, float, float], Instant]
"""Query, evaluation time in epoch seconds, and seconds left. Raises QueryFailed, MalformedAnswer."""


class InstantReader:
    """Reads present values through `ask`; remembers which queries spoil shared requests."""

    def __init__(
        self, ask: AskInstant, most_characters: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = ask
        self._most_characters = most_characters
        self._clock = clock
        self._apart_until_s: dict[str, float] = {}

    def read(self, queries: Sequence[InstantQuery], now_s: float, timeout_s: float) -> list[Reading]:
        """One reading per query, in order, all within `timeout_s`; never raises for what was found."""
        self._apart_until_s = {text: until for text, until in self._apart_until_s.items() if until > now_s}
        this = _Round(self._ask, now_s, self._clock, self._clock() + timeout_s)
        texts = list(dict.fromkeys(query.query for query in queries))
        shared = {
            text: safe
            for text in texts
            if text not in self._apart_until_s and (safe := self_contained(text)) is not None
        }
        for group in portions(list(dict.fromkeys(shared.values())), _MOST_TOGETHER, self._most_characters):
            this.ask_together(group)
        alone = [text for text in texts if text not in shared]
        for number, text in enumerate(alone):
            this.ask_alone(text, this.left_s / (len(alone) - number))
        spoilers = this.spoilers()
        for text in texts:
            if shared.get(text) in spoilers:
                self._apart_until_s[text] = now_s + _APART_S
        return [
            judged(this.found[shared.get(query.query, query.query)], query.max_age_s, now_s)
            for query in queries
        ]


class _Round:
    """One reading in progress. found: by query text."""

    def __init__(self, ask: AskInstant, now_s: float, clock: Callable[[], float], ends: float) -> None:
        self.found: dict[str, Found] = {}
        self._ask = ask
        self._now_s = now_s
        self._clock = clock
        self._ends = ends
        self._over: QueryFailed | None = None
        self._extra = _EXTRA_FOR_WARNINGS
        self._refused: set[str] = set()
        self._doubtful: set[str] = set()
        self._clean = 0

    @property
    def left_s(self) -> float:
        """Seconds that remain for the whole reading."""
        return max(0.0, self._ends - self._clock())

    def spoilers(self) -> set[str]:
        """Queries better asked alone. When most time out or warn, it is the server, and none is to blame."""
        return self._refused | (self._doubtful if len(self._doubtful) <= self._clean else set())

    def ask_together(self, group: list[str]) -> None:
        """Find `group` with one request, or with more where one of it spoils that."""
        if len(group) == 1:
            self._ask_single(group[0])
            return
        try:
            found = self._united(group)
        except MalformedAnswer as error:
            self._fail(group, f"the answer {error}")
        except QueryFailed as failure:
            if failure.may_be_the_query and self.left_s:
                self._halve(group)
            else:
                self._give_up(group, failure)
        else:
            if found[0].warned and self._extra >= 2:
                self._extra -= 2
                self._halve(group)
                return
            self._clean += 0 if found[0].warned else len(group)
            self.found.update(zip(group, found, strict=True))

    def ask_alone(self, text: str, seconds: float) -> QueryFailed | None:
        """Find one query without wrapping it; its age takes a second request. The failure, if any."""
        try:
            self.found[text] = self._unwrapped(text, seconds)
        except MalformedAnswer as error:
            self._fail([text], f"the answer {error}")
        except QueryFailed as failure:
            if failure.may_be_the_query:
                self._fail([text], str(failure))
            else:
                self._give_up([text], failure)
            return failure
        return None

    def _ask_single(self, text: str) -> None:
        failure = self.ask_alone(text, self._share_s())
        found = self.found[text]
        if failure is not None and failure.is_the_query:
            self._refused.add(text)
        elif found.failure or found.warned:
            self._doubtful.add(text)
        else:
            self._clean += 1

    def _halve(self, group: list[str]) -> None:
        middle = len(group) // 2
        self.ask_together(group[:middle])
        self.ask_together(group[middle:])

    def _united(self, group: list[str]) -> list[Found]:
        answer = self._asked(united(group), self._share_s())
        return taken_apart(answer.samples, len(group), answer.warned)

    def _unwrapped(self, text: str, seconds: float) -> Found:
        answer = self._asked(text, seconds)
        found = Found(values=answer.samples, warned=answer.warned)
        if not answer.vector:
            found.stamps = [Sample({}, self._now_s, self._now_s)]
        elif len(answer.samples) == 1:
            # The line break ends a comment at the end of the query.
            stamps = self._asked(f"timestamp({text}\n)", seconds)
            found.stamps = stamps.samples
            found.warned |= stamps.warned
        return found

    def _share_s(self) -> float:
        """Time for one request: some is kept, so that one that hangs does not take the others with it."""
        return self.left_s / 3.0

    def _asked(self, text: str, seconds: float) -> Instant:
        if self._over is not None:
            raise self._over
        seconds = min(seconds, self.left_s)
        if seconds < _LEAST_S:
            raise QueryFailed(Cause.DEADLINE, "no time was left to ask")
        return self._ask(text, self._now_s, seconds)

    def _give_up(self, group: list[str], failure: QueryFailed) -> None:
        """The server, not a query, is at fault: do not go on asking it in this reading."""
        self._over = failure
        self._fail(group, str(failure))

    def _fail(self, group: list[str], detail: str) -> None:
        self.found.update({text: Found(failure=detail) for text in group})


def judged(found: Found, max_age_s: float, now_s: float) -> Reading:
    """The reading that `found` amounts to."""
    if found.failure:
        return Reading(State.FAILED, detail=found.failure)
    if not found.values:
        return Reading(State.EMPTY, detail="the query finds nothing")
    if len(found.values) > 1:
        many = f"the query gives {len(found.values)} series; sum() them so that one is left"
        return Reading(State.SEVERAL_SERIES, detail=many)
    if len(found.stamps) != 1 or not math.isfinite(found.stamps[0].value):
        return Reading(State.FAILED, detail="the age of the value cannot be told")
    value, age_s = found.values[0].value, max(0.0, now_s - found.stamps[0].value)
    if not math.isfinite(value):
        return Reading(State.NOT_A_NUMBER, age_s=age_s, detail=f"the query gives {value}")
    if age_s > max_age_s:
        return Reading(State.STALE, value, age_s, f"the newest sample is {age_s:.0f} s old")
    if found.warned:
        return Reading(State.PARTIAL, value, age_s, "the server warns that its answer may be incomplete")
    return Reading(State.VALUE, value, age_s)
