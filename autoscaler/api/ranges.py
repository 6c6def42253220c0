"""The range of time that a question is about."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from autoscaler.api.problems import Problem

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Range:
    """Epoch seconds, the start included, the end not."""

    start_s: float
    end_s: float


def chosen_range(start_s: float | None, end_s: float | None, now_s: float, usual_s: float) -> Range:
    """What was asked for; without an end until now, without a start `usual_s` seconds long.

    Raises Problem (400) where the end is before the start.
    """
    end_s = now_s if end_s is None else end_s
    start_s = max(0.0, end_s - usual_s) if start_s is None else start_s
    if end_s < start_s:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "InvalidRange",
            "the range ends before it starts; without `end` it ends now",
            fields=[("query.end", "must not be before start")],
        )
    return Range(start_s, end_s)
