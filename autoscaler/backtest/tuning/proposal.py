"""What a search found: every policy's figures over all traces, the front, and the one to take.

Over several traces a cost is the geometric mean of the cost ratios and a shortage the mean of the
unserved shares, so that no trace outweighs the others by its size.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autoscaler.backtest.result import Scores
from autoscaler.backtest.tuning.front import on_front
from autoscaler.backtest.tuning.settings import Variant
from autoscaler.backtest.yardstick import geometric_mean
from autoscaler.signals.errors import InputError

_WEEK_DAYS = 7.0


@dataclass(frozen=True, slots=True)
class Tried:
    """One policy on all traces. days: [trace], how long it was scored on each."""

    variant: Variant
    scores: tuple[Scores, ...]
    days: tuple[float, ...]

    @property
    def cost(self) -> float:
        """Replica time asked for / needed."""
        return geometric_mean([one.cost_ratio for one in self.scores])

    @property
    def unserved_share(self) -> float:
        """Load above capacity, as a share of all."""
        return _mean([one.unserved_share for one in self.scores])

    @property
    def minutes_short_per_week(self) -> float:
        """Minutes with some load above capacity, in a week of one trace."""
        return _WEEK_DAYS * sum(one.minutes_short for one in self.scores) / sum(self.days)

    @property
    def money_per_day(self) -> float:
        """For all traces together."""
        return sum(one.money / days for one, days in zip(self.scores, self.days, strict=True))

    @property
    def changes_per_day(self) -> float:
        """Of one trace."""
        return _mean([one.changes_per_day for one in self.scores])

    @property
    def equal_cost(self) -> float:
        """Unserved load relative to a tuned HPA of the same cost."""
        return geometric_mean([one.equal_cost for one in self.scores])


class Limit(enum.StrEnum):
    """What an objective may limit."""

    UNSERVED = "unserved"
    MINUTES_SHORT = "minutes-short"
    COST = "cost"
    MONEY = "money"


_MEASURED: dict[Limit, Callable[[Tried], float]] = {
    Limit.UNSERVED: lambda tried: tried.unserved_share,
    Limit.MINUTES_SHORT: lambda tried: tried.minutes_short_per_week,
    Limit.COST: lambda tried: tried.cost,
    Limit.MONEY: lambda tried: tried.money_per_day,
}
_OF_SHORTAGE = (Limit.UNSERVED, Limit.MINUTES_SHORT)


@dataclass(frozen=True, slots=True)
class Objective:
    """The cheapest policy within a limit of shortage, or the best served one within a limit of cost."""

    limit: Limit
    at_most: float

    def choose(self, tried: Sequence[Tried]) -> Tried | None:
        """The one to take; None where none is within the limit."""
        measured = _MEASURED[self.limit]
        within = [one for one in tried if measured(one) <= self.at_most]
        by_cost = self.limit in _OF_SHORTAGE
        return min(within, key=_cost_first if by_cost else _shortage_first, default=None)

    def nearest(self, tried: Sequence[Tried]) -> tuple[Tried, float]:
        """The one that comes closest to the limit, and how much it has of what is limited."""
        measured = _MEASURED[self.limit]
        best = min(tried, key=measured)
        return best, measured(best)


@dataclass(frozen=True, slots=True)
class Proposal:
    """tried: all policies, cheapest first. present: the policy as it is. front: those that nothing beats."""

    tried: tuple[Tried, ...]
    front: tuple[Tried, ...]
    present: Tried

    @property
    def cheaper(self) -> Tried | None:
        """The cheapest that misses no more than the present one; None if that is the present one."""
        found = min(self._no_worse_served(), key=_cost_first)
        return found if found.cost < self.present.cost else None

    @property
    def better_served(self) -> Tried | None:
        """The one that misses least at no higher cost than the present one; None if that is it itself."""
        affordable = [one for one in self.tried if one.cost <= self.present.cost]
        found = min(affordable, key=_shortage_first)
        return found if found.unserved_share < self.present.unserved_share else None

    def _no_worse_served(self) -> list[Tried]:
        return [one for one in self.tried if one.unserved_share <= self.present.unserved_share]


def propose(
    variants: Sequence[Variant], scores: Sequence[Sequence[Scores]], days: Sequence[float]
) -> Proposal:
    """scores: [trace][variant]; the first variant is the policy as it is. days: [trace].

    Raises InputError where no figure can be had.
    """
    found = [
        Tried(variant, tuple(one[index] for one in scores), tuple(days))
        for index, variant in enumerate(variants)
    ]
    present = found[0]
    if not (math.isfinite(present.cost) and math.isfinite(present.unserved_share)):
        raise InputError(
            "no load was recorded in the scored part; give a longer trace or a shorter --warm-up"
        )
    ranked = sorted(found, key=_cost_first)
    best = on_front([(one.cost, one.unserved_share) for one in ranked])
    front = [one for one, beats in zip(ranked, best, strict=True) if beats]
    return Proposal(tuple(ranked), tuple(front), present)


def _cost_first(one: Tried) -> tuple[float, float]:
    return (one.cost, one.unserved_share)


def _shortage_first(one: Tried) -> tuple[float, float]:
    return (one.unserved_share, one.cost)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
