"""Scores against hand-computed cases and against plain loops over one step at a time."""

from __future__ import annotations

import itertools
import math
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.backtest.result import Scores
from autoscaler.backtest.scores import count_reversals, need, score, shortfall
from autoscaler.series import Floats, Ints

NAN = math.nan


def floats(*values: float) -> Floats:
    return np.array(values, dtype=np.float64)


def ints(*values: int) -> Ints:
    return np.array(values, dtype=np.int64)


def scored(load: Floats, desired: Ints, ready: Ints, **changes: object) -> Scores:
    settings: dict[str, object] = {
        "per_replica": 10.0,
        "step_s": 60.0,
        "price": 0.12,
        "scored_from": 0,
        "oracle_desired": None,
    }
    return score(load, desired, ready, **(settings | changes))  # type: ignore[arg-type]  # a table of overrides


def test_a_case_worked_out_by_hand() -> None:
    load = floats(10, 25, 40, 40, 0)
    desired = ints(1, 3, 4, 4, 1)
    ready = ints(1, 1, 3, 4, 1)
    got = scored(load, desired, ready, oracle_desired=ints(1, 3, 4, 4, 1))
    # need 1 3 4 4 1; short by 15 in the second step and by 10 in the third
    assert got.unserved_share == pytest.approx(25 / 115)
    assert got.minutes_short == 2.0
    assert got.longest_shortage_s == 120.0
    assert got.replica_hours == pytest.approx(13 / 60)
    assert got.money == pytest.approx(13 / 60 * 0.12)
    assert got.cost_ratio == 1.0
    assert got.oracle_ratio == 1.0
    assert got.changes_per_day == pytest.approx(3 * 1440 / 5)
    assert got.reversals_per_day == pytest.approx(1 * 1440 / 5)
    assert got.under_accuracy == pytest.approx((2 / 3 + 1 / 4) / 5)
    assert got.over_accuracy == 0.0
    assert got.under_timeshare == pytest.approx(2 / 5)
    assert got.over_timeshare == 0.0


def test_missing_load_is_neither_served_nor_short_but_its_replicas_are_paid() -> None:
    got = scored(floats(30, NAN, 30), ints(1, 1, 1), ints(1, 1, 1))
    assert got.unserved_share == pytest.approx(40 / 60)
    assert got.minutes_short == 2.0
    assert got.longest_shortage_s == 60.0, "nobody knows whether the unknown step was short"
    assert got.replica_hours == pytest.approx(3 / 60)
    assert got.cost_ratio == pytest.approx(2 / 6)


def test_nothing_known_gives_no_figures() -> None:
    got = scored(floats(NAN, NAN), ints(1, 1), ints(1, 1))
    assert math.isnan(got.unserved_share)
    assert math.isnan(got.minutes_short)
    assert math.isnan(got.longest_shortage_s)
    assert math.isnan(got.cost_ratio)
    assert math.isnan(got.under_timeshare)


def test_no_load_at_all_leaves_nothing_unserved() -> None:
    got = scored(floats(0, 0), ints(1, 1), ints(0, 0))
    assert got.unserved_share == 0.0
    assert got.minutes_short == 0.0
    assert got.cost_ratio == 1.0, "one replica is needed even without load"


def test_warm_up_does_not_count() -> None:
    late = scored(floats(999, 999, 10), ints(9, 9, 1), ints(0, 0, 1), scored_from=2)
    assert late.unserved_share == 0.0
    assert late.replica_hours == pytest.approx(1 / 60)
    assert late.changes_per_day == 0.0


@pytest.mark.parametrize(
    ("load", "per_replica", "replicas"),
    [
        pytest.param(300.0, 0.1, 3000, id="rounding-of-a-division"),
        pytest.param(0.0, 5.0, 1, id="never-below-one"),
        pytest.param(5.0, 5.0, 1, id="exactly-full"),
        pytest.param(5.001, 5.0, 2, id="a-little-over"),
    ],
)
def test_need(load: float, per_replica: float, replicas: int) -> None:
    assert need(floats(load), per_replica)[0] == replicas


