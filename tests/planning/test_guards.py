"""Each guard by hand-computed cases: what it changes, what it leaves alone, and what it says."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from autoscaler.planning.decide import accepted, decide
from autoscaler.planning.decision import Decision, Reason
from autoscaler.planning.explain import explain
from autoscaler.planning.memory import LatencyTrial, Memory, Spent
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.policy import (
    KnownEvent,
    Mode,
    OnBreach,
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

NOW_S = 1_700_000_000.0 - 1_700_000_000.0 % 86_400  # a UTC midnight
FREE = ScalingRules(0.0, SelectPolicy.MAX, (RatePolicy(PolicyType.PERCENT, 100_000, 15.0),), 0.1)
INSTANT_DOWN = ScalingRules(0.0, SelectPolicy.MAX, (RatePolicy(PolicyType.PERCENT, 100, 15.0),), 0.1)
POLICY = Policy(
    name="test",
    min_replicas=1,
    max_replicas=1000,
    load_per_replica=10.0,
    scale_up=FREE,
    scale_down=INSTANT_DOWN,
)
NO_FORECAST = Outlook(peak=math.nan, expected=math.nan, age_s=0.0, model="none", note="no history")


def value(number: float) -> Reading:
    return Reading(State.VALUE, number, 0.0)


def at(
    load: float | Reading,
    current: int,
    *,
    ready: int | None = -1,
    signals: tuple[Reading, ...] = (),
    now_s: float = NOW_S,
) -> Observation:
    reading = load if isinstance(load, Reading) else value(load)
    return Observation(now_s, reading, current, current if ready == -1 else ready, signals)


def outlook(peak: float, expected: float = math.nan) -> Outlook:
    return Outlook(peak=peak, expected=expected, age_s=0.0, model="test")


def reasons(decision: Decision) -> list[Reason]:
    return [change.reason for change in decision.changes]


def test_the_larger_of_forecast_and_present_load_wins() -> None:
    assert decide(POLICY, at(95, 5), outlook(120), Memory()).replicas == 12
    assert decide(POLICY, at(140, 5), outlook(120), Memory()).replicas == 14


def test_a_forecast_alone_never_lowers_the_count() -> None:
    decision = decide(POLICY, at(Reading(State.EMPTY), 9), outlook(10), Memory())
    assert decision.replicas == 9
    assert reasons(decision) == [Reason.UNKNOWN_SIGNAL]


def test_where_nothing_has_an_opinion_the_present_count_is_the_wish() -> None:
    decision = decide(POLICY, at(Reading(State.EMPTY), 9), NO_FORECAST, Memory())
    assert (decision.wished, decision.replicas, reasons(decision)) == (9, 9, [])


def test_a_load_that_fits_exactly_needs_no_replica_more() -> None:
    assert 2.1 / 0.3 > 7.0  # by rounding
    assert decide(replace(POLICY, load_per_replica=0.3), at(2.1, 5), NO_FORECAST, Memory()).replicas == 7


@pytest.mark.parametrize("state", [state for state in State if state is not State.VALUE])
def test_every_state_but_a_value_vetoes_scale_in(state: State) -> None:
    number = 10.0 if state in (State.PARTIAL, State.STALE) else math.nan
    decision = decide(POLICY, at(Reading(state, number), 9), NO_FORECAST, Memory())
    assert decision.replicas == 9


def test_an_unknown_signal_does_not_block_scale_out_by_another() -> None:
    policy = replace(POLICY, signals=(SignalPolicy("cpu", SignalType.CPU, target=50.0),))
    decision = decide(policy, at(200, 9, signals=(Reading(State.FAILED),)), NO_FORECAST, Memory())
    assert decision.replicas == 20


def test_a_partial_sum_may_add_but_a_stale_value_may_not() -> None:
    assert decide(POLICY, at(Reading(State.PARTIAL, 200.0), 9), NO_FORECAST, Memory()).replicas == 20
    assert decide(POLICY, at(Reading(State.STALE, 200.0), 9), NO_FORECAST, Memory()).replicas == 9


@pytest.mark.parametrize(
    ("utilization", "ready", "expected"),
    [
        pytest.param(50.0, 10, 10, id="on target"),
        pytest.param(54.0, 10, 10, id="within the 10 % tolerance"),
        pytest.param(56.0, 10, 12, id="above it: ceil(10 * 56 / 50)"),
        pytest.param(100.0, 10, 20, id="double"),
        pytest.param(100.0, 6, 12, id="only ready pods use CPU: ceil(6 * 100 / 50)"),
    ],
)
def test_cpu_follows_the_hpa_formula(utilization: float, ready: int, expected: int) -> None:
    policy = replace(POLICY, signals=(SignalPolicy("cpu", SignalType.CPU, target=50.0),))
    decision = decide(policy, at(10, 10, ready=ready, signals=(value(utilization),)), NO_FORECAST, Memory())
    assert decision.wishes[2].replicas == expected


def test_queue_depth_adds_what_drains_the_backlog_to_what_the_load_needs() -> None:
    signal = SignalPolicy("queue", SignalType.QUEUE_DEPTH, drain_within_s=60.0, per_replica=5.0)
    decision = decide(
        replace(POLICY, signals=(signal,)), at(40, 4, signals=(value(900.0),)), NO_FORECAST, Memory()
    )
    assert decision.replicas == 4 + 3  # 40 / 10 for the load, 900 / (5 * 60) for the backlog


LATENCY = SignalPolicy("latency", SignalType.LATENCY, target=0.25)
SLOW = replace(POLICY, signals=(LATENCY,), lead_time_s=60.0, step_s=60.0)


@pytest.mark.parametrize(
    ("latency_s", "expected"),
    [
        pytest.param(0.25, 20, id="at the threshold"),
        pytest.param(0.30, 22, id="a little above: a tenth more"),
        pytest.param(0.45, 24, id="well above: a fifth more"),
        pytest.param(30.0, 30, id="however far above: half more"),
    ],
)
def test_latency_asks_for_a_bounded_step(latency_s: float, expected: int) -> None:
    assert decide(SLOW, at(200, 20, signals=(value(latency_s),)), NO_FORECAST, Memory()).replicas == expected


def test_latency_waits_for_the_effect_of_its_last_step() -> None:
    first = decide(SLOW, at(10, 20, signals=(value(1.0),)), NO_FORECAST, Memory())
    later = at(10, 30, signals=(value(1.0),), now_s=NOW_S + 60)
    assert decide(SLOW, later, NO_FORECAST, first.memory).replicas == 30


def test_latency_that_more_pods_do_not_improve_stops_asking_but_still_vetoes_scale_in() -> None:
    memory = Memory(decided_s=NOW_S - 60, trials=(("latency", LatencyTrial(NOW_S - 600, 1.0, 1)),))
    decision = decide(SLOW, at(10, 30, signals=(value(1.0),)), NO_FORECAST, memory)
    assert decision.replicas == 30
    assert "no improvement" in explain(decision)


def test_errors_veto_scale_in_and_ask_for_nothing() -> None:
    policy = replace(POLICY, signals=(SignalPolicy("errors", SignalType.ERRORS, target=0.05),))
    sick = decide(policy, at(10, 9, signals=(value(0.2),)), NO_FORECAST, Memory(decided_s=NOW_S - 60))
    assert (sick.replicas, reasons(sick)) == (9, [Reason.UNHEALTHY])
    assert (
        decide(policy, at(10, 9, signals=(value(0.01),)), NO_FORECAST, Memory(decided_s=NOW_S - 60)).replicas
        == 1
    )


def test_nothing_is_removed_while_pods_are_starting() -> None:
    decision = decide(POLICY, at(10, 9, ready=7), NO_FORECAST, Memory(decided_s=NOW_S - 60))
    assert (decision.replicas, reasons(decision)) == (9, [Reason.PODS_NOT_READY])


def test_the_loss_of_a_zone_is_provided_for() -> None:
    policy = replace(POLICY, zones=3, zones_lost=1)
    assert decide(policy, at(100, 5), NO_FORECAST, Memory()).replicas == 15


def test_zone_headroom_does_not_feed_on_itself() -> None:
    policy = replace(POLICY, zones=3, zones_lost=1)
    memory, current = Memory(), 10
    for step in range(50):
        decision = decide(policy, at(100, current, now_s=NOW_S + 60 * step), NO_FORECAST, memory)
        memory, current = decision.memory, decision.replicas
    assert current == 15


@pytest.mark.parametrize(
    ("load", "signals", "most"),
    [
        pytest.param(Reading(State.FAILED), (), 15, id="nothing has an opinion"),
        pytest.param(value(100.0), (LATENCY,), 17, id="latency waits for the effect of its one step"),
    ],
)
def test_zone_headroom_does_not_multiply_a_count_that_is_only_held(
    load: Reading, signals: tuple[SignalPolicy, ...], most: int
) -> None:
    policy = replace(POLICY, zones=3, zones_lost=1, signals=signals, lead_time_s=3600.0)
    memory, current = Memory(), 15
    for step in range(20):
        seen = at(load, current, signals=tuple(value(0.3) for _ in signals), now_s=NOW_S + 60 * step)
        decision = decide(policy, seen, NO_FORECAST, memory)
        memory, current = decision.memory, decision.replicas
    assert current == most


SICK_SIGNALS = (SignalPolicy("errors", SignalType.ERRORS, target=0.05),)


def test_an_outage_keeps_capacity_until_the_recovery_window_is_over() -> None:
    policy = replace(POLICY, signals=SICK_SIGNALS, outage=OutagePolicy(drop=0.5, recovery_s=600.0))
    memory, current = Memory(decided_s=NOW_S - 60), 20

    def step(offset_s: float, load: float, errors: float) -> Decision:
        return decide(
            policy,
            at(load, current, signals=(value(errors),), now_s=NOW_S + offset_s),
            outlook(load, expected=200.0 if offset_s < 120 else load),
            memory,
        )

    hit = step(0, 10, 0.9)
    assert (hit.replicas, Reason.OUTAGE_FLOOR in reasons(hit)) == (20, True)
    memory = hit.memory
    for offset_s in range(60, 660, 60):  # healthy again, load still low: retries may come
        recovering = step(offset_s - 1, 10, 0.0)
        assert recovering.replicas == 20
        memory = recovering.memory
    assert step(661, 10, 0.0).replicas == 1


def test_low_load_without_errors_is_low_demand() -> None:
    policy = replace(POLICY, signals=SICK_SIGNALS, outage=OutagePolicy(drop=0.5, recovery_s=600.0))
    healthy = at(10, 20, signals=(value(0.0),))
    assert decide(policy, healthy, outlook(10, 200), Memory(decided_s=NOW_S - 60)).replicas == 1


def test_at_the_first_decision_and_after_a_gap_the_full_window_is_waited_for() -> None:
    policy = replace(POLICY, scale_down=replace(INSTANT_DOWN, stabilization_s=300.0))
    memory, current = Memory(), 20
    removed_at = None
    for step in range(12):
        decision = decide(policy, at(10, current, now_s=NOW_S + 60 * step), NO_FORECAST, memory)
        memory, current = decision.memory, decision.replicas
        if current < 20:
            removed_at = step * 60
            break
    assert removed_at is not None
    assert removed_at >= 300
    after_gap = decide(policy, at(10, 20, now_s=NOW_S + 86_400), NO_FORECAST, memory)
    assert (after_gap.replicas, reasons(after_gap)) == (20, [Reason.SCALE_DOWN_STABILIZED])


WINDOW_S, PERIOD_S = 300.0, 15.0
WAITING = replace(POLICY, scale_down=replace(INSTANT_DOWN, stabilization_s=WINDOW_S))


def watched(loads: Sequence[Reading], policy: Policy = WAITING, peak: float = math.nan) -> list[Decision]:
    """A decision every 15 s on a count of 20 that nobody changes, the last one at `NOW_S`."""
    memory, decisions = Memory(), []
    for number, load in enumerate(loads, 1 - len(loads)):
        seen = at(load, 20, now_s=NOW_S + PERIOD_S * number)
        decisions.append(decide(policy, seen, outlook(peak), memory))
        memory = decisions[-1].memory
    return decisions


KNOWN, FAILED = value(10.0), Reading(State.FAILED)


@pytest.mark.parametrize("peak", [math.nan, 10.0], ids=["without a forecast", "with a low forecast"])
@pytest.mark.parametrize(
    ("window", "removed"),
    [
        pytest.param([KNOWN] * 20, True, id="all known"),
        pytest.param([FAILED] * 4 + [KNOWN] * 16, True, id="the first fifth is not"),
        pytest.param([KNOWN, KNOWN, KNOWN, FAILED, KNOWN] * 4, True, id="every fifth is not"),
        pytest.param([FAILED] * 5 + [KNOWN] * 15, False, id="more than a fifth is not"),
        pytest.param([KNOWN, KNOWN, FAILED, KNOWN] * 5, False, id="every fourth is not"),
        pytest.param([KNOWN] * 19 + [FAILED], False, id="only the newest is not"),
    ],
)
def test_scale_in_waits_until_four_fifths_of_the_window_and_the_newest_are_known(
    window: list[Reading], removed: bool, peak: float
) -> None:
    decision = watched([KNOWN] * 20 + window, peak=peak)[-1]
    assert decision.replicas == (1 if removed else 20)


def test_a_source_that_fails_once_in_every_window_does_not_block_scale_in() -> None:
    decisions = watched(([KNOWN] * 10 + [FAILED] + [KNOWN] * 9) * 2)
    held = [one.replicas == 20 for one in decisions]
    assert held == [True] * 20 + [False] * 10 + [True] + [False] * 9


def test_a_window_of_which_too_little_is_known_is_said() -> None:
    decision = watched([KNOWN] * 20 + [FAILED] * 5 + [KNOWN] * 15)[-1]
    assert reasons(decision) == [Reason.UNKNOWN_SIGNAL]
    assert "because only 75 % of the scale-down window of 300 s is known" in explain(decision)


def test_what_a_partial_reading_asked_for_is_kept_for_the_window() -> None:
    decisions = watched([KNOWN] * 20 + [Reading(State.PARTIAL, 150.0)] + [KNOWN] * 20)
    assert [one.replicas for one in decisions[20:40]] == [20] + [15] * 19
    assert decisions[40].replicas == 1


def test_an_unknown_moment_does_not_delay_a_scale_out() -> None:
    policy = replace(WAITING, scale_up=replace(FREE, stabilization_s=60.0))
    busy = value(300.0)
    decisions = watched([busy, busy, FAILED, busy, busy, busy], policy)
    assert decisions[-1].replicas == 30


def test_cooldowns_count_from_accepted_writes_only() -> None:
    policy = replace(POLICY, cooldown_up_s=120.0, cooldown_down_s=300.0)
    first = decide(policy, at(100, 5), NO_FORECAST, Memory(decided_s=NOW_S - 60))
    refused = decide(policy, at(100, 5, now_s=NOW_S + 60), NO_FORECAST, first.memory)
    assert refused.replicas == 10
    memory = accepted(first.memory, NOW_S, 5, 10)
    more = decide(policy, at(150, 10, now_s=NOW_S + 60), NO_FORECAST, memory)
    assert (more.replicas, reasons(more)) == (10, [Reason.SCALE_UP_COOLDOWN])
    less = decide(policy, at(10, 10, now_s=NOW_S + 200), NO_FORECAST, memory)
    assert (less.replicas, reasons(less)) == (10, [Reason.SCALE_DOWN_COOLDOWN])
    assert decide(policy, at(150, 10, now_s=NOW_S + 120), NO_FORECAST, memory).replicas == 15


def test_a_scale_in_never_delays_a_scale_out() -> None:
    policy = replace(POLICY, cooldown_up_s=600.0, cooldown_down_s=600.0)
    memory = accepted(Memory(decided_s=NOW_S - 60), NOW_S - 60, 20, 5)
    assert decide(policy, at(300, 5), NO_FORECAST, memory).replicas == 30


def test_rate_policies_bound_the_step_in_both_directions() -> None:
    up = ScalingRules(0.0, SelectPolicy.MAX, (RatePolicy(PolicyType.PODS, 4, 60.0),), 0.1)
    down = ScalingRules(0.0, SelectPolicy.MAX, (RatePolicy(PolicyType.PERCENT, 10, 60.0),), 0.1)
    policy = replace(POLICY, scale_up=up, scale_down=down)
    rising = decide(policy, at(500, 20), NO_FORECAST, Memory(decided_s=NOW_S - 60))
    assert (rising.replicas, reasons(rising)) == (24, [Reason.SCALE_UP_LIMIT])
    falling = decide(policy, at(10, 20), NO_FORECAST, Memory(decided_s=NOW_S - 60))
    assert (falling.replicas, reasons(falling)) == (18, [Reason.SCALE_DOWN_LIMIT])


def test_scale_out_only_removes_nothing_and_paused_changes_nothing() -> None:
    one_way = replace(POLICY, mode=Mode.SCALE_OUT_ONLY)
    assert decide(one_way, at(10, 9), NO_FORECAST, Memory(decided_s=NOW_S - 60)).replicas == 9
    assert decide(one_way, at(200, 9), NO_FORECAST, Memory(decided_s=NOW_S - 60)).replicas == 20
    dear = replace(one_way, max_replicas=7, spend=SpendPolicy(replica_hour_price=1.0, hourly_cap=3.0))
    assert decide(dear, at(200, 9), NO_FORECAST, Memory(decided_s=NOW_S - 60)).replicas == 9
    paused = replace(POLICY, mode=Mode.PAUSED)
    assert decide(paused, at(200, 9), NO_FORECAST, Memory(decided_s=NOW_S - 60)).replicas == 9


@pytest.mark.parametrize(
    ("ready", "expected"),
    [pytest.param(10, 15, id="five may start"), pytest.param(4, 10, id="already six starting: no more")],
)
def test_the_pending_cap_limits_pods_that_are_starting(ready: int, expected: int) -> None:
    policy = replace(POLICY, pending_cap=5)
    assert decide(policy, at(900, 10, ready=ready), NO_FORECAST, Memory()).replicas == expected


def spending(**limits: float) -> Policy:
    return replace(POLICY, min_replicas=2, spend=SpendPolicy(replica_hour_price=0.5, **limits))


def test_the_hourly_cap_is_a_maximum_in_money() -> None:
    decision = decide(spending(hourly_cap=6.0), at(500, 5), NO_FORECAST, Memory(decided_s=NOW_S - 60))
    assert (decision.replicas, reasons(decision)) == (12, [Reason.HOURLY_CAP])


def test_a_daily_budget_is_paced_over_what_is_left_of_the_day() -> None:
    # At noon 30 of 60 are left for 12 h: 2.50 an hour evenly, up to 1.5 times that is 3.75, at 0.50 each 7.
    noon_s = NOW_S + 12 * 3600
    memory = Memory(decided_s=noon_s, spent=Spent(NOW_S, 30.0, 0.0, 0.0))
    decision = decide(spending(daily_budget=60.0), at(500, 5, now_s=noon_s), NO_FORECAST, memory)
    assert (decision.replicas, reasons(decision)) == (7, [Reason.DAILY_BUDGET])


def test_the_minimum_is_never_taken_by_a_budget() -> None:
    memory = Memory(decided_s=NOW_S, spent=Spent(NOW_S, 99.0, 0.0, 0.0))
    decision = decide(spending(daily_budget=60.0), at(500, 5), NO_FORECAST, memory)
    assert (decision.replicas, reasons(decision)[-1]) == (2, Reason.DAILY_BUDGET)


def test_a_budget_that_only_alerts_leaves_the_count_and_says_so() -> None:
    policy = spending(hourly_cap=6.0)
    assert policy.spend is not None
    policy = replace(policy, spend=replace(policy.spend, on_breach=OnBreach.ALERT))
    decision = decide(policy, at(500, 5), NO_FORECAST, Memory(decided_s=NOW_S - 60))
    assert decision.replicas == 50
    assert [alert.reason for alert in decision.alerts] == [Reason.HOURLY_CAP]
    assert "reported only" in explain(decision)


def test_spend_starts_afresh_each_utc_day_and_month() -> None:
    memory = Memory(decided_s=NOW_S - 3600, spent=Spent(NOW_S - 86_400, 50.0, NOW_S - 86_400, 70.0))
    decision = decide(spending(daily_budget=500.0), at(100, 10, now_s=NOW_S + 3600), NO_FORECAST, memory)
    assert decision.memory.spent.day == pytest.approx(10 * 0.5 * 1.0)  # only the hour since midnight


def test_a_month_is_summed_over_its_days_and_starts_afresh() -> None:
    first_s = datetime.datetime(2024, 2, 1, tzinfo=datetime.UTC).timestamp()
    memory = Memory(decided_s=first_s, spent=Spent(first_s, 0.0, first_s, 7.0))
    policy = spending(monthly_budget=5000.0)
    for offset_h, month in ((1, 12.0), (24, 127.0), (29 * 24 + 1, 5.0)):  # 29 days, 5.00 an hour
        seen = at(100, 10, now_s=first_s + 3600 * offset_h)
        memory = decide(policy, seen, NO_FORECAST, memory).memory
        assert memory.spent.month == pytest.approx(month)


def test_a_known_event_raises_the_minimum_one_lead_time_ahead() -> None:
    event = KnownEvent("launch", NOW_S + 180, NOW_S + 3600, 40)
    policy = replace(POLICY, events=(event,), lead_time_s=180.0)
    assert decide(policy, at(10, 5, now_s=NOW_S - 1), NO_FORECAST, Memory(decided_s=NOW_S - 60)).replicas == 1
    assert decide(policy, at(10, 5), NO_FORECAST, Memory(decided_s=NOW_S - 60)).replicas == 40
    assert decide(policy, at(10, 5, now_s=NOW_S + 3600), NO_FORECAST, Memory(decided_s=NOW_S)).replicas == 1


def test_what_a_human_knows_comes_after_money() -> None:
    event = KnownEvent("launch", NOW_S, NOW_S + 3600, 40)
    policy = replace(spending(hourly_cap=6.0), events=(event,))
    decision = decide(policy, at(500, 5), NO_FORECAST, Memory(decided_s=NOW_S - 60))
    assert (decision.replicas, reasons(decision)) == (40, [Reason.HOURLY_CAP, Reason.KNOWN_EVENT])


def test_max_comes_after_events_and_min_comes_last() -> None:
    event = KnownEvent("launch", NOW_S, NOW_S + 3600, 40)
    assert (
        decide(replace(POLICY, events=(event,), max_replicas=30), at(10, 5), NO_FORECAST, Memory()).replicas
        == 30
    )
    assert (
        decide(replace(POLICY, min_replicas=3), at(0, 5), NO_FORECAST, Memory(decided_s=NOW_S - 60)).replicas
        == 3
    )


def test_a_lowered_maximum_is_reached_no_faster_than_scale_down_allows() -> None:
    down = ScalingRules(300.0, SelectPolicy.MAX, (RatePolicy(PolicyType.PODS, 2, 60.0),), 0.1)
    policy = replace(POLICY, max_replicas=10, scale_down=down)
    decision = decide(policy, at(500, 20), NO_FORECAST, Memory(decided_s=NOW_S - 60))
    assert (decision.replicas, reasons(decision)) == (18, [Reason.TOO_MANY_REPLICAS])


def test_an_explanation_is_one_sentence_that_names_both_sources_and_every_guard() -> None:
    policy = replace(POLICY, max_replicas=11)
    sentence = explain(decide(policy, at(95, 5), outlook(120), Memory()))
    assert sentence == (
        "Scale out from 5 to 11: 12 for a forecast peak of 120 by test "
        "(beside it 10 for the present load of 95); "
        "held to 11 instead of 12 by maxReplicas 11."
    )


def test_every_reason_has_a_phrase() -> None:
    from autoscaler.planning.explain import _PHRASES

    assert set(_PHRASES) == set(Reason)
