"""Rules that hold over whole runs, under every order of faults that Hypothesis can think of."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from autoscaler.planning.policy import OutagePolicy, Policy, SignalPolicy, SignalType, SpendPolicy
from autoscaler.series import State
from tests.properties.strategies import START_S, policies, rules
from tests.properties.world import Weather, World, quiet

ERRORS = (SignalPolicy("errors", SignalType.ERRORS, target=0.05),)
some_load = st.floats(0, 3000)
pauses = st.sampled_from([400.0, 3600.0, 90_000.0])


class UnderFaults(RuleBasedStateMachine):
    """One target; every rule of `World` is checked at every step."""

    def __init__(self) -> None:
        super().__init__()
        self.load = 100.0

    @initialize(
        up=rules,
        down=rules,
        budget=st.one_of(st.none(), st.floats(5, 500)),
        cap=st.one_of(st.none(), st.integers(2, 40)),
    )
    def begin(self, up: object, down: object, budget: float | None, cap: int | None) -> None:
        policy = Policy(
            name="machine",
            min_replicas=2,
            max_replicas=200,
            load_per_replica=10.0,
            scale_up=up,  # type: ignore[arg-type]  # drawn by Hypothesis as ScalingRules
            scale_down=down,  # type: ignore[arg-type]  # the same
            signals=ERRORS,
            outage=OutagePolicy(0.5, 600.0),
            pending_cap=cap,
            spend=None if budget is None else SpendPolicy(0.12, daily_budget=budget),
        )
        self.world = World(policy, START_S)

    @rule(load=some_load, forecast=st.one_of(some_load, st.just(math.nan)))
    def traffic(self, load: float, forecast: float) -> None:
        self.load = load
        self.world.step(Weather(load, forecast))

    @rule(state=st.sampled_from([s for s in State if s is not State.VALUE]))
    def blind(self, state: State) -> None:
        self.world.step(Weather(self.load, load_state=state))

    @rule(share=st.floats(0.06, 1))
    def outage(self, share: float) -> None:
        self.world.step(Weather(self.load * 0.05, self.load, error_share=share))

    @rule()
    def pods_stuck(self) -> None:
        self.world.step(Weather(self.load, pods_start=False))

    @rule()
    def write_refused(self) -> None:
        self.world.step(Weather(self.load, write_accepted=False))

    @rule()
    def restart(self) -> None:
        self.world.step(Weather(self.load, restarted=True))

    @rule(pause_s=pauses)
    def gap(self, pause_s: float) -> None:
        self.world.step(Weather(self.load, pause_s=pause_s))

    @rule(steps=st.integers(1, 30))
    def calm(self, steps: int) -> None:
        for _ in range(steps):
            self.world.step(Weather(self.load))

    @invariant()
    def within_budget(self) -> None:
        if hasattr(self, "world"):
            assert self.world.over_budget_by <= 1e-6


UnderFaults.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_under_faults = UnderFaults.TestCase


@given(policies(), st.floats(0, 2000), st.integers(1, 400))
@settings(max_examples=60, deadline=None)
def test_constant_demand_reaches_a_count_that_stays(policy: Policy, load: float, current: int) -> None:
    world = World(quiet(policy), START_S, current=current, ready=current)
    # Long enough for a stabilisation window of an hour and rate policies of one pod per half hour
    # to have moved, then long enough to see whether it stays.
    counts = [world.step(Weather(load, load)).replicas for _ in range(400)]
    tail = counts[-20:]
    moving_one_way = all(a <= b for a, b in pairwise(tail)) or all(a >= b for a, b in pairwise(tail))
    assert moving_one_way, "no cycles"


@given(st.lists(st.floats(-0.05, 0.05), min_size=60, max_size=60))
def test_noise_within_a_replica_causes_few_reversals(noise: list[float]) -> None:
    """With HPA's default window a noisy minute-by-minute load turns the count at most twice in five
    minutes, thus at most 24 times an hour."""
    world = World(Policy("noise", 1, 100, 10.0), START_S, current=20, ready=20)
    counts = [world.step(Weather(200.0 * (1 + part))).replicas for part in noise]
    moves = [b - a for a, b in pairwise(counts) if b != a]
    reversals = sum(1 for a, b in pairwise(moves) if (a > 0) != (b > 0))
    assert reversals <= 24


@pytest.mark.parametrize(
    "lost", [pytest.param(True, id="memory lost"), pytest.param(False, id="memory kept")]
)
def test_a_crash_loop_neither_ratchets_up_nor_removes_early(lost: bool) -> None:
    world = World(Policy("crash", 1, 100, 10.0), START_S, current=20, ready=20)
    for _ in range(60):
        decision = world.step(Weather(50.0, restarted=not lost, memory_lost=lost))
        assert 5 <= decision.replicas <= 20
    assert (world.current == 20) if lost else (world.current == 5)


@pytest.mark.parametrize("state", [state for state in State if state is not State.VALUE])
def test_a_day_without_metrics_removes_nothing_and_ends_a_window_after_they_are_back(state: State) -> None:
    world = World(Policy("away", 1, 100, 10.0), START_S, current=20, ready=20)
    for _ in range(24 * 60):
        assert world.step(Weather(50.0, load_state=state)).replicas == 20
    counts = [world.step(Weather(50.0)).replicas for _ in range(10)]
    assert counts[:3] == [20] * 3
    assert counts[-1] == 5
