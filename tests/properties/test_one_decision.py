"""What must hold of every single decision, whatever the policy and the inputs."""

from __future__ import annotations

import dataclasses
import math
import pickle

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autoscaler.planning.capacity import replicas_for
from autoscaler.planning.decide import accepted, decide
from autoscaler.planning.decision import Decision, Reason
from autoscaler.planning.explain import explain
from autoscaler.planning.memory import Memory
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.policy import Policy
from autoscaler.series import Reading, State
from tests.properties.strategies import START_S, observations, outlooks, policies

CAPS = {
    Reason.HOURLY_CAP,
    Reason.DAILY_BUDGET,
    Reason.MONTHLY_BUDGET,
    Reason.TOO_MANY_REPLICAS,
}


@st.composite
def situations(draw: st.DrawFn, *, plain: bool = False) -> tuple[Policy, Observation, Outlook, Memory]:
    """A policy, what it sees, and a memory that this policy could really have."""
    policy = draw(policies(plain=plain))
    memory = Memory()
    current = draw(st.integers(0, 600))
    for back in range(draw(st.integers(0, 4)), 0, -1):
        earlier = draw(observations(policy, START_S - back * policy.step_s))
        earlier = dataclasses.replace(earlier, current=current, ready=current)
        decision = decide(policy, earlier, draw(outlooks), memory)
        memory = accepted(decision.memory, earlier.now_s, current, decision.replicas)
        current = decision.replicas
    seen = draw(observations(policy))
    ready = None if seen.ready is None else min(seen.ready, current)
    return policy, dataclasses.replace(seen, current=current, ready=ready), draw(outlooks), memory


def caps(decision: Decision) -> bool:
    return any(change.reason in CAPS for change in decision.changes)


@given(situations())
def test_the_count_is_within_bounds_or_nearer_to_them(
    case: tuple[Policy, Observation, Outlook, Memory],
) -> None:
    policy, seen, outlook, memory = case
    replicas = decide(policy, seen, outlook, memory).replicas
    assert isinstance(replicas, int)
    assert replicas >= policy.min_replicas
    if replicas > policy.max_replicas:
        assert replicas <= seen.current


@given(situations())
def test_unknown_inputs_remove_nothing(case: tuple[Policy, Observation, Outlook, Memory]) -> None:
    policy, seen, outlook, memory = case
    assume(not seen.load.known or seen.ready is None or not all(reading.known for reading in seen.signals))
    decision = decide(policy, seen, outlook, memory)
    if decision.replicas < seen.current:
        assert caps(decision)


@given(situations())
def test_changes_form_an_unbroken_chain_from_the_wish_to_the_answer(
    case: tuple[Policy, Observation, Outlook, Memory],
) -> None:
    decision = decide(*case)
    chain = [decision.wished]
    for change in decision.changes:
        chain += [change.before, change.after]
    chain.append(decision.replicas)
    assert chain[::2] == chain[1::2]
    assert all(change.before != change.after for change in decision.changes)
    assert explain(decision).endswith(".")


@given(situations())
def test_the_same_inputs_give_the_same_decision_also_after_a_round_trip(
    case: tuple[Policy, Observation, Outlook, Memory],
) -> None:
    first = decide(*case)
    again = decide(*pickle.loads(pickle.dumps(case)))
    assert repr(again) == repr(first)  # as text, because two NaN are never equal


@given(situations(plain=True))
def test_a_forecast_never_gives_less_than_no_forecast(
    case: tuple[Policy, Observation, Outlook, Memory],
) -> None:
    policy, seen, outlook, memory = case
    blind = Outlook(math.nan, math.nan, 0.0, "none")
    assume(seen.current <= policy.max_replicas)
    assert decide(policy, seen, outlook, memory).replicas >= decide(policy, seen, blind, memory).replicas


@given(situations(plain=True), st.floats(0, 1e6))
def test_more_demand_never_gives_fewer_replicas(
    case: tuple[Policy, Observation, Outlook, Memory], more: float
) -> None:
    policy, seen, outlook, memory = case
    assume(seen.load.state is State.VALUE)
    busier = dataclasses.replace(seen, load=dataclasses.replace(seen.load, value=seen.load.value + more))
    assert decide(policy, busier, outlook, memory).replicas >= decide(policy, seen, outlook, memory).replicas


@given(situations(plain=True))
def test_a_smaller_load_per_replica_never_gives_fewer_replicas(
    case: tuple[Policy, Observation, Outlook, Memory],
) -> None:
    policy, seen, outlook, memory = case
    weaker = dataclasses.replace(policy, load_per_replica=policy.load_per_replica / 2)
    assert decide(weaker, seen, outlook, memory).replicas >= decide(policy, seen, outlook, memory).replicas


@given(situations(plain=True))
def test_losing_a_sample_that_asked_for_nothing_more_never_lowers_the_count(
    case: tuple[Policy, Observation, Outlook, Memory],
) -> None:
    policy, seen, outlook, memory = case
    needed = replicas_for(seen.load.value, policy.load_per_replica) if seen.load.may_add else 0
    assume(needed <= seen.current <= policy.max_replicas)
    lost = dataclasses.replace(seen, load=Reading(State.EMPTY))
    assume(not any(signal.name == "queue" for signal in policy.signals))
    assert decide(policy, lost, outlook, memory).replicas >= min(
        seen.current, decide(policy, seen, outlook, memory).replicas
    )


