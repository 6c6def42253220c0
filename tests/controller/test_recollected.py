"""What the operator knows of a workload after a restart, and after its target was changed."""

from __future__ import annotations

from typing import Any

import pytest
from workload_making import NOW_S, known, pods, running, setting, workload

from autoscaler.controller.deciding import Seen, no_outlook, plan
from autoscaler.controller.running import OwnWrites, Running, recollected, turned_to
from autoscaler.planning.memory import Memory, Spent
from autoscaler.spec.units import format_time

HOUR_S, DAY_S = 3600.0, 86_400.0


def status(before: int = 3, after: int = 5, ago_s: float = 60.0, **more: Any) -> dict[str, Any]:
    scale = {"time": format_time(NOW_S - ago_s), "before": before, "after": after}
    return {"lastScale": scale, **more}


def recalled(stored: Memory | None = None, told: dict[str, Any] | None = None, **spec: Any) -> Running:
    return recollected(workload(status=told, **spec), stored, NOW_S)


def count(one: Running, replicas: int, load: float) -> tuple[int, str]:
    seen = Seen(NOW_S, setting(replicas), pods(replicas), known(load), (), "")
    planned = plan(one, seen, lambda *_: no_outlook("none yet"))
    return planned.count, "" if planned.hold is None else planned.hold.reason


def test_without_store_and_status_nothing_is_known_and_nothing_removed_at_first() -> None:
    one = recalled(behavior={})
    assert one.memory == Memory()
    assert count(one, 5, 10.0) == (5, "")


@pytest.mark.parametrize("reason", ["Recommend", "RivalFound", "Paused", "Scaling"])
def test_a_count_that_became_ours_while_nobody_ran_stands_for_a_whole_window(reason: str) -> None:
    observed = Memory(NOW_S - 15.0, tuple((NOW_S - 15.0 * step, 1) for step in range(20, 0, -1)))
    condition = {
        "type": "ScalingActive",
        "status": "True" if reason == "Scaling" else "False",
        "lastTransitionTime": format_time(NOW_S - 60.0),
        "reason": reason,
        "message": "",
    }
    one = recalled(observed, {"conditions": [condition]}, behavior={}, mode="Active")
    assert count(one, 5, 10.0) == (1 if reason == "Scaling" else 5, "")


def test_the_stores_memory_is_taken_where_the_status_tells_nothing_newer() -> None:
    stored = Memory(decided_s=NOW_S - 20.0, scale_ups=((NOW_S - 60.4, 2),))
    assert recalled(stored, status()).memory == stored
    assert recalled(stored).memory == stored


def test_a_write_that_the_stored_memory_has_outlived_is_not_counted_twice() -> None:
    stored = Memory(decided_s=NOW_S - 20.0)
    assert recalled(stored, status(ago_s=600.0)).memory == stored


def test_a_write_that_was_about_to_be_made_when_the_process_ended_is_ours_if_it_shows() -> None:
    attempted = OwnWrites(attempted=(5, 8, NOW_S - 10.0))
    one = recollected(workload(status=status()), Memory(decided_s=NOW_S - 10.0), NOW_S, attempted)
    assert count(one, 8, 80.0) == (8, "")
    assert one.memory.scale_ups[-1] == (NOW_S - 10.0, 3)


def test_a_write_that_was_about_to_be_made_and_does_not_show_never_was() -> None:
    attempted = OwnWrites(attempted=(5, 8, NOW_S - 10.0))
    one = recollected(workload(status=status()), Memory(decided_s=NOW_S - 10.0), NOW_S, attempted)
    assert count(one, 5, 50.0) == (5, "")
    assert (NOW_S - 10.0, 3) not in one.memory.scale_ups


def test_a_write_that_followed_another_within_a_second_is_ours_if_it_shows() -> None:
    """The status tells whole seconds, and only of the first."""
    wrote = status(3, 5)
    attempted = OwnWrites(attempted=(5, 8, NOW_S - 60.0 + 0.7))
    one = recollected(workload(status=wrote), Memory(decided_s=NOW_S - 60.0), NOW_S, attempted)
    assert count(one, 8, 80.0) == (8, "")


def test_a_write_that_the_status_tells_of_is_counted_once() -> None:
    stored = Memory(decided_s=NOW_S - 60.0, scale_ups=((NOW_S - 60.0 + 0.7, 2),))
    attempted = OwnWrites(attempted=(3, 5, NOW_S - 60.0 + 0.7))
    one = recollected(workload(status=status(3, 5)), stored, NOW_S, attempted)
    assert one.memory == stored
    assert one.foreign.attempted is None


def test_a_write_that_only_the_store_knows_is_ours() -> None:
    stored = Memory(decided_s=NOW_S - 10.0, scale_ups=((NOW_S - 10.0, 3),))
    one = recollected(workload(status=status()), stored, NOW_S, OwnWrites(last=(5, 8, NOW_S - 10.0)))
    assert count(one, 8, 80.0) == (8, "")
    assert count(one, 7, 80.0)[1] == "ManualGrace"


