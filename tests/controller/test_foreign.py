"""Counts that somebody else wrote, told apart by what they do."""

from __future__ import annotations

import pytest

from autoscaler.controller.acting.foreign import ForeignWrites

GRACE_S = 600.0
HOUR_S = 3600.0


def saw(foreign: ForeignWrites, current: int, now_s: float, *, may_be_zero: bool = False) -> object:
    return foreign.saw(current, now_s, may_be_zero, ours=True)


def test_the_first_count_seen_is_nobodys_intrusion() -> None:
    foreign = ForeignWrites()
    saw(foreign, 7, 0.0)
    assert foreign.grace_left_s(GRACE_S, 0.0) == 0.0


def test_our_own_write_is_no_intrusion() -> None:
    foreign = ForeignWrites()
    saw(foreign, 3, 0.0)
    foreign.wrote(3, 5, 1.0)
    saw(foreign, 5, 15.0)
    assert foreign.grace_left_s(GRACE_S, 15.0) == 0.0


def test_a_count_that_somebody_changed_is_left_alone_for_the_grace() -> None:
    foreign = ForeignWrites()
    saw(foreign, 3, 0.0)
    saw(foreign, 9, 15.0)
    assert foreign.grace_left_s(GRACE_S, 15.0) == 600.0
    saw(foreign, 9, 615.0)
    assert foreign.grace_left_s(GRACE_S, 614.0) == 1.0
    assert foreign.grace_left_s(GRACE_S, 615.0) == 0.0


def test_a_second_change_begins_the_grace_anew() -> None:
    foreign = ForeignWrites()
    for count, now_s in ((3, 0.0), (9, 15.0), (8, 300.0)):
        saw(foreign, count, now_s)
    assert foreign.grace_left_s(GRACE_S, 615.0) == 285.0


def test_changes_made_while_the_count_was_not_ours_are_no_intrusion() -> None:
    foreign = ForeignWrites()
    for count, now_s in ((3, 0.0), (9, 15.0), (8, 30.0)):
        foreign.saw(count, now_s, False, ours=False)
    saw(foreign, 8, 45.0)
    assert foreign.grace_left_s(GRACE_S, 45.0) == 0.0


def undone(foreign: ForeignWrites, times: int, now_s: float, after_s: float = 60.0) -> float:
    """Our write from 3 to 5 is put back, so many times; when that was over."""
    saw(foreign, 3, now_s)
    for _ in range(times):
        foreign.wrote(3, 5, now_s)
        now_s += after_s
        saw(foreign, 3, now_s)
        now_s += GRACE_S
    return now_s - GRACE_S


@pytest.mark.parametrize(("times", "fights"), [(1, False), (2, False), (3, True), (4, True)])
def test_a_write_that_is_undone_three_times_is_a_fight(times: int, fights: bool) -> None:
    foreign = ForeignWrites()
    assert foreign.fighting(undone(foreign, times, 0.0)) is fights


def test_a_count_put_back_late_is_a_change_and_no_fight() -> None:
    foreign = ForeignWrites()
    now_s = undone(foreign, 3, 0.0, after_s=301.0)
    assert not foreign.fighting(now_s)
    assert foreign.grace_left_s(GRACE_S, now_s) == GRACE_S


def test_a_count_set_to_something_else_again_and_again_is_no_fight() -> None:
    foreign = ForeignWrites()
    saw(foreign, 3, 0.0)
    for now_s in (0.0, 1000.0, 2000.0):
        foreign.wrote(3, 5, now_s)
        saw(foreign, 4, now_s + 60.0)
    assert not foreign.fighting(2060.0)


def test_one_more_write_is_tried_an_hour_after_the_last_one_was_undone() -> None:
    foreign = ForeignWrites()
    now_s = undone(foreign, 3, 0.0)
    assert foreign.fighting(now_s + HOUR_S - 1.0)
    assert not foreign.fighting(now_s + HOUR_S)
    now_s += HOUR_S
    foreign.wrote(3, 5, now_s)
    saw(foreign, 3, now_s + 60.0)
    assert foreign.fighting(now_s + 60.0), "and once more undone it is a fight again"


def test_a_write_that_stands_for_an_hour_ends_the_fight() -> None:
    foreign = ForeignWrites()
    now_s = undone(foreign, 3, 0.0) + HOUR_S
    foreign.wrote(3, 5, now_s)
    saw(foreign, 5, now_s + HOUR_S + 1.0)
    assert foreign.undone_s == []


@pytest.mark.parametrize(
    ("counts", "may_be_zero", "left_alone"),
    [
        ((3, 0), False, True),
        ((3, 0, 0), False, True),
        ((3, 0), True, True),  # somebody did it, although we might have
        ((0,), False, True),  # found so after a restart
        ((0,), True, False),  # found so after a restart, and it may well have been us
        ((3, 0, 2), False, False),
        ((0, 2), False, False),
        ((3,), False, False),
    ],
)
def test_a_target_that_somebody_scaled_to_zero_is_known_as_such(
    counts: tuple[int, ...], may_be_zero: bool, left_alone: bool
) -> None:
    foreign = ForeignWrites()
    for number, count in enumerate(counts):
        saw(foreign, count, 15.0 * number, may_be_zero=may_be_zero)
    assert foreign.zero_by_hand is left_alone


def test_zero_that_we_wrote_is_not_somebody_elses() -> None:
    foreign = ForeignWrites()
    saw(foreign, 2, 0.0, may_be_zero=True)
    foreign.wrote(2, 0, 1.0)
    saw(foreign, 0, 15.0, may_be_zero=True)
    assert not foreign.zero_by_hand


def test_a_write_without_an_answer_that_shows_in_the_count_was_ours() -> None:
    foreign = ForeignWrites()
    saw(foreign, 3, 0.0)
    foreign.attempted = (3, 5, 4.0)
    assert saw(foreign, 5, 15.0) == (3, 5, 4.0)
    assert foreign.grace_left_s(GRACE_S, 15.0) == 0.0
    assert saw(foreign, 5, 30.0) is None, "it is told once"


def test_a_write_without_an_answer_that_does_not_show_was_none() -> None:
    foreign = ForeignWrites()
    saw(foreign, 3, 0.0)
    foreign.attempted = (3, 5, 4.0)
    assert saw(foreign, 3, 15.0) is None
    assert foreign.grace_left_s(GRACE_S, 15.0) == 0.0
    saw(foreign, 5, 30.0)
    assert foreign.grace_left_s(GRACE_S, 30.0) == GRACE_S, "what comes later is somebody else's"


def test_another_count_after_a_write_without_an_answer_is_somebody_elses() -> None:
    foreign = ForeignWrites()
    saw(foreign, 3, 0.0)
    foreign.attempted = (3, 5, 4.0)
    assert saw(foreign, 8, 15.0) is None
    assert foreign.grace_left_s(GRACE_S, 15.0) == GRACE_S
