"""What the operator does when workloads, their traffic or other people behave badly."""

from __future__ import annotations

import json
import math
import random
import re
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_plus

import crd
import pytest
from audit import Audit
from certificates import write_certificates
from control_plane import ControlPlane, wait_until
from http_proxy import Asked, HttpProxy, Refuse
from live_prometheus import LivePrometheus, Past, Sample
from operator_process import OperatorProcess, Resources, SteadyLoad

pytestmark = [pytest.mark.cluster, pytest.mark.prometheus, pytest.mark.slow]

_SEASON_S = 60
_PAST_S = 600


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePrometheus]:
    start_s = math.floor(time.time()) - _PAST_S
    steady = Past("load_struck", start_s, 1.0, [80.0] * _PAST_S)
    with LivePrometheus(tmp_path_factory.mktemp("prometheus"), [steady]) as server:
        yield server


@dataclass(frozen=True)
class Guarded:
    """A Prometheus that wants a token and shows a certificate, and the files that have both."""

    proxy: HttpProxy
    token_file: Path
    ca_file: Path


@pytest.fixture(scope="module")
def guarded(prometheus: LivePrometheus, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    made = write_certificates(folder)
    (folder / "token").write_text("first")
    with HttpProxy(prometheus.url, serving=(made.serving, made.serving_key)) as proxy:
        proxy.rule = _only("first")
        yield Guarded(proxy, folder / "token", made.ca)


def _only(token: str) -> object:
    def rule(asked: Asked) -> Refuse | None:
        known = asked.headers.get("Authorization") == f"Bearer {token}"
        return None if known else Refuse(401, b"who is this?")

    return rule


@pytest.fixture(scope="module")
def operator(
    control_plane: ControlPlane,
    prometheus: LivePrometheus,
    guarded: Guarded,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[OperatorProcess]:
    crd.install(control_plane)
    folder = tmp_path_factory.mktemp("operator")
    sources = [
        {"name": "default", "url": prometheus.url, "timeout": "2s"},
        {
            "name": "guarded",
            "url": guarded.proxy.url,
            "timeout": "2s",
            "tokenFile": str(guarded.token_file),
            "caFile": str(guarded.ca_file),
        },
    ]
    with OperatorProcess(folder, control_plane.kubeconfig(), prometheus.url, sources=sources) as process:
        yield process


@pytest.fixture
def resources(control_plane: ControlPlane, namespace: str, operator: OperatorProcess) -> Iterator[Resources]:
    yield Resources(control_plane, namespace)
    operator.process.must_run()


@pytest.fixture
def audit(control_plane: ControlPlane, namespace: str) -> Iterator[Audit]:
    with Audit(control_plane, namespace) as watching:
        yield watching


# Others


class _Resetting:
    """A tool that puts a count back once a second, as GitOps does with a manifest that states one."""

    def __init__(self, plane: ControlPlane, namespace: str, name: str, replicas: int) -> None:
        self._told = plane, namespace, name, replicas
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)

    def _run(self) -> None:
        plane, namespace, name, replicas = self._told
        while not self._stop.wait(1.0):
            if plane.replicas(name, namespace) != replicas:
                plane.scale(name, namespace, replicas)


def test_a_tool_that_undoes_every_write_is_left_to_it_after_three(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    audit: Audit,
) -> None:
    control_plane.deployment("gitops", namespace, 2, start_up="1s")
    with SteadyLoad(prometheus, {"load_gitops": 55.0}), _Resetting(control_plane, namespace, "gitops", 2):
        resources.create("gitops", manualGrace="1s")
        condition = resources.wait_for("gitops", "Conflict", "True", "WritesUndone", timeout_s=50)
        assert "puts the count back after each write" in condition["message"]
        stopped_s = time.monotonic()
        time.sleep(5)
        assert audit.counts("gitops", stopped_s) == [2]
    assert [count for count in audit.counts("gitops") if count != 2] == [6, 6, 6]


# Pods


def test_pods_that_never_become_ready_are_not_followed_by_ever_more(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    audit: Audit,
) -> None:
    control_plane.deployment("never", namespace, 2, start_up="1s", pod_labels={"never-ready": "true"})
    with SteadyLoad(prometheus, {"load_never": 150.0}):
        resources.create("never", pendingCap=3)
        wait_until(lambda: control_plane.replicas("never", namespace) == 3, 20, "as many as may be starting")
        time.sleep(4)
        assert audit.counts("never") == [2, 3]
        assert "PendingCap" in resources.status("never")["reason"]


def test_crashing_pods_are_not_removed_however_little_they_do(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    audit: Audit,
) -> None:
    control_plane.deployment("crash", namespace, 4, start_up="1s", pod_labels={"crash": "true"})
    with SteadyLoad(prometheus, {"load_crash": 5.0, "cpu_crash": 2.0}):
        cpu = {"type": "CPU", "query": "cpu_crash", "targetUtilization": 50, "maxAge": "5s"}
        resources.create("crash", signals=[cpu])
        resources.wait_for("crash", "SignalsHealthy", "True", "AllKnown")
        time.sleep(6)
        assert audit.counts("crash") == [4]
        assert "PodsNotReady" in resources.status("crash")["reason"]


# Traffic


def test_an_outage_behind_the_workload_keeps_capacity_for_the_retries_that_follow(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    audit: Audit,
) -> None:
    control_plane.deployment("struck", namespace, 8, start_up="1s")
    forecast = {
        "model": "seasonal-naive",
        "step": "1s",
        "seasons": ["1m"],
        "history": "10m",
        "leadTime": "3s",
        "refit": "1m",
    }
    errors = {"type": "Errors", "query": "errors_struck", "threshold": "5%", "maxAge": "5s"}
    with SteadyLoad(prometheus, {"load_struck": 80.0, "errors_struck": 0.0}) as load:
        resources.create(
            "struck",
            forecast=forecast,
            signals=[errors],
            outage={"drop": "50%", "recovery": "8s"},
            maxReplicas=40,
            behavior={"scaleUp": {"policies": [{"type": "Pods", "value": 20, "periodSeconds": 15}]}},
        )
        resources.wait_for("struck", "ForecastReady", "True", "Fresh", timeout_s=40)
        time.sleep(4)  # so that what was expected for the present is known
        struck_s = time.monotonic()
        load.values |= {"load_struck": 4.0, "errors_struck": 0.6}
        time.sleep(8)
        load.values["errors_struck"] = 0.0
        time.sleep(4)
        load.values["load_struck"] = 240.0
        wait_until(lambda: control_plane.replicas("struck", namespace) >= 24, 10, "24 for the retries")
        assert not audit.lowered("struck", struck_s)


def test_high_latency_removes_nothing_and_stops_adding_where_that_does_not_help(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    audit: Audit,
) -> None:
    control_plane.deployment("waits", namespace, 4, start_up="500ms")
    signals = [
        {"type": "Latency", "query": "latency_waits", "threshold": "250ms", "maxAge": "5s"},
        {"type": "CPU", "query": "cpu_waits", "targetUtilization": 50, "maxAge": "5s"},
    ]
    with SteadyLoad(prometheus, {"load_waits": 35.0, "latency_waits": 0.1, "cpu_waits": 40.0}) as load:
        resources.create("waits", signals=signals)
        resources.wait_for("waits", "SignalsHealthy", "True", "AllKnown")
        began_s = time.monotonic()
        # All wait for a disk: slow, and with less to do than ever.
        load.values |= {"load_waits": 5.0, "latency_waits": 0.3, "cpu_waits": 3.0}
        wait_until(lambda: control_plane.replicas("waits", namespace) == 6, 30, "two steps that do not help")
        time.sleep(12)  # twice as long as the first two took
        assert audit.counts("waits", began_s) == [4, 5, 6]


def test_a_load_that_swings_around_a_threshold_moves_the_count_once(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    audit: Audit,
) -> None:
    swings = random.Random(7)
    control_plane.deployment("noisy", namespace, 4, start_up="1s")
    with SteadyLoad(prometheus, {"load_noisy": 40.0}) as load:
        resources.create("noisy", behavior={"scaleDown": {"stabilizationWindowSeconds": 10}})
        ends_s = time.monotonic() + 25
        while time.monotonic() < ends_s:
            load.values["load_noisy"] = 40.0 * swings.uniform(0.7, 1.3)
            time.sleep(0.5)
    # Up to what the peaks need, and then at most once down and up again within the window's reach.
    assert max(audit.counts("noisy")) <= 6
    assert audit.turns("noisy") <= 2


def test_a_load_that_changes_for_good_is_followed_both_ways(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    audit: Audit,
) -> None:
    control_plane.deployment("regime", namespace, 2, start_up="1s")
    with SteadyLoad(prometheus, {"load_regime": 20.0}) as load:
        policies = [{"type": "Pods", "value": 4, "periodSeconds": 3}]
        resources.create(
            "regime",
            behavior={"scaleUp": {"policies": policies}, "scaleDown": {"stabilizationWindowSeconds": 3}},
        )
        resources.wait_for("regime", "SignalsHealthy", "True", "AllKnown")
        load.values["load_regime"] = 100.0
        wait_until(lambda: control_plane.replicas("regime", namespace) == 10, 20, "10 for five times as much")
        load.values["load_regime"] = 20.0
        wait_until(lambda: control_plane.replicas("regime", namespace) == 2, 20, "2 for a fifth")
    assert audit.counts("regime") == [2, 6, 10, 2]


# Clocks


@pytest.mark.parametrize("off_s", [-20.0, 300.0])
def test_samples_of_a_clock_that_is_off_are_no_reason_to_remove_anything(
    off_s: float,
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    audit: Audit,
) -> None:
    name = "behind" if off_s < 0 else "ahead"
    control_plane.deployment(name, namespace, 4, start_up="1s")
    with _Shifted(prometheus, {f"load_{name}": 5.0}, off_s):
        resources.create(name)
        condition = wait_until(
            lambda: _unlike(resources.condition(name, "SignalsHealthy"), "True"), 20, "that to be noticed"
        )
        assert condition["reason"] in ("Stale", "Empty")
        time.sleep(4)
        assert audit.counts(name) == [4]


def _unlike(condition: dict[str, str], status: str) -> dict[str, str] | None:
    return condition if condition and condition["status"] != status else None


class _Shifted(SteadyLoad):
    """Pushes samples as an exporter whose clock is off by so many seconds."""

    def __init__(self, prometheus: LivePrometheus, values: dict[str, float], off_s: float) -> None:
        super().__init__(prometheus, values)
        self._off_s = off_s

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            at_s = time.time() + self._off_s
            self._prometheus.push(*(Sample(name, {}, value, at_s) for name, value in self.values.items()))


# Texts


_ODD_LABEL = 'a"b\\n}{$x\u00e4'
_ODD_QUERIES = {
    "quoted": 'load_odd{path="a\\"b\\\\n}{$x\\u00e4"}',
    "breaks-out": "load_good) or vector(1000",
    "comments-out": "load_good # ) or (",
    "lines": "load_good\n\n  + 0",
    "unended": 'load_good{a="',
    "braces": "load_good{}}",
    "not-text": "load_\x0b\u2028good",
}


def test_odd_texts_stay_inside_their_own_query_and_on_one_line(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    operator: OperatorProcess,
) -> None:
    known = {"quoted": 3, "comments-out": 4, "lines": 4}
    for name in _ODD_QUERIES:
        control_plane.deployment(name, namespace, 2, start_up="1s")
    control_plane.deployment("good", namespace, 2, start_up="1s")
    with SteadyLoad(prometheus, {"load_good": 35.0}), _Labelled(prometheus):
        resources.create("good")
        for name, query in _ODD_QUERIES.items():
            resources.create(name, load={"query": query, "perReplica": 10, "maxAge": "5s"})
        wait_until(lambda: control_plane.replicas("good", namespace) == 4, 20, "4 beside all of them")
        for name in _ODD_QUERIES:
            if name in known:
                wait_until(
                    lambda name=name: control_plane.replicas(name, namespace) == known[name],
                    20,
                    f"that of {name}",
                )
            else:
                resources.wait_for(name, "SignalsHealthy", "False", "Failed")
                assert control_plane.replicas(name, namespace) == 2
        forged = f"1\n{json.dumps({'event': 'forged'})}\r\x1b[2J"
        annotation = {"predictive-autoscaler.dev/override": forged}
        resources.patch("good", {"metadata": {"annotations": annotation}})
        resources.wait_for("good", "Ready", "True", "OverrideIgnored")
    told = [c["message"] for name in (*_ODD_QUERIES, "good") for c in resources.status(name)["conditions"]]
    assert not [message for message in told if not message.isprintable()]
    assert "forged" not in {entry["event"] for entry in operator.log()}


class _Labelled(SteadyLoad):
    """Pushes one series whose label holds all that has a meaning in PromQL."""

    def __init__(self, prometheus: LivePrometheus) -> None:
        super().__init__(prometheus, {})

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            self._prometheus.push(Sample("load_odd", {"path": _ODD_LABEL}, 25.0, time.time()))


# Credentials


def test_a_token_and_an_authority_that_are_exchanged_are_taken_up_while_running(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    guarded: Guarded,
    audit: Audit,
    tmp_path: Path,
) -> None:
    control_plane.deployment("secret", namespace, 1, start_up="1s")
    load = {"query": "load_secret", "source": "guarded", "perReplica": 10, "maxAge": "5s"}
    with SteadyLoad(prometheus, {"load_secret": 25.0}) as pushed:
        resources.create("secret", load=load)
        wait_until(lambda: control_plane.replicas("secret", namespace) == 3, 20, "3 for a load of 25")
        guarded.token_file.write_text("second")
        guarded.proxy.rule = _only("second")
        pushed.values["load_secret"] = 45.0
        wait_until(lambda: control_plane.replicas("secret", namespace) == 5, 10, "5 with the second token")
        made = write_certificates(tmp_path)
        guarded.proxy.show(made.serving, made.serving_key)
        guarded.proxy.break_connections()
        pushed.values["load_secret"] = 5.0
        condition = resources.wait_for("secret", "SignalsHealthy", "False", "Failed")
        assert "no TLS connection that can be trusted" in condition["message"]
        shutil.copy(made.ca, guarded.ca_file)
        pushed.values["load_secret"] = 65.0
        wait_until(lambda: control_plane.replicas("secret", namespace) == 7, 20, "7 by the new authority")
    assert not audit.lowered("secret")
    assert guarded.proxy.answered("POST", "/query")[-1].asked.headers["Authorization"] == "Bearer second"


# Restarts


def test_everything_due_at_once_after_a_restart_is_asked_for_together_and_not_all_at_the_same_time(
    control_plane: ControlPlane,
    namespace: str,
    prometheus: LivePrometheus,
    operator: OperatorProcess,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    many = 60
    resources = Resources(control_plane, namespace)
    control_plane.deployment("many", namespace, 1, start_up="1s")
    with (
        ExitStack() as stack,
        HttpProxy(prometheus.url) as metrics,
        SteadyLoad(prometheus, {"load_good": 5.0}),
    ):
        for number in range(many):
            query = {"query": f"load_good + 0 * {number}", "perReplica": 10, "maxAge": "5s"}
            resources.create(f"many-{number}", target="many", load=query, mode="Recommend")
        settings = {"period": "5s", "watchNamespaces": [namespace]}
        folder = tmp_path_factory.mktemp("restarted")
        second = stack.enter_context(
            OperatorProcess(folder, control_plane.kubeconfig(), metrics.url, **settings)
        )
        wait_until(lambda: _evaluated(second) >= 3 * many, 40, "three rounds")
    asked = [e.asked for e in metrics.exchanges]
    assert len(asked) >= 6
    # Slots are a second apart, and the next one may come a little early.
    first = [a for a in asked if a.at_s < asked[0].at_s + 0.5]
    assert len(first) <= many / 10  # what is due at once is asked for together
    bodies = " ".join(unquote_plus(a.body.decode()) for a in first)
    numbers = set(re.findall(r"load_good \+ 0 \* (\d+)", bodies))
    assert 0 < len(numbers) < 2 * many / 3, f"{len(numbers)} of {many} in the first of five seconds"
    later = [a.at_s for a in asked if a.at_s > asked[0].at_s + 1.0]
    apart = sorted({round((at_s - later[0]) % 5.0) % 5 for at_s in later})
    assert len(apart) == 5, f"spread over the period, not {apart}"


def _evaluated(operator: OperatorProcess) -> float:
    return sum(
        value
        for name, value in operator.metrics().items()
        if name.startswith("predictive_autoscaler_evaluations_total")
    )
