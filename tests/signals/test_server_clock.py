"""A server whose clock differs from ours is asked in its own time."""

from __future__ import annotations

import time

import pytest
from real_prometheus import RealPrometheus

from autoscaler.series import State
from autoscaler.signals.failures import Cause, QueryFailed
from autoscaler.signals.instant import InstantQuery
from autoscaler.signals.prometheus import Prometheus
from autoscaler.signals.server_clock import ServerClock
from autoscaler.signals.settings import ConnectionSettings


class _Clocks:
    """Ours, theirs, and one that only goes forward."""

    def __init__(self, ahead_s: float) -> None:
        self.ahead_s = ahead_s
        self.uptime = 0.0
        self.asked = 0
        self.fails = False

    def ask(self) -> float:
        self.asked += 1
        if self.fails:
            raise QueryFailed(Cause.UNREACHABLE, "refused")
        return 1_000_000.0 + self.ahead_s

    def clock(self) -> ServerClock:
        return ServerClock(self.ask, lambda: 1_000_000.0, lambda: self.uptime)


@pytest.mark.parametrize(
    ("difference_s", "followed_s"), [(0.0, 0), (4.4, 0), (-4.4, 0), (300.2, 300), (-300.2, -300)]
)
def test_only_a_clear_difference_is_followed(difference_s: float, followed_s: int) -> None:
    assert _Clocks(difference_s).clock().ahead_s() == followed_s


def test_the_time_is_asked_for_every_five_minutes_and_kept_where_that_fails() -> None:
    clocks = _Clocks(300.0)
    clock = clocks.clock()
    assert [clock.ahead_s() for _ in range(3)] == [300, 300, 300]
    assert clocks.asked == 1
    clocks.uptime, clocks.fails = 301.0, True
    assert clock.ahead_s() == 300
    clocks.uptime, clocks.fails, clocks.ahead_s = 362.0, False, 0.0
    assert clock.ahead_s() == 0
    assert clocks.asked == 3


@pytest.mark.prometheus
@pytest.mark.parametrize("wrong_s", [-300, 300])
def test_a_clock_that_is_five_minutes_wrong_reads_the_same(
    prometheus_server: RealPrometheus, monkeypatch: pytest.MonkeyPatch, wrong_s: int
) -> None:
    query = InstantQuery("vector(time())", 60.0)
    wrong_now_s = time.time() + wrong_s
    with Prometheus(ConnectionSettings(prometheus_server.url, follow_clock=True)) as prometheus:
        monkeypatch.setattr(
            prometheus, "_clock", ServerClock(prometheus._ask_time, lambda: time.time() + wrong_s)
        )
        assert prometheus.clock_ahead_s() == -wrong_s
        (reading,) = prometheus.read_now([query], wrong_now_s)
        assert reading.state is State.VALUE
        assert reading.value == pytest.approx(time.time(), abs=5)
        end_s = int(wrong_now_s) // 10 * 10
        history = prometheus.read_range("vector(1)", end_s - 60, end_s, 10)
        assert history.state is State.VALUE
        assert history.series.start_s == end_s - 60 and len(history.series) == 7
