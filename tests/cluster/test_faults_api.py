"""What the operator does while the API server is away, slow, refusing, or answers and is not heard."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import crd
import pytest
from audit import Audit
from control_plane import ControlPlane, wait_until
from http_proxy import Asked, Exchange, First, Hold, HttpProxy, Late, LoseAnswer, Refuse, every
from live_prometheus import LivePrometheus
from operator_process import OperatorProcess, Resources, SteadyLoad
from users import write_kubeconfig

from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.reflector import Reflector

pytestmark = [pytest.mark.cluster, pytest.mark.prometheus, pytest.mark.slow]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePrometheus]:
    with LivePrometheus(tmp_path_factory.mktemp("prometheus")) as server:
        yield server


@pytest.fixture(scope="module")
def proxy(control_plane: ControlPlane) -> Iterator[HttpProxy]:
    with HttpProxy(control_plane.url, control_plane.ca_file) as between:
        yield between


@pytest.fixture(scope="module")
def kubeconfig(
    control_plane: ControlPlane, proxy: HttpProxy, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("kubeconfig") / "proxied"
    return write_kubeconfig(path, proxy.url, control_plane.ca_file, control_plane.admin_token)


@pytest.fixture(scope="module")
def operator(
    control_plane: ControlPlane,
    prometheus: LivePrometheus,
    kubeconfig: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[OperatorProcess]:
    crd.install(control_plane)
    with OperatorProcess(tmp_path_factory.mktemp("operator"), kubeconfig, prometheus.url) as process:
        yield process


@pytest.fixture
def resources(
    control_plane: ControlPlane, namespace: str, operator: OperatorProcess, proxy: HttpProxy
) -> Iterator[Resources]:
    proxy.exchanges.clear()
    yield Resources(control_plane, namespace)
    proxy.heal()
    operator.process.must_run()


@pytest.fixture
def audit(control_plane: ControlPlane, namespace: str) -> Iterator[Audit]:
    with Audit(control_plane, namespace) as watching:
        yield watching


def writes(proxy: HttpProxy, namespace: str, name: str) -> list[Exchange]:
    """Requests of the operator to change the count of one Deployment, with their statuses."""
    return proxy.answered("PATCH", f"/namespaces/{namespace}/deployments/{name}/scale")


def counts_asked(exchanges: list[Exchange]) -> list[int]:
    return [json.loads(e.asked.body)["spec"]["replicas"] for e in exchanges]


# Away, and back


def test_while_the_server_is_away_nothing_ends_and_afterwards_everything_goes_on(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    operator: OperatorProcess,
) -> None:
    control_plane.deployment("away", namespace, 1, start_up="1s")
    with SteadyLoad(prometheus, {"load_away": 25.0}) as load:
        resources.create("away")
        wait_until(lambda: control_plane.replicas("away", namespace) == 3, 20, "3 for a load of 25")
        pid = operator.process.pid
        control_plane.stop_api_server()
        load.values["load_away"] = 45.0
        time.sleep(4)
        assert operator.get("/healthz").status_code == 200
        # Every version known so far is too old as well when it comes back.
        control_plane.start_api_server()
        control_plane.forget_history()
        wait_until(lambda: control_plane.replicas("away", namespace) == 5, 40, "5 for a load of 45")
        control_plane.deployment("new", namespace, 1, start_up="1s")
        load.values["load_new"] = 25.0
        resources.create("new")
        wait_until(lambda: control_plane.replicas("new", namespace) == 3, 40, "3 for what was made since")
        assert operator.process.pid == pid


def test_a_server_that_hangs_is_found_again(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    operator: OperatorProcess,
) -> None:
    control_plane.deployment("hangs", namespace, 1, start_up="1s")
    with SteadyLoad(prometheus, {"load_hangs": 25.0}) as load:
        resources.create("hangs")
        wait_until(lambda: control_plane.replicas("hangs", namespace) == 3, 20, "3 for a load of 25")
        control_plane.api_server.pause()
        load.values["load_hangs"] = 45.0
        time.sleep(7)
        assert operator.get("/healthz").status_code == 200
        control_plane.api_server.resume()
        wait_until(lambda: control_plane.replicas("hangs", namespace) == 5, 30, "5 for a load of 45")


def test_with_a_slow_server_scaling_goes_on(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    proxy: HttpProxy,
) -> None:
    proxy.rule = every(Late(1.5))
    control_plane.deployment("slow", namespace, 1, start_up="1s")
    with SteadyLoad(prometheus, {"load_slow": 35.0}):
        resources.create("slow")
        wait_until(lambda: control_plane.replicas("slow", namespace) == 4, 40, "4 for a load of 35")


def test_status_and_events_that_cannot_be_written_delay_no_scaling(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    proxy: HttpProxy,
) -> None:
    def told(asked: Asked) -> Hold | None:
        telling = asked.path.endswith("/status") or asked.path.endswith("/events")
        return Hold() if telling and asked.method != "GET" else None

    proxy.rule = told
    control_plane.deployment("untold", namespace, 1, start_up="1s")
    with SteadyLoad(prometheus, {"load_untold": 15.0}) as load:
        resources.create("untold")
        wait_until(lambda: control_plane.replicas("untold", namespace) == 2, 20, "2 for a load of 15")
        load.values["load_untold"] = 45.0
        wait_until(lambda: control_plane.replicas("untold", namespace) == 5, 10, "5 for a load of 45")
        assert not resources.status("untold")
        proxy.heal()
        resources.wait_for("untold", "Ready", "True", "Deciding", timeout_s=30)


# Refusing


def test_a_conflict_over_anything_but_the_count_is_tried_again_at_once(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    proxy: HttpProxy,
) -> None:
    control_plane.deployment("busy", namespace, 1, start_up="1s")
    proxy.rule = every(First(lambda: _touch(control_plane, namespace, "busy")), "PATCH", "/scale", times=3)
    with SteadyLoad(prometheus, {"load_busy": 35.0}):
        resources.create("busy")
        wait_until(lambda: control_plane.replicas("busy", namespace) == 4, 20, "4 for a load of 35")
    tried = writes(proxy, namespace, "busy")
    # A fourth one may be the Deployment's own controller, which has just met its pods.
    assert [e.status for e in tried][:3] == [409] * 3 and tried[-1].status == 200
    assert tried[-1].asked.at_s - tried[0].asked.at_s < 2.0


def test_conflicts_without_end_are_given_up_after_a_few_and_told(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    proxy: HttpProxy,
) -> None:
    control_plane.deployment("storm", namespace, 1, start_up="1s")
    proxy.rule = every(First(lambda: _touch(control_plane, namespace, "storm")), "PATCH", "/scale")
    with SteadyLoad(prometheus, {"load_storm": 35.0}):
        resources.create("storm")
        resources.wait_for("storm", "Ready", "False", "TargetKeepsChanging")
        began_s = time.monotonic()
        time.sleep(4)
        tried = [e for e in writes(proxy, namespace, "storm") if e.asked.at_s > began_s]
        assert len(tried) <= 4 * 5  # four at each evaluation, of which there is one a second
        proxy.heal()
        wait_until(lambda: control_plane.replicas("storm", namespace) == 4, 10, "4 once it is quiet")
        resources.wait_for("storm", "Ready", "True", "Deciding")


def test_a_count_that_somebody_changed_under_a_decision_is_not_overwritten(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    proxy: HttpProxy,
    audit: Audit,
) -> None:
    control_plane.deployment("raced", namespace, 1, start_up="1s")
    by_hand = First(lambda: control_plane.scale("raced", namespace, 9))
    proxy.rule = every(by_hand, "PATCH", "/deployments/raced/scale", times=1)
    with SteadyLoad(prometheus, {"load_raced": 35.0}):
        resources.create("raced", manualGrace="1m")
        resources.wait_for("raced", "ScalingActive", "False", "ManualGrace")
        time.sleep(4)
    assert audit.counts("raced") == [1, 9]
    assert [e.status for e in writes(proxy, namespace, "raced")] == [409]


def test_a_target_that_was_made_anew_is_never_written_by_what_was_decided_for_the_old_one(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    proxy: HttpProxy,
) -> None:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/anew"
    old = control_plane.deployment("anew", namespace, 1, start_up="1s")["metadata"]["uid"]
    made: list[str] = []

    def make_anew() -> None:
        control_plane.request("DELETE", path)
        created = control_plane.deployment("anew", namespace, 1, start_up="1s")
        made.append(created["metadata"]["uid"])

    proxy.rule = every(First(make_anew), "PATCH", "/deployments/anew/scale", times=1)
    with SteadyLoad(prometheus, {"load_anew": 35.0}):
        resources.create("anew")
        wait_until(lambda: made and control_plane.replicas("anew", namespace) == 4, 20, "4 for the new one")

        def accepted() -> list[str]:
            done = [e for e in writes(proxy, namespace, "anew") if e.status == 200]
            return [json.loads(e.asked.body)["metadata"]["uid"] for e in done]

        wait_until(accepted, 10, "the proxy to have passed the answer on")
    assert accepted() == made
    first = writes(proxy, namespace, "anew")[0]
    assert (json.loads(first.asked.body)["metadata"]["uid"], first.status) == (old, 409)


def test_a_server_that_asks_for_patience_gets_it(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    proxy: HttpProxy,
) -> None:
    control_plane.deployment("patient", namespace, 1, start_up="1s")
    busy = Refuse(429, b"{}", (("Retry-After", "1"), ("Content-Type", "application/json")))
    proxy.rule = every(busy, "PATCH", "/deployments/patient/scale", times=2)
    with SteadyLoad(prometheus, {"load_patient": 35.0}):
        resources.create("patient")
        wait_until(lambda: control_plane.replicas("patient", namespace) == 4, 20, "4 for a load of 35")
    tried = writes(proxy, namespace, "patient")
    assert [e.status for e in tried][:2] == [429, 429]
    assert tried[1].asked.at_s - tried[0].asked.at_s >= 1.0


# Answering and not being heard


def test_a_write_whose_answer_is_lost_is_known_by_the_next_look_and_made_once(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    proxy: HttpProxy,
    audit: Audit,
) -> None:
    control_plane.deployment("unheard", namespace, 1, start_up="1s")
    proxy.rule = every(LoseAnswer(), "PATCH", "/deployments/unheard/scale", times=1)
    with SteadyLoad(prometheus, {"load_unheard": 35.0}) as load:
        resources.create("unheard", cooldown={"scaleUp": "8s"})
        wait_until(lambda: control_plane.replicas("unheard", namespace) == 4, 20, "4 for a load of 35")
        written_s = time.monotonic()
        load.values["load_unheard"] = 65.0
        wait_until(lambda: control_plane.replicas("unheard", namespace) > 4, 30, "more for a load of 65")
        # The write that was not heard of counts: it began the cooldown, and is nobody else's.
        assert time.monotonic() - written_s >= 7.0
    # As does the rate policy: four more than 15 s ago, whoever was told of the first three.
    assert audit.counts("unheard")[:3] == [1, 4, 5]
    assert [e.status for e in writes(proxy, namespace, "unheard") if e.status != 409][:2] == [0, 200]


def test_a_write_that_was_never_carried_out_is_made_again(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    proxy: HttpProxy,
    audit: Audit,
) -> None:
    control_plane.deployment("lost", namespace, 1, start_up="1s")
    proxy.rule = every(Hold(), "PATCH", "/deployments/lost/scale", times=1)
    with SteadyLoad(prometheus, {"load_lost": 35.0}):
        resources.create("lost")
        wait_until(lambda: control_plane.replicas("lost", namespace) == 4, 30, "4 at the second attempt")
    assert audit.counts("lost") == [1, 4]


# Watches


def test_watches_that_go_silent_are_replaced(
    control_plane: ControlPlane, namespace: str, proxy: HttpProxy, kubeconfig: Path
) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    cluster = Cluster.connect(kubeconfig)
    reflector: Reflector[str] = Reflector(
        cluster, path, lambda item: str(item["metadata"]["name"]), name="maps", inactivity_s=2.0
    )
    reflector.start()
    try:
        assert reflector.wait_synced(10)

        def silent(asked: Asked) -> bool:
            return asked.path == path and asked.at_s < silent_from_s

        time.sleep(1)  # until the watch has begun
        silent_from_s = time.monotonic()
        proxy.frozen = silent
        control_plane.request("POST", path, {"metadata": {"name": "missed"}})
        time.sleep(1)
        assert f"{namespace}/missed" not in reflector.items()
        wait_until(lambda: f"{namespace}/missed" in reflector.items(), 10, "what the silent watch missed")
    finally:
        reflector.stop()
        cluster.close()
        proxy.heal()


# Rollouts


def test_a_rollout_that_doubles_the_pods_does_not_change_the_count(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    audit: Audit,
) -> None:
    control_plane.deployment("rolled", namespace, 6, start_up="2s")
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/rolled"
    with SteadyLoad(prometheus, {"load_rolled": 55.0}) as load:
        resources.create("rolled")
        resources.wait_for("rolled", "SignalsHealthy", "True", "AllKnown")
        wait_until(lambda: control_plane.ready("rolled", namespace) == 6, 20, "6 ready pods")
        surge = {"rollingUpdate": {"maxSurge": "100%", "maxUnavailable": 0}}
        template = {"metadata": {"annotations": {"version": "2"}}}
        most = _Most(control_plane, path)
        with most:
            control_plane.request(
                "PATCH",
                path,
                {"spec": {"strategy": surge, "template": template}},
                "application/merge-patch+json",
            )
            wait_until(lambda: most.pods >= 12, 20, "12 pods in the middle of the rollout")
            wait_until(lambda: _rolled_out(control_plane, path), 30, "the rollout to be done")
        assert audit.counts("rolled") == [6]
        # And in the midst of the next one a higher load is still answered.
        template["metadata"]["annotations"]["version"] = "3"
        control_plane.request("PATCH", path, {"spec": {"template": template}}, "application/merge-patch+json")
        load.values["load_rolled"] = 85.0
        wait_until(lambda: control_plane.replicas("rolled", namespace) == 9, 10, "9 for a load of 85")
    assert audit.counts("rolled") == [6, 9]


class _Most:
    """The largest number of pods a Deployment reports while this is entered."""

    def __init__(self, plane: ControlPlane, path: str) -> None:
        self.pods = 0
        self._plane = plane
        self._path = path
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stop.wait(0.2):
            status = self._plane.request("GET", self._path)["status"]
            self.pods = max(self.pods, status.get("replicas", 0))


def _rolled_out(plane: ControlPlane, path: str) -> bool:
    found = plane.request("GET", path)
    status = found["status"]
    return bool(
        status.get("observedGeneration") == found["metadata"]["generation"]
        and status.get("updatedReplicas") == status.get("replicas") == status.get("readyReplicas")
    )


_touched = iter(range(1_000_000))


def _touch(plane: ControlPlane, namespace: str, name: str) -> None:
    """Change something of a Deployment that is not its count, as its own controller does all the time."""
    body = {"metadata": {"annotations": {"touched": str(next(_touched))}}}
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
    plane.request("PATCH", path, body, "application/merge-patch+json")
