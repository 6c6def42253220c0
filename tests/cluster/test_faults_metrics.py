"""What the operator does while a real Prometheus is away, slow, wrong or half empty.

The common claim: the count is held, nothing is removed, the condition names the cause, others go on at
their pace, and once the fault is over everything is as if it had not been, without a restart.
"""

from __future__ import annotations

import itertools
import math
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import crd
import pytest
from audit import Audit
from control_plane import ControlPlane, wait_until
from http_proxy import Hold, HttpProxy, Late, Refuse, every
from live_prometheus import LivePrometheus, Past, Sample
from operator_process import PERIOD_S, OperatorProcess, Resources, SteadyLoad, events
from pod_metrics import PodMetrics
from tcp_proxy import TcpProxy

pytestmark = [pytest.mark.cluster, pytest.mark.prometheus, pytest.mark.slow]

_WATCHED_S = 4.0
"""How long a hold is looked at: longer than the window after which `resource` would scale in."""


@dataclass(frozen=True)
class Metrics:
    """One Prometheus, reached by the source `default` through two proxies and by `steady` through one."""

    prometheus: LivePrometheus
    tcp: TcpProxy
    http: HttpProxy
    steady: HttpProxy

    def heal(self) -> None:
        self.http.heal()
        self.tcp.forward()
        self.prometheus.restart()


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Metrics]:
    with ExitStack() as stack:
        prometheus = stack.enter_context(LivePrometheus(tmp_path_factory.mktemp("prometheus"), [_waves()]))
        http = stack.enter_context(HttpProxy(prometheus.url))
        tcp = stack.enter_context(TcpProxy(http.url))
        steady = stack.enter_context(HttpProxy(prometheus.url))
        # All the time, as a forecast wants a history without a hole in it.
        stack.enter_context(_Wave(prometheus, {}))
        yield Metrics(prometheus, tcp, http, steady)


