"""A shadow on a real control plane: scored without acting, acted by once it has won, promoted by hand."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from control_plane import ControlPlane, wait_until
from live_prometheus import LivePrometheus
from operator_process import OperatorProcess, Resources, SteadyLoad, events, replicas

from autoscaler.controller.observing.workload import parse_workload
from autoscaler.controller.shadow_record import record_of
from autoscaler.controller.shadowing import ShadowMemory
from autoscaler.planning.contest.standing import Stage, Standing
from autoscaler.planning.contest.tally import Side, Span
from autoscaler.spec.units import format_time

pytestmark = [pytest.mark.cluster, pytest.mark.prometheus, pytest.mark.slow]

_CRD = (
    Path(__file__).resolve().parents[2]
    / "operator"
    / "crd"
    / "predictive-autoscaler.dev_predictiveautoscalers.yaml"
)
_PATH = "/apis/predictive-autoscaler.dev/v1alpha1/namespaces/{}/predictiveautoscalers/web"
_LEAN: dict[str, Any] = {"name": "lean", "policy": {"minReplicas": 2}, "window": "1h"}


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePrometheus]:
    with LivePrometheus(tmp_path_factory.mktemp("prometheus")) as server:
        yield server


@pytest.fixture(scope="module", autouse=True)
def crd(control_plane: ControlPlane) -> None:
    control_plane.kubectl("apply", "--server-side", "-f", str(_CRD))
    control_plane.kubectl("wait", "--for=condition=Established", "--timeout=20s", "-f", str(_CRD))


def test_a_shadow_is_scored_while_the_spec_is_followed_and_promoted_by_hand(
    control_plane: ControlPlane, namespace: str, prometheus: LivePrometheus, tmp_path: Path
) -> None:
    control_plane.deployment("web", namespace, 6, start_up="1s")
    resources, count = Resources(control_plane, namespace), replicas(control_plane, namespace, "web")
    with (
        SteadyLoad(prometheus, {"load_web": 20.0}),
        OperatorProcess(tmp_path / "operator", control_plane.kubeconfig(), prometheus.url) as operator,
    ):
        resources.create("web", minReplicas=6, shadow=_LEAN)
        condition = resources.wait_for("web", "ShadowWon", "False", "NotWon")
        assert condition["message"] == "lean has not won."
        resources.wait_for("web", "ShadowCompared", "True", "Comparing")
        key = f'{{name="web",namespace="{namespace}"}}'
        cheaper = f"predictive_autoscaler_shadow_cost_ratio{key}"
        wait_until(lambda: operator.metrics().get(cheaper, 1.0) < 0.7, 40, "the shadow to be seen as cheaper")
        assert operator.metrics()[f"predictive_autoscaler_shadow_unserved{key}"] == 0.0
        assert count() == 6, "it does not act"
        promoted = _promote(control_plane, namespace)
        assert promoted.returncode == 0, promoted.stderr
        assert "-  minReplicas: 6" in promoted.stderr and "+  minReplicas: 2" in promoted.stderr
        spec = control_plane.request("GET", _PATH.format(namespace))["spec"]
        assert spec["minReplicas"] == 2 and "shadow" not in spec
        wait_until(lambda: count() == 2, 20, "the promoted minimum to be followed")
        wait_until(lambda: "shadow" not in resources.status("web"), 20, "the shadow to leave the status")
        assert resources.condition("web", "ShadowCompared") == {}
    again = _promote(control_plane, namespace)
    assert again.returncode == 2 and "it has no shadow" in again.stderr


def test_a_winner_is_acted_by_also_after_a_restart_until_a_person_takes_it_back(
    control_plane: ControlPlane, namespace: str, prometheus: LivePrometheus, tmp_path: Path
) -> None:
    control_plane.deployment("web", namespace, 6, start_up="1s")
    resources, count = Resources(control_plane, namespace), replicas(control_plane, namespace, "web")
    created = resources.create("web", minReplicas=6, shadow={**_LEAN, "promotion": "Automatic"})
    _remember_an_hour(control_plane, namespace, created)
    with SteadyLoad(prometheus, {"load_web": 20.0}):
        with OperatorProcess(tmp_path / "first", control_plane.kubeconfig(), prometheus.url):
            resources.wait_for("web", "ShadowWon", "True", "WonOnCost")
            resources.wait_for("web", "ShadowActing", "True", "ShadowPromoted")
            wait_until(lambda: count() == 2, 20, "the shadow's minimum to be followed")
            assert resources.status("web")["shadow"]["stage"] == "Promoted"
            told = {event["reason"]: event["type"] for event in events(control_plane, namespace)}
            assert told["ShadowPromoted"] == "Normal"
        other_store = tmp_path / "with-another-store"
        with OperatorProcess(other_store, control_plane.kubeconfig(), prometheus.url) as operator:
            counted = f'predictive_autoscaler_shadow_counted_seconds{{name="web",namespace="{namespace}"}}'
            wait_until(lambda: operator.metrics().get(counted, 0.0) > 3600.0, 40, "the comparison to go on")
            resources.wait_for("web", "ShadowActing", "True", "ShadowPromoted")
            assert count() == 2
            resources.patch("web", {"spec": {"shadow": {"promotion": "Manual"}}})
            wait_until(lambda: count() == 6, 20, "the spec's own minimum again")
            resources.wait_for("web", "ShadowActing", "False", "NotPromoted")
    assert control_plane.request("GET", _PATH.format(namespace))["spec"]["minReplicas"] == 6


def _promote(plane: ControlPlane, namespace: str) -> subprocess.CompletedProcess[str]:
    arguments = ["promote", f"{namespace}/web", "--kubeconfig", str(plane.kubeconfig())]
    command = [sys.executable, "-c", "from autoscaler.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def _remember_an_hour(plane: ControlPlane, namespace: str, created: dict[str, Any]) -> None:
    """A status of an hour in which the shadow served as well with half of the replicas."""
    shadow = parse_workload(created).shadow
    assert shadow is not None
    now_s = time.time()
    first_s = (now_s // 300.0 - 12.0) * 300.0
    spans = tuple(
        Span(first_s + 300.0 * n, 300.0, 6000.0, Side(1800.0), Side(900.0), Side(1800.0)) for n in range(12)
    )
    memory = ShadowMemory(shadow.identity, shadow.comparison, Standing(Stage.COMPARED, first_s), spans=spans)
    told = {
        "name": "lean",
        "since": format_time(int(first_s)),
        "stage": "Compared",
        "stageTime": format_time(int(first_s)),
        "countedSeconds": 3600,
        "verdict": "lean",
        "record": record_of(memory),
    }
    path = _PATH.format(namespace)
    plane.request("PATCH", f"{path}/status", {"status": {"shadow": told}}, "application/merge-patch+json")
