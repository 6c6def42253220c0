"""Floor mode beside a real KEDA: it owns the target, and we raise its minimum ahead of the load.

    sh scripts/keda.sh && python -m pytest tests/cluster/keda_beside.py

Not part of `make test`, because building KEDA takes half an hour. Its ScaledObject has a CPU trigger, so that
all of it is real: our operator, KEDA's, the HorizontalPodAutoscaler that KEDA makes, and its controller.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from control_plane import ControlPlane, wait_until
from custom_kinds import install_ours, wait_until_served
from live_prometheus import LivePrometheus
from operator_process import OperatorProcess, Resources, SteadyLoad
from pod_metrics import PodMetrics
from processes import Lifeline, ServerProcess, free_port

_ROOT = Path(__file__).resolve().parents[2]
_KINDS = ("scaledobjects", "scaledjobs", "triggerauthentications", "clustertriggerauthentications")
_EVENTING = ("cloudeventsources", "clustercloudeventsources")
_MAIN = "from autoscaler.cli import main; main()"


@pytest.fixture(scope="module")
def keda(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """KEDA's operator, running outside the cluster with all rights."""
    found = subprocess.run(
        ["sh", "scripts/keda.sh", "--find"], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    if found.returncode:
        pytest.skip("no KEDA (sh scripts/keda.sh)")
    parts = Path(found.stdout.strip())
    control_plane.kubectl("apply", "--server-side", "-f", str(parts / "kinds"))
    for kind in _KINDS:
        wait_until_served(control_plane, f"{kind}.keda.sh")
    for kind in _EVENTING:
        wait_until_served(control_plane, f"{kind}.eventing.keda.sh")
    control_plane.namespace("keda")
    folder = tmp_path_factory.mktemp("keda")
    lifeline = Lifeline()
    command = [
        "env",
        f"KUBECONFIG={control_plane.kubeconfig()}",
        "POD_NAMESPACE=keda",
        "POD_NAME=keda-operator",
        "WATCH_NAMESPACE=",
        "KEDA_CLUSTER_OBJECT_NAMESPACE=keda",
        str(parts / "keda"),
        f"--cert-dir={folder}",
        "--enable-cert-rotation=true",
        "--enable-webhook-patching=false",
        "--enable-apiservice-patching=false",
        f"--metrics-bind-address=127.0.0.1:{free_port()}",
        f"--health-probe-bind-address=127.0.0.1:{free_port()}",
        f"--metrics-service-bind-address=127.0.0.1:{free_port()}",
    ]
    process = ServerProcess("keda", command, folder / "keda.log", lifeline)
    process.start()
    # It makes its certificates and ends, to be started again with them as a kubelet would.
    wait_until(lambda: not process.running, 60, f"KEDA to make its certificates (log {process.log})")
    _mount(control_plane.request("GET", "/api/v1/namespaces/keda/secrets/kedaorg-certs"), folder)
    process.start()
    yield process
    process.stop()
    lifeline.close()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePrometheus]:
    with LivePrometheus(tmp_path_factory.mktemp("prometheus")) as server:
        yield server


@pytest.fixture
def scaled(control_plane: ControlPlane, namespace: str, keda: ServerProcess) -> Iterator[PodMetrics]:
    """A Deployment `web` of 2 pods that use half of their CPU, under a ScaledObject from 2 to 30 replicas."""
    metrics = PodMetrics(control_plane)
    metrics.install()
    control_plane.deployment("web", namespace, 2, start_up="1s", cpu="1")
    body = {
        "apiVersion": "keda.sh/v1alpha1",
        "kind": "ScaledObject",
        "metadata": {"name": "web"},
        "spec": {
            "scaleTargetRef": {"name": "web"},
            "minReplicaCount": 2,
            "maxReplicaCount": 30,
            "triggers": [{"type": "cpu", "metricType": "Utilization", "metadata": {"value": "60"}}],
        },
    }
    control_plane.request("POST", f"/apis/keda.sh/v1alpha1/namespaces/{namespace}/scaledobjects", body)
    wait_until(lambda: _hpa(control_plane, namespace) is not None, 60, f"KEDA to act (log {keda.log})")
    yield metrics
    metrics.remove()


