"""The operator against a real control plane and a real Prometheus: deciding, writing, telling."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from control_plane import ControlPlane, wait_until
from live_prometheus import LivePrometheus
from operator_process import OperatorProcess, Resources, SteadyLoad, events, replicas

pytestmark = [pytest.mark.cluster, pytest.mark.prometheus, pytest.mark.slow]

_CRD = (
    Path(__file__).resolve().parents[2]
    / "operator"
    / "crd"
    / "predictive-autoscaler.dev_predictiveautoscalers.yaml"
)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePrometheus]:
    with LivePrometheus(tmp_path_factory.mktemp("prometheus")) as server:
        yield server


@pytest.fixture(scope="module")
def operator(
    control_plane: ControlPlane, prometheus: LivePrometheus, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    control_plane.kubectl("apply", "--server-side", "-f", str(_CRD))
    control_plane.kubectl("wait", "--for=condition=Established", "--timeout=20s", "-f", str(_CRD))
    folder = tmp_path_factory.mktemp("operator")
    with OperatorProcess(folder, control_plane.kubeconfig(), prometheus.url) as process:
        yield process


@pytest.fixture
def resources(control_plane: ControlPlane, namespace: str, operator: OperatorProcess) -> Resources:
    return Resources(control_plane, namespace)


def test_a_rising_load_scales_out_and_a_falling_one_in(
    control_plane: ControlPlane, namespace: str, resources: Resources, prometheus: LivePrometheus
) -> None:
    control_plane.deployment("web", namespace, 1, start_up="1s")
    with SteadyLoad(prometheus, {"load_web": 35.0}) as load:
        resources.create("web")
        count = replicas(control_plane, namespace, "web")
        wait_until(lambda: count() == 4, 20, "4 replicas for a load of 35")
        wait_until(lambda: resources.status("web").get("ready") == 4, 20, "the status to show 4 ready pods")
        load.values["load_web"] = 12.0
        wait_until(lambda: count() == 2, 30, "2 replicas for a load of 12")

    def told() -> list[str]:
        return [event["note"] for event in events(control_plane, namespace) if event["reason"] == "Scaled"]

    wait_until(
        lambda: any("to 2 replicas" in note for note in told()), 10, "the event, which follows a write"
    )
    assert any(
        note.startswith("From 1 to 4 replicas. Scale out from 1 to 4: 4 for the present load of 35")
        for note in told()
    )


def test_recommend_publishes_and_writes_nothing(
    control_plane: ControlPlane, namespace: str, resources: Resources, prometheus: LivePrometheus
) -> None:
    control_plane.deployment("web", namespace, 2, start_up="1s")
    with SteadyLoad(prometheus, {"load_web": 75.0}):
        resources.create("web", mode="Recommend")
        # As much as scaleUp allows from 2 at once, which the real count never leaves.
        wait_until(lambda: resources.status("web").get("desired") == 6, 20, "6 replicas to be recommended")
        condition = resources.wait_for("web", "ScalingActive", "False", "Recommend")
        assert condition["observedGeneration"] == 1
        time.sleep(3)
        assert control_plane.replicas("web", namespace) == 2


def test_a_load_that_is_unknown_removes_nothing(
    control_plane: ControlPlane, namespace: str, resources: Resources, prometheus: LivePrometheus
) -> None:
    control_plane.deployment("unknown", namespace, 7, start_up="1s")
    resources.create("unknown")
    condition = resources.wait_for("unknown", "SignalsHealthy", "False", "Empty")
    assert "load is Empty: the query finds nothing" in condition["message"]
    time.sleep(5)
    assert control_plane.replicas("unknown", namespace) == 7


def test_a_missing_target_is_said_and_found_when_it_comes(
    control_plane: ControlPlane, namespace: str, resources: Resources, prometheus: LivePrometheus
) -> None:
    with SteadyLoad(prometheus, {"load_late": 25.0}):
        resources.create("late")
        resources.wait_for("late", "Ready", "False", "TargetNotFound")
        control_plane.deployment("late", namespace, 1, start_up="1s")
        resources.wait_for("late", "Ready", "True", "Deciding")
        wait_until(lambda: control_plane.replicas("late", namespace) == 3, 20, "3 replicas for a load of 25")


def test_somebody_elses_count_is_left_alone_for_the_grace(
    control_plane: ControlPlane, namespace: str, resources: Resources, prometheus: LivePrometheus
) -> None:
    control_plane.deployment("hand", namespace, 1, start_up="1s")
    with SteadyLoad(prometheus, {"load_hand": 35.0}):
        resources.create("hand", manualGrace="6s")
        count = replicas(control_plane, namespace, "hand")
        wait_until(lambda: count() == 4, 20, "4 replicas for a load of 35")
        control_plane.scale("hand", namespace, 9)
        began_s = time.monotonic()
        resources.wait_for("hand", "ScalingActive", "False", "ManualGrace")
        wait_until(lambda: count() == 4, 30, "4 replicas again after the grace")
        assert time.monotonic() - began_s >= 6


def test_a_target_scaled_to_zero_by_hand_is_left_alone(
    control_plane: ControlPlane, namespace: str, resources: Resources, prometheus: LivePrometheus
) -> None:
    control_plane.deployment("zero", namespace, 1, start_up="1s")
    with SteadyLoad(prometheus, {"load_zero": 35.0}):
        resources.create("zero", manualGrace="1s")
        count = replicas(control_plane, namespace, "zero")
        wait_until(lambda: count() == 4, 20, "4 replicas for a load of 35")
        control_plane.scale("zero", namespace, 0)
        resources.wait_for("zero", "ScalingActive", "False", "ScaledToZero")
        time.sleep(4)
        assert count() == 0
        control_plane.scale("zero", namespace, 1)
        wait_until(lambda: count() == 4, 20, "4 replicas once it has replicas again")


def test_two_resources_for_one_target_and_the_older_one_writes(
    control_plane: ControlPlane, namespace: str, resources: Resources, prometheus: LivePrometheus
) -> None:
    control_plane.deployment("shared", namespace, 1, start_up="1s")
    with SteadyLoad(prometheus, {"load_older": 35.0, "load_newer": 95.0}):
        resources.create("older", target="shared")
        time.sleep(1.1)  # creation times have whole seconds
        resources.create("newer", target="shared")
        condition = resources.wait_for("newer", "Conflict", "True", "RivalFound")
        assert "PredictiveAutoscaler older" in condition["message"]
        wait_until(
            lambda: control_plane.replicas("shared", namespace) == 4, 20, "4 replicas, as the older says"
        )
        time.sleep(3)
        assert control_plane.replicas("shared", namespace) == 4
        resources.delete("older")
        wait_until(
            lambda: control_plane.replicas("shared", namespace) == 10, 20, "10 replicas, as the newer says"
        )


def test_an_override_holds_until_its_end(
    control_plane: ControlPlane, namespace: str, resources: Resources, prometheus: LivePrometheus
) -> None:
    control_plane.deployment("fixed", namespace, 1, start_up="1s")
    with SteadyLoad(prometheus, {"load_fixed": 15.0}):
        resources.create("fixed")
        count = replicas(control_plane, namespace, "fixed")
        wait_until(lambda: count() == 2, 20, "2 replicas for a load of 15")
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 12))
        annotation = {"predictive-autoscaler.dev/override": f"6 until {until}"}
        resources.patch("fixed", {"metadata": {"annotations": annotation}})
        wait_until(lambda: count() == 6, 20, "6 replicas by the override")
        wait_until(lambda: "override" in resources.status("fixed"), 5, "the status to show the override")
        assert resources.status("fixed")["override"]["replicas"] == 6
        wait_until(lambda: count() == 2, 30, "2 replicas after the override's end")
        condition = resources.wait_for("fixed", "Ready", "True", "OverrideIgnored")
        assert "override of 6 replicas ended" in condition["message"]


def test_a_minimum_and_a_freeze_hold_beside_what_is_decided(
    control_plane: ControlPlane, namespace: str, resources: Resources, prometheus: LivePrometheus
) -> None:
    def override(text: str) -> None:
        annotation = {"predictive-autoscaler.dev/override": text}
        resources.patch("held", {"metadata": {"annotations": annotation}})

    control_plane.deployment("held", namespace, 1, start_up="1s")
    with SteadyLoad(prometheus, {"load_held": 15.0}) as load:
        resources.create("held")
        count = replicas(control_plane, namespace, "held")
        wait_until(lambda: count() == 2, 20, "2 replicas for a load of 15")
        override("at least 4 until 2099-01-01T00:00:00Z because of a launch")
        wait_until(lambda: count() == 4, 20, "4 replicas by the minimum")
        condition = resources.wait_for("held", "ScalingActive", "True", "Overridden")
        assert condition["message"] == "An override asks for at least 4 replicas because of a launch."
        override("freeze until 2099-01-01T00:00:00Z")
        wait_until(
            lambda: resources.status("held").get("override", {}).get("kind") == "Freeze", 10, "the freeze"
        )
        load.values["load_held"] = 95.0
        wait_until(lambda: resources.status("held").get("load") == "95", 90, "the higher load to be seen")
        assert count() == 4 and resources.status("held")["desired"] == 4
        resources.patch("held", {"metadata": {"annotations": {"predictive-autoscaler.dev/override": None}}})
        wait_until(lambda: count() == 10, 20, "10 replicas once nobody asks for anything else")
        assert "override" not in resources.status("held")


def test_a_horizontal_pod_autoscaler_on_the_target_is_a_rival(
    control_plane: ControlPlane, namespace: str, resources: Resources, prometheus: LivePrometheus
) -> None:
    control_plane.deployment("rival", namespace, 1, start_up="1s")
    control_plane.request(
        "POST", f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers", _hpa("rival")
    )
    with SteadyLoad(prometheus, {"load_rival": 95.0}):
        resources.create("rival")
        condition = resources.wait_for("rival", "Conflict", "True", "RivalFound")
        assert "HorizontalPodAutoscaler rival" in condition["message"]
        time.sleep(3)
        assert control_plane.replicas("rival", namespace) == 1
        control_plane.kubectl("delete", "hpa", "rival", "-n", namespace)
        wait_until(
            lambda: control_plane.replicas("rival", namespace) == 10, 20, "10 replicas once the rival is gone"
        )


def test_in_floor_mode_only_the_minimum_is_raised_and_put_back(
    control_plane: ControlPlane, namespace: str, resources: Resources, prometheus: LivePrometheus
) -> None:
    path = f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"
    control_plane.deployment("floor", namespace, 2, start_up="1s")
    control_plane.request("POST", path, _hpa("floor", least=2))

    def minimum() -> int:
        found: int = control_plane.request("GET", f"{path}/floor")["spec"]["minReplicas"]
        return found

    with SteadyLoad(prometheus, {"load_floor": 55.0}):
        resources.create("floor", floor={"kind": "HorizontalPodAutoscaler", "name": "floor"})
        wait_until(lambda: minimum() == 6, 20, "a minimum of 6 for a load of 55")
        wait_until(lambda: control_plane.replicas("floor", namespace) == 6, 30, "the autoscaler to follow")
        assert resources.condition("floor", "Conflict")["status"] == "False"
        resources.delete("floor")
        wait_until(lambda: minimum() == 2, 20, "the minimum to be put back")
        found = control_plane.request("GET", f"{path}/floor")
        assert not any("predictive" in name for name in found["metadata"].get("annotations", {}))


def test_a_queue_worker_goes_to_zero_and_is_woken_by_its_queue(
    control_plane: ControlPlane, namespace: str, resources: Resources, prometheus: LivePrometheus
) -> None:
    control_plane.deployment("worker", namespace, 2, start_up="1s")
    queue = {"type": "QueueDepth", "query": "queue_worker", "drainWithin": "10s", "perReplica": 1}
    with SteadyLoad(prometheus, {"load_worker": 0.0, "queue_worker": 0.0}) as load:
        resources.create("worker", minReplicas=0, signals=[queue], manualGrace="0s")
        count = replicas(control_plane, namespace, "worker")
        wait_until(lambda: count() == 0, 30, "no replicas while nothing arrives")
        time.sleep(3)
        assert count() == 0
        load.values["queue_worker"] = 25.0
        wait_until(lambda: count() >= 3, 20, "3 replicas for a queue of 25 to be gone in 10 s")
        load.values["queue_worker"] = 0.0
        wait_until(lambda: count() == 0, 40, "no replicas again")


def test_quiet_resources_cost_no_writes(
    control_plane: ControlPlane, namespace: str, resources: Resources, prometheus: LivePrometheus
) -> None:
    control_plane.deployment("quiet", namespace, 2, start_up="1s")
    with SteadyLoad(prometheus, {"load_quiet": 15.0}):
        resources.create("quiet")
        resources.wait_for("quiet", "SignalsHealthy", "True", "AllKnown")
        time.sleep(6)
        path = f"/apis/predictive-autoscaler.dev/v1alpha1/namespaces/{namespace}/predictiveautoscalers/quiet"
        versions = []
        for _ in range(8):
            versions.append(control_plane.request("GET", path)["metadata"]["resourceVersion"])
            time.sleep(1)
        assert sum(before != after for before, after in itertools.pairwise(versions)) <= 1


def test_every_line_of_the_log_is_json_and_every_scaling_names_its_decision(
    operator: OperatorProcess,
) -> None:
    scaled = [entry for entry in operator.log() if entry["event"] == "scaled"]
    assert scaled and all(entry["decision"] and entry["resource"] for entry in scaled)


def _hpa(name: str, least: int = 1) -> dict[str, object]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    metric = {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}},
    }
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {"scaleTargetRef": target, "minReplicas": least, "maxReplicas": 20, "metrics": [metric]},
    }
