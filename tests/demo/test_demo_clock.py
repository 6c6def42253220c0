"""The clock of the demonstration."""

from __future__ import annotations

from autoscaler.demo.clock import AcceleratedClock


class _Wall:
    def __init__(self) -> None:
        self.now_s = 5.0

    def __call__(self) -> float:
        return self.now_s


def test_time_stands_until_it_is_started() -> None:
    wall = _Wall()
    clock = AcceleratedClock(1000.0, 60.0, wall)
    wall.now_s += 3.0
    assert clock.now_s() == 1000.0


def test_a_minute_passes_each_second() -> None:
    wall = _Wall()
    clock = AcceleratedClock(1000.0, 60.0, wall)
    clock.start()
    wall.now_s += 3.0
    assert clock.now_s() == 1180.0
    assert clock.real_seconds_until(1240.0) == 1.0


def test_what_is_past_is_not_waited_for() -> None:
    wall = _Wall()
    clock = AcceleratedClock(1000.0, 60.0, wall)
    clock.start()
    wall.now_s += 10.0
    assert clock.real_seconds_until(1060.0) == 0.0
