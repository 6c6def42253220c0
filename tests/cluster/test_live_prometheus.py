"""The live Prometheus of the tests, and the proxy that stands between it and a client."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import pytest
import requests
from live_prometheus import LivePrometheus, Past, Sample
from tcp_proxy import TcpProxy

pytestmark = [pytest.mark.prometheus, pytest.mark.slow]

_DAYS = 2


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePrometheus]:
    start_s = int(time.time()) - _DAYS * 86_400 - 600
    values = [10.0] * (_DAYS * 1440)
    values[100] = math.nan
    past = [Past("load", start_s, 60, values, {"app": f"a{number}"}) for number in range(3)]
    with LivePrometheus(tmp_path_factory.mktemp("prometheus"), past) as prometheus:
        yield prometheus


@pytest.fixture
def proxy(live: LivePrometheus) -> Iterator[TcpProxy]:
    with TcpProxy(live.url) as between:
        yield between


def _answer(proxy: TcpProxy, timeout_s: float = 5.0) -> str:
    with requests.Session() as session:
        return session.get(f"{proxy.url}/-/ready", timeout=timeout_s).text


def test_the_past_is_there_with_its_gaps(live: LivePrometheus) -> None:
    counts = live.query(f"count_over_time(load[{_DAYS + 1}d])")
    assert counts == {(("app", f"a{number}"),): _DAYS * 1440 - 1 for number in range(3)}


def test_a_pushed_sample_can_be_read_at_once(live: LivePrometheus) -> None:
    now = time.time()
    live.push(Sample("load", {"app": "a0"}, 12.5, now), Sample("queue", {"app": "b", "zone": "é"}, -3, now))
    assert live.query('load{app="a0"}') == {(("__name__", "load"), ("app", "a0")): 12.5}
    assert list(live.query("queue").values()) == [-3]


def test_more_samples_than_fit_into_one_piece_can_be_pushed(live: LivePrometheus) -> None:
    now = time.time()
    live.push(*(Sample("many", {"app": f"application-{number}"}, number, now) for number in range(5000)))
    assert live.query("count(many)") == {(): 5000}


def test_a_killed_prometheus_comes_back_with_what_was_pushed(live: LivePrometheus) -> None:
    live.push(Sample("kept", {}, 7, time.time()))
    live.process.kill()
    with pytest.raises(requests.ConnectionError):
        live.query("kept")
    live.restart()
    assert list(live.query("kept").values()) == [7]


def test_the_proxy_passes_on(proxy: TcpProxy) -> None:
    assert "Ready" in _answer(proxy)
    assert proxy.accepted == 1


def test_the_proxy_refuses_and_forwards_again(proxy: TcpProxy) -> None:
    with requests.Session() as session:
        session.get(f"{proxy.url}/-/ready", timeout=5)
        proxy.refuse()
        # A connection that is open already is not spared.
        with pytest.raises(requests.ConnectionError):
            session.get(f"{proxy.url}/-/ready", timeout=5)
    with pytest.raises(requests.ConnectionError, match="refused"):
        _answer(proxy)
    proxy.forward()
    assert "Ready" in _answer(proxy)


def test_the_proxy_hangs_and_forwards_again(proxy: TcpProxy) -> None:
    with requests.Session() as session:
        session.get(f"{proxy.url}/-/ready", timeout=5)
        proxy.hang()
        with pytest.raises(requests.ReadTimeout):
            session.get(f"{proxy.url}/-/ready", timeout=0.3)
    with pytest.raises(requests.ReadTimeout):
        _answer(proxy, 0.3)
    proxy.forward()
    assert "Ready" in _answer(proxy)


def test_the_proxy_lets_answers_trickle(proxy: TcpProxy) -> None:
    began = time.monotonic()
    proxy.slow(bytes_per_s=400, latency_s=0.2)
    assert "Ready" in _answer(proxy)
    assert time.monotonic() - began > 0.4


def test_the_proxy_resets_in_the_middle_of_an_answer(proxy: TcpProxy) -> None:
    proxy.reset(after_bytes=150)
    with pytest.raises(requests.RequestException, match="reset by peer"):
        requests.get(f"{proxy.url}/api/v1/status/flags", timeout=5)
