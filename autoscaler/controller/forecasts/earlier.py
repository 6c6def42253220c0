"""Earlier occasions of one workload: read once each, and what could not be read of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from autoscaler.controller.forecasts.reader import Reader, Unreadable, read_load
from autoscaler.forecasting.forecaster import Repeat
from autoscaler.forecasting.known.occasions import Occasion, earlier_steps, in_words, known_load
from autoscaler.series import Floats, Ints, Series
from autoscaler.signals.errors import InputError

_RETRY_S = 300.0
_LATER_S = 3600.0
"""A source that answers, but not wholly, is asked again after this: parts of it may have been away."""


class Earlier:
    """What comes again, of one workload. For one thread.

    before: what was read for an earlier request of the same load, so that it is not read again.
    """

    def __init__(self, repeats: Sequence[Repeat], before: Earlier | None = None) -> None:
        self._occasions: dict[Repeat, Occasion] = {}
        self._due_s = dict.fromkeys(repeats, 0.0)
        self._failures: dict[Repeat, str] = {}
        for repeat in repeats if before is not None else ():
            if before is not None and repeat in before._occasions:
                self._occasions[repeat] = before._occasions[repeat]
                self._due_s[repeat] = before._due_s[repeat]

    def due(self, now_s: float) -> tuple[float, Repeat] | None:
        """The occasion that is to be read next and since when; None for none. What is over is not read."""
        waiting = [(at_s, repeat) for repeat, at_s in self._due_s.items() if now_s < repeat.end_s]
        at_s, repeat = min(waiting, key=lambda item: (item[0], item[1].start_s), default=(math.inf, None))
        return (at_s, repeat) if repeat is not None and at_s <= now_s else None

    def read_next(self, reader: Reader, folder: Path | None, query: str, step_s: int, now_s: float) -> int:
        """Read the load of what is due. Returns how many steps were asked for.

        Without it the forecast is only not raised, and `lacking` says so.
        """
        due = self.due(now_s)
        if due is None:
            return 0
        repeat = due[1]
        start_s = int(repeat.earlier_s // step_s) * step_s
        steps = earlier_steps(repeat, step_s) + 1
        end_s = start_s + (steps - 1) * step_s
        try:
            values, said = read_load(reader, folder, query, start_s, end_s, step_s, kept_as(repeat))
        except (Unreadable, InputError) as error:
            self._failures[repeat] = f"event {repeat.name}: {error}"
            self._due_s[repeat] = now_s + _RETRY_S
            return steps
        occasion = Occasion.of(repeat, Series("", start_s, step_s, values))
        self._occasions[repeat] = occasion
        complete = not occasion.lacking or (occasion.known and not said)
        self._due_s[repeat] = math.inf if complete else now_s + _LATER_S
        return steps

    def known_load(self, times_s: Ints) -> Floats:
        """The load that is known to come at least at each of `times_s`, [time]; NaN where none is."""
        return known_load(tuple(self._occasions.values()), times_s)

    def expected(self, first_s: float, last_s: float) -> str:
        """What is expected of occasions within these instants, in words."""
        near = [repeat for repeat, occasion in self._occasions.items() if occasion.known]
        return "; ".join(in_words(one) for one in near if one.start_s <= last_s and first_s < one.end_s)

    def lacking(self, now_s: float) -> str:
        """What is not known of occasions that are not over, in words; empty where nothing is missing."""
        told = []
        for repeat in self._due_s:
            occasion = self._occasions.get(repeat)
            said = self._failures.get(repeat, "") if occasion is None else occasion.lacking
            if said and now_s < repeat.end_s:
                told.append(said)
        return "; ".join(told)


def kept_as(repeat: Repeat) -> str:
    """What the span is kept under, beside the workload's history."""
    return f" from {repeat.earlier_s:.0f} for {repeat.end_s - repeat.start_s:.0f} s"
