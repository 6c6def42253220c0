"""A decision that was recorded can be read back exactly, and decided again."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.planning.decide import accepted, decide
from autoscaler.planning.decision import Change, Decision, Reason
from autoscaler.planning.memory import LatencyTrial, Memory, OutageMemory, Spent
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.policy import Policy
from autoscaler.planning.record import VERSION, memory_from_json, memory_to_json, recorded, replayed
from autoscaler.series import Reading, State
from tests.properties.strategies import START_S, observations, outlooks, policies

_ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)
_COUNT = st.integers(-(2**53), 2**53)
_MEMORIES = st.builds(
    Memory,
    decided_s=st.none() | _ANY_FLOAT,
    recommendations=st.lists(st.tuples(_ANY_FLOAT, _COUNT), max_size=5).map(tuple),
    unsure=st.lists(st.tuples(_ANY_FLOAT, _COUNT), max_size=5).map(tuple),
    scale_ups=st.lists(st.tuples(_ANY_FLOAT, _COUNT), max_size=3).map(tuple),
    scale_downs=st.lists(st.tuples(_ANY_FLOAT, _COUNT), max_size=3).map(tuple),
    spent=st.builds(Spent, _ANY_FLOAT, _ANY_FLOAT, _ANY_FLOAT, _ANY_FLOAT),
    outage=st.none() | st.builds(OutageMemory, _COUNT, _ANY_FLOAT),
    trials=st.lists(
        st.tuples(st.text(max_size=5), st.builds(LatencyTrial, _ANY_FLOAT, _ANY_FLOAT, _COUNT)), max_size=2
    ).map(tuple),
)

Case = tuple[Policy, Memory, Decision]


@st.composite
def _decisions(draw: st.DrawFn) -> Case:
    """The last of a few decisions in a row, so that its memory holds something."""
    policy = draw(policies())
    memory = Memory()
    for step in range(draw(st.integers(0, 3))):
        seen = draw(observations(policy, START_S + step * policy.step_s))
        earlier = decide(policy, seen, draw(outlooks), memory)
        memory = accepted(earlier.memory, seen.now_s, seen.current, earlier.replicas)
    seen = draw(observations(policy, START_S + 3 * policy.step_s))
    return policy, memory, decide(policy, seen, draw(outlooks), memory)


def _through_json(data: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps(data, allow_nan=False)
    read: dict[str, Any] = json.loads(text)
    return read


def _simple() -> Case:
    policy = Policy("any", min_replicas=1, max_replicas=9, load_per_replica=10.0)
    seen = Observation(START_S, Reading(State.VALUE, 55.0, 1.0), current=3, ready=3)
    return policy, Memory(), decide(policy, seen, Outlook(70.0, 50.0, 0.0, "any"), Memory())


@given(_decisions())
def test_every_decision_is_read_back_exactly_and_decided_again_the_same(case: Case) -> None:
    policy, memory, decision = case
    replay = replayed(_through_json(recorded(policy, memory, decision)))
    # repr tells 1 from 1.0 and calls two NaN the same, which == does not.
    assert repr((replay.policy, replay.memory, replay.stored)) == repr(case)
    assert repr(replay.recomputed) == repr(decision)
    assert replay.same


@given(_MEMORIES)
def test_a_memory_is_read_back_exactly(memory: Memory) -> None:
    assert repr(memory_from_json(_through_json(memory_to_json(memory)))) == repr(memory)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 0.1 + 0.2, "nan", "inf", ""])
def test_a_number_and_the_word_for_it_stay_apart(value: float | str) -> None:
    policy, memory, decision = _simple()
    changed = dataclasses.replace(
        decision, changes=(Change(Reason.UNHEALTHY, 1, 2, (("why", value), ("and", 1.0))),)
    )
    stored = replayed(_through_json(recorded(policy, memory, changed))).stored
    assert repr(stored) == repr(changed)


def test_numbers_of_numpy_are_recorded_as_plain_ones() -> None:
    memory = Memory(decided_s=np.float64(1.5), recommendations=((np.float64(1.5), np.int64(3)),))  # type: ignore[arg-type]  # what slips in
    assert memory_from_json(_through_json(memory_to_json(memory))) == Memory(1.5, ((1.5, 3),))


def test_what_is_no_plain_data_is_refused_when_it_is_recorded() -> None:
    with pytest.raises(TypeError, match="set cannot be recorded"):
        memory_to_json(Memory(recommendations=({1},)))  # type: ignore[arg-type]  # the point of the test


def test_a_decision_that_the_present_code_would_not_make_names_where_it_differs() -> None:
    policy, memory, decision = _simple()
    other = dataclasses.replace(decision, replicas=decision.replicas + 1)
    replay = replayed(_through_json(recorded(policy, memory, other)))
    assert not replay.same
    assert replay.differences == ("replicas",)
    assert replay.recomputed.replicas == decision.replicas


def test_what_holds_its_default_takes_no_room() -> None:
    assert memory_to_json(Memory()) == {"v": VERSION, "memory": {}}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"v": VERSION + 1}, f"recorded in version {VERSION + 1} by a newer release"),
        ({"v": None}, "no recorded decision"),
        ({"policy": {"name": "any", "colour": 1}}, "policy cannot be read: 'colour'"),
        ({"memory": {"recommendations": 7}}, "memory cannot be read: expected a list, got 7"),
        ({"memory": {"decided_s": "noon"}}, "memory cannot be read: expected float, got 'noon'"),
        ({"decision": {}}, "decision cannot be read"),
        ({"decision": None}, "decision cannot be read"),
    ],
)
def test_data_that_cannot_be_replayed_says_why(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        replayed(recorded(*_simple()) | change)


def test_data_without_a_part_says_which() -> None:
    data = recorded(*_simple())
    del data["memory"]
    with pytest.raises(ValueError, match="has no 'memory'"):
        replayed(data)
