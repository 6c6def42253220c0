"""The forecasting process as the operator sees it: it may die or hang, and nobody waits for it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from known_source import HangsForOne, Now, request

from autoscaler.controller.forecasts.request import ForecastRequest
from autoscaler.controller.forecasts.service import Forecasts
from autoscaler.forecasting.forecaster import ForecastSettings
from autoscaler.signals.settings import ConnectionSettings

pytestmark = pytest.mark.slow
HANGS = ConnectionSettings("http://hangs.invalid:9090")


@contextmanager
def running(forecasts: Forecasts) -> Iterator[Forecasts]:
    forecasts.start()
    try:
        yield forecasts
    finally:
        forecasts.stop()


def until(happens: Callable[[], object], within_s: float = 40.0) -> None:
    ends_s = time.monotonic() + within_s
    while not happens():
        assert time.monotonic() < ends_s, "did not happen in time"
        time.sleep(0.02)


def often(key: str = "shop/web", **changes: object) -> ForecastRequest:
    """A request with a step of a second, so that fans come quickly."""
    return request(key, **{"model": "trend", "history_s": 600.0, "step_s": 1} | changes)


def gone(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return True
    return False


def made_at_s(forecasts: Forecasts, key: str = "shop/web") -> float:
    fan = forecasts.fan(key)
    return fan.made_at_s if fan else 0.0


def test_fans_arrive_and_stay_young() -> None:
    with running(Forecasts(open_reader=Now)) as forecasts:
        forecasts.set_requests({"shop/web": often()})
        until(lambda: forecasts.fan("shop/web"))
        first_s = made_at_s(forecasts)
        until(lambda: made_at_s(forecasts) > first_s + 1)
        fan = forecasts.fan("shop/web")
        assert fan is not None
        assert fan.outlook(time.time(), 3.0, 0.95).age_s < 5
        assert forecasts.healthy
        assert (forecasts.failure("shop/web"), forecasts.restarts) == ("", 0)
        assert time.time() - forecasts.last_answer_s < 5
        process_id = forecasts.process_id
        assert process_id is not None
    assert gone(process_id)
    assert not forecasts.healthy


def test_a_killed_process_is_started_again_and_meanwhile_fans_grow_old() -> None:
    with running(Forecasts(open_reader=Now)) as forecasts:
        forecasts.set_requests({"shop/web": often()})
        until(lambda: forecasts.fan("shop/web"))
        killed = forecasts.process_id
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        until(lambda: gone(killed))
        before = forecasts.fan("shop/web")
        assert before is not None
        assert before.outlook(before.made_at_s + 9, 3.0, 0.95).age_s == 9
        until(lambda: made_at_s(forecasts) > before.made_at_s + 1)
        assert forecasts.restarts == 1
        assert forecasts.process_id not in (None, killed)


@pytest.mark.timeout(240)
def test_a_process_that_falls_silent_is_replaced() -> None:
    # Longer than a new process takes to begin, also where the machine is busy.
    with running(Forecasts(open_reader=Now, patience_s=15.0)) as forecasts:
        forecasts.set_requests({"shop/web": often()})
        until(lambda: forecasts.fan("shop/web"))
        silent = forecasts.process_id
        assert silent is not None
        os.kill(silent, signal.SIGSTOP)
        forecasts.set_requests({f"shop/w{n}": often(f"shop/w{n}") for n in range(2000)})
        assert forecasts.fan("shop/web") is None
        until(lambda: gone(silent))
        forecasts.set_requests({"shop/web": often()})
        until(lambda: forecasts.fan("shop/web"), 90.0)
        assert forecasts.restarts == 1


def test_a_source_that_hangs_delays_no_other() -> None:
    with running(Forecasts(open_reader=HangsForOne)) as forecasts:
        forecasts.set_requests({"shop/stuck": often("shop/stuck", source=HANGS), "shop/web": often()})
        until(lambda: forecasts.fan("shop/web"))
        first_s = made_at_s(forecasts)
        until(lambda: made_at_s(forecasts) > first_s + 2)
        assert forecasts.fan("shop/stuck") is None


def test_a_fan_of_another_load_is_dropped_at_once_and_one_of_the_same_load_is_kept() -> None:
    forecasts = Forecasts(open_reader=Now)
    with running(forecasts):
        forecasts.set_requests({"shop/web": often()})
        until(lambda: forecasts.fan("shop/web"))
        forecasts.set_requests({"shop/web": often(settings=ForecastSettings(horizon=9, lead=3))})
        assert forecasts.fan("shop/web") is not None
        until(lambda: getattr(forecasts.fan("shop/web"), "horizon", 0) == 9)
        forecasts.set_requests({"shop/web": often(query="other")})
        assert forecasts.fan("shop/web") is None
        until(lambda: forecasts.fan("shop/web"))
        forecasts.set_requests({})
        assert forecasts.fan("shop/web") is None


def test_a_process_whose_operator_is_gone_ends() -> None:
    forecasts = Forecasts(open_reader=Now)
    forecasts.start()
    until(lambda: forecasts.healthy and forecasts.process_id)
    process_id = forecasts.process_id
    assert process_id is not None
    forecasts.stop()
    until(lambda: gone(process_id), within_s=5)


@pytest.mark.parametrize("key", ["a/b", "c/d"])
def test_what_was_never_asked_for_has_neither_fan_nor_failure(key: str) -> None:
    forecasts = Forecasts(open_reader=Now)
    forecasts.set_requests({key: replace(often(), key=key)})
    assert forecasts.fan("x/y") is None
    assert (forecasts.failure("x/y"), forecasts.healthy, forecasts.last_answer_s) == ("", False, 0.0)
