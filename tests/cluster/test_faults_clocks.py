"""Our own wall clock is put forward or back: waits are neither skipped for good nor without end."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest

from autoscaler.controller.acting.foreign import ForeignWrites
from autoscaler.planning.decide import accepted, decide
from autoscaler.planning.decision import Decision
from autoscaler.planning.memory import LatencyTrial, Memory, OutageMemory
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.policy import (
    OutagePolicy,
    Policy,
    PolicyType,
    RatePolicy,
    ScalingRules,
    SelectPolicy,
    SignalPolicy,
    SignalType,
    SpendPolicy,
)
from autoscaler.series import Reading, State

NOW_S = 1_700_000_000.0
HOUR_S = 3600.0
POLICY = Policy(
    name="web",
    min_replicas=1,
    max_replicas=100,
    load_per_replica=10.0,
    scale_up=ScalingRules(0.0, SelectPolicy.MAX, (RatePolicy(PolicyType.PODS, 4, 15.0),)),
    scale_down=ScalingRules(300.0, SelectPolicy.MAX, (RatePolicy(PolicyType.PODS, 2, 60.0),)),
    cooldown_up_s=60.0,
    cooldown_down_s=120.0,
    spend=SpendPolicy(replica_hour_price=1.0, daily_budget=1000.0),
)
NOTHING_EXPECTED = Outlook(math.nan, math.nan, math.inf, "", "")


def seen(now_s: float, load: float, current: int, *signals: float) -> Observation:
    readings = tuple(Reading(State.VALUE, value) for value in signals)
    return Observation(now_s, Reading(State.VALUE, load), current, current, readings)


def decided(now_s: float, load: float, current: int, memory: Memory, policy: Policy = POLICY) -> Decision:
    return decide(policy, seen(now_s, load, current), NOTHING_EXPECTED, memory)


def settled(current: int, policy: Policy = POLICY) -> Memory:
    """Ten minutes of deciding every 15 s under a load that fits, up to `NOW_S`."""
    memory = Memory()
    for number in range(40, -1, -1):
        memory = decided(NOW_S - 15.0 * number, 10.0 * current, current, memory, policy).memory
    return memory


def first_allowed_s(load: float, current: int, memory: Memory, from_s: float) -> float:
    """Seconds of the clock from `from_s` on until a decision changes the count."""
    for number in range(1000):
        decision = decided(from_s + 15.0 * number, load, current, memory)
        memory = decision.memory
        if decision.replicas != current:
            return 15.0 * number
    return math.inf


@pytest.mark.parametrize("back_s", [30.0, HOUR_S, 400 * 86_400.0])
def test_a_clock_put_back_delays_a_scale_out_by_no_more_than_its_own_cooldown(back_s: float) -> None:
    memory = accepted(settled(4), NOW_S, 2, 4)
    waited_s = first_allowed_s(100.0, 4, memory, NOW_S + 15.0 - back_s)
    assert POLICY.cooldown_up_s - 15.0 <= waited_s <= POLICY.cooldown_up_s + 15.0


@pytest.mark.parametrize("back_s", [30.0, HOUR_S, 400 * 86_400.0])
def test_a_clock_put_back_delays_a_scale_in_by_no_more_than_one_window(back_s: float) -> None:
    waited_s = first_allowed_s(10.0, 4, settled(4), NOW_S + 15.0 - back_s)
    assert POLICY.scale_down.stabilization_s - 15.0 <= waited_s <= POLICY.scale_down.stabilization_s + 15.0


def test_a_clock_put_back_leaves_rate_policies_in_force() -> None:
    policy = replace(POLICY, cooldown_up_s=0.0)
    memory = accepted(settled(2, policy), NOW_S, 2, 6)
    assert decided(NOW_S + 5.0 - HOUR_S, 100.0, 6, memory, policy).replicas == 6


def test_a_clock_put_forward_removes_nothing_before_a_whole_window_was_seen() -> None:
    waited_s = first_allowed_s(10.0, 4, settled(4), NOW_S + 15.0 + HOUR_S)
    assert waited_s >= POLICY.scale_down.stabilization_s


def test_a_clock_put_forward_and_back_leaves_things_as_they_would_be() -> None:
    memory = decided(NOW_S + HOUR_S, 40.0, 4, settled(4)).memory
    waited_s = first_allowed_s(10.0, 4, memory, NOW_S + 15.0)
    assert waited_s <= POLICY.scale_down.stabilization_s + 15.0


@pytest.mark.parametrize("moved_s", [-400 * 86_400.0, -HOUR_S, -30.0, 0.5, HOUR_S])
def test_no_time_costs_a_negative_amount(moved_s: float) -> None:
    before = settled(4)
    spent = decided(NOW_S + moved_s, 40.0, 4, before).memory.spent
    assert spent.day >= 0.0 and spent.month >= 0.0
    if moved_s < 0.0 and spent.day_start_s == before.spent.day_start_s:
        assert spent.day == pytest.approx(before.spent.day)


@pytest.mark.parametrize("leap_s", [-1.0, -0.5, 1.0], ids=["repeated", "smeared", "left-out"])
def test_a_leap_second_moves_no_change_by_more_than_one_decision_and_costs_a_second_at_most(
    leap_s: float,
) -> None:
    def course(leap_s: float) -> tuple[list[int], list[float]]:
        memory, current, counts, spent = settled(4), 4, [], []
        for number in range(60):
            now_s = NOW_S + 15.0 * (number + 1) + (leap_s if number >= 10 else 0.0)
            decision = decided(now_s, 60.0 if number < 20 else 10.0, current, memory)
            memory = accepted(decision.memory, now_s, current, decision.replicas)
            current = decision.replicas
            counts.append(current)
            spent.append(memory.spent.day)
        return counts, spent

    (plain, plain_spent), (leaping, leaping_spent) = course(0.0), course(leap_s)
    assert len(set(plain)) >= 4, "something is added, and something removed"
    later = [plain[0], *plain[:-1]]
    assert all(count in near for count, *near in zip(leaping, plain, later, [*plain[1:], 0], strict=True))
    assert all(before <= after for before, after in itertools.pairwise(leaping_spent))
    assert abs(leaping_spent[-1] - plain_spent[-1]) <= 1.1 * max(plain) * 16.0 / HOUR_S


def test_a_second_that_happens_twice_is_paid_once() -> None:
    once = decided(NOW_S + 15.0, 40.0, 4, settled(4))
    again = decided(NOW_S + 15.0, 40.0, 4, once.memory)
    assert (again.replicas, again.memory.spent) == (once.replicas, once.memory.spent)


def test_an_outage_seen_by_a_clock_that_was_ahead_is_over_after_its_recovery() -> None:
    policy = replace(POLICY, outage=OutagePolicy(drop=0.5, recovery_s=60.0), cooldown_down_s=0.0)
    policy = replace(policy, scale_down=replace(policy.scale_down, stabilization_s=0.0))
    memory = replace(settled(4, policy), outage=OutageMemory(floor=4, active_s=NOW_S))
    counts = []
    for number in range(8):
        decision = decided(NOW_S - HOUR_S + 15.0 * number, 10.0, 4, memory, policy)
        memory = decision.memory
        counts.append(decision.replicas)
    assert counts[:4] == [4, 4, 4, 4] and counts[-1] < 4


def test_a_trial_of_latency_begun_by_a_clock_that_was_ahead_is_judged_in_time() -> None:
    signal = SignalPolicy("latency", SignalType.LATENCY, target=0.25)
    policy = replace(POLICY, signals=(signal,), lead_time_s=30.0, step_s=15.0, cooldown_up_s=0.0)
    memory = replace(settled(4), trials=(("latency", LatencyTrial(NOW_S, 0.5, 0)),))
    counts = []
    for number in range(6):
        observation = seen(NOW_S - HOUR_S + 15.0 * number, 40.0, 4, 0.3)
        decision = decide(policy, observation, NOTHING_EXPECTED, memory)
        memory = decision.memory
        counts.append(decision.replicas)
    assert counts[0] == 4 and max(counts) > 4


def test_a_memory_without_anything_later_than_now_is_used_as_it_is() -> None:
    memory = accepted(settled(4), NOW_S, 2, 4)
    again = decided(NOW_S, 40.0, 4, memory).memory
    assert (again.scale_ups, again.recommendations[:-1]) == (memory.scale_ups, memory.recommendations)


def test_the_grace_for_somebody_elses_count_ends_though_the_clock_was_put_back() -> None:
    foreign = ForeignWrites()
    foreign.saw(4, NOW_S, may_be_zero=False, ours=True)
    foreign.saw(9, NOW_S, may_be_zero=False, ours=True)
    foreign.saw(9, NOW_S - HOUR_S, may_be_zero=False, ours=True)
    assert foreign.grace_left_s(600.0, NOW_S - HOUR_S) == 600.0
    foreign.saw(9, NOW_S - HOUR_S + 300.0, may_be_zero=False, ours=True)
    assert foreign.grace_left_s(600.0, NOW_S - HOUR_S + 300.0) == 300.0
