"""A workload that follows another in the forecasting process: when it does, and what is said when not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from feed_in_hand import Running
from known_source import END_S, Known, request

from autoscaler.controller.forecasts import fronts
from autoscaler.controller.forecasts.request import ForecastRequest
from autoscaler.forecasting.related.relation import Follows
from autoscaler.series import Floats

STEPS, LAG = 3 * 1440, 6
FRONT, FOLLOWER = "shop/frontend", "shop/checkout"


def bursts(steps: int = STEPS, seed: int = 1) -> Floats:
    """A quiet load with a burst of ten minutes about every second hour."""
    random = np.random.default_rng(seed)
    load = 100 * random.lognormal(0, 0.03, steps)
    for first in random.choice(steps, steps // 120, replace=False).tolist():
        load[first : first + 10] *= 3
    load[-30:] = 100.0
    return load


def later(front: Floats, lag: int = LAG, ratio: float = 0.4) -> Floats:
    noise = np.random.default_rng(9).lognormal(0, 0.02, len(front))
    return ratio * np.concatenate([np.full(lag, 100.0), front[: len(front) - lag]]) * noise


def front(**changes: Any) -> ForecastRequest:
    return request(FRONT, **changes)


def following(**changes: Any) -> ForecastRequest:
    return replace(request(FOLLOWER, follows=Follows("frontend")), **changes)


def source(ahead: Floats, own: Floats, beyond: int = 0) -> Known:
    """Both loads; the last `beyond` steps are still to come."""
    return Known({FRONT: ahead, FOLLOWER: own}, end_s=END_S + 60 * beyond)


def test_a_burst_of_the_front_is_expected_before_it_arrives() -> None:
    ahead = bursts(STEPS + 5)
    ahead[-3:] = 300.0
    own = later(ahead)
    running = Running(source(ahead, own, 5), front(), following())
    running.run(310)
    alone = Running(source(ahead, own, 5), following(follows=None))
    alone.run(310)
    fan, without = running.fan(FOLLOWER), alone.fan(FOLLOWER)
    assert fan.made_at_s == without.made_at_s == END_S + 300
    assert fan.model == "follows"
    assert fan.relation.startswith("follows frontend by 360 s at a ratio of 0.4")
    # The burst reached the front two steps ago: it is here in four, after the lead of three.
    assert fan.peak(3, 0.95) == pytest.approx(40, rel=0.2)
    assert fan.peak(4, 0.5) == pytest.approx(120, rel=0.2)
    assert without.peak(4, 0.5) < 60


def test_from_the_first_fan_on_by_what_the_days_before_say() -> None:
    ahead = bursts()
    running = Running(source(ahead, later(ahead)), front(), following())
    running.run(10)
    assert [fan.model for fan in running.fans[FOLLOWER]] == ["follows"]


UNRELATED = bursts(seed=4)


@pytest.mark.parametrize(
    ("asked", "own", "why"),
    [
        pytest.param((), later(bursts()), fronts.NO_SUCH, id="no such resource"),
        pytest.param(
            (request("other/frontend"),), later(bursts()), fronts.NO_SUCH, id="in another namespace"
        ),
        pytest.param((front(step_s=120),), later(bursts()), fronts.OTHER_STEP, id="another step"),
        pytest.param((front(query="broken"),), later(bursts()), fronts.NOT_KNOWN, id="nothing to be read"),
        pytest.param((front(),), UNRELATED, "the two loads do not move together", id="unrelated"),
        pytest.param(
            (front(),), np.where(np.arange(STEPS) < STEPS - 300, np.nan, 40.0), "too little", id="young"
        ),
    ],
)
def test_without_a_relation_it_is_told_why_and_its_own_forecast(
    asked: tuple[ForecastRequest, ...], own: Floats, why: str
) -> None:
    def known() -> Known:
        made = source(bursts(), own)
        made.loads["other/frontend"] = bursts()
        made.failing["broken"] = "the query fails"
        return made

    running, alone = Running(known(), *asked, following()), Running(known(), following(follows=None))
    for one in (running, alone):
        one.run(30)
    fan, without = running.fan(FOLLOWER), alone.fan(FOLLOWER)
    assert fan.relation.startswith(f"does not follow frontend: {why}")
    assert (fan.model, fan.note) == (without.model, without.note)
    np.testing.assert_array_equal(fan.peaks, without.peaks)


def test_a_front_that_goes_silent_or_is_deleted_is_followed_no_longer_and_again_when_it_is_back() -> None:
    ahead = bursts(STEPS + 20)
    known = source(ahead, later(ahead), 20)
    running = Running(known, front(), following())
    running.run(70)
    known.failing[FRONT] = "the query fails"
    running.run(60)
    assert running.fan(FOLLOWER).relation == f"does not follow frontend: {fronts.NOT_KNOWN}"
    known.failing.clear()
    running.run(420)  # a gap of one minute has to be filled, which takes five
    assert running.fan(FOLLOWER).model == "follows"
    running.feed.drop(FRONT)
    running.run(60)
    assert running.fan(FOLLOWER).relation == f"does not follow frontend: {fronts.NO_SUCH}"
    running.feed.want(FRONT, 7, front())
    running.run(130)
    assert running.fan(FOLLOWER).model == "follows"
    assert [fan.made_at_s for fan in running.fans[FOLLOWER]] == sorted(
        {fan.made_at_s for fan in running.fans[FOLLOWER]}
    )


def test_two_that_follow_each_other_are_forecast_like_any_and_one_follows() -> None:
    ahead = bursts(STEPS + 5)
    circle = Running(source(ahead, later(ahead), 5), front(follows=Follows("checkout")), following())
    plain = Running(source(ahead, later(ahead), 5), front(), following())
    for one in (circle, plain):
        one.run(310)
    np.testing.assert_array_equal(circle.fan(FOLLOWER).peaks, plain.fan(FOLLOWER).peaks)
    assert circle.fan(FRONT).relation.startswith("does not follow checkout: ")
    np.testing.assert_array_equal(circle.fan(FRONT).peaks, plain.fan(FRONT).peaks)


def test_in_a_chain_each_takes_the_one_in_front_at_its_own_forecast() -> None:
    ahead = bursts(STEPS + 5)
    known = source(ahead, later(ahead), 5)
    known.loads["shop/stock"] = later(known.loads[FOLLOWER], 4, 2.0)
    stock = replace(request("shop/stock"), follows=Follows("checkout"))
    running = Running(known, front(), following(), stock)
    running.run(310)
    assert running.fan(FOLLOWER).model == running.fan("shop/stock").model == "follows"
    assert running.fan("shop/stock").relation.startswith("follows checkout by 240 s at a ratio of 2")
