"""Two policies side by side on simulated pods: what is counted, what it comes to, who has won."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from autoscaler.planning.contest.contest import Contest, Play, begun, continued
from autoscaler.planning.contest.judging import Terms, Verdict, Won, judged, loses
from autoscaler.planning.contest.sentence import sentence
from autoscaler.planning.contest.standing import Stage, Standing, moved_on
from autoscaler.planning.contest.tally import Side, Span, newest, noted, summed
from autoscaler.planning.memory import Spent
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.policy import (
    Policy,
    PolicyType,
    RatePolicy,
    ScalingRules,
    SelectPolicy,
    SignalPolicy,
    SignalType,
)
from autoscaler.planning.record import part_from_json, part_to_json
from autoscaler.series import Reading, State

START_S = 1_800_000_000.0
HOUR_S, DAY_S = 3600.0, 86_400.0
AT_ONCE = ScalingRules(0.0, SelectPolicy.MAX, (RatePolicy(PolicyType.PODS, 1000, 15.0),))
OWN = Policy("own", 1, 100, 10.0, lead_time_s=180.0, scale_up=AT_ONCE, scale_down=AT_ONCE)
TERMS = Terms(0.1, DAY_S)
DREAD = Outlook(100.0, 50.0, 0.0, "ridge")


def known(value: float) -> Reading:
    return Reading(State.VALUE, value, 0.0)


def seen(now_s: float, load: float | Reading = 50.0, **changes: Any) -> Observation:
    read = load if isinstance(load, Reading) else known(load)
    return Observation(now_s, read, **{"current": 5, "ready": 5, **changes})


def after(contest: Contest, *looks: Observation, own: Outlook = DREAD, shadow: Outlook = DREAD) -> Contest:
    for look in looks:
        contest = continued(contest, look, Play(OWN, own), Play(OWN, shadow), DAY_S)
    return contest


def counted_s(contest: Contest) -> float:
    return summed(contest.spans).counted_s


BEGUN = begun(seen(START_S), 180.0, Spent())


def test_both_begin_with_the_pods_there_are() -> None:
    contest = begun(seen(START_S, current=7, ready=5), 180.0, Spent(day=3.0))
    assert contest.own == contest.shadow
    assert (contest.own.fleet.asked, contest.own.fleet.ready) == (7, 5)
    assert contest.own.fleet.at(START_S + 180.0).ready == 7
    assert contest.own.memory.spent.day == 3.0


def test_each_has_its_own_wishes_carried_out_and_their_pods_after_the_lead_time() -> None:
    timid = Outlook(50.0, 50.0, 0.0, "ridge")
    contest = after(BEGUN, seen(START_S + 15.0), own=DREAD, shadow=timid)
    assert (contest.own.fleet.asked, contest.own.fleet.ready) == (10, 5)
    assert (contest.shadow.fleet.asked, contest.shadow.fleet.ready) == (5, 5)
    looks = [seen(START_S + 15.0 * step) for step in range(2, 14)]
    assert after(contest, *looks).own.fleet.ready == 10


def test_the_real_count_is_nothing_to_either() -> None:
    looks = [seen(START_S + 15.0 * step) for step in range(1, 40)]
    others = [dataclasses.replace(look, current=50, ready=50) for look in looks]
    ours, theirs = after(BEGUN, *looks), after(BEGUN, *others)
    assert (ours.own, ours.shadow) == (theirs.own, theirs.shadow)
    total = summed(theirs.spans)
    assert total.actual.replica_s > total.own.replica_s


def test_time_is_counted_with_what_it_took_and_left() -> None:
    none = Outlook(0.0, 50.0, 0.0, "ridge")
    contest = after(BEGUN, seen(START_S + 15.0, 80.0), seen(START_S + 30.0, 80.0), own=none, shadow=none)
    total = summed(contest.spans)
    assert (total.counted_s, total.load) == (30.0, 2400.0)
    # The first look finds the five pods there were; the second eight asked for, of which five are ready.
    assert total.own == total.shadow == Side(5 * 15.0 + 8 * 15.0, 2 * 30.0 * 15.0)
    assert total.actual == Side(2 * 5 * 15.0, 2 * 30.0 * 15.0)


@pytest.mark.parametrize(
    ("what", "counts"),
    [
        ({}, True),
        ({"load": Reading(State.STALE, 50.0, 300.0)}, False),
        ({"load": Reading(State.PARTIAL, 50.0, 3.0)}, False),
        ({"load": Reading(State.FAILED)}, False),
        ({"ready": None}, False),
    ],
)
def test_time_on_unknown_inputs_is_not_counted(what: dict[str, Any], counts: bool) -> None:
    contest = after(BEGUN, seen(START_S + 15.0, **what))
    assert (counted_s(contest) == 15.0) is counts
    assert contest.at_s == START_S + 15.0
    assert contest.own.memory.decided_s == START_S + 15.0, "decisions go on meanwhile"


def test_an_unknown_signal_is_an_unknown_input() -> None:
    policy = dataclasses.replace(OWN, signals=(SignalPolicy("errors", SignalType.ERRORS, target=0.05),))
    look = seen(START_S + 15.0, signals=(Reading(State.EMPTY),))
    contest = continued(BEGUN, look, Play(policy, DREAD), Play(policy, DREAD), DAY_S)
    assert contest.spans == ()


@pytest.mark.parametrize(("wanted", "counts"), [(True, 0.0), (False, 15.0)])
def test_a_missing_forecast_counts_only_where_none_is_wanted(wanted: bool, counts: float) -> None:
    nothing = Outlook(math.nan, math.nan, math.inf, "", "none yet")
    look = seen(START_S + 15.0)
    contest = continued(BEGUN, look, Play(OWN, DREAD), Play(OWN, nothing), DAY_S, wanted)
    assert counted_s(contest) == counts


@pytest.mark.parametrize("pause_s", [301.0, 86_400.0, -600.0])
def test_after_a_pause_both_go_on_from_the_pods_there_are_and_it_is_not_counted(pause_s: float) -> None:
    before = after(BEGUN, seen(START_S + 15.0))
    contest = after(before, seen(START_S + 15.0 + pause_s, current=9, ready=9, load=90.0))
    assert counted_s(contest) == counted_s(before)
    assert contest.own.fleet.ready == contest.shadow.fleet.ready == 9


def test_a_second_look_in_the_same_evaluation_changes_nothing() -> None:
    contest = after(BEGUN, seen(START_S + 15.0))
    assert after(contest, seen(START_S + 15.2, 90.0)) is contest


def test_utilisation_goes_with_the_pods_that_share_the_work() -> None:
    cpu = SignalPolicy("cpu", SignalType.CPU, target=50.0)
    policy = dataclasses.replace(OWN, signals=(cpu,), load_per_replica=1000.0, max_replicas=1000)
    nothing = Outlook(0.0, 0.0, 0.0, "ridge")
    contest = BEGUN
    for step in range(1, 60):
        # Ten real pods at 40 %: 4 pods' worth of work, which 8 pods do at 50 %.
        look = seen(START_S + 15.0 * step, 1.0, current=10, ready=10, signals=(known(40.0),))
        contest = continued(contest, look, Play(policy, nothing), Play(policy, nothing), DAY_S)
    assert contest.own.fleet.ready == 8


def test_what_is_remembered_comes_back_exactly() -> None:
    contest = after(BEGUN, *(seen(START_S + 15.0 * step, 50.0 + step) for step in range(1, 30)))
    assert part_from_json(part_to_json(contest), Contest) == contest


# -- what is kept of the past


def _span(
    hour: float, own: tuple[float, float], shadow: tuple[float, float], counted_s: float = HOUR_S
) -> Span:
    """An hour of 100 load. own, shadow: replicas asked for, and load left unserved."""
    sides = [Side(replicas * counted_s, left * counted_s) for replicas, left in (own, shadow, own)]
    return Span(START_S + hour * HOUR_S, counted_s, 100.0 * counted_s, *sides)


def _day(own: tuple[float, float], shadow: tuple[float, float]) -> list[Span]:
    return [_span(hour, own, shadow) for hour in range(24)]


def test_a_window_is_kept_by_the_twelfth_and_forgotten_after_twice_its_length() -> None:
    spans: tuple[Span, ...] = ()
    begin_s = math.floor(START_S / DAY_S) * DAY_S
    for step in range(5 * 24 * 60):
        spans = noted(spans, begin_s + 60.0 * step, Span(0.0, 60.0, 6000.0), DAY_S)
    assert len(spans) == 24
    assert sum(span.counted_s for span in spans) == 2 * DAY_S
    assert summed(newest(spans, DAY_S)).counted_s == DAY_S


def test_a_hole_is_made_up_for_by_older_time() -> None:
    spans = tuple(_span(hour, (1.0, 0.0), (1.0, 0.0)) for hour in range(48) if not 10 <= hour < 40)
    assert not judged(spans, TERMS).complete
    assert judged((*spans, *(_span(hour, (1.0, 0.0), (1.0, 0.0)) for hour in range(48, 54))), TERMS).complete


# -- who has won


def won(spans: list[Span]) -> Won | None:
    return judged(tuple(spans), TERMS).won


@pytest.mark.parametrize(
    ("own", "shadow", "expected"),
    [
        ((10.0, 1.0), (9.0, 1.0), Won.CHEAPER),
        ((10.0, 1.0), (9.0, 1.04), Won.CHEAPER),  # a twentieth more left unserved counts as equal
        ((10.0, 1.0), (9.0, 1.06), None),
        ((10.0, 0.0), (9.0, 0.009), Won.CHEAPER),  # and so does a ten-thousandth of the load
        ((10.0, 0.0), (9.0, 0.02), None),
        ((10.0, 1.0), (9.1, 1.0), None),  # less, but not by the margin
        ((10.0, 1.0), (10.0, 0.8), Won.SERVES_BETTER),
        ((10.0, 1.0), (10.1, 0.1), None),  # better, for more money
        ((10.0, 1.0), (10.0, 0.95), None),  # better, but not by the margin
        ((10.0, 0.008), (10.0, 0.0), None),  # too little was left unserved for this to mean anything
        ((10.0, 1.0), (10.0, 1.0), None),
        ((0.0, 0.0), (0.0, 0.0), None),
    ],
)
def test_winning_takes_the_margin_on_one_side_and_no_loss_on_the_other(
    own: tuple[float, float], shadow: tuple[float, float], expected: Won | None
) -> None:
    assert won(_day(own, shadow)) == expected


def test_nothing_is_won_before_the_whole_window_was_counted() -> None:
    spans = _day((10.0, 1.0), (5.0, 0.0))
    assert won(spans) is Won.CHEAPER
    assert won(spans[:-1]) is None
    assert won([*spans[:-1], _span(23, (10.0, 1.0), (5.0, 0.0), HOUR_S - 1.0)]) is None


@pytest.mark.parametrize("bad", range(4))
@pytest.mark.parametrize("there", [(5.0, 3.0), (21.0, 0.0)], ids=["shortage", "cost"])
def test_a_quarter_that_is_worse_is_not_outweighed_by_the_others(
    bad: int, there: tuple[float, float]
) -> None:
    spans = _day((20.0, 1.0), (5.0, 0.0))
    spans[6 * bad : 6 * bad + 6] = [_span(hour, (20.0, 1.0), there) for hour in range(6 * bad, 6 * bad + 6)]
    assert won(spans) is None


def test_one_burst_that_was_met_by_chance_is_no_victory() -> None:
    spans = [_span(hour, (10.0, 20.0 if hour == 7 else 0.0), (10.0, 0.0)) for hour in range(24)]
    assert won(spans) is None
    spans[20] = _span(20, (10.0, 1.0), (10.0, 0.0))
    assert won(spans) is Won.SERVES_BETTER


# -- acting by it


PROMOTED = Standing(Stage.PROMOTED, START_S)


@pytest.mark.parametrize(
    ("shadow", "given_up"),
    [
        ((5.0, 0.0), False),
        ((10.5, 0.0), False),
        ((11.2, 0.0), True),
        ((5.0, 1.02), False),
        ((5.0, 1.2), True),
    ],
    ids=["better", "a little dearer", "dearer by the margin", "as good", "serves less"],
)
def test_it_is_given_up_once_the_newest_quarter_speaks_against_it(
    shadow: tuple[float, float], given_up: bool
) -> None:
    spans = tuple([*_day((10.0, 1.0), (5.0, 0.0))[:18], *_day((10.0, 1.0), shadow)[18:]])
    assert loses(spans, TERMS, START_S) is given_up
    stage = moved_on(PROMOTED, judged(spans, TERMS), spans, TERMS, True, START_S + DAY_S).stage
    assert stage is (Stage.GIVEN_UP if given_up else Stage.PROMOTED)


def test_only_time_since_its_promotion_speaks_against_it() -> None:
    spans = tuple(_day((10.0, 0.0), (20.0, 5.0)))
    assert loses(spans, TERMS, START_S + 18 * HOUR_S)
    assert not loses(spans, TERMS, START_S + 19 * HOUR_S)


@pytest.mark.parametrize(
    ("stage", "automatic", "expected"),
    [
        (Stage.COMPARED, True, Stage.PROMOTED),
        (Stage.COMPARED, False, Stage.COMPARED),
        (Stage.PROMOTED, True, Stage.PROMOTED),
        (Stage.PROMOTED, False, Stage.COMPARED),
        (Stage.GIVEN_UP, True, Stage.GIVEN_UP),
        (Stage.GIVEN_UP, False, Stage.GIVEN_UP),
    ],
)
def test_a_winner_is_acted_by_only_where_that_is_wanted_and_never_again_once_given_up(
    stage: Stage, automatic: bool, expected: Stage
) -> None:
    spans = tuple(_day((10.0, 1.0), (5.0, 0.0)))
    standing = moved_on(
        Standing(stage, START_S), judged(spans, TERMS), spans, TERMS, automatic, START_S + DAY_S
    )
    assert standing.stage is expected


# -- in words


@pytest.mark.parametrize(
    ("spans", "text"),
    [
        ([], "bolder: nothing has been compared yet."),
        (
            _day((10.0, 1.0), (9.0, 0.5))[:3],
            "bolder after 3 h of 24 h: it would cost 10 % less, and leave 0.5 % of the load unserved "
            "instead of 1 %.",
        ),
        (
            _day((10.0, 1.0), (9.0, 0.5)),
            "bolder has won over 24 h: it would cost 10 % less, and leave 0.5 % of the load unserved "
            "instead of 1 %.",
        ),
        (
            _day((10.0, 0.0), (12.0, 0.0)),
            "bolder has not won over 24 h: it would cost 20 % more, and leave 0 % of the load unserved "
            "instead of 0 %.",
        ),
    ],
)
def test_how_it_stands_is_one_sentence(spans: list[Span], text: str) -> None:
    verdict: Verdict = judged(tuple(spans), TERMS)
    assert sentence("bolder", verdict, TERMS) == text
