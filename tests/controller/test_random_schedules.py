"""The rules hold whatever happens to the operator, its cluster and its metrics, in whatever order."""

from __future__ import annotations

import os

import pytest
import structlog
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from schedule_world import Spec, Step, Trouble, World

from autoscaler.series import State

SELDOM = [False] * 9 + [True]

steps = st.builds(
    Step,
    load=st.one_of(st.sampled_from([0.0, 20.0, 50.0, 120.0, 1000.0]), st.floats(0, 300)),
    state=st.sampled_from([State.VALUE] * 6 + list(State)),
    trouble=st.sampled_from([Trouble.NONE] * 6 + list(Trouble)),
    after_s=st.sampled_from([15.0, 15.0, 15.0, 30.0, 70.0, 130.0, 400.0]),
    human=st.sampled_from([None] * 9 + [0, 1, 5, 30]),
    spec=st.sampled_from([None] * 9 + list(Spec)),
    pods_start=st.sampled_from([True, True, True, False]),
    pods_seen=st.sampled_from([True] * 6 + [False]),
    other_leads=st.sampled_from(SELDOM),
    restarts=st.sampled_from(SELDOM),
    store_lost=st.sampled_from(SELDOM),
)
THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"


many = settings(
    max_examples=2000 if THOROUGH else 30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


@pytest.mark.slow
@many
@given(st.lists(steps, min_size=10, max_size=40))
def test_every_write_keeps_the_rules(schedule: list[Step]) -> None:
    with structlog.testing.capture_logs():
        world = World()
        for step in schedule:
            world.step(step)
        world.close()
    event("something was written" if world.writes else "nothing was written")


def stepped(world: World, *schedule: Step) -> list[int]:
    """Counts after each step."""
    counts = []
    for step in schedule:
        world.step(step)
        counts.append(world.api.replicas())
    return counts


@pytest.mark.slow
@many
@given(st.lists(steps, min_size=1, max_size=30), st.sampled_from([(50.0, 5), (150.0, 15)]))
def test_whatever_went_before_a_calm_world_gets_what_its_load_asks_for_and_keeps_it(
    schedule: list[Step], calm: tuple[float, int]
) -> None:
    load, count = calm
    with structlog.testing.capture_logs():
        world = World()
        stepped(world, *schedule)
        # Whoever scaled it to 0 has to give it a replica again; and a mode that does not act stays.
        human = None if world.api.replicas() else 1
        counts = stepped(world, Step(load, spec=Spec.ACTIVE, human=human), *[Step(load)] * 120)
        world.close()
    assert counts[-20:] == [count] * 20


@pytest.fixture
def world() -> World:
    return World()


QUIET = Step(50.0)


def test_the_world_scales_out_and_in_so_that_the_rules_are_about_something(world: World) -> None:
    out = stepped(world, *[Step(150.0)] * 13)
    assert out[0] == 9 and out[-1] == 15
    into = stepped(world, *[Step(50.0)] * 30)
    assert into[2] == 15 and into[-1] == 5


@pytest.mark.parametrize("change", [{"restarts": True}, {"other_leads": True}])
def test_a_restart_or_another_leader_changes_nothing(change: dict[str, bool]) -> None:
    plain = [Step(150.0)] * 6 + [Step(30.0)] * 20
    calm, shaken = World(), World()
    disturbed = [Step(step.load, **change) if n % 3 == 0 else step for n, step in enumerate(plain)]
    assert stepped(shaken, *disturbed) == stepped(calm, *plain)


def test_the_rate_window_holds_across_restarts_without_the_store(world: World) -> None:
    assert stepped(world, Step(500.0), *[Step(500.0, restarts=True, store_lost=True)] * 3) == [9, 9, 9, 9]


def test_a_write_that_was_not_answered_counts_once_it_shows(world: World) -> None:
    counts = stepped(world, Step(500.0, trouble=Trouble.DONE_UNANSWERED), *[Step(500.0)] * 4)
    assert counts == [9, 9, 9, 9, 13]


def test_a_write_that_was_not_carried_out_is_made_again(world: World) -> None:
    assert stepped(world, Step(500.0, trouble=Trouble.LOST_UNANSWERED), Step(500.0)) == [5, 9]


@pytest.mark.parametrize(
    "trouble", [Trouble.FORBIDDEN, Trouble.READ_FAILS, Trouble.LEASE_LOST], ids=lambda one: one.name
)
def test_what_was_refused_is_done_at_the_next_turn(world: World, trouble: Trouble) -> None:
    assert stepped(world, Step(500.0, trouble=trouble), Step(500.0)) == [5, 9]


@pytest.mark.parametrize(
    "trouble", [Trouble.THROTTLED, Trouble.BOOKKEEPING, Trouble.RECREATED], ids=lambda one: one.name
)
def test_what_is_only_in_the_way_is_overcome_at_once(world: World, trouble: Trouble) -> None:
    assert stepped(world, Step(500.0, trouble=trouble)) == [9]


def test_the_last_valid_spec_stays_in_force_but_not_over_a_restart(world: World) -> None:
    assert stepped(world, Step(500.0, spec=Spec.INVALID)) == [9]
    assert stepped(world, *[Step(500.0, restarts=True)] * 6) == [9] * 6
    assert stepped(world, Step(500.0, spec=Spec.ACTIVE)) == [13]