@pytest.fixture(scope="module")
def operator(
    control_plane: ControlPlane, metrics: Metrics, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    crd.install(control_plane)
    sources = [
        {"name": "default", "url": metrics.tcp.url, "timeout": "2s"},
        {"name": "steady", "url": metrics.steady.url, "timeout": "2s"},
    ]
    folder = tmp_path_factory.mktemp("operator")
    with OperatorProcess(folder, control_plane.kubeconfig(), metrics.tcp.url, sources=sources) as process:
        yield process


@pytest.fixture
def resources(
    control_plane: ControlPlane, namespace: str, operator: OperatorProcess, metrics: Metrics
) -> Iterator[Resources]:
    yield Resources(control_plane, namespace)
    metrics.heal()
    operator.process.must_run()


@pytest.fixture
def audit(control_plane: ControlPlane, namespace: str) -> Iterator[Audit]:
    with Audit(control_plane, namespace) as watching:
        yield watching


_PASSING = r"HTTP 50[23]|the connection broke|within the deadline"
"""What may pass is asked again at once, for which there may or may not be time."""

_SERVER_FAULTS: dict[str, tuple[Callable[[Metrics], object], str]] = {
    "refused": (lambda m: m.tcp.refuse(), "no connection to the server"),
    "hangs": (lambda m: m.tcp.hang(), "did not answer"),
    "drips": (lambda m: m.tcp.slow(bytes_per_s=20), "did not answer"),
    "resets": (lambda m: m.tcp.reset(after_bytes=5), _PASSING),
    "holds-requests": (lambda m: _rule(m, Hold()), "did not answer"),
    "500": (lambda m: _rule(m, Refuse(500)), r"the server fails \(HTTP 500\)"),
    "502": (lambda m: _rule(m, Refuse(502)), _PASSING),
    "503": (lambda m: _rule(m, Refuse(503)), _PASSING),
    "html": (lambda m: _rule(m, Refuse(200)), "check that the URL is a Prometheus"),
    "error": (
        lambda m: _rule(m, Refuse(200, b'{"status":"error","errorType":"internal","error":"x"}')),
        "the server answers with an error",
    ),
}


def _rule(metrics: Metrics, fault: Hold | Refuse | Late) -> None:
    metrics.http.rule = every(fault)


@pytest.mark.parametrize("fault", _SERVER_FAULTS)
def test_a_source_at_fault_holds_its_counts_and_delays_no_other(
    fault: str,
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    metrics: Metrics,
    audit: Audit,
) -> None:
    inflict, cause = _SERVER_FAULTS[fault]
    control_plane.deployment("web", namespace, 4, start_up="1s")
    control_plane.deployment("calm", namespace, 1, start_up="1s")
    with SteadyLoad(metrics.prometheus, {"load_web": 35.0, "load_calm": 25.0}) as load:
        resources.create("web")
        calm = {"query": "load_calm", "source": "steady", "perReplica": 10, "maxAge": "5s"}
        resources.create("calm", load=calm)
        resources.wait_for("web", "SignalsHealthy", "True", "AllKnown")
        wait_until(lambda: control_plane.replicas("calm", namespace) == 3, 20, "3 for a load of 25")
        inflict(metrics)
        began_s = time.monotonic()
        load.values["load_web"] = 5.0
        resources.wait_for("web", "SignalsHealthy", "False", "Failed")
        # The first answer may have been on its way when the fault began, and broke in another manner.
        wait_until(lambda: re.search(cause, _message(resources)), 20, cause)
        load.values["load_calm"] = 45.0
        wait_until(lambda: control_plane.replicas("calm", namespace) == 5, 10, "5 for a load of 45")
        time.sleep(_WATCHED_S)
        assert audit.counts("web", began_s) == [4]
        assert _longest_pause_s(metrics.steady, began_s) < 2.5 * PERIOD_S
        metrics.heal()
        resources.wait_for("web", "SignalsHealthy", "True", "AllKnown")
        wait_until(lambda: control_plane.replicas("web", namespace) == 1, 20, "1 for a load of 5")


def _message(resources: Resources) -> str:
    return str(resources.condition("web", "SignalsHealthy").get("message"))


def _longest_pause_s(proxy: HttpProxy, since_s: float) -> float:
    asked = [e.asked.at_s for e in list(proxy.exchanges) if e.asked.at_s >= since_s]
    return max(after - before for before, after in itertools.pairwise([*asked, time.monotonic()]))


def test_a_slow_source_is_still_followed(
    control_plane: ControlPlane, namespace: str, resources: Resources, metrics: Metrics
) -> None:
    metrics.http.rule = every(Late(0.1))
    control_plane.deployment("slow", namespace, 1, start_up="1s")
    with SteadyLoad(metrics.prometheus, {"load_slow": 35.0}):
        resources.create("slow")
        wait_until(lambda: control_plane.replicas("slow", namespace) == 4, 30, "4 for a load of 35")


def _stops(load: SteadyLoad, prometheus: LivePrometheus) -> None:
    del load.values["load_odd"]


def _is_no_number(load: SteadyLoad, prometheus: LivePrometheus) -> None:
    load.values["load_odd"] = math.nan


def _is_infinite(load: SteadyLoad, prometheus: LivePrometheus) -> None:
    load.values["load_odd"] = math.inf


def _is_negative(load: SteadyLoad, prometheus: LivePrometheus) -> None:
    load.values["load_odd"] = -5.0


def _is_doubled(load: SteadyLoad, prometheus: LivePrometheus) -> None:
    load.values["load_odd"] = 5.0
    prometheus.push(Sample("load_odd", {"copy": "2"}, 5.0, time.time()))


_SERIES_FAULTS: dict[str, tuple[Callable[[SteadyLoad, LivePrometheus], None], str, str]] = {
    "frozen": (_stops, "Stale", "the newest sample is"),
    "nan": (_is_no_number, "NotANumber", "the query gives nan"),
    "infinite": (_is_infinite, "NotANumber", "the query gives inf"),
    "negative": (_is_negative, "NotANumber", "less than nothing"),
    "several": (_is_doubled, "SeveralSeries", "the query gives 2 series"),
}


@pytest.mark.parametrize("fault", _SERIES_FAULTS)
def test_a_load_that_makes_no_sense_holds_the_count_and_is_named(
    fault: str,
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    metrics: Metrics,
    audit: Audit,
) -> None:
    inflict, state, words = _SERIES_FAULTS[fault]
    control_plane.deployment("odd", namespace, 4, start_up="1s")
    query = {"query": f"load_odd_{fault}", "perReplica": 10, "maxAge": "3s"}
    renamed = _Renamed(metrics.prometheus, "load_odd", f"load_odd_{fault}")
    with SteadyLoad(renamed, {"load_odd": 35.0}) as load:
        resources.create("odd", load=query)
        resources.wait_for("odd", "SignalsHealthy", "True", "AllKnown")
        began_s = time.monotonic()
        inflict(load, renamed)
        condition = resources.wait_for("odd", "SignalsHealthy", "False", state)
        assert words in condition["message"]
        time.sleep(_WATCHED_S)
        assert audit.counts("odd", began_s) == [4]


class _Renamed(LivePrometheus):
    """Pushes one series under another name, so that tests leave no samples to one another."""

    def __init__(self, real: LivePrometheus, name: str, pushed_as: str) -> None:
        self._real = real
        self._names = {name: pushed_as}

    def push(self, *samples: Sample) -> None:
        self._real.push(
            *(Sample(self._names.get(s.name, s.name), s.labels, s.value, s.time_s) for s in samples)
        )


def test_one_absurd_sample_moves_the_count_by_one_step_at_most_and_is_named(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    metrics: Metrics,
    audit: Audit,
) -> None:
    control_plane.deployment("peak", namespace, 4, start_up="1s")
    with SteadyLoad(metrics.prometheus, {"load_peak": 35.0}) as load:
        resources.create("peak", maxReplicas=500)
        resources.wait_for("peak", "SignalsHealthy", "True", "AllKnown")
        load.values["load_peak"] = 35_000.0
        wait_until(lambda: control_plane.replicas("peak", namespace) > 4, 10, "the absurd load to be seen")
        load.values["load_peak"] = 35.0
        wait_until(lambda: control_plane.replicas("peak", namespace) == 4, 20, "4 again")
        # What scaleUp allows within 15 s by default: as many again.
        assert max(audit.counts("peak")) == 8
    told = [event["note"] for event in events(control_plane, namespace) if event["reason"] == "Scaled"]
    assert any("From 4 to 8 replicas" in note and "the present load of 35,000" in note for note in told)


def test_a_window_that_fills_again_after_its_data_was_lost_removes_nothing(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    metrics: Metrics,
    audit: Audit,
) -> None:
    control_plane.deployment("lost", namespace, 4, start_up="1s")
    # A sum over time is small while its window is half empty; four fifths of the stabilisation window are
    # longer than it. A third of its samples may come late before the count would be another than 4.
    query = {"query": "clamp_max(sum_over_time(load_lost[6s]) / 12, 39)", "perReplica": 10, "maxAge": "3s"}
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 10}}
    with SteadyLoad(metrics.prometheus, {"load_lost": 58.5}) as load:
        time.sleep(7)
        resources.create("lost", load=query, behavior=behavior)
        resources.wait_for("lost", "SignalsHealthy", "True", "AllKnown")
        del load.values["load_lost"]
        resources.wait_for("lost", "SignalsHealthy", "False", "Empty", timeout_s=30)
        load.values["load_lost"] = 58.5
        resources.wait_for("lost", "SignalsHealthy", "True", "AllKnown")
        began_s = time.monotonic()
        time.sleep(12)
        assert audit.counts("lost", began_s) == [4]