def test_capacity_equal_to_load_is_no_shortage() -> None:
    assert shortfall(floats(0.3), ints(3), 0.1)[0] == 0.0


@pytest.mark.parametrize(
    ("desired", "reversals"),
    [
        pytest.param((1, 2, 1), 1, id="up-down"),
        pytest.param((1, 2, 3, 4), 0, id="one-way"),
        pytest.param((1, 2, *[2] * 9, 1), 1, id="ten-minutes-later"),
        pytest.param((1, 2, *[2] * 10, 1), 0, id="eleven-minutes-later"),
        pytest.param((1, 2, 1, 2, 1), 3, id="to-and-fro"),
        pytest.param((5,), 0, id="one-step"),
    ],
)
def test_reversals(desired: tuple[int, ...], reversals: int) -> None:
    assert count_reversals(ints(*desired), 60.0) == reversals


def by_plain_loops(load: Floats, desired: Ints, ready: Ints, oracle: Ints, begin: int) -> dict[str, float]:
    """The same figures written as one would on paper, for 10 load a replica and 60 s steps."""
    lost = total = needed = asked = ideal = 0.0
    known = short = longest = streak = 0
    under = over = under_time = over_time = 0.0
    hours = 0.0
    changes: list[tuple[int, int]] = []
    for t in range(begin, len(load)):
        hours += int(desired[t]) / 60
        if t > begin and desired[t] != desired[t - 1]:
            changes.append((t, 1 if desired[t] > desired[t - 1] else -1))
        if math.isnan(load[t]):
            streak = 0
            continue
        known += 1
        d = 1
        while d * 10 < load[t]:
            d += 1
        needed, asked, ideal = needed + d, asked + int(desired[t]), ideal + int(oracle[t])
        total += load[t]
        lost += max(0.0, load[t] - int(ready[t]) * 10)
        streak = streak + 1 if load[t] > int(ready[t]) * 10 else 0
        short += streak > 0
        longest = max(longest, streak)
        under += max(0, d - int(ready[t])) / d
        over += max(0, int(ready[t]) - d) / d
        under_time += d > ready[t]
        over_time += d < ready[t]
    flips = sum(
        before[1] != after[1] and after[0] - before[0] <= 10 for before, after in itertools.pairwise(changes)
    )
    days = (len(load) - begin) / 1440
    return {
        "unserved_share": lost / total if total else 0.0,
        "minutes_short": short,
        "longest_shortage_s": longest * 60,
        "replica_hours": hours,
        "money": hours * 0.12,
        "cost_ratio": asked / needed,
        "oracle_ratio": asked / ideal,
        "changes_per_day": len(changes) / days,
        "reversals_per_day": flips / days,
        "under_accuracy": under / known,
        "over_accuracy": over / known,
        "under_timeshare": under_time / known,
        "over_timeshare": over_time / known,
    }


@given(st.integers(0, 2**32 - 1), st.integers(2, 120), st.integers(0, 40))
def test_scores_equal_plain_loops(seed: int, length: int, begin: int) -> None:
    random = np.random.default_rng(seed)
    load = random.integers(0, 90, length).astype(np.float64)
    load[random.random(length) < 0.1] = np.nan
    load[-1] = 30.0
    desired, ready, oracle = (np.maximum(1, random.integers(0, 9, length)).astype(np.int64) for _ in range(3))
    begin = min(begin, length - 1)
    got = scored(load, desired, ready, scored_from=begin, oracle_desired=oracle)
    wanted = by_plain_loops(load, desired, ready, oracle, begin)
    assert {field.name for field in fields(Scores)} - set(wanted) == {"equal_cost"}
    for name, value in wanted.items():
        assert getattr(got, name) == pytest.approx(value, abs=1e-12), name
