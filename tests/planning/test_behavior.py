"""Rules of stabilisation and rate policies, against cases worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.planning.behavior import (
    Limited,
    Stabilized,
    limit_down,
    limit_up,
    normalize,
    normalize_without_behavior,
    prune,
    stabilize,
)
from autoscaler.planning.hpa import (
    Phase,
    Pod,
    Tally,
    Unmeasured,
    replicas_for_pods,
    replicas_for_tally,
    replicas_for_utilization,
)
from autoscaler.planning.policy import (
    DEFAULT_SCALE_DOWN,
    DEFAULT_SCALE_UP,
    PolicyType,
    RatePolicy,
    ScalingRules,
    SelectPolicy,
)

NOW_S = 10_000.0


def pods(value: int, period_s: float = 60.0) -> RatePolicy:
    return RatePolicy(PolicyType.PODS, value, period_s)


def percent(value: int, period_s: float = 60.0) -> RatePolicy:
    return RatePolicy(PolicyType.PERCENT, value, period_s)


def rules(
    *policies: RatePolicy, select: SelectPolicy = SelectPolicy.MAX, window_s: float = 0.0
) -> ScalingRules:
    return ScalingRules(window_s, select, policies)


@pytest.mark.parametrize(
    ("current", "wish", "seen", "up_s", "down_s", "expected"),
    [
        pytest.param(10, 20, [(10.0, 5)], 0, 300, 20, id="no scale-up window: up at once"),
        pytest.param(10, 20, [(10.0, 15)], 60, 300, 15, id="up only as far as the whole window agrees"),
        pytest.param(10, 20, [(10.0, 5)], 60, 300, 10, id="a lower recommendation never lowers the count"),
        pytest.param(10, 4, [(10.0, 7)], 0, 300, 7, id="down only as far as the whole window agrees"),
        pytest.param(10, 4, [(10.0, 30)], 0, 300, 10, id="a higher recommendation never raises the count"),
        pytest.param(10, 4, [(300.0, 7)], 0, 300, 4, id="exactly as old as the window: out"),
        pytest.param(10, 4, [(299.9, 7)], 0, 300, 7, id="just within the window: in"),
        pytest.param(10, 4, [], 0, 300, 4, id="nothing remembered"),
        pytest.param(10, 10, [(5.0, 3), (5.0, 30)], 60, 300, 10, id="no wish to move"),
    ],
)
def test_stabilisation_moves_only_as_far_as_its_windows_agree(
    current: int, wish: int, seen: list[tuple[float, int]], up_s: float, down_s: float, expected: int
) -> None:
    recommendations = tuple((NOW_S - age_s, count) for age_s, count in seen)
    up, down = rules(window_s=up_s), rules(window_s=down_s)
    assert stabilize(NOW_S, current, wish, recommendations, up, down) == expected


@pytest.mark.parametrize(
    ("current", "policies", "ups", "downs", "expected"),
    [
        pytest.param(10, rules(pods(4)), [], [], 14, id="pods"),
        pytest.param(10, rules(percent(50)), [], [], 15, id="per cent"),
        pytest.param(1, rules(percent(10)), [], [], 2, id="per cent round up, so that one can grow"),
        pytest.param(10, rules(pods(4), percent(50)), [], [], 15, id="Max: the policy that allows most"),
        pytest.param(
            10,
            rules(pods(4), percent(50), select=SelectPolicy.MIN),
            [],
            [],
            14,
            id="Min: the one that allows least",
        ),
        pytest.param(10, rules(pods(4), select=SelectPolicy.DISABLED), [], [], 10, id="Disabled: not at all"),
        pytest.param(13, rules(pods(4)), [(30, 3)], [], 14, id="what was added in the period counts"),
        pytest.param(13, rules(pods(4)), [(60, 3)], [], 17, id="what is as old as the period does not"),
        pytest.param(8, rules(pods(4)), [], [(30, 2)], 14, id="what was removed in the period may come back"),
        pytest.param(20, rules(pods(4)), [(30, 12)], [], 20, id="over the limit already: hold, never lower"),
        pytest.param(12, rules(percent(100)), [(30, 2)], [], 20, id="per cent of the count at the start"),
    ],
)
def test_scale_up_is_limited_by_the_count_at_the_start_of_each_period(
    current: int,
    policies: ScalingRules,
    ups: list[tuple[float, int]],
    downs: list[tuple[float, int]],
    expected: int,
) -> None:
    up_events = tuple((NOW_S - age_s, change) for age_s, change in ups)
    down_events = tuple((NOW_S - age_s, change) for age_s, change in downs)
    assert limit_up(NOW_S, current, 1000, up_events, down_events, policies) == expected


@pytest.mark.parametrize(
    ("current", "policies", "ups", "downs", "expected"),
    [
        pytest.param(10, rules(pods(4)), [], [], 6, id="pods"),
        pytest.param(10, rules(percent(10)), [], [], 9, id="per cent"),
        pytest.param(5, rules(percent(10)), [], [], 4, id="what remains is cut off, so that few can shrink"),
        pytest.param(10, rules(pods(4), percent(10)), [], [], 6, id="Max: the policy that allows most"),
        pytest.param(
            10,
            rules(pods(4), percent(10), select=SelectPolicy.MIN),
            [],
            [],
            9,
            id="Min: the one that allows least",
        ),
        pytest.param(10, rules(pods(4), select=SelectPolicy.DISABLED), [], [], 10, id="Disabled: not at all"),
        pytest.param(7, rules(pods(4)), [], [(30, 3)], 6, id="what was removed in the period counts"),
        pytest.param(7, rules(pods(4)), [], [(60, 3)], 3, id="what is as old as the period does not"),
        pytest.param(12, rules(pods(4)), [(30, 2)], [], 6, id="what was added in the period may go again"),
        pytest.param(5, rules(pods(4)), [], [(30, 15)], 5, id="over the limit already: hold, never raise"),
        pytest.param(10, rules(percent(100)), [], [], 0, id="all of it"),
    ],
)
def test_scale_down_is_limited_by_the_count_at_the_start_of_each_period(
    current: int,
    policies: ScalingRules,
    ups: list[tuple[float, int]],
    downs: list[tuple[float, int]],
    expected: int,
) -> None:
    up_events = tuple((NOW_S - age_s, change) for age_s, change in ups)
    down_events = tuple((NOW_S - age_s, change) for age_s, change in downs)
    assert limit_down(NOW_S, current, 0, up_events, down_events, policies) == expected


def test_a_wish_within_the_limits_is_left_alone() -> None:
    assert limit_up(NOW_S, 10, 12, (), (), DEFAULT_SCALE_UP) == 12
    assert limit_down(NOW_S, 10, 3, (), (), DEFAULT_SCALE_DOWN) == 3


def test_the_documented_default_allows_the_larger_of_four_pods_and_doubling() -> None:
    assert limit_up(NOW_S, 2, 100, (), (), DEFAULT_SCALE_UP) == 6
    assert limit_up(NOW_S, 10, 100, (), (), DEFAULT_SCALE_UP) == 20


counts = st.integers(0, 500)
entries = st.lists(st.tuples(st.floats(NOW_S - 2000, NOW_S - 0.5), st.integers(1, 100)), max_size=8).map(
    tuple
)
any_rules = st.builds(
    ScalingRules,
    st.sampled_from([0.0, 60.0, 300.0]),
    st.sampled_from(SelectPolicy),
    st.lists(
        st.builds(
            RatePolicy, st.sampled_from(PolicyType), st.integers(1, 200), st.sampled_from([15.0, 60.0, 600.0])
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
)


@given(counts, counts, entries, any_rules, any_rules)
def test_stabilisation_stays_between_the_present_count_and_the_wish(
    current: int, wish: int, seen: tuple[tuple[float, int], ...], up: ScalingRules, down: ScalingRules
) -> None:
    steady = stabilize(NOW_S, current, wish, seen, up, down)
    assert min(current, wish) <= steady <= max(current, wish)


@given(counts, counts, entries, entries, any_rules)
def test_a_rate_limit_neither_turns_round_nor_goes_beyond_the_wish(
    current: int,
    wish: int,
    ups: tuple[tuple[float, int], ...],
    downs: tuple[tuple[float, int], ...],
    policies: ScalingRules,
) -> None:
    up = limit_up(NOW_S, current, wish, ups, downs, policies)
    down = limit_down(NOW_S, current, wish, ups, downs, policies)
    assert min(current, wish) <= up <= wish if wish > current else up == wish
    assert wish <= down <= max(current, wish) if wish < current else down == wish


@given(counts, counts, entries, any_rules, any_rules)
def test_forgetting_what_is_older_than_every_window_changes_nothing(
    current: int, wish: int, seen: tuple[tuple[float, int], ...], up: ScalingRules, down: ScalingRules
) -> None:
    ordered = tuple(sorted(seen))
    kept = prune(ordered, NOW_S - max(up.stabilization_s, down.stabilization_s))
    assert len(kept) <= len(ordered)
    assert stabilize(NOW_S, current, wish, kept, up, down) == stabilize(
        NOW_S, current, wish, ordered, up, down
    )


def test_pruning_drops_what_is_exactly_as_old_as_the_limit_and_keeps_the_rest() -> None:
    memory = ((1.0, 5), (2.0, 6), (3.0, 7))
    assert prune(memory, 2.0) == ((3.0, 7),)
    assert prune(memory, 0.5) is memory
    assert prune(memory, 9.0) == ()


@pytest.mark.parametrize(
    ("current", "wish", "bounds", "seen", "expected", "stabilized", "limited"),
    [
        pytest.param(10, 15, (1, 99), [], 15, Stabilized.NO, Limited.NO, id="free to move"),
        pytest.param(10, 50, (1, 99), [], 20, Stabilized.NO, Limited.UP_RATE, id="at most doubled"),
        pytest.param(1, 50, (1, 99), [], 4, Stabilized.NO, Limited.UP_RATE, id="but at least four"),
        pytest.param(10, 50, (1, 15), [], 15, Stabilized.NO, Limited.MAXIMUM, id="at most the maximum"),
        pytest.param(10, 1, (3, 99), [], 3, Stabilized.NO, Limited.MINIMUM, id="at least the minimum"),
        pytest.param(10, 4, (1, 99), [(100, 8)], 8, Stabilized.DOWN, Limited.NO, id="highest of 5 minutes"),
        pytest.param(10, 4, (1, 99), [(300, 8)], 8, Stabilized.DOWN, Limited.NO, id="300 s still count"),
        pytest.param(10, 4, (1, 99), [(301, 8)], 4, Stabilized.NO, Limited.NO, id="301 s do not"),
        pytest.param(10, 4, (1, 99), [(100, 18)], 18, Stabilized.DOWN, Limited.NO, id="may even raise"),
    ],
)
def test_without_behavior_the_controllers_own_limits_hold(
    current: int,
    wish: int,
    bounds: tuple[int, int],
    seen: list[tuple[float, int]],
    expected: int,
    stabilized: Stabilized,
    limited: Limited,
) -> None:
    recommendations = tuple((NOW_S - age_s, count) for age_s, count in seen)
    answer = normalize_without_behavior(NOW_S, current, wish, bounds, recommendations)
    assert (answer.replicas, answer.stabilized, answer.limited) == (expected, stabilized, limited)


def test_under_behavior_the_nearer_of_rate_and_bound_is_named() -> None:
    both = (rules(pods(4)), rules(pods(4)))
    assert normalize(NOW_S, 10, 50, (1, 99), both, (), (), ()).limited is Limited.UP_RATE
    assert normalize(NOW_S, 10, 50, (1, 12), both, (), (), ()).limited is Limited.MAXIMUM
    assert normalize(NOW_S, 10, 0, (1, 99), both, (), (), ()).limited is Limited.DOWN_RATE
    assert normalize(NOW_S, 10, 0, (8, 99), both, (), (), ()).limited is Limited.MINIMUM


@pytest.mark.parametrize(
    ("utilization", "expected"),
    [
        pytest.param(70.0, 10, id="on target"),
        pytest.param(77.0, 10, id="exactly 10 % above: tolerated"),
        pytest.param(77.1, 12, id="more than that: ceil(10 x 1.1014)"),
        pytest.param(63.0, 10, id="exactly 10 % below: tolerated"),
        pytest.param(62.9, 9, id="less than that: ceil(10 x 0.8986)"),
        pytest.param(140.0, 20, id="double, and not one more for rounding"),
        pytest.param(0.0, 0, id="idle"),
    ],
)
def test_the_plain_cpu_rule_is_proportional_outside_its_tolerance(utilization: float, expected: int) -> None:
    assert replicas_for_utilization(10, utilization, 70.0, 0.1) == expected


def running(usage_milli: int | None, **other: object) -> Pod:
    fields: dict[str, object] = {
        "phase": Phase.RUNNING,
        "ready": True,
        "age_s": 3600.0,
        "ready_age_s": 3500.0,
        "terminating": False,
        "usage_milli": usage_milli,
    }
    return Pod(**(fields | other))  # type: ignore[arg-type]  # fields by name, as the table gives them


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        pytest.param([], 6, id="four at 75 % of a target of 50"),
        pytest.param([running(None)], 6, id="missing: idle on the way up, 60 % over five"),
        pytest.param([running(None)] * 2, 4, id="two missing: 50 % is on target, no change"),
        pytest.param([running(None)] * 5, 4, id="five missing would turn it round: no change"),
        pytest.param([running(900, phase=Phase.PENDING)], 6, id="pending: idle on the way up"),
        pytest.param([running(900, terminating=True)], 6, id="terminating: left out"),
        pytest.param([running(900, phase=Phase.FAILED)], 6, id="failed: left out"),
        pytest.param([running(900, age_s=299.0, ready_age_s=29.0)] * 2, 4, id="ready for less than a window"),
        pytest.param(
            [running(900, age_s=299.0, ready_age_s=30.0)] * 2, 10, id="ready for a window: measured"
        ),
        pytest.param(
            [running(900, age_s=300.0, ready_age_s=1.0)] * 2, 10, id="past initialisation: measured"
        ),
        pytest.param(
            [running(900, age_s=300.0, ready_age_s=271.0, ready=False)] * 2, 4, id="never ready: left out"
        ),
        pytest.param(
            [running(900, age_s=300.0, ready_age_s=270.0, ready=False)] * 2, 10, id="was ready once: measured"
        ),
    ],
)
def test_pods_whose_metric_says_nothing_soften_a_scale_up(others: list[Pod], expected: int) -> None:
    assert replicas_for_pods(4, 50, [running(750)] * 4 + others) == expected


@pytest.mark.parametrize(
    ("target", "missing", "expected"),
    [
        pytest.param(80, 0, 5, id="ten at 40 % of a target of 80"),
        pytest.param(80, 2, 8, id="missing: at their whole request on the way down, 50 % over twelve"),
        pytest.param(150, 4, 8, id="or at the target where that is more: 85 % over fourteen, not 71 %"),
    ],
)
def test_missing_pods_count_as_busy_on_the_way_down(target: int, missing: int, expected: int) -> None:
    usage = 400 if target == 80 else 600
    assert replicas_for_pods(10, target, [running(usage)] * 10 + [running(None)] * missing) == expected


def test_more_pods_than_were_asked_for_do_not_turn_a_scale_down_into_a_scale_up() -> None:
    surplus = [running(400)] * 5 + [running(None)]  # 50 % over six would be ceil(0.625 x 6) = 4
    assert replicas_for_pods(3, 80, surplus) == 3
    assert replicas_for_pods(6, 80, surplus) == 4


def test_without_any_usable_metric_there_is_no_wish() -> None:
    assert replicas_for_pods(3, 50, [running(None)] * 3) is Unmeasured.NO_METRICS
    starting = [running(100, age_s=10.0, ready_age_s=5.0)] * 3
    assert replicas_for_pods(3, 50, starting) is Unmeasured.NOTHING_READY
    assert replicas_for_tally(3, 50, Tally(0, 0, 0)) is Unmeasured.NOTHING_READY
