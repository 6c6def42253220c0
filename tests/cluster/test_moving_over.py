"""A workload moved from a real HPA to us and back again, step by step as docs/import.md tells."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import crd
import pytest
import requests
import yaml
from audit import Audit
from control_plane import ControlPlane, wait_until
from live_prometheus import LivePrometheus
from operator_process import OperatorProcess, Resources, SteadyLoad
from pod_metrics import PodMetrics
from workloads import Manifest

pytestmark = [pytest.mark.cluster, pytest.mark.prometheus, pytest.mark.slow, pytest.mark.timeout(600)]

_MAIN = "from autoscaler.cli import main; main()"
_GUIDE = Path(__file__).resolve().parents[2] / "docs" / "import.md"
_NAME = "checkout"
_WINDOW_S = 15.0
"""Scale-down window of the HPA, which `import` keeps."""
_SEEN_LATE_S = 1.0
"""By which a watch may tell of a change after it was made, and the other way round."""
_BEFORE, _MOST = 4, 8
_LOW, _HIGH = "16Mi", "64Mi"


def _hpa() -> Manifest:
    """On CPU, and on memory, which is not carried over: by that it keeps more than the load needs."""
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    memory = {"name": "memory", "target": {"type": "AverageValue", "averageValue": "32Mi"}}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": _NAME},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": _NAME},
            "minReplicas": 2,
            "maxReplicas": _MOST,
            "metrics": [{"type": "Resource", "resource": cpu}, {"type": "Resource", "resource": memory}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": int(_WINDOW_S)}},
        },
    }


class _Usage:
    """Reports what each pod uses, twice a second, until it is left. Set `memory` any time."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self.memory = _HIGH
        self._metrics = PodMetrics(plane)
        self._namespace = namespace
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="usage", daemon=True)

    def __enter__(self) -> _Usage:
        self._metrics.install()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(10)
        self._metrics.remove()

    def _run(self) -> None:
        while not self._stop.wait(0.5):
            try:
                self._metrics.report_each(self._namespace, _NAME, "10m", self.memory)
                self._metrics.forget_gone(self._namespace)
            except (requests.RequestException, AssertionError):
                continue  # a pod may go between being listed and being told of


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[LivePrometheus]:
    with LivePrometheus(tmp_path / "prometheus") as server:
        yield server


@pytest.fixture
def resources(
    control_plane: ControlPlane, namespace: str, prometheus: LivePrometheus, tmp_path: Path
) -> Iterator[Resources]:
    crd.install(control_plane)
    with OperatorProcess(tmp_path / "operator", control_plane.kubeconfig(), prometheus.url) as operator:
        yield Resources(control_plane, namespace)
        operator.process.must_run()


def _commands() -> list[list[str]]:
    """What the guide says to type into kubectl for the switch and back, without its namespace."""
    section = _GUIDE.read_text().partition("### The switch from an HPA\n")[2].partition("\n#")[0]
    told = re.findall(r"^    kubectl (.+)$|`kubectl ([^`]+)`", section, re.MULTILINE)
    return [shlex.split((line or inline).replace(" -n shop", "")) for line, inline in told]


def test_the_guide_tells_of_the_switch_and_the_way_back() -> None:
    patch, delete, back, apply = _commands()
    assert patch[:3] == ["patch", "pa", _NAME] and '"Active"' in patch[-1]
    assert delete[:3] == ["delete", "hpa", _NAME]
    assert back[:3] == ["patch", "pa", _NAME] and '"Recommend"' in back[-1]
    assert apply == ["apply", "-f", "checkout-hpa.yaml"]


