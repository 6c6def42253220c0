"""The test cluster itself: what other tests take for granted of it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import requests
from control_plane import ControlPlane, wait_until
from pod_metrics import PodMetrics
from workloads import Manifest

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


def _pods(plane: ControlPlane, namespace: str) -> list[Manifest]:
    pods: list[Manifest] = plane.request("GET", f"/api/v1/namespaces/{namespace}/pods")["items"]
    return pods


def test_new_pods_are_ready_after_the_start_up_time_of_their_deployment(
    control_plane: ControlPlane, namespace: str
) -> None:
    control_plane.deployment("web", namespace, replicas=2, start_up="2s")
    wait_until(lambda: control_plane.ready("web", namespace) == 2, 20, "the first two pods")
    asked = time.monotonic()
    control_plane.scale("web", namespace, 20)
    wait_until(lambda: control_plane.ready("web", namespace) > 2, 30, "more than two pods")
    assert time.monotonic() - asked >= 2
    wait_until(lambda: control_plane.ready("web", namespace) == 20, 30, "twenty pods")


def test_pods_that_are_scaled_away_are_gone(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.statefulset("queue", namespace, replicas=3, start_up="0s")
    wait_until(lambda: control_plane.ready("queue", namespace, "StatefulSet") == 3, 20, "three pods")
    control_plane.scale("queue", namespace, 1, "StatefulSet")
    wait_until(lambda: len(_pods(control_plane, namespace)) == 1, 20, "two pods to be gone")


def test_a_start_up_time_may_differ_from_pod_to_pod(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.deployment("web", namespace, replicas=20, start_up="0s", start_up_at_most="6s")
    ready = wait_until(lambda: control_plane.ready("web", namespace), 20, "the first pods")
    assert ready < 20


def test_pods_can_stay_unready_or_crash(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.deployment("never", namespace, start_up="0s", pod_labels={"never-ready": "true"})
    control_plane.deployment("crash", namespace, start_up="0s", pod_labels={"crash": "true"})
    control_plane.deployment("well", namespace, start_up="0s")
    wait_until(lambda: control_plane.ready("well", namespace) == 1, 20, "the pod that is well")
    wait_until(
        lambda: all(pod["status"]["phase"] == "Running" for pod in _pods(control_plane, namespace)),
        20,
        "all pods to run",
    )
    assert control_plane.ready("never", namespace) == control_plane.ready("crash", namespace) == 0
    (crashed,) = (pod for pod in _pods(control_plane, namespace) if "crash" in pod["metadata"]["labels"])
    assert crashed["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "CrashLoopBackOff"


def test_a_service_account_may_only_do_what_a_role_allows(
    control_plane: ControlPlane, namespace: str
) -> None:
    token = control_plane.service_account_token(namespace, "reader")

    def refused() -> bool:
        said = control_plane.kubectl("get", "pods", "-n", namespace, token=token, check=False)
        return "forbidden" in said

    assert refused()
    account = f"--serviceaccount={namespace}:reader"
    control_plane.kubectl("create", "rolebinding", "view", "--clusterrole=view", account, "-n", namespace)
    wait_until(lambda: not refused(), 10, "the role to count")


def test_a_stopped_api_server_comes_back_with_everything_it_had(
    control_plane: ControlPlane, namespace: str
) -> None:
    control_plane.stop_api_server()
    with pytest.raises(requests.ConnectionError):
        control_plane.request("GET", "/version")
    control_plane.start_api_server()
    control_plane.deployment("web", namespace, replicas=1, start_up="0s")
    wait_until(lambda: control_plane.ready("web", namespace) == 1, 30, "the plane to work again")


def test_what_a_test_stopped_runs_again_after_it(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.stop_controller_manager()
    control_plane.kubelet.kill()
    control_plane.scheduler.pause()
    control_plane.deployment("web", namespace, start_up="0s")
    control_plane.heal()
    wait_until(lambda: control_plane.ready("web", namespace) == 1, 30, "the plane to work again")


def test_a_paused_api_server_accepts_and_never_answers(control_plane: ControlPlane, namespace: str) -> None:
    control_plane.api_server.pause()
    with pytest.raises(requests.Timeout):
        requests.get(f"{control_plane.url}/version", verify=str(control_plane.ca_file), timeout=0.5)
    control_plane.api_server.resume()
    assert control_plane.request("GET", "/version")["gitVersion"]


def test_old_resource_versions_can_be_made_too_old_to_watch(
    control_plane: ControlPlane, namespace: str
) -> None:
    path = f"/api/v1/namespaces/{namespace}/pods"
    before = control_plane.request("GET", path)["metadata"]["resourceVersion"]
    control_plane.namespace(f"{namespace}-later")
    control_plane.forget_history()
    answer = requests.get(
        f"{control_plane.url}{path}?watch=1&timeoutSeconds=3&resourceVersion={before}",
        headers={"Authorization": f"Bearer {control_plane.admin_token}"},
        verify=str(control_plane.ca_file),
        timeout=10,
    )
    control_plane.request("DELETE", f"/api/v1/namespaces/{namespace}-later")
    assert '"code":410' in answer.text


@pytest.fixture
def pod_metrics(control_plane: ControlPlane) -> Iterator[PodMetrics]:
    metrics = PodMetrics(control_plane)
    metrics.install()
    yield metrics
    control_plane.heal()
    metrics.remove()


def test_the_horizontal_pod_autoscaler_acts_on_reported_usage(
    control_plane: ControlPlane, namespace: str, pod_metrics: PodMetrics
) -> None:
    control_plane.deployment("web", namespace, replicas=2, start_up="0s", cpu="100m")
    wait_until(lambda: control_plane.ready("web", namespace) == 2, 20, "two pods")
    control_plane.kubectl(
        *("autoscale", "deployment", "web", "--min=2", "--max=4", "--cpu=50%", "-n", namespace)
    )

    def grown() -> bool:
        # Each pod uses all it asked for, twice the target.
        pod_metrics.report_each(namespace, "web", "100m")
        return control_plane.replicas("web", namespace) == 4

    wait_until(grown, 60, "the autoscaler to double the pods")
