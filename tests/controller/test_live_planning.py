"""From what was seen of one workload to what is to be written."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workload_making import NO_FORECAST, NOW_S, known, pod, pods, running, setting, unknown, workload

from autoscaler.controller.acting.overrides import ANNOTATION
from autoscaler.controller.deciding import Planned, Seen, plan
from autoscaler.controller.running import Running
from autoscaler.planning.observation import Outlook
from autoscaler.series import Reading, State
from autoscaler.spec.units import format_time

DAY_S = 86_400.0


def seen(replicas: int, load: Reading, *, now_s: float = NOW_S, **changes: Any) -> Seen:
    """All pods ready, nobody else about."""
    fields: dict[str, Any] = {"pods": pods(replicas), "signals": (), "rival": ""}
    return Seen(now_s, setting(replicas, **changes.pop("dial", {})), load=load, **{**fields, **changes})


def planned(one: Running, what: Seen, outlook: Outlook = NO_FORECAST) -> Planned:
    return plan(one, what, lambda *_: outlook)


def settled(one: Running, replicas: int, load: float) -> Running:
    """With a whole window of decisions behind it, the last one a quarter of a minute ago."""
    for step in range(30, 0, -1):
        planned(one, seen(replicas, known(load), now_s=NOW_S - 15.0 * step))
    return one


def test_observed_load_is_served_and_no_more() -> None:
    one = settled(running(), 5, 50.0)
    assert planned(one, seen(5, known(95.0))).count == 10
    assert planned(one, seen(5, known(15.0), now_s=NOW_S + 15.0)).count == 2


@pytest.mark.parametrize("state", [state for state in State if state is not State.VALUE])
def test_a_load_that_is_not_known_never_lowers_the_count(state: State) -> None:
    number = 15.0 if state in (State.PARTIAL, State.STALE) else float("nan")
    one = settled(running(), 5, 15.0)
    assert planned(one, seen(5, Reading(state, number, 1.0))).count >= 5


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({"pods": None}, "the pods are not known"),
        ({"pods": pods(4, starting=1)}, "one is starting"),
        ({"pods": [*pods(4), pod("x", terminating=True)]}, "one is going, none has come"),
        ({"pods": [*pods(4), pod("x", ended=True)]}, "one has ended"),
        ({"pods": []}, "none is there"),
    ],
)
def test_nothing_is_removed_unless_all_that_were_asked_for_are_ready(what: dict[str, Any], why: str) -> None:
    one = settled(running(), 5, 15.0)
    assert planned(one, seen(5, known(15.0), **what)).count == 5, why


def test_surge_pods_of_a_rollout_are_not_counted() -> None:
    one = settled(running(), 5, 50.0)
    found = planned(one, seen(5, known(50.0), pods=pods(7)))
    assert (found.decision.observation.ready, found.count) == (5, 5)


@pytest.mark.parametrize(
    ("least", "most", "load", "count"),
    [
        (None, None, 15.0, 2),
        (4, None, 15.0, 4),  # never below what the autoscaler's minimum was
        (None, 8, 995.0, 8),  # nor above its maximum
        (None, 500, 995.0, 20),  # nor above our own
        (50, 8, 15.0, 8),  # bounds that contradict each other: the maximum holds
    ],
)
def test_the_dials_own_bounds_hold_as_well(
    least: int | None, most: int | None, load: float, count: int
) -> None:
    floor = {"kind": "HorizontalPodAutoscaler", "name": "web"}
    behavior = {
        "scaleUp": {"policies": [{"type": "Pods", "value": 1000, "periodSeconds": 15}]},
        "scaleDown": {"stabilizationWindowSeconds": 0},
    }
    one = running(floor=floor, maxReplicas=20, behavior=behavior)
    dial = {"least": least, "most": most}
    assert planned(settled(one, 4, 40.0), seen(4, known(load), dial=dial)).count == count


def test_the_lead_time_the_pods_show_is_what_decisions_look_ahead() -> None:
    asked: list[tuple[str, float, float, float]] = []

    def outlook(key: str, now_s: float, lead_time_s: float, quantile: float, headroom: float) -> Outlook:
        asked.append((key, now_s, lead_time_s, quantile))
        return NO_FORECAST

    one = running(forecast={"leadTime": "180s", "quantile": "0.9"})
    plan(one, seen(4, known(40.0), pods=pods(4)), outlook)
    found = plan(one, seen(5, known(40.0), pods=pods(5), now_s=NOW_S + 15.0), outlook)
    assert asked == [("shop/web", NOW_S, 180.0, 0.9), ("shop/web", NOW_S + 15.0, 30.0, 0.9)]
    assert (one.lead_time_s, found.policy.lead_time_s) == (30.0, 30.0)


def test_a_write_that_turns_out_to_have_happened_is_remembered_as_ours() -> None:
    one = settled(running(cooldown={"scaleUp": "10m"}), 5, 50.0)
    one.foreign.attempted = (5, 8, NOW_S - 11.0)
    found = planned(one, seen(8, known(200.0)))
    assert (NOW_S - 11.0, 3) in one.memory.scale_ups
    assert (found.hold, found.count) == (None, 8), "its cooldown holds, and no grace for a stranger"


def test_a_record_holds_the_memory_that_the_decision_started_from() -> None:
    one = settled(running(), 5, 50.0)
    before = one.memory
    found = planned(one, seen(5, known(95.0)))
    assert found.memory == before and one.memory == found.decision.memory != before


def override(count: int, for_s: float = 60.0) -> dict[str, str]:
    return {ANNOTATION: f"{count} until {format_time(NOW_S + for_s)}"}


@pytest.mark.parametrize(("asked", "count"), [(2, 2), (0, 0), (80, 80), (900, 100)])
def test_an_override_replaces_the_decision_and_not_what_is_remembered(asked: int, count: int) -> None:
    one = settled(running(annotations=override(asked)), 5, 50.0)
    found = planned(one, seen(5, known(95.0)))
    assert (found.count, found.decision.replicas) == (count, 10)


def test_a_freeze_writes_nothing_while_what_is_remembered_goes_on() -> None:
    frozen = {ANNOTATION: f"freeze until {format_time(NOW_S + 600.0)}"}
    one = settled(running(annotations=frozen, cooldown={"scaleUp": "10m"}), 5, 50.0)
    before = one.memory
    found = planned(one, seen(5, known(95.0), now_s=NOW_S + 15.0))
    assert (found.changes, found.hold, found.decision.replicas) == (False, None, 10)
    assert one.memory != before and not one.memory.scale_ups
    found = planned(one, seen(9, known(95.0), now_s=NOW_S + 30.0))
    assert found.count == 9, "whoever changes the count by hand is not undone"


def test_a_frozen_count_is_the_one_there_is_also_after_a_restart() -> None:
    frozen = {ANNOTATION: f"freeze until {format_time(NOW_S + 600.0)}"}
    assert not planned(running(annotations=frozen), seen(7, known(30.0))).changes


@pytest.mark.parametrize(("load", "count"), [(20.0, 6), (95.0, 10)])
def test_a_minimum_raises_what_was_decided_and_no_more(load: float, count: int) -> None:
    wanted = {ANNOTATION: f"at least 6 until {format_time(NOW_S + 600.0)}"}
    one = settled(running(annotations=wanted), 5, 50.0)
    assert planned(one, seen(5, known(load))).count == count


@pytest.mark.parametrize("mode", ["Paused", "Recommend"])
@pytest.mark.parametrize("annotations", [{}, override(7)])
def test_a_mode_that_writes_nothing_holds_whatever_is_asked_for(
    mode: str, annotations: dict[str, str]
) -> None:
    found = planned(running(mode=mode, annotations=annotations), seen(5, known(995.0)))
    assert found.hold is not None and found.hold.reason == mode


def test_changes_made_while_recommending_are_no_intrusion_once_it_is_active() -> None:
    one = running(mode="Recommend")
    for number, count in enumerate((3, 9, 4)):
        planned(one, seen(count, known(30.0), now_s=NOW_S + 15.0 * number))
    one.workload = workload(mode="Active", generation=2)
    assert planned(one, seen(4, known(30.0), now_s=NOW_S + 45.0)).hold is None


def test_changes_a_rival_made_are_no_intrusion_once_it_is_gone() -> None:
    one = running()
    for number, count in enumerate((3, 9, 4)):
        planned(one, seen(count, known(30.0), now_s=NOW_S + 15.0 * number, rival="HPA web"))
    assert planned(one, seen(4, known(30.0), now_s=NOW_S + 45.0)).hold is None


@pytest.mark.parametrize(
    ("before", "rival"),
    [
        ("Recommend", ""),
        ("Paused", ""),
        ("ScaleOutOnly", ""),
        ("Active", "HPA web"),
        ("Recommend", "HPA web"),
    ],
)
def test_a_count_that_becomes_ours_to_lower_stands_for_a_whole_window(before: str, rival: str) -> None:
    one = running(mode=before, behavior={})
    for step in range(40, 0, -1):
        planned(one, seen(8, known(15.0), now_s=NOW_S - 15.0 * step, rival=rival))
    one.workload = workload(mode="Active", behavior={}, generation=2)
    counts = [planned(one, seen(8, known(15.0), now_s=NOW_S + 15.0 * step)).count for step in range(21)]
    assert counts == [8] * 20 + [2]


def test_a_count_that_becomes_ours_may_be_raised_at_once() -> None:
    one = settled(running(mode="Recommend", behavior={}), 8, 15.0)
    one.workload = workload(mode="Active", behavior={}, generation=2)
    assert planned(one, seen(8, known(95.0))).count == 10


def test_a_count_that_has_been_ours_all_along_waits_for_no_new_window() -> None:
    one = settled(running(behavior={}), 8, 15.0)
    one.workload = workload(behavior={}, generation=2)
    assert planned(one, seen(8, known(15.0))).count == 2


@pytest.mark.parametrize("changes", [{"rival": "HPA web"}, {"blind": "hpas: forbidden"}])
def test_nothing_is_written_beside_a_rival_or_blindly(changes: dict[str, str]) -> None:
    found = planned(running(), seen(5, known(995.0), **changes))
    assert found.hold is not None and found.changes


readings = st.one_of(
    st.floats(0, 3000).map(known),
    st.sampled_from([unknown(state) for state in (State.EMPTY, State.FAILED, State.NOT_A_NUMBER)]),
    st.floats(0, 3000).map(lambda value: Reading(State.STALE, value, 900.0)),
    st.floats(0, 3000).map(lambda value: Reading(State.PARTIAL, value, 1.0, "a shard is missing")),
)
steps = st.tuples(readings, st.integers(0, 3), st.floats(0, 2000) | st.just(float("nan")), st.booleans())


@settings(max_examples=50, deadline=None)
@given(st.lists(steps, max_size=25), st.sampled_from(["Active", "ScaleOutOnly", "Recommend", "Paused"]))
def test_over_any_run_counts_stay_within_bounds_and_fall_only_on_what_is_known(
    schedule: list[tuple[Reading, int, float, bool]], mode: str
) -> None:
    one, count = running(mode=mode, minReplicas=2, maxReplicas=40), 5
    for number, (load, starting, peak, pods_known) in enumerate(schedule):
        there = pods(max(0, count - starting), starting) if pods_known else None
        outlook = Outlook(peak, peak, 0.0, "trend")
        what = seen(count, load, now_s=NOW_S + 15.0 * number, pods=there)
        found = planned(one, what, outlook)
        assert 2 <= found.count <= 40 or mode == "Paused"
        if found.count < count:
            assert load.known and pods_known and starting == 0 and mode not in ("ScaleOutOnly", "Paused")
            assert found.count * 10 >= min(load.value, count * 10)
        if found.hold is None:
            assert mode in ("Active", "ScaleOutOnly")
            one.foreign.wrote(count, found.count, what.now_s)
            count = found.count


def test_a_replaced_policy_is_only_for_this_decision() -> None:
    one = running()
    before = one.workload.policy
    planned(one, seen(5, known(50.0), dial={"least": 3, "most": 4}))
    assert before is not None and before.max_replicas == 100
    assert one.workload.policy is before