def test_a_healthy_signal_adds_replicas_while_the_source_of_the_load_is_away(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    metrics: Metrics,
) -> None:
    pods = PodMetrics(control_plane)
    pods.install()
    try:
        control_plane.deployment("hot", namespace, 2, start_up="1s", cpu="100m")
        with SteadyLoad(metrics.prometheus, {"load_hot": 15.0}):
            cpu = {"type": "CPU", "targetUtilization": 50, "maxAge": "30s"}
            resources.create("hot", signals=[cpu])
            wait_until(lambda: control_plane.ready("hot", namespace) == 2, 20, "2 ready pods")
            pods.report_each(namespace, "hot", "40m")
            resources.wait_for("hot", "SignalsHealthy", "True", "AllKnown")
            metrics.tcp.refuse()
            resources.wait_for("hot", "SignalsHealthy", "False", "Failed")
            pods.report_each(namespace, "hot", "100m")
            wait_until(
                lambda: control_plane.replicas("hot", namespace) == 4, 10, "4 for pods that are twice as busy"
            )
    finally:
        pods.remove()


_WAVE_S = 60
_WAVE_PAST_S = 600


def _wave(at_s: float) -> float:
    """A load that swings between 20 and 100 once a minute."""
    return 60.0 - 40.0 * math.cos(2.0 * math.pi * at_s / _WAVE_S)