@pytest.fixture
def resources(
    control_plane: ControlPlane, namespace: str, prometheus: LivePrometheus, tmp_path: Path
) -> Iterator[Resources]:
    install_ours(control_plane)
    with OperatorProcess(tmp_path, control_plane.kubeconfig(), prometheus.url):
        yield Resources(control_plane, namespace)


def _mount(secret: dict[str, dict[str, str]], folder: Path) -> None:
    for name, content in secret["data"].items():
        (folder / name).write_bytes(base64.b64decode(content))


def _hpa(plane: ControlPlane, namespace: str) -> dict[str, int] | None:
    """Bounds of the HorizontalPodAutoscaler that KEDA has made."""
    found = plane.request("GET", f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers")
    for one in found["items"]:
        if one["metadata"]["name"] == "keda-hpa-web":
            return {"least": one["spec"]["minReplicas"], "most": one["spec"]["maxReplicas"]}
    return None


def _scaled_object(plane: ControlPlane, namespace: str) -> dict[str, object]:
    path = f"/apis/keda.sh/v1alpha1/namespaces/{namespace}/scaledobjects/web"
    spec: dict[str, object] = plane.request("GET", path)["spec"]
    return spec


def test_a_floor_is_raised_through_keda_to_the_pods_and_put_back(
    control_plane: ControlPlane,
    namespace: str,
    scaled: PodMetrics,
    resources: Resources,
    prometheus: LivePrometheus,
) -> None:
    before = _scaled_object(control_plane, namespace)
    with SteadyLoad(prometheus, {"load_web": 85.0}):
        resources.create("web", floor={"kind": "ScaledObject", "name": "web"})
        wait_until(lambda: _hpa(control_plane, namespace) == {"least": 9, "most": 30}, 60, "KEDA to follow")

        def has_nine() -> bool:
            scaled.report_each(namespace, "web", "100m")
            return control_plane.replicas("web", namespace) == 9

        wait_until(has_nine, 60, "its autoscaler to bring 9 replicas")
        assert resources.condition("web", "Conflict")["status"] == "False"
        resources.delete("web")
        wait_until(lambda: _hpa(control_plane, namespace) == {"least": 2, "most": 30}, 60, "all as before")
    assert _scaled_object(control_plane, namespace) == before


def test_kedas_own_autoscaler_is_a_rival_of_a_resource_that_would_write_the_scale(
    control_plane: ControlPlane,
    namespace: str,
    scaled: PodMetrics,
    resources: Resources,
    prometheus: LivePrometheus,
) -> None:
    with SteadyLoad(prometheus, {"load_web": 85.0}):
        resources.create("web")
        condition = resources.wait_for("web", "Conflict", "True", "RivalFound")
        time.sleep(3)
    assert "ScaledObject web" in condition["message"]
    assert control_plane.replicas("web", namespace) == 2


def test_what_keda_has_made_of_it_is_imported(
    control_plane: ControlPlane, namespace: str, scaled: PodMetrics, tmp_path: Path
) -> None:
    written = tmp_path / "web.yaml"
    load = ["--load-query", "load_web", "--per-replica", "10", "--output", str(written)]
    environment = {**os.environ, "KUBECONFIG": str(control_plane.kubeconfig())}
    for command in (["import", "-n", namespace, "scaledobject/web", *load], ["check", str(written)]):
        done = subprocess.run(
            [sys.executable, "-c", _MAIN, *command],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    manifest = written.read_text()
    assert "minReplicas: 2" in manifest and "maxReplicas: 30" in manifest
    assert "targetUtilization: 60" in manifest
