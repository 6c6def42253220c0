"""The clock of the demonstration."""

from __future__ import annotations

import pytest

from autoscaler.demo.clock import AcceleratedClock


class _Wall:
    def __init__(self) -> None:
        self.now_s = 5.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def wall() -> _Wall:
    return _Wall()


@pytest.fixture
def clock(wall: _Wall) -> AcceleratedClock:
    return AcceleratedClock(1000.0, 60.0, wall)


def test_time_stands_until_it_is_told_to_go_on(clock: AcceleratedClock, wall: _Wall) -> None:
    wall.now_s += 3.0
    assert clock.now_s() == 1000.0


def test_a_minute_passes_each_second(clock: AcceleratedClock, wall: _Wall) -> None:
    clock.go_on(2000.0)
    wall.now_s += 3.0
    assert clock.now_s() == 1180.0
    assert clock.real_seconds_until(1240.0) == 1.0


def test_time_is_never_ahead_of_what_was_played(clock: AcceleratedClock, wall: _Wall) -> None:
    clock.go_on(1060.0)
    wall.now_s += 30.0
    assert clock.now_s() == 1060.0


def test_time_that_it_had_to_stand_is_not_made_up_for(clock: AcceleratedClock, wall: _Wall) -> None:
    clock.go_on(1060.0)
    wall.now_s += 30.0
    clock.go_on(1120.0)
    assert clock.now_s() == 1060.0
    assert clock.real_seconds_until(1120.0) == 1.0


def test_what_is_past_is_not_waited_for(clock: AcceleratedClock, wall: _Wall) -> None:
    clock.go_on(1060.0)
    wall.now_s += 30.0
    assert clock.real_seconds_until(1030.0) == 0.0