def test_a_store_that_is_older_than_the_status_does_not_say_who_wrote() -> None:
    writes = OwnWrites(last=(9, 4, NOW_S - DAY_S), attempted=(4, 9, NOW_S - DAY_S))
    one = recollected(workload(status=status()), Memory(decided_s=NOW_S - DAY_S), NOW_S, writes)
    assert count(one, 5, 50.0) == (5, "")
    assert count(one, 9, 50.0)[1] == "ManualGrace"


@pytest.mark.parametrize("stored", [None, Memory(decided_s=NOW_S - DAY_S, scale_ups=((NOW_S - DAY_S, 1),))])
@pytest.mark.parametrize(("before", "after"), [(3, 5), (5, 3)])
def test_a_write_that_only_the_status_knows_starts_its_cooldown_again(
    stored: Memory | None, before: int, after: int
) -> None:
    """The store is gone, or was restored from yesterday's backup."""
    one = recalled(stored, status(before, after), cooldown={"scaleUp": "5m", "scaleDown": "5m"})
    events = one.memory.scale_ups if after > before else one.memory.scale_downs
    assert events[-1] == (NOW_S - 60.0, 2)
    asked, held = count(one, after, 500.0)
    assert held == ""
    assert asked == (after if after > before else 7), "a scale-in delays no scale-out"
    assert count(recalled(stored, status(before, after), cooldown={"scaleDown": "5m"}), after, 10.0) == (
        after,
        "",
    )


def test_the_rate_window_of_the_last_write_holds_across_a_restart() -> None:
    rule = {"policies": [{"type": "Pods", "value": 4, "periodSeconds": 120}]}
    one = recalled(None, status(3, 7), behavior={"scaleUp": rule})
    assert count(one, 7, 500.0) == (7, "")


def test_a_count_that_is_not_what_we_wrote_last_is_left_alone_after_a_restart_too() -> None:
    assert count(recalled(None, status(3, 5)), 9, 90.0)[1] == "ManualGrace"
    assert count(recalled(None, status(3, 5)), 5, 90.0)[1] == ""


PRICED = {"replicaHourPrice": "1", "dailyBudget": "100"}


def spent(today: str, month: str, at_s: float, current: int = 4) -> dict[str, Any]:
    return {"current": current, "spend": {"time": format_time(at_s), "today": today, "month": month}}


def test_money_spent_is_read_from_the_status_as_if_the_count_had_stood_since() -> None:
    at_s = NOW_S - NOW_S % DAY_S + 6 * HOUR_S
    one = recollected(workload(status=spent("24.00", "300.00", at_s), spend=PRICED), None, at_s + HOUR_S)
    assert (one.memory.spent.day, one.memory.spent.month) == pytest.approx((28.0, 304.0))


def test_on_a_new_day_only_what_was_spent_since_its_start_is_carried_over() -> None:
    midnight_s = NOW_S - NOW_S % DAY_S
    told = spent("90.00", "300.00", midnight_s - HOUR_S)
    one = recollected(workload(status=told, spend=PRICED), None, midnight_s + 2 * HOUR_S)
    assert (one.memory.spent.day, one.memory.spent.month) == pytest.approx((8.0, 312.0))


@pytest.mark.parametrize(
    "told",
    [
        None,
        {"load": "3"},
        spent("a lot", "300.00", NOW_S),
        spent("nan", "300.00", NOW_S),
        spent("3.00", "inf", NOW_S),
    ],
)
def test_money_that_cannot_be_read_is_counted_afresh(told: dict[str, Any] | None) -> None:
    assert recalled(None, told, spend=PRICED).memory == Memory()


def test_without_a_price_no_money_is_recalled() -> None:
    assert recalled(None, spent("24.00", "300.00", NOW_S)).memory == Memory()


def test_the_stores_money_is_taken_before_the_status() -> None:
    stored = Memory(decided_s=NOW_S - 20.0, spent=Spent(0.0, 7.0, 0.0, 8.0))
    assert recalled(stored, spent("24.00", "300.00", NOW_S), spend=PRICED).memory == stored


TO_DB = {"scaleTargetRef": {"kind": "Deployment", "name": "db"}}
FLOOR = {"floor": {"kind": "HorizontalPodAutoscaler", "name": "web"}}


@pytest.mark.parametrize("change", [TO_DB, FLOOR])
def test_of_another_target_only_the_money_still_counts(change: dict[str, Any]) -> None:
    one = running(memory=Memory(NOW_S, ((NOW_S, 9),), ((NOW_S, 4),), (), Spent(0.0, 7.0, 0.0, 8.0)))
    one.foreign.saw(9, NOW_S, False, ours=True)
    turned = turned_to(one, workload(generation=2, **change))
    assert turned.memory == Memory(spent=Spent(0.0, 7.0, 0.0, 8.0))
    assert count(turned, 3, 30.0)[1] == "", "its count is nobody's intrusion"


@pytest.mark.parametrize(
    ("before", "after"),
    [({}, {"maxReplicas": 7}), ({"maxReplicas": 0}, {}), ({}, {"annotations": {"a": "b"}})],
)
def test_any_other_change_forgets_nothing(before: dict[str, Any], after: dict[str, Any]) -> None:
    one = running(memory=Memory(NOW_S), **before)
    newest = workload(generation=2, **after)
    assert turned_to(one, newest) is one
    assert (one.memory, one.workload) == (Memory(NOW_S), newest)
