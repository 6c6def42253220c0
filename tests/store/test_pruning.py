"""Forgetting: by age, by size, and never what is still needed."""

from __future__ import annotations

import math
import random
import time
from typing import Any

import pytest
from rowmaking import START_S, WORKLOAD, decision, memory, observed, state
from sqlalchemy import func, insert, select

from autoscaler.store import schema
from autoscaler.store.ids import new_id
from autoscaler.store.pruning import Pruned, Retention
from autoscaler.store.reach import NOWHERE, Reach, ages_s
from autoscaler.store.rows import Audited, ForecastMade, ManifestKept, Observed, Row
from autoscaler.store.sizing import used_bytes
from autoscaler.store.store import Store

_DAY_S = 86_400.0
_HOUR_S = 3_600.0
_FOR_EVER: dict[str, Any] = dict.fromkeys(
    ("decisions_s", "observations_s", "hours_s", "forecasts_s", "audit_s"), 1000 * _DAY_S
)


def _pruned(store: Store, retention: Retention, now_s: float) -> list[Pruned]:
    """All steps of one round."""
    steps = [store.prune(retention, now_s)]
    while steps[-1].more:
        assert len(steps) < 500, "no end"
        steps.append(store.prune(retention, now_s))
    return steps


def _count(store: Store, model: type[schema.Schema]) -> int:
    with store.engine.connect() as connection:
        found: int = connection.execute(select(func.count()).select_from(model)).scalar_one()
        return found


def test_decisions_go_when_their_time_is_over_and_take_their_reasons_along(store: Store) -> None:
    store.write([decision(START_S + 60 * number) for number in range(10)])
    retention = Retention(**_FOR_EVER | {"decisions_s": _DAY_S})
    (step,) = _pruned(store, retention, START_S + _DAY_S + 240)
    assert step == Pruned(decisions=4, observations=0, forecasts=0, more=False)
    assert [one.at_s for one in store.decisions(reason="ScaleUpLimit").decisions] == [
        START_S + 60 * number for number in range(9, 3, -1)
    ]
    assert _count(store, schema.DecisionReason) == 6


def test_much_is_forgotten_in_small_steps(store: Store) -> None:
    store.write([decision(START_S + number) for number in range(25)])
    steps = _pruned(store, Retention(step_rows=10), START_S + 31 * _DAY_S)
    assert [step.decisions for step in steps] == [10, 10, 5]


def test_what_decisions_share_stays_as_long_as_one_needs_it(store: Store) -> None:
    def shared(at_s: float, name: str) -> Row:
        return decision(at_s, payload={"policy": {"name": name}}, shared=("policy",))

    last = START_S + 20 * _DAY_S
    store.write([shared(START_S, "old"), shared(START_S, "kept"), shared(last, "kept")])
    _pruned(store, Retention(), START_S + 40 * _DAY_S)
    (left,) = store.decisions().decisions
    whole = store.decision(left.id)
    assert whole is not None and whole.payload["policy"] == {"name": "kept"}
    assert _count(store, schema.Document) == 1
    _pruned(store, Retention(), last + 40 * _DAY_S)
    assert _count(store, schema.Document) == 0


def test_single_observations_become_hours(store: Store) -> None:
    first = START_S - START_S % _HOUR_S
    rows: list[Row] = [
        Observed(WORKLOAD, first + 60 * number, float(number), 10 - number % 5, 4 + number % 2)
        for number in range(120)
    ]
    rows[3] = Observed(WORKLOAD, first + 180, math.nan, None, 4)
    store.write([*rows, observed(first, "shop/other")])
    # In the middle of the second hour: only the first is whole.
    _pruned(store, Retention(**_FOR_EVER | {"observations_s": _DAY_S}), first + 1.5 * _HOUR_S + _DAY_S)
    assert [one.at_s for one in store.observations(WORKLOAD, 0, 1e12)] == [
        first + _HOUR_S + 60 * number for number in range(60)
    ]
    (hour,) = store.hours(WORKLOAD, 0, 1e12)
    assert (hour.at_s, hour.rows, hour.load_max, hour.ready_min, hour.asked_max) == (first, 60, 59.0, 6, 5)
    assert hour.load_mean == pytest.approx((sum(range(60)) - 3) / 59)
    assert hour.asked_mean == pytest.approx((60 * 4 + 29) / 60)
    assert store.observations("shop/other", 0, 1e12) == []
    assert len(store.hours("shop/other", 0, 1e12)) == 1