def _waves() -> Past:
    start_s = math.floor(time.time()) - _WAVE_PAST_S
    return Past("load_wave", start_s, 1.0, [_wave(start_s + n) for n in range(_WAVE_PAST_S)])


class _Wave(SteadyLoad):
    """Pushes the wave."""

    def _run(self) -> None:
        while not self._stop.wait(0.25):
            now_s = time.time()
            self._prometheus.push(Sample("load_wave", {}, _wave(now_s), now_s))


def test_the_forecast_goes_on_providing_while_the_source_is_away(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    metrics: Metrics,
    audit: Audit,
) -> None:
    control_plane.deployment("wave", namespace, 1, start_up="1s")
    forecast = {
        "model": "seasonal-naive",
        "step": "1s",
        "seasons": ["1m"],
        "history": "10m",
        "leadTime": "3s",
        "refit": "1m",
    }
    resources.create("wave", forecast=forecast, maxReplicas=20)
    resources.wait_for("wave", "ForecastReady", "True", "Fresh", timeout_s=40)
    # Away from the bottom of a wave until after its top.
    bottom_s = math.ceil((time.time() + 5) / _WAVE_S) * _WAVE_S
    time.sleep(max(0.0, bottom_s - time.time()))
    metrics.tcp.refuse()
    resources.wait_for("wave", "SignalsHealthy", "False", "Failed")
    began_s = time.monotonic()
    low = control_plane.replicas("wave", namespace)
    wait_until(lambda: control_plane.replicas("wave", namespace) >= 10, 40, "10 for the top of the wave")
    assert low < 10
    assert not audit.lowered("wave", began_s)
    assert "load is Failed" in resources.condition("wave", "SignalsHealthy")["message"]


def test_a_slow_source_that_failed_once_is_given_its_time_again(
    control_plane: ControlPlane,
    namespace: str,
    metrics: Metrics,
    tmp_path: Path,
) -> None:
    control_plane.deployment("patience", namespace, 1, start_up="1s")
    # A third of half a period: what one request may take. Far more than a source that may hang is given.
    period_s, answers_after_s = 5.0, 0.6
    settings = {"period": f"{period_s:g}s", "watchNamespaces": [namespace]}
    with (
        HttpProxy(metrics.prometheus.url) as slow,
        OperatorProcess(tmp_path, control_plane.kubeconfig(), slow.url, **settings),
        SteadyLoad(metrics.prometheus, {"load_patience": 35.0}),
    ):
        slow.rule = every(Refuse(500))
        resources = Resources(control_plane, namespace)
        resources.create("patience")
        resources.wait_for("patience", "SignalsHealthy", "False", "Failed")
        slow.rule = every(Late(answers_after_s))
        wait_until(lambda: control_plane.replicas("patience", namespace) == 4, 40, "4 for a load of 35")