def _imported(plane: ControlPlane, namespace: str, manifest: Path) -> None:
    """Steps 1 and 2 of the guide. Memory is lost, so the exit code is 1; the forecast has no history here."""
    load = ["--load-query", f"load_{_NAME}", "--per-replica", "10", "--output", str(manifest)]
    environment = {**os.environ, "KUBECONFIG": str(plane.kubeconfig())}
    for command, status in (
        (["import", "-n", namespace, f"hpa/{_NAME}", *load], 1),
        (["check", str(manifest)], 0),
    ):
        done = subprocess.run(
            [sys.executable, "-c", _MAIN, *command],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
    written = yaml.safe_load(manifest.read_text())
    assert written["spec"].get("mode", "Recommend") == "Recommend"
    written["spec"]["load"]["maxAge"] = "5s"
    written["spec"]["forecast"] = {"model": "none", "step": "1s", "leadTime": "3s"}
    manifest.write_text(yaml.safe_dump(written))


def _first_fall_s(audit: Audit, since_s: float) -> float:
    """When the count first fell from `since_s` on (monotonic); infinite where it has not."""
    history = audit.history(_NAME)
    falls = (after.at_s for before, after in itertools.pairwise(history) if after.replicas < before.replicas)
    return next((at_s for at_s in falls if at_s >= since_s), float("inf"))


def test_neither_on_the_way_from_an_hpa_nor_on_the_way_back_does_the_count_dip(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    tmp_path: Path,
) -> None:
    hpas = f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"
    to_active, delete_hpa, to_recommend, _ = _commands()
    manifest, kept = tmp_path / "checkout.yaml", tmp_path / "checkout-hpa.yaml"

    def kubectl(*arguments: str) -> str:
        return control_plane.kubectl("-n", namespace, *arguments)

    def count() -> int:
        return control_plane.replicas(_NAME, namespace)

    control_plane.deployment(_NAME, namespace, _BEFORE, start_up="500ms")
    with (
        _Usage(control_plane, namespace) as usage,
        SteadyLoad(prometheus, {f"load_{_NAME}": 25.0}) as load,
        Audit(control_plane, namespace) as audit,
    ):
        control_plane.request("POST", hpas, _hpa())
        wait_until(lambda: count() == _MOST, 60, "the HPA to bring as many as it may, for memory")

        _imported(control_plane, namespace, manifest)
        kept.write_text(kubectl("get", "hpa.v2.autoscaling", _NAME, "-o", "yaml"))
        kubectl("apply", "-f", str(manifest))
        resources.wait_for(_NAME, "Conflict", "True", "RivalFound")
        wait_until(lambda: resources.status(_NAME).get("desired") == 3, 60, "3 to be recommended beside it")
        time.sleep(_WINDOW_S)

        switched_s = time.monotonic()
        kubectl(*to_active)
        deleted_s = time.monotonic()
        kubectl(*delete_hpa)
        resources.wait_for(_NAME, "ScalingActive", "True", "Scaling")
        wait_until(lambda: count() == 3, 60, "3 once a window has passed")
        wait_until(lambda: audit.counts(_NAME)[-1] == 3, 10, "the observer to see it")
        assert audit.counts(_NAME) == [_BEFORE, _MOST, 3]
        assert _first_fall_s(audit, switched_s) - deleted_s >= _WINDOW_S - _SEEN_LATE_S

        load.values[f"load_{_NAME}"] = 65.0
        wait_until(lambda: count() == 7, 30, "7 for a load of 65")
        usage.memory = _LOW
        wait_until(lambda: control_plane.ready(_NAME, namespace) == 7, 30, "all of them to be ready")

        switched_s = time.monotonic()
        kubectl(*to_recommend)
        resources.wait_for(_NAME, "ScalingActive", "False", "Recommend")
        applied_s = time.monotonic()
        kubectl("apply", "-f", str(kept))
        wait_until(lambda: count() < 7, 60, "the HPA to lower the count once its own window has passed")
        assert _first_fall_s(audit, switched_s) - applied_s >= _WINDOW_S - _SEEN_LATE_S
        assert resources.condition(_NAME, "Conflict")["reason"] == "RivalFound"