def test_an_hour_in_which_the_load_was_never_known_says_so(store: Store) -> None:
    store.write([Observed(WORKLOAD, START_S, math.nan, None, 4)])
    _pruned(store, Retention(), START_S + 20 * _DAY_S)
    (hour,) = store.hours(WORKLOAD, 0, 1e12)
    assert math.isnan(hour.load_mean) and math.isnan(hour.load_max) and hour.ready_min is None


def test_many_workloads_are_rolled_up_a_few_at_a_time(store: Store) -> None:
    store.write([observed(START_S, f"shop/{number}") for number in range(7)])
    store.write([ForecastMade(f"shop/{number}", START_S, {}) for number in range(7)])
    steps = _pruned(store, Retention(step_workloads=3), START_S + 20 * _DAY_S)
    assert [(step.observations, step.forecasts) for step in steps] == [(3, 3), (3, 3), (1, 1)]


def test_memories_of_workloads_that_are_long_gone_go_too(store: Store) -> None:
    store.write([memory(START_S, "shop/gone"), memory(START_S + 30 * _DAY_S)])
    store.write([Audited(new_id(START_S), START_S, "ann", "look", WORKLOAD, True, {})])
    _pruned(store, Retention(), START_S + 31 * _DAY_S)
    assert list(store.memories()) == [WORKLOAD]
    assert len(store.audit()) == 1
    _pruned(store, Retention(), START_S + 401 * _DAY_S)
    assert store.audit() == []


def test_states_that_nobody_writes_any_more_go_and_their_manifests_with_them(store: Store) -> None:
    now_s = time.time()
    for workload, at_s in ((WORKLOAD, START_S), ("shop/later", now_s + 3 * _DAY_S)):
        store.write([ManifestKept(workload, at_s, {}), state(at_s, workload)])
    _pruned(store, Retention(), now_s + 6 * _DAY_S)
    assert store.state_keys() == {WORKLOAD, "shop/later"}
    assert store.manifest(WORKLOAD) is not None, "old as it is, it is the one in force"
    _pruned(store, Retention(), now_s + 8 * _DAY_S)
    assert store.state_keys() == frozenset()
    assert store.manifest(WORKLOAD) is None
    assert store.manifest("shop/later") is not None, "its state may be on its way"


def test_a_store_tells_how_far_back_each_kind_of_row_reaches(store: Store) -> None:
    assert store.reach() == NOWHERE
    for workload, later_s in (("shop/first", 600), ("shop/second", 0)):
        at_s = START_S + later_s
        store.write([decision(at_s, workload), observed(at_s + 60, workload)])
        store.write([ForecastMade(workload, at_s + 120, {})])
    assert store.reach() == Reach(START_S, START_S + 60, None, START_S + 120)
    _pruned(store, Retention(**_FOR_EVER | {"observations_s": _DAY_S}), START_S + 2 * _DAY_S)
    hour_s = START_S - START_S % _HOUR_S
    assert store.reach() == Reach(START_S, None, hour_s, START_S + 120)
    ages = ages_s(store.reach(), START_S + _DAY_S)
    assert (ages["decisions"], ages["forecasts"]) == (_DAY_S, _DAY_S - 120)
    assert math.isnan(ages["observations"])


def test_nothing_goes_before_its_time(store: Store) -> None:
    store.write([decision(), memory(), observed(), ForecastMade(WORKLOAD, START_S, {})])
    (step,) = _pruned(store, Retention(), START_S + _DAY_S)
    assert step == Pruned(0, 0, 0, more=False)
    assert _count(store, schema.Decision) == _count(store, schema.Memory) == 1


def _bulk(store: Store, count: int) -> None:
    """Decisions a minute apart whose payload does not compress, and observations beside them."""
    noise = random.Random(1)
    for start in range(0, count, 500):
        rows: list[Row] = []
        for number in range(start, min(start + 500, count)):
            at_s = START_S + 60 * number
            rows.append(decision(at_s, payload={"noise": noise.randbytes(400).hex()}))
            rows.append(observed(at_s))
        store.write(rows)