@given(situations(plain=True), st.randoms())
def test_the_order_of_signals_does_not_matter(
    case: tuple[Policy, Observation, Outlook, Memory], random: object
) -> None:
    policy, seen, outlook, memory = case
    order = list(range(len(policy.signals)))
    random.shuffle(order)  # type: ignore[attr-defined]  # Hypothesis hands out a random.Random
    shuffled = dataclasses.replace(policy, signals=tuple(policy.signals[i] for i in order))
    observed = dataclasses.replace(seen, signals=tuple(seen.signals[i] for i in order))
    assert (
        decide(shuffled, observed, outlook, memory).replicas == decide(policy, seen, outlook, memory).replicas
    )


@given(situations(plain=True), st.integers(0, 600))
def test_what_load_and_forecast_ask_for_does_not_depend_on_the_present_count(
    case: tuple[Policy, Observation, Outlook, Memory], other: int
) -> None:
    policy, seen, outlook, memory = case
    elsewhere = dataclasses.replace(seen, current=other, ready=other)
    assert (
        decide(policy, seen, outlook, memory).wishes[:2]
        == decide(policy, elsewhere, outlook, memory).wishes[:2]
    )


@given(situations())
def test_scale_in_leaves_what_the_observed_load_needs(
    case: tuple[Policy, Observation, Outlook, Memory],
) -> None:
    policy, seen, outlook, memory = case
    decision = decide(policy, seen, outlook, memory)
    if decision.replicas < seen.current and not caps(decision):
        assert decision.replicas >= min(seen.current, replicas_for(seen.load.value, policy.load_per_replica))


@given(situations())
def test_nothing_is_removed_from_a_fleet_that_is_starting_or_sick(
    case: tuple[Policy, Observation, Outlook, Memory],
) -> None:
    policy, seen, outlook, memory = case
    starting = seen.ready is not None and seen.ready < seen.current
    sick = any(
        signal.name in ("latency", "errors") and reading.may_add and reading.value > signal.target
        for signal, reading in zip(policy.signals, seen.signals, strict=True)
    )
    assume(starting or sick)
    decision = decide(policy, seen, outlook, memory)
    if decision.replicas < seen.current:
        assert caps(decision)


@given(situations())
def test_no_scale_out_beyond_the_pending_cap(case: tuple[Policy, Observation, Outlook, Memory]) -> None:
    policy, seen, outlook, memory = case
    assume(policy.pending_cap is not None and seen.ready is not None)
    assert policy.pending_cap is not None
    assert seen.ready is not None
    decision = decide(policy, seen, outlook, memory)
    lifted = any(c.reason in (Reason.KNOWN_EVENT, Reason.TOO_FEW_REPLICAS) for c in decision.changes)
    if decision.replicas > seen.current and not lifted:
        assert decision.replicas - seen.ready <= policy.pending_cap


@given(situations(plain=True))
def test_holding_never_asks_for_more_than_the_present_count_or_the_fresh_wish(
    case: tuple[Policy, Observation, Outlook, Memory],
) -> None:
    policy, seen, outlook, memory = case
    decision = decide(policy, seen, outlook, memory)
    assert decision.replicas <= max(seen.current, decision.wished, policy.min_replicas)


@given(situations())
def test_deciding_again_at_once_after_the_write_asks_for_nothing_else_up(
    case: tuple[Policy, Observation, Outlook, Memory],
) -> None:
    policy, seen, outlook, memory = case
    assume(not any(signal.name in ("cpu", "latency") for signal in policy.signals))
    first = decide(policy, seen, outlook, memory)
    assume(first.replicas >= seen.current)
    written = accepted(first.memory, seen.now_s, seen.current, first.replicas)
    settled = dataclasses.replace(seen, current=first.replicas)
    assert decide(policy, settled, outlook, written).replicas == first.replicas


@given(situations())
def test_forgetting_everything_removes_nothing_that_remembering_would_have_kept(
    case: tuple[Policy, Observation, Outlook, Memory],
) -> None:
    """After a crash that lost the memory the first decision holds, if there is a window at all."""
    policy, seen, outlook, _ = case
    assume(policy.scale_down.stabilization_s > 0)
    decision = decide(policy, seen, outlook, Memory())
    if decision.replicas < seen.current:
        assert caps(decision)


@pytest.mark.parametrize("extreme", [0.0, 1e-300, 1e15, 1e300])
def test_extreme_values_still_give_a_bounded_integer(extreme: float) -> None:
    policy = Policy("extreme", 1, 50, 0.001)
    seen = Observation(START_S, Reading(State.VALUE, extreme, 0.0), 5, 5)
    replicas = decide(policy, seen, Outlook(extreme, extreme, 0.0, "any"), Memory()).replicas
    assert isinstance(replicas, int)
    assert 1 <= replicas <= 50
