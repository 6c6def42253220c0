"""Whether the operator acts by a shadow: from having won until it is given up."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from autoscaler.planning.contest.judging import Terms, Verdict, loses
from autoscaler.planning.contest.tally import Span


class Stage(enum.StrEnum):
    """What a shadow has come to."""

    COMPARED = "Compared"
    PROMOTED = "Promoted"
    GIVEN_UP = "GivenUp"


@dataclass(frozen=True, slots=True)
class Standing:
    """since_s: when the stage began, epoch seconds."""

    stage: Stage
    since_s: float


def moved_on(
    standing: Standing, verdict: Verdict, spans: tuple[Span, ...], terms: Terms, automatic: bool, now_s: float
) -> Standing:
    """The standing after one more look. automatic: whether it may be acted by without a person's word.

    One that was given up is not taken again: it would have to be changed first.
    """
    match standing.stage:
        case Stage.COMPARED if automatic and verdict.won is not None:
            return Standing(Stage.PROMOTED, now_s)
        case Stage.PROMOTED if not automatic:
            return Standing(Stage.COMPARED, now_s)
        case Stage.PROMOTED if loses(spans, terms, standing.since_s):
            return Standing(Stage.GIVEN_UP, now_s)
        case _:
            return standing
