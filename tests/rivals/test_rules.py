"""What each rival does, held to its published rules."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from autoscaler.backtest.rivals import RivalContext, build, parse_baselines, tune_hpa
from autoscaler.backtest.rivals.behavior_form import Behavior
from autoscaler.backtest.rivals.controller import Controller
from autoscaler.backtest.rivals.hpa import HpaSettings
from autoscaler.backtest.rivals.phpa import HoltWinters, PhpaSettings
from autoscaler.backtest.scaler import Moment, Scaler
from autoscaler.backtest.scores import need
from autoscaler.backtest.simulation import World, simulate
from autoscaler.planning.policy import PolicyType, RatePolicy, ScalingRules, SelectPolicy
from autoscaler.series import Series

START_S = 1_699_920_000  # midnight UTC
PER_REPLICA = 10.0


def moment(index: int, load: float, asked: int, ready: int | None = None, step_s: int = 60) -> Moment:
    ready = asked if ready is None else ready
    utilization = 100.0 * load / (ready * PER_REPLICA) if ready else math.nan
    now_s = float(START_S + index * step_s)
    return Moment(index, now_s, load, asked, ready, utilization, 0.0, 0.0, 0.0)


def trace(load: object, step_s: int = 60) -> Series:
    return Series("trace", START_S, step_s, np.asarray(load, dtype=np.float64))


def rival(text: str, series: Series | None = None, scored_from: int = 0, start_up_s: float = 300.0) -> Scaler:
    series = trace(np.ones(10)) if series is None else series
    return build(parse_baselines(text)[0], RivalContext(series, scored_from, PER_REPLICA, start_up_s))


def run(scaler: Scaler, loads: list[float], asked: int, step_s: int = 60) -> list[int]:
    """Asked counts where every pod is ready at once."""
    counts = []
    for index, load in enumerate(loads):
        asked = scaler.decide(moment(index, load, asked, step_s=step_s))
        counts.append(asked)
    return counts


def test_hpa_starts_at_its_target() -> None:
    assert rival("hpa:target=50").start(100.0) == 20
    assert rival("hpa:target=50,max=7").start(100.0) == 7
    assert rival("hpa:min=3").start(0.0) == 3


def test_hpa_holds_while_it_has_no_metrics() -> None:
    scaler = rival("hpa")
    assert run(scaler, [math.nan, math.nan], 5) == [5, 5]
    assert scaler.decide(moment(2, 900.0, 5, ready=0)) == 5


def test_hpa_scales_down_five_minutes_after_it_last_wanted_more() -> None:
    assert run(rival("hpa"), [80.0] + [8.0] * 8, 10) == [10] * 6 + [1] * 3


def test_hpa_waits_the_same_before_its_first_scale_down() -> None:
    assert run(rival("hpa"), [8.0] * 8, 10) == [10] * 6 + [1] * 2


def test_hpa_rounds_milli_cores_as_the_division_of_load_by_capacity_comes_out() -> None:
    # 24.38 / (5 x 8) is 609.4999... milli-cores by division, hence 60 % and within tolerance of 55;
    # ten times the utilisation would be 609.5, hence 61 % and a sixth pod.
    context = RivalContext(trace(np.ones(10)), 0, 8.0, 60.0)
    scaler = build(parse_baselines("hpa:target=55")[0], context)
    seen = Moment(0, float(START_S), 24.38, 5, 5, 100.0 * 24.38 / 40.0, 0.0, 0.0, 0.0)
    assert scaler.decide(seen) == 5
    late = dataclasses.replace(seen, load=99.0, now_s=START_S + 60.0)  # load not of the same instant
    assert scaler.decide(late) == 6


def test_hpa_forgets_a_change_that_its_own_direction_has_outlived() -> None:
    up = ScalingRules(0.0, SelectPolicy.MAX, (RatePolicy(PolicyType.PODS, 100, 15.0),))
    down = ScalingRules(0.0, SelectPolicy.MAX, (RatePolicy(PolicyType.PODS, 2, 600.0),))
    controller = Controller(1, 1000, Behavior("uneven", up, down))
    asked = 10
    for at_s, wish in ((0.0, 20), (60.0, 25), (120.0, 1)):
        controller.due(at_s, asked)
        asked = controller.sync(at_s, asked, wish)
    # The second growth took the place of the first: 25 - 5 - 2, where full memory would give 25 - 15 - 2.
    assert asked == 18


def test_hpa_syncs_every_15_seconds_where_steps_are_shorter() -> None:
    assert run(rival("hpa"), [80.0, 160.0, 160.0, 160.0, 160.0], 10, step_s=5) == [10, 10, 10, 20, 20]


def test_hpa_goes_straight_to_a_bound_it_is_outside_of() -> None:
    assert run(rival("hpa:max=4"), [80.0], 10) == [4]
    assert run(rival("hpa:min=30"), [80.0], 10) == [30]


def test_keda_has_the_average_per_replica_at_its_threshold() -> None:
    assert rival("keda").start(80.0) == 10
    assert run(rival("keda"), [88.0, 88.1], 10) == [10, 12]  # tolerated up to 10 %, then ceil(88.1 / 8)
    assert run(rival("keda:target=100"), [200.0], 10) == [20]


def test_keda_needs_a_cooldown_without_activity_before_it_goes_to_zero() -> None:
    counts = run(rival("keda"), [40.0] + [0.0] * 8, 5)
    assert counts[:6] == [5, 5, 5, 5, 5, 5]
    assert counts[6:] == [0, 0, 0]  # more than 300 s after activity was last seen
    assert run(rival("keda:cooldown=120"), [40.0] + [0.0] * 8, 5).index(0) == 3


def test_keda_never_active_goes_to_zero_at_once_and_a_minimum_keeps_it_from_that() -> None:
    assert run(rival("keda"), [0.0], 5) == [0]
    assert run(rival("keda:min=2"), [0.0] * 8, 5)[-1] == 2


def test_keda_activates_above_the_activation_threshold_only() -> None:
    assert run(rival("keda:activation=5"), [5.0, 5.1], 0) == [0, 1]
    assert run(rival("keda:min=0"), [80.0, 80.0, 80.0], 0) == [1, 4, 8]  # then HPA's max(2 x current, 4)


def test_keda_polls_for_activity_only_every_polling_interval() -> None:
    assert run(rival("keda"), [0.0, 50.0, 50.0, 50.0], 0, step_s=15) == [0, 0, 1, 4]


def test_keda_takes_a_failed_query_for_unknown() -> None:
    assert run(rival("keda"), [40.0] + [math.nan] * 10, 5) == [5] * 11


def test_static_keeps_the_peak_of_the_warm_up() -> None:
    series = trace([10.0, 95.0, 20.0, 300.0, 10.0])
    scaler = rival("static", series, scored_from=3)
    assert scaler.start(10.0) == 1
    assert run(scaler, series.values.tolist(), 1) == [1, 10, 10, 10, 10]
    assert run(rival("static:replicas=20"), [1.0, 900.0], 3) == [20, 20]


def two_days_and_one(hourly: list[float], scored_load: float) -> Series:
    return trace(np.concatenate([np.repeat(np.tile(hourly, 2), 60), np.full(1440, scored_load)]))


def test_cron_learns_each_hour_and_starts_it_a_start_up_time_early() -> None:
    hourly = [10.0] * 24
    hourly[8] = 100.0
    series = two_days_and_one(hourly, 500.0)
    asked = run(rival("cron", series, scored_from=2880), series.values.tolist(), 1)[2880:]
    assert asked[: 8 * 60 - 5] == [1] * (8 * 60 - 5)
    assert asked[8 * 60 - 5 : 9 * 60] == [10] * 65
    assert asked[9 * 60 :] == [1] * (15 * 60)


def test_cron_takes_the_95th_percentile_so_that_a_rare_peak_does_not_count() -> None:
    load = np.full(2880, 10.0)
    load[60:62] = 900.0  # 2 minutes of 120 in that hour
    assert run(rival("cron", trace(load), scored_from=1440), load.tolist(), 1)[1440:] == [1] * 1440


def test_cron_follows_local_time() -> None:
    series = trace(np.ones(24), step_s=3600)
    choice = parse_baselines("cron:8-9=7")[0]
    scaler = build(choice, RivalContext(series, 0, PER_REPLICA, 0.0, "America/New_York"))
    assert run(scaler, [1.0] * 24, 1, step_s=3600).index(7) == 13  # 8:00 in New York in November


def test_cron_windows_may_pass_midnight_and_the_larger_holds_where_they_overlap() -> None:
    asked = run(rival("cron:22-6=3:4-8=9:default=2", start_up_s=0.0), [1.0] * 24, 1, step_s=3600)
    assert asked == [3] * 4 + [9] * 4 + [2] * 14 + [3] * 2


@pytest.mark.parametrize("start_up_s", [0.0, 60.0, 90.0, 600.0])
def test_the_oracle_serves_everything_for_little_more_than_is_needed(start_up_s: float) -> None:
    rng = np.random.default_rng(3)
    load = 100.0 + 80.0 * np.sin(np.arange(2000) / 100.0) + rng.uniform(0, 30, 2000)
    load[700:705] = np.nan
    course = simulate(
        trace(load), World(PER_REPLICA, start_up_s), rival("oracle", trace(load), start_up_s=start_up_s)
    )
    known = ~np.isnan(load)
    needed = need(load[known], PER_REPLICA)
    assert (course.ready[known] >= needed).all()
    assert course.desired[known].sum() < 1.25 * needed.sum()


def test_phpa_raises_hpa_to_what_followed_in_earlier_seasons() -> None:
    model = HoltWinters(PhpaSettings(sample=3600.0), 3600.0)
    rhythm = [5] * 8 + [20] * 8 + [5] * 8
    predicted = [model.predict(START_S + 3600.0 * hour, rhythm[hour % 24]) for hour in range(6 * 24)]
    assert predicted[: 2 * 24] == [0] * 48  # too little history says nothing
    last_day = predicted[5 * 24 :]
    assert min(last_day[8:16]) >= 19
    assert max(last_day[:8] + last_day[16:]) <= 6


def test_phpa_keeps_the_phase_of_its_season_through_a_gap() -> None:
    model = HoltWinters(PhpaSettings(sample=3600.0), 3600.0)
    rhythm = [5] * 8 + [20] * 8 + [5] * 8
    hours = [hour for hour in range(6 * 24) if not 100 <= hour < 103]
    predicted = {hour: model.predict(START_S + 3600.0 * hour, rhythm[hour % 24]) for hour in hours}
    assert predicted[5 * 24 + 8] >= 19
    assert predicted[5 * 24 + 18] <= 6


def test_phpa_never_asks_for_less_than_hpa_would_and_stays_within_its_bounds() -> None:
    load = 50.0 + 40.0 * np.sin(np.arange(4 * 1440) * 2 * np.pi / 1440)
    series = trace(load)
    course = simulate(series, World(PER_REPLICA, 60.0), rival("phpa:max=9", series))
    assert course.desired.max() == 9
    assert course.desired.min() >= 1


def test_tuning_takes_least_unserved_within_the_cost_and_keeps_the_front() -> None:
    context = RivalContext(trace(np.ones(10)), 0, PER_REPLICA, 60.0)

    def evaluate(scaler: Scaler) -> tuple[float, float]:
        target = scaler.start(10_000.0)  # 1000 pods' worth of load at 100 %
        return target / 1000, 1.0 / target

    tuned = tune_hpa("hpa-tuned", HpaSettings(), context, 1.3, evaluate)
    assert tuned.target == 77  # 1000 / 0.77 = 1299 pods; 76 % would cost 1.316
    assert tuned.scaler.start(10_000.0) == 1299
    assert [point.target for point in tuned.front] == sorted({*range(20, 96, 5), *range(76, 85)})
    assert "after the fact" in tuned.scaler.note


def test_tuning_says_so_when_nothing_is_cheap_enough() -> None:
    context = RivalContext(trace(np.ones(10)), 0, PER_REPLICA, 60.0)
    tuned = tune_hpa("hpa-tuned", HpaSettings(), context, 0.5, lambda s: (s.start(10_000.0) / 1000, 0.1))
    assert tuned.target == 95
    assert "no target costs as little as 0.5" in tuned.scaler.note


CAUSAL = ["hpa", "hpa:behavior=calm", "keda", "phpa:sample=900,season=14400", "cron", "static"]


@pytest.mark.parametrize("text", CAUSAL)
@pytest.mark.parametrize("cut", [700, 1500, 2500], ids=["in the warm-up", "after it", "late"])
def test_no_rival_looks_ahead(text: str, cut: int) -> None:
    rng = np.random.default_rng(5)
    load = (60.0 + 50.0 * np.sin(np.arange(2880) * 2 * np.pi / 1440)) * rng.lognormal(0, 0.2, 2880)
    garbage = load.copy()
    garbage[cut + 1 :] = rng.uniform(0, 5000, 2880 - cut - 1)
    asked = [
        simulate(trace(values), World(PER_REPLICA, 300.0), rival(text, trace(values), 1440)).desired
        for values in (load, garbage)
    ]
    assert (asked[0][: cut + 1] == asked[1][: cut + 1]).all()
    set_up_once = text in ("cron", "static") and cut >= 1440
    assert (asked[0] != asked[1]).any() != set_up_once


def test_the_oracle_does_look_ahead() -> None:
    load = np.full(100, 10.0)
    jump = load.copy()
    jump[50:] = 900.0
    asked = [
        simulate(trace(values), World(PER_REPLICA, 300.0), rival("oracle", trace(values))).desired
        for values in (load, jump)
    ]
    assert (asked[0][:50] != asked[1][:50]).any()


def test_only_the_oracle_is_given_more_than_the_warm_up() -> None:
    context = RivalContext(trace(np.arange(10.0)), 4, PER_REPLICA, 60.0)
    assert context.warm_up.values.tolist() == [0.0, 1.0, 2.0, 3.0]
    told = {field.name for field in dataclasses.fields(context)}
    own = {"longest_start_up_s"}  # which the next test is about
    assert told - own == {"series", "scored_from", "per_replica", "start_up_s", "time_zone"}


@pytest.mark.parametrize("name", ["hpa", "keda", "phpa", "cron", "static", "oracle"])
def test_only_the_oracle_allows_for_the_slowest_start_up(name: str) -> None:
    series = trace(60.0 + 50.0 * np.sin(np.arange(600) / 50.0))
    world = World(PER_REPLICA, 300.0)
    asked = []
    for longest_s in (None, 1800.0):
        context = RivalContext(series, 300, PER_REPLICA, 300.0, longest_start_up_s=longest_s)
        asked.append(simulate(series, world, build(parse_baselines(name)[0], context)).desired)
    assert (asked[0] != asked[1]).any() == (name == "oracle")