def test_a_store_that_grows_too_large_loses_its_oldest_rows_until_it_fits(store: Store) -> None:
    count = 3_000
    _bulk(store, count)
    now_s = START_S + 60 * count
    most = 1024**2
    retention = Retention(**_FOR_EVER, max_bytes=most)
    steps = _pruned(store, retention, now_s)
    assert sum(step.decisions for step in steps) > 0
    assert steps[0].outgrown and not steps[-1].outgrown
    with store.engine.connect() as connection:
        assert used_bytes(connection, most) <= most
    left = store.decisions(limit=1000)
    assert left.decisions[0].at_s == now_s - 60, "the newest are kept"
    kept = _count(store, schema.Decision)
    assert kept * 600 > most / 3, "no more went than had to"
    # What was freed is not taken for being in use: nothing else goes.
    assert _pruned(store, retention, now_s) == [Pruned(0, 0, 0, more=False)]
    store.write([decision(now_s)])
    assert _count(store, schema.Decision) == kept + 1


def test_in_a_store_that_is_too_large_old_forecasts_go_before_all_else(store: Store) -> None:
    noise = random.Random(1)
    count = 3_000
    now_s = START_S + 60 * count
    forecasts: list[Row] = [
        ForecastMade(WORKLOAD, START_S + 60 * number, {"noise": noise.randbytes(300).hex()})
        for number in range(count)
    ]
    store.write([*forecasts, *(decision(START_S + 60 * number) for number in range(0, count, 10))])
    with store.engine.connect() as connection:
        most = used_bytes(connection, 0) * 3 // 4
    _pruned(store, Retention(**_FOR_EVER, max_bytes=most), now_s)
    assert _count(store, schema.Decision) == count // 10
    left = store.forecasts(WORKLOAD, 0, 1e12, limit=1)
    assert left[0].made_at_s == now_s - 60, "the newest are kept"
    assert _count(store, schema.Forecast) < count
    _pruned(store, Retention(**_FOR_EVER, max_bytes=most // 4), now_s)
    assert _count(store, schema.Decision) < count // 10, "it is no use where the newest day is too much"


def test_hours_go_early_only_where_they_alone_are_too_many(store: Store) -> None:
    workloads, days = 40, 60
    now_s = START_S + days * _DAY_S
    hours = [
        {"at_s": int(START_S + _HOUR_S * number), "rows": 60, "asked_mean": 4.0, "asked_max": 4}
        for number in range(24 * days)
    ]
    store.write([observed(now_s - 60, f"shop/{number}") for number in range(workloads)])
    with store.engine.begin() as connection:
        for number in range(1, workloads + 1):
            connection.execute(
                insert(schema.ObservationHour), [{**hour, "workload_id": number} for hour in hours]
            )
        most = used_bytes(connection, 0) * 3 // 4
    all_hours = _count(store, schema.ObservationHour)
    store.write([decision(now_s - 5 * _DAY_S + 600 * number) for number in range(100)])
    _pruned(store, Retention(**_FOR_EVER, max_bytes=most), now_s)
    assert _count(store, schema.Decision) < 100, "older decisions go first"
    left = _count(store, schema.ObservationHour)
    assert all_hours / 2 < left < all_hours
    assert store.hours("shop/0", now_s - 2 * _DAY_S, now_s), "the newest are kept"


def test_observations_of_the_last_day_outlast_decisions_and_forecasts_of_it(store: Store) -> None:
    noise = random.Random(1)
    now_s = START_S + _DAY_S / 2
    forecasts: list[Row] = [
        ForecastMade(WORKLOAD, START_S + 300 * number, {"noise": noise.randbytes(3000).hex()})
        for number in range(144)
    ]
    observations = [observed(START_S + 60 * number) for number in range(720)]
    store.write([*forecasts, *observations, *(decision(START_S + 60 * number) for number in range(720))])
    with store.engine.connect() as connection:
        most = used_bytes(connection, 0) // 2
    _pruned(store, Retention(**_FOR_EVER, max_bytes=most), now_s)
    assert _count(store, schema.Observation) == 720
    assert 0 < _count(store, schema.Forecast) < 144
    assert 0 < _count(store, schema.Decision) < 720
    _pruned(store, Retention(**_FOR_EVER, max_bytes=1), now_s)
    assert _count(store, schema.Observation) == 0, "nothing is kept at any price"
