"""The dial: chosen from the curve, moved by what is observed, within bounds, the same after a restart."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoscaler.planning.curve import LADDER, Curve
from autoscaler.planning.error_budget import spent
from autoscaler.planning.memory import Memory
from autoscaler.planning.objective import (
    LOOKED_EVERY_S,
    START,
    TUNED_EVERY_S,
    Dial,
    Observed,
    dialled,
    recalled,
    turned,
)
from autoscaler.planning.policy import Goal, ObjectivePolicy, Policy
from autoscaler.planning.record import memory_from_json, memory_to_json
from autoscaler.planning.standing import Verdict, standing
from autoscaler.series import Reading, State

WEEK_S = 7 * 86_400.0
UNSERVED = ObjectivePolicy(Goal.UNSERVED, 0.001, WEEK_S)
MINUTES = ObjectivePolicy(Goal.SHORT_MINUTES, 20.0, WEEK_S)
HOURS = ObjectivePolicy(Goal.REPLICA_HOURS, 250.0, WEEK_S)
T0_S = 1_795_780_800.0
TOP = len(LADDER) - 1


def falling(first: float, factor: float = 0.6) -> tuple[float, ...]:
    """A figure that shrinks by the same factor from rung to rung."""
    return tuple(first * factor**rung for rung in range(len(LADDER)))


CURVE = Curve(
    start_s=T0_S - WEEK_S,
    end_s=T0_S,
    replica_hours=tuple(200.0 + 10.0 * rung for rung in range(len(LADDER))),
    unserved=falling(0.02),
    short_minutes=falling(400.0),
)
HOPELESS = replace(CURVE, unserved=tuple(0.05 - 0.001 * rung for rung in range(len(LADDER))))


def observed(now_s: float, load: float = 100.0, ready: int | None = 10, **changes: object) -> Observed:
    """A decision with enough ready pods, unless told otherwise. A pod serves 10."""
    reading = Reading(State.VALUE, load, 0.0) if math.isfinite(load) else Reading(State.EMPTY)
    seen = Observed(now_s, reading, ready, asked=10, per_replica=10.0, longest_s=300.0)
    return replace(seen, **changes)  # type: ignore[arg-type]  # as the fields are


def begun(objective: ObjectivePolicy = UNSERVED, curve: Curve | None = CURVE) -> Dial:
    return turned(objective, None, observed(T0_S), curve)


def run(
    dial: Dial, hours: float, ready: int | None = 10, curve: Curve | None = CURVE, **changes: object
) -> Dial:
    """A decision a minute for some hours, with so many ready pods for a load that needs ten."""
    for _ in range(round(60 * hours)):
        now_s = dial.seen_s + 60.0
        dial = turned(dial.objective, dial, observed(now_s, ready=ready, **changes), curve)
    return dial


@pytest.mark.parametrize(
    ("objective", "keeps"),
    [
        (UNSERVED, lambda rung: CURVE.unserved[rung] <= 0.0005),
        (MINUTES, lambda rung: CURVE.short_minutes[rung] <= 10.0),
    ],
    ids=["unserved", "minutes"],
)
def test_the_first_choice_is_the_cheapest_that_keeps_the_objective_with_room(objective, keeps) -> None:  # type: ignore[no-untyped-def]  # a table
    dial = begun(objective)
    assert keeps(dial.rung) and not keeps(dial.rung - 1)


def test_a_budget_buys_the_safest_that_it_pays_for() -> None:
    dial = begun(HOURS)
    assert CURVE.replica_hours[dial.rung] <= 250.0 < CURVE.replica_hours[dial.rung + 1]


def test_a_budget_is_not_spent_where_more_brings_nothing() -> None:
    flat = replace(CURVE, unserved=(0.01,) + (0.0,) * TOP)
    assert begun(HOURS, flat).rung == 1


def test_an_objective_out_of_reach_ends_at_the_safest_place_that_helps_and_says_so() -> None:
    dial = run(begun(UNSERVED, HOPELESS), 12, ready=8, curve=HOPELESS)
    assert dial.rung == TOP
    told = standing(dial, HOPELESS)
    assert told.verdict is Verdict.OUT_OF_REACH
    assert (
        "It cannot be kept: even p99.5 x 1.5 would have left 3.4 % unserved over the last 7 days"
        in told.sentence
    )
    nothing_helps = replace(HOPELESS, unserved=(0.05,) * (TOP + 1))
    assert begun(UNSERVED, nothing_helps).rung == 0, "what brings nothing is not paid for"


def test_a_budget_below_what_the_cheapest_place_costs_ends_there_and_says_so() -> None:
    poor = replace(HOURS, allowed=100.0)
    dial = run(begun(poor), 30)
    assert dial.rung == 0
    told = standing(dial, CURVE)
    assert told.verdict is Verdict.OUT_OF_REACH
    assert "even p50 would have cost 200 replica-hours a day" in told.sentence


def test_until_there_is_a_curve_the_dial_stays_and_nothing_is_held_against_it() -> None:
    dial = run(begun(curve=None), 12, ready=8, curve=None)
    assert (dial.rung, dial.correction, dial.tuned_s) == (START, 0, None)
    chosen = turned(UNSERVED, dial, observed(dial.seen_s + 60.0), CURVE)
    assert chosen.rung == begun().rung
    assert spent(UNSERVED, chosen.everything, chosen.everything) == 0.0


def test_a_budget_that_burns_moves_the_dial_up_within_an_hour_and_on_every_few() -> None:
    calm = begun()
    within_an_hour = run(calm, LOOKED_EVERY_S / 3600, ready=8)
    assert within_an_hour.rung == calm.rung + 1
    within_a_day = run(calm, 24, ready=8)
    assert within_a_day.rung >= calm.rung + 6


def test_a_budget_that_is_saved_up_moves_the_dial_down_a_rung_at_a_time() -> None:
    burnt = run(begun(), 12, ready=8)
    rungs = [burnt.rung]
    dial = burnt
    for _ in range(4 * 14):
        dial = run(dial, TUNED_EVERY_S / 3600)
        rungs.append(dial.rung)
    steps = [after - before for before, after in itertools.pairwise(rungs)]
    assert set(steps) <= {0, -1}
    assert dial.rung <= begun().rung < burnt.rung


def test_spending_more_than_the_budget_moves_the_dial_to_the_cheap_side() -> None:
    dial = begun(HOURS)
    assert run(dial, 72, asked=12).rung < dial.rung


@pytest.mark.parametrize(
    "changes",
    [{"load": math.nan}, {"ready": None}, {"acts": False}],
    ids=["load unknown", "pods unknown", "somebody else scales"],
)
def test_what_is_not_known_or_not_ours_is_not_held_against_the_dial(changes: dict[str, object]) -> None:
    before = begun()
    dial = before
    for _ in range(60 * 24):
        seen = observed(dial.seen_s + 60.0, **{"ready": 5, **changes})  # type: ignore[arg-type]  # as the fields are
        dial = turned(UNSERVED, dial, seen, CURVE)
    assert (dial.rung, dial.correction) == (before.rung, 0)
    assert dial.everything.known_s == 0.0
    assert math.isnan(standing(dial, CURVE).observed)


def test_a_gap_between_decisions_is_not_counted() -> None:
    dial = turned(UNSERVED, begun(), observed(T0_S + 4000.0, ready=0), CURVE)
    assert dial.everything.known_s == 0.0


def test_a_clock_that_is_put_back_delays_nothing_for_longer_than_a_period() -> None:
    dial = run(begun(), 24)
    back_s = T0_S - 40 * 86_400.0
    dial = turned(UNSERVED, dial, observed(back_s), CURVE)
    assert max(dial.seen_s, dial.looked_s, dial.corrected_s, dial.tuned_s or 0.0) <= back_s
    assert run(dial, 7, ready=5).rung > dial.rung


def test_another_objective_begins_its_own_account_where_the_dial_stands() -> None:
    burnt = run(begun(), 24, ready=8)
    other = turned(MINUTES, burnt, observed(burnt.seen_s + 60.0), None)
    assert (other.rung, other.correction, other.window, other.objective) == (burnt.rung, 0, (), MINUTES)


def test_the_policy_in_force_has_what_the_dial_says() -> None:
    dial = replace(begun(), rung=TOP)
    policy = Policy("x", 1, 10, 10.0, objective=UNSERVED)
    assert dialled(policy, None) is policy
    assert (dialled(policy, dial).quantile, dialled(policy, dial).headroom) == (0.995, 1.5)


def test_a_dial_goes_on_from_its_stored_memory_as_if_nothing_had_happened() -> None:
    dial = run(begun(), 30, ready=9)
    stored = json.loads(json.dumps(memory_to_json(Memory(dial=dial))))
    assert memory_from_json(stored).dial == dial


@pytest.mark.parametrize(
    ("quantile", "headroom", "rung"),
    [("0.98", "1", 9), ("0.995", "1.5", TOP), ("0.42", "1", None), ("x", "", None)],
)
def test_without_a_store_it_goes_on_from_where_the_status_says_it_stood(
    quantile: str, headroom: str, rung: int | None
) -> None:
    dial = recalled(UNSERVED, quantile, headroom, 3, T0_S)
    assert (None if dial is None else (dial.rung, dial.correction)) == (None if rung is None else (rung, 3))


MOMENTS = st.lists(
    st.tuples(
        st.sampled_from([15.0, 60.0, 3600.0, 9000.0]),
        st.one_of(st.just(math.nan), st.floats(0.0, 1e6)),
        st.one_of(st.none(), st.integers(0, 200)),
    ),
    max_size=60,
)
CURVES = st.builds(
    lambda worst, factor, cost, growth: Curve(
        T0_S - WEEK_S,
        T0_S,
        tuple(cost * growth**rung for rung in range(len(LADDER))),
        falling(worst, factor),
        falling(10_000.0 * worst, factor),
    ),
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
    st.floats(1.0, 1e6),
    st.floats(1.0, 1.5),
)
GOALS = st.sampled_from([UNSERVED, MINUTES, HOURS])


@settings(max_examples=60, deadline=None)
@given(GOALS, MOMENTS, CURVES)
def test_whatever_is_observed_the_dial_stays_on_its_ladder_and_says_something(
    objective: ObjectivePolicy, moments: list[tuple[float, float, int | None]], curve: Curve
) -> None:
    dial, now_s = None, T0_S
    for seconds, load, ready in moments:
        now_s += seconds
        seen = replace(observed(now_s, load, ready), longest_s=9000.0)
        before = dial
        dial = turned(objective, dial, seen, curve)
        assert 0 <= dial.rung <= TOP and -8 <= dial.correction <= 8
        if before is not None and before.tuned_s is not None:
            assert abs(dial.rung - before.rung) <= 4, "three at once, and one in alarm"
        assert len(standing(dial, curve).sentence) < 1024
        assert memory_from_json(memory_to_json(Memory(dial=dial))).dial == dial


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([UNSERVED, MINUTES]), MOMENTS, CURVES, st.integers(0, 50), st.integers(0, 50))
def test_more_shortage_never_moves_the_dial_further_to_the_cheap_side(
    objective: ObjectivePolicy,
    moments: list[tuple[float, float, int | None]],
    curve: Curve,
    few: int,
    more: int,
) -> None:
    dial, now_s = begun(objective, curve), T0_S
    for seconds, load, ready in moments:
        now_s += seconds
        dial = turned(objective, dial, replace(observed(now_s, load, ready), longest_s=9000.0), curve)
    last = [
        turned(objective, dial, replace(observed(now_s + 7200.0, 400.0, ready), longest_s=9000.0), curve).rung
        for ready in (min(few, more), max(few, more))
    ]
    assert last[0] >= last[1]
