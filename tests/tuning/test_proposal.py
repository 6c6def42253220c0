"""What is proposed: the front, what there is to gain, and the one within an objective."""

from __future__ import annotations

import dataclasses
import math

import pytest

from autoscaler.backtest.result import Scores
from autoscaler.backtest.tuning.proposal import Limit, Objective, Proposal, propose
from autoscaler.backtest.tuning.settings import Variant
from autoscaler.signals.errors import InputError
from autoscaler.spec.variation import WrittenPolicy

_SCORES = Scores(*(0.0 for _ in dataclasses.fields(Scores)))


def _scores(cost: float, unserved: float, **more: float) -> Scores:
    given = {"minutes_short": 1000 * unserved, "money": 10 * cost, **more}
    return dataclasses.replace(_SCORES, cost_ratio=cost, unserved_share=unserved, **given)


def _proposal(*points: tuple[float, float]) -> Proposal:
    """The first point is the present policy's; each is one trace of seven days."""
    variants = [Variant((number,), WrittenPolicy({}, None)) for number in range(len(points))]  # type: ignore[arg-type]  # no policy is read here
    return propose(variants, [[_scores(*point) for point in points]], [7.0])


def _place(proposal: Proposal) -> list[int]:
    return [one.variant.chosen[0] for one in proposal.front]


def test_the_front_is_cheapest_first_and_holds_what_nothing_beats() -> None:
    assert _place(_proposal((1.2, 0.02), (1.3, 0.02), (1.1, 0.03), (1.4, 0.01), (1.5, 0.015))) == [2, 0, 3]


def test_there_is_nothing_to_gain_over_a_policy_on_the_front() -> None:
    proposal = _proposal((1.2, 0.02), (1.1, 0.03), (1.4, 0.01))
    assert proposal.cheaper is None
    assert proposal.better_served is None


def test_what_there_is_to_gain_over_a_policy_that_is_beaten() -> None:
    proposal = _proposal((1.3, 0.03), (1.1, 0.03), (1.25, 0.01), (1.0, 0.05))
    assert proposal.cheaper is not None
    assert proposal.cheaper.variant.chosen == (1,)
    assert proposal.better_served is not None
    assert proposal.better_served.variant.chosen == (2,)


@pytest.mark.parametrize(
    ("limit", "at_most", "chosen"),
    [
        (Limit.UNSERVED, 0.02, 0),  # the cheapest within a limit of shortage
        (Limit.UNSERVED, 0.005, None),
        (Limit.MINUTES_SHORT, 15.0, 2),
        (Limit.COST, 1.3, 0),  # the best served within a limit of cost
        (Limit.COST, 1.0, None),
        (Limit.MONEY, 2.0, 2),
    ],
)
def test_the_choice_within_an_objective(limit: Limit, at_most: float, chosen: int | None) -> None:
    proposal = _proposal((1.2, 0.02), (1.1, 0.03), (1.4, 0.01))
    found = Objective(limit, at_most).choose(proposal.tried)
    assert (None if found is None else found.variant.chosen[0]) == chosen


def test_no_trace_outweighs_another_by_its_size() -> None:
    small, large = _scores(1.0, 0.04, money=1.0), _scores(4.0, 0.0, money=100.0)
    proposal = propose([Variant((), WrittenPolicy({}, None))], [[small], [large]], [1.0, 10.0])  # type: ignore[arg-type]  # no policy is read here
    assert proposal.present.cost == pytest.approx(2.0)
    assert proposal.present.unserved_share == pytest.approx(0.02)
    assert proposal.present.money_per_day == pytest.approx(11.0)


def test_a_trace_without_load_has_no_proposal() -> None:
    with pytest.raises(InputError, match="no load was recorded"):
        _proposal((math.nan, math.nan), (1.0, 0.0))
