"""Each veto alone is enough: of a decision that would remove replicas, one fault makes one that does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.planning.decide import decide
from autoscaler.planning.memory import Memory
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.policy import Mode, Policy
from autoscaler.series import Reading, State
from tests.properties.strategies import SIGNALS, START_S, policies

Case = tuple[Policy, Observation]
UNKNOWN = [state for state in State if state is not State.VALUE]


@st.composite
def calm(draw: st.DrawFn) -> Case:
    """A healthy, idle, much too large fleet whose policy has no reason to wait."""
    policy = draw(policies(plain=True))
    policy = replace(
        policy,
        min_replicas=0,
        max_replicas=1000,
        signals=SIGNALS,
        scale_down=replace(policy.scale_down, stabilization_s=0.0),
        cooldown_down_s=0.0,
    )
    current = draw(st.integers(2, 500))
    signals = tuple(Reading(State.VALUE, 0.0, 0.0) for _ in policy.signals)
    return policy, Observation(START_S, Reading(State.VALUE, 0.0, 0.0), current, current, signals)


def with_signal(name: str, reading: Reading) -> Callable[[Case], Case]:
    def faulty(case: Case) -> Case:
        policy, seen = case
        signals = list(seen.signals)
        signals[[signal.name for signal in policy.signals].index(name)] = reading
        return policy, replace(seen, signals=tuple(signals))

    return faulty


def with_load(state: State) -> Callable[[Case], Case]:
    return lambda case: (case[0], replace(case[1], load=Reading(state, 0.0, 0.0)))


def in_mode(mode: Mode) -> Callable[[Case], Case]:
    return lambda case: (replace(case[0], mode=mode), case[1])


FAULTS: dict[str, Callable[[Case], Case]] = {
    **{f"load {state.value}": with_load(state) for state in UNKNOWN},
    **{
        f"{s.name} {state.value}": with_signal(s.name, Reading(state, 0.0))
        for s in SIGNALS
        for state in UNKNOWN
    },
    "ready unknown": lambda case: (case[0], replace(case[1], ready=None)),
    "a pod starting": lambda case: (case[0], replace(case[1], ready=case[1].current - 1)),
    "errors": with_signal("errors", Reading(State.VALUE, 0.06, 0.0)),
    "latency": with_signal("latency", Reading(State.VALUE, 0.26, 0.0)),
    "ScaleOutOnly": in_mode(Mode.SCALE_OUT_ONLY),
    "Paused": in_mode(Mode.PAUSED),
}
MEMORY = Memory(decided_s=START_S - 15.0)
IDLE = Outlook(0.0, 0.0, 0.0, "idle")


@given(calm())
def test_without_a_fault_replicas_are_removed(case: Case) -> None:
    policy, seen = case
    assert decide(policy, seen, IDLE, MEMORY).replicas < seen.current


@pytest.mark.parametrize("fault", FAULTS)
@given(case=calm())
def test_with_any_one_fault_none_are(fault: str, case: Case) -> None:
    policy, seen = FAULTS[fault](case)
    assert decide(policy, seen, IDLE, MEMORY).replicas >= seen.current


@pytest.mark.parametrize("direction", ["scale_ups", "scale_downs"])
@given(case=calm())
def test_a_cooldown_waits_after_changes_of_either_direction(direction: str, case: Case) -> None:
    policy, seen = case
    # One pod in or out, 60 s ago; the policies allow whole percentages and pods well beyond that.
    memory = replace(MEMORY, **{direction: ((START_S - 60.0, 1),)})
    assert decide(replace(policy, cooldown_down_s=120.0), seen, IDLE, memory).replicas == seen.current
