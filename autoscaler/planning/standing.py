"""How an objective stands: what the dial says, what was promised and kept, what is left, in figures and in
words."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from autoscaler.planning.curve import DAY_S, LADDER, Curve, Rung
from autoscaler.planning.error_budget import Tally, seen_s, spent
from autoscaler.planning.explain import shown
from autoscaler.planning.objective import Dial, figure, within_reach
from autoscaler.planning.policy import Goal, ObjectivePolicy

_TELLING_S = DAY_S
"""Less than a day of observation says little."""


class Verdict(enum.StrEnum):
    """Whether an objective is kept. The values are reasons of the condition `ObjectiveKept`."""

    KEPT = "Kept"
    OVERSPENT = "Overspent"
    """More was used than the whole window allows."""
    OUT_OF_REACH = "OutOfReach"
    """By its record, no place of the dial would have kept it."""
    NOT_KNOWN = "NotKnownYet"


@dataclass(frozen=True, slots=True)
class Standing:
    """promised: what the curve says of the dial's place; observed: what came. Both in the unit of the
    objective, NaN where not known. seen_s: how much of the window was observed. left: share of what the
    window allows that is not used up, below 0 where more was.
    """

    verdict: Verdict
    place: Rung
    promised: float
    observed: float
    seen_s: float
    left: float
    sentence: str


def standing(dial: Dial, curve: Curve | None) -> Standing:
    """How the objective stands that `dial` serves, by the curve it was last chosen from."""
    objective, everything = dial.objective, dial.everything
    seen = seen_s(objective, everything)
    observed = observed_figure(objective, everything)
    promised = math.nan if curve is None else figure(curve, objective, dial.rung)
    left = 1.0 - spent(objective, everything, everything)
    if curve is not None and not within_reach(curve, objective):
        verdict = Verdict.OUT_OF_REACH
    elif left < 0.0:
        verdict = Verdict.OVERSPENT
    elif curve is None and seen < _TELLING_S:
        verdict = Verdict.NOT_KNOWN
    else:
        verdict = Verdict.KEPT
    sentence = ". ".join(
        [
            f"{in_words(objective)} over {_days(objective.window_s)}: read at {dial.place}",
            _promised(curve, objective, promised),
            _observed(objective, observed, seen, left),
        ]
    )
    return Standing(verdict, dial.place, promised, observed, seen, left, sentence + ".")


def observed_figure(objective: ObjectivePolicy, tally: Tally) -> float:
    """What a tally amounts to in the unit of the objective; NaN where nothing was seen."""
    seen = seen_s(objective, tally)
    if seen <= 0.0:
        return math.nan
    match objective.goal:
        case Goal.UNSERVED:
            return tally.unserved
        case Goal.SHORT_MINUTES:
            return tally.short_s / seen * 7 * DAY_S / 60.0
        case Goal.REPLICA_HOURS:
            return tally.replica_s / seen * DAY_S / 3600.0


def in_words(objective: ObjectivePolicy) -> str:
    """The objective as people say it."""
    return f"At most {amount(objective, objective.allowed)}"


def amount(objective: ObjectivePolicy, value: float) -> str:
    """A figure in the unit of the objective."""
    match objective.goal:
        case Goal.UNSERVED:
            return f"{shown(100.0 * value)} % unserved"
        case Goal.SHORT_MINUTES:
            return f"{shown(value)} minutes short a week"
        case Goal.REPLICA_HOURS:
            return f"{shown(value)} replica-hours a day"


def _promised(curve: Curve | None, objective: ObjectivePolicy, promised: float) -> str:
    if curve is None:
        return "There is no day of forecasts yet to choose from"
    past = f"over the last {shown(round(curve.days, 1))} days"
    if within_reach(curve, objective):
        return f"That would have been {amount(objective, promised)} {past}"
    best = LADDER[0] if objective.goal is Goal.REPLICA_HOURS else LADDER[-1]
    least = figure(curve, objective, LADDER.index(best))
    verb = "cost" if objective.goal is Goal.REPLICA_HOURS else "left"
    return f"It cannot be kept: even {best} would have {verb} {amount(objective, least)} {past}"


def _observed(objective: ObjectivePolicy, observed: float, seen: float, left: float) -> str:
    if math.isnan(observed):
        return "Nothing has been observed yet"
    budget = f"{100 * left:.0f} % of what is allowed is left" if left >= 0.0 else "more than is allowed"
    return f"Observed: {amount(objective, observed)} over {_days(seen)}; {budget}"


def _days(seconds: float) -> str:
    days = seconds / DAY_S
    return f"{shown(round(days, 1))} days" if days >= 1.0 else f"{shown(round(24 * days, 1))} hours"
