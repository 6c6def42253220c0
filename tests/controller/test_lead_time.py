"""The lead time a workload's own pods show."""

from __future__ import annotations

import pytest
from workload_making import NOW_S, pod

from autoscaler.controller.observing.lead_time import MeasuredLeadTime, StartUps, lead_time_in_use

DAY_S = 86_400.0


def watched(*took_s: float, now_s: float = NOW_S) -> StartUps:
    start_ups = StartUps()
    start_ups.watch([pod(f"p{n}", took_s=took) for n, took in enumerate(took_s)], now_s)
    return start_ups


def test_fewer_than_five_start_ups_measure_nothing() -> None:
    assert watched(10, 10, 10, 10).measured() is None


@pytest.mark.parametrize(
    ("took_s", "seconds"),
    [
        ((30, 30, 30, 30, 30), 30.0),
        ((31, 31, 31, 31, 31), 35.0),  # rounded up to whole steps of 5 s
        ((0, 0, 0, 0, 0), 5.0),
        ((10, 20, 30, 40, 300), 300.0),
        ((10,) * 18 + (300, 300), 10.0),  # nine of ten start as fast as this
        ((10,) * 17 + (300,) * 3, 300.0),
    ],
)
def test_the_lead_time_is_what_nine_of_ten_start_ups_took(took_s: tuple[float, ...], seconds: float) -> None:
    measured = watched(*took_s).measured()
    assert measured is not None and (measured.seconds, measured.samples) == (seconds, len(took_s))


@pytest.mark.parametrize(
    "strange",
    [
        {"ready": False},
        {"restarts": 1},  # its last becoming ready is not its first
        {"took_s": -1.0},
        {"took_s": DAY_S + 1.0},
    ],
)
def test_a_pod_that_tells_nothing_about_starting_is_left_out(strange: dict[str, object]) -> None:
    start_ups = watched(10, 10, 10, 10)
    start_ups.watch([pod("strange", **strange)], NOW_S)  # type: ignore[arg-type]  # fields of a pod by name
    assert start_ups.measured() is None


def test_a_pod_that_is_seen_again_counts_once_and_as_it_first_was() -> None:
    start_ups = watched(10, 10, 10, 10, 10)
    start_ups.watch([pod("p0", took_s=3000)], NOW_S)
    assert start_ups.measured() == watched(10, 10, 10, 10, 10).measured()


def test_only_the_newest_fifty_and_those_of_the_last_week_count() -> None:
    start_ups = StartUps()
    old = [pod(f"old{n}", created_s=NOW_S - 2 * DAY_S, took_s=600) for n in range(50)]
    new = [pod(f"new{n}", created_s=NOW_S - DAY_S, took_s=20) for n in range(50)]
    start_ups.watch([*new, *old], NOW_S)
    assert start_ups.measured() == MeasuredLeadTime(20.0, 50, NOW_S - DAY_S + 20)
    start_ups.watch([], NOW_S + 7 * DAY_S)
    assert start_ups.measured() is None


@pytest.mark.parametrize(
    ("measured_s", "before_s", "used_s"),
    [
        (None, 0.0, 180.0),  # as configured
        (None, 60.0, 180.0),
        (60.0, 0.0, 60.0),
        (60.0, 180.0, 60.0),
        (190.0, 180.0, 180.0),  # within a tenth: forecasts are not fitted anew for that
        (200.0, 180.0, 200.0),
        (15.0, 10.0, 10.0),  # one step of rounding is no change
        (20.0, 10.0, 20.0),
    ],
)
def test_the_lead_time_in_use_follows_what_is_measured_but_not_its_noise(
    measured_s: float | None, before_s: float, used_s: float
) -> None:
    measured = None if measured_s is None else MeasuredLeadTime(measured_s, 5, NOW_S)
    assert lead_time_in_use(180.0, measured, before_s) == used_s
