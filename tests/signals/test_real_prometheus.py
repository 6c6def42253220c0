"""Against a real Prometheus: what was written is what is read, with few requests."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from real_prometheus import RealPrometheus, running_prometheus

from autoscaler.series import State
from autoscaler.signals.cache import HistoryCache
from autoscaler.signals.instant import InstantQuery
from autoscaler.signals.prometheus import Prometheus
from autoscaler.signals.session import PrometheusSession
from autoscaler.signals.settings import ConnectionSettings

pytestmark = pytest.mark.prometheus


class CountingSession(PrometheusSession):
    """Notes what was asked."""

    def __init__(self, settings: ConnectionSettings) -> None:
        super().__init__(settings)
        self.asked: list[dict[str, Any]] = []

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        self.asked.append(dict(kwargs["params"]))
        return super().request(method, url, *args, **kwargs)

    @property
    def points(self) -> int:
        """Steps asked for in all ranges."""
        return sum((a["end"] - a["start"]) // int(a["step"]) + 1 for a in self.asked)


class Client:
    def __init__(self, url: str, **settings: Any) -> None:
        self.session = CountingSession(ConnectionSettings(url, **settings))
        self.prometheus = Prometheus(ConnectionSettings(url, **settings), self.session)


@pytest.fixture
def client(prometheus_server: RealPrometheus) -> Iterator[Client]:
    client = Client(prometheus_server.url)
    yield client
    client.prometheus.close()


def query(name: str) -> str:
    # Without a lookback of five minutes a gap shows as it was written.
    return f'last_over_time(load{{service="{name}"}}[30s])'


@pytest.mark.parametrize("name", ["s00", "s02"])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_28_days_are_read_as_written(prometheus_server: RealPrometheus, name: str, method: str) -> None:
    real = prometheus_server
    client = Client(real.url, method=method)
    history = client.prometheus.read_range(query(name), real.start_s, real.end_s, real.step_s)
    assert history.state is State.VALUE
    np.testing.assert_array_equal(history.series.values, real.values[name])
    assert (history.series.start_s, history.series.step_s) == (real.start_s, real.step_s)
    assert len(client.session.asked) == math.ceil(len(real.values[name]) / 10_000)
    assert history.answered.all()


def test_the_next_read_asks_only_for_what_is_new(
    prometheus_server: RealPrometheus, client: Client, tmp_path: Path
) -> None:
    real = prometheus_server
    cache = HistoryCache(client.prometheus.read_range, folder=tmp_path, overlap_s=600)
    week = 7 * 86_400
    before = cache.read(query("s02"), real.start_s, real.end_s - 120, real.step_s)
    client.session.asked.clear()
    after = cache.read(query("s02"), real.start_s + week, real.end_s, real.step_s)
    assert len(client.session.asked) == 1
    assert client.session.points == 600 // 60 + 2
    np.testing.assert_array_equal(after.series.values, real.values["s02"][week // 60 :])
    assert before.state is after.state is State.VALUE

    client.session.asked.clear()
    restarted = HistoryCache(client.prometheus.read_range, folder=tmp_path, overlap_s=600)
    again = restarted.read(query("s02"), real.start_s + week, real.end_s, real.step_s)
    assert client.session.points == 10
    np.testing.assert_array_equal(again.series.values, after.series.values)


def test_a_hundred_present_values_take_a_handful_of_requests(
    prometheus_server: RealPrometheus, client: Client
) -> None:
    real = prometheus_server
    names = list(real.values)
    queries = [InstantQuery(f'load{{service="{names[n % 10]}"}} + {n} # {n}') for n in range(100)]
    readings = client.prometheus.read_now(queries, real.end_s)
    assert [r.state for r in readings] == [State.VALUE] * 100
    expected = [real.values[names[n % 10]][-1] + n for n in range(100)]
    assert [r.value for r in readings] == pytest.approx(expected)
    assert len(client.session.asked) <= 4


_LIVE = shutil.ignore_patterns("wal", "lock", "queries.active", "chunks_head")

OUTCOMES = {
    'load{service="s00"}': State.VALUE,
    "sum(load)": State.VALUE,
    "sum(load) # (a comment\n": State.VALUE,
    'load{service="s01"} > 0 or load{service="s02"}': State.SEVERAL_SERIES,
    'load{service="s00"} unless load{service="s00"}': State.EMPTY,
    'load{service="s00"} < 0': State.EMPTY,
    "load": State.SEVERAL_SERIES,
    "nothing": State.EMPTY,
    "sum(load) / 0": State.NOT_A_NUMBER,
    "sum(load) * NaN": State.NOT_A_NUMBER,
    "42": State.VALUE,
    "time() - time()": State.VALUE,
    '"text"': State.FAILED,
    "load[5m]": State.FAILED,
    "sum(load": State.FAILED,
    "sum(load) by": State.FAILED,
    "": State.FAILED,
    'load) or (load{service="s00"}': State.FAILED,
    'sum(load), "__pa_query__", "v0", "", "") or label_replace((sum(load)': State.FAILED,
    'label_replace(sum(load), "__pa_query__", "v0", "", "")': State.VALUE,
    'label_replace(load{service=~"s0[01]"}, "service", "same", "", "")': State.FAILED,
    '{__name__=~"load|other"}': State.SEVERAL_SERIES,
    'load{service="s00"} offset 3m': State.STALE,
    "vector(7)": State.VALUE,
    "-sum(load)": State.VALUE,
    "sum(load) == bool 1": State.VALUE,
    "max_over_time(sum(load)[10m:1m])": State.VALUE,
    'load{service="s00"} @ end()': State.VALUE,
}


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_each_query_gets_its_own_outcome_in_company(prometheus_server: RealPrometheus, method: str) -> None:
    client = Client(prometheus_server.url, method=method)
    queries = [InstantQuery(text, max_age_s=60.0) for text in OUTCOMES]
    for _ in range(2):
        client.session.asked.clear()
        readings = client.prometheus.read_now(queries, prometheus_server.end_s + 30)
        found = {text: r.state for text, r in zip(OUTCOMES, readings, strict=True)}
        assert found == OUTCOMES
    alone = Client(prometheus_server.url)
    for query, together in zip(queries, readings, strict=True):
        (single,) = alone.prometheus.read_now([query], prometheus_server.end_s + 30)
        assert (single.state, single.age_s) == (together.state, together.age_s), query
        assert single.value == together.value or math.isnan(single.value)


def test_a_spoiler_costs_the_others_nothing_the_next_time(
    prometheus_server: RealPrometheus, client: Client
) -> None:
    now_s = prometheus_server.end_s
    queries = [InstantQuery(f"sum(load) + {n}") for n in range(40)] + [InstantQuery("sum(load) by")]
    client.prometheus.read_now(queries, now_s)
    client.session.asked.clear()
    readings = client.prometheus.read_now(queries, now_s + 15)
    assert len(client.session.asked) == 2
    assert [r.state for r in readings] == [State.VALUE] * 40 + [State.FAILED]


def test_a_dead_exporter_does_not_look_alive(prometheus_server: RealPrometheus, client: Client) -> None:
    query = InstantQuery('load{service="s00"}', max_age_s=90.0)
    (reading,) = client.prometheus.read_now([query], prometheus_server.end_s + 200)
    assert (reading.state, reading.age_s) == (State.STALE, 200.0)
    assert reading.value == prometheus_server.values["s00"][-1]


def test_what_one_request_may_not_hold_is_read_in_smaller_ones(
    prometheus_server: RealPrometheus, tmp_path: Path
) -> None:
    real = prometheus_server
    # Blocks are never changed in place, and this copy has a write-ahead log of its own.
    shutil.copytree(
        real.folder / "data",
        tmp_path / "data",
        ignore=_LIVE,
    )
    with running_prometheus(tmp_path, "--query.max-samples=3000") as url:
        client = Client(url)
        two_days = real.end_s - 2 * 86_400
        history = client.prometheus.read_range(query("s00"), two_days, real.end_s, real.step_s)
        assert history.state is State.VALUE
        np.testing.assert_array_equal(history.series.values, real.values["s00"][-2881:])

        whole = client.prometheus.read_range("count_over_time(load[28d])", real.end_s, real.end_s, 60)
        assert whole.state is State.FAILED
        assert "422" in whole.detail


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("load", State.SEVERAL_SERIES),
        ("nothing", State.EMPTY),
        ("sum(load) / 0", State.NOT_A_NUMBER),
        ("sum(load", State.FAILED),
        ('load{service="s00"} * (time() % 120 > 30)', State.FAILED),
        ("sum(load)", State.VALUE),
    ],
)
def test_a_range_has_its_outcome(
    prometheus_server: RealPrometheus, client: Client, text: str, state: State
) -> None:
    end_s = prometheus_server.end_s
    assert client.prometheus.read_range(text, end_s - 3600, end_s, 60).state is state
