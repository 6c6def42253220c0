"""The operator while its resources change, go bad, are deleted, and lose their kind altogether."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from control_plane import ControlPlane, wait_until
from custom_kinds import CRD, CRDS, crd, install_ours, remove, wait_until_served
from live_prometheus import LivePrometheus
from operator_process import OperatorProcess, Resources, SteadyLoad

pytestmark = [pytest.mark.cluster, pytest.mark.prometheus, pytest.mark.slow]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePrometheus]:
    with LivePrometheus(tmp_path_factory.mktemp("prometheus")) as server:
        yield server


@pytest.fixture(scope="module")
def operator(
    control_plane: ControlPlane, prometheus: LivePrometheus, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OperatorProcess]:
    install_ours(control_plane)
    folder = tmp_path_factory.mktemp("operator")
    with OperatorProcess(folder, control_plane.kubeconfig(), prometheus.url) as process:
        yield process


@pytest.fixture
def resources(control_plane: ControlPlane, namespace: str, operator: OperatorProcess) -> Resources:
    return Resources(control_plane, namespace)


def _scaled(plane: ControlPlane, namespace: str, name: str, count: int) -> None:
    wait_until(lambda: plane.replicas(name, namespace) == count, 40, f"{name} to have {count} replicas")


@dataclass(frozen=True)
class _Turn:
    """A change of the spec, the count it leads to from 4, and the change back."""

    there: dict[str, Any]
    count: int
    back: dict[str, Any]
    moved_to: str = ""
    before: dict[str, Any] = field(default_factory=dict)


_QUEUE = {"type": "QueueDepth", "query": "queue", "drainWithin": "10s", "perReplica": 2, "maxAge": "5s"}

_TURNS = {
    "per-replica": _Turn({"load": {"perReplica": 5}}, 7, {"load": {"perReplica": 10}}),
    "minimum": _Turn({"minReplicas": 6}, 6, {"minReplicas": 1}),
    "maximum": _Turn({"maxReplicas": 3}, 3, {"maxReplicas": 20}),
    "mode": _Turn({"mode": "Paused", "minReplicas": 9}, 4, {"mode": "Active", "minReplicas": 1}),
    "signal": _Turn({"signals": [_QUEUE]}, 10, {"signals": []}),
    "target": _Turn(
        {"scaleTargetRef": {"name": "target-moved"}},
        4,
        {"scaleTargetRef": {"name": "target"}},
        moved_to="target-moved",
    ),
    "source-gone": _Turn({"load": {"query": "nowhere"}}, 4, {"load": {"query": "load_source_gone"}}),
}


def test_a_spec_that_is_changed_and_changed_back_ends_where_it_began(
    control_plane: ControlPlane, namespace: str, resources: Resources, prometheus: LivePrometheus
) -> None:
    loads = {f"load_{name.replace('-', '_')}": 35.0 for name in _TURNS}
    with SteadyLoad(prometheus, {**loads, "queue": 200.0}):
        for name, turn in _TURNS.items():
            control_plane.deployment(name, namespace, 1, start_up="100ms")
            if turn.moved_to:
                control_plane.deployment(turn.moved_to, namespace, 1, start_up="100ms")
            resources.create(name)
        for name in _TURNS:
            _scaled(control_plane, namespace, name, 4)
        for name, turn in _TURNS.items():
            resources.patch(name, {"spec": turn.there})
        for name, turn in _TURNS.items():
            _scaled(control_plane, namespace, turn.moved_to or name, turn.count)
            _observed(resources, name, generation=2)
        resources.wait_for("mode", "Paused", "True", "ModePaused")
        resources.wait_for("source-gone", "SignalsHealthy", "False", "Empty")
        for name, turn in _TURNS.items():
            resources.patch(name, {"spec": turn.back})
        for name in _TURNS:
            _observed(resources, name, generation=3)
            _scaled(control_plane, namespace, name, 4)
            resources.wait_for(name, "ScalingActive", "True", "Scaling")
            resources.wait_for(name, "SignalsHealthy", "True", "AllKnown")
        assert control_plane.replicas("target-moved", namespace) == 4, "nobody scales it any more"


def _observed(resources: Resources, name: str, generation: int) -> None:
    wait_until(
        lambda: resources.status(name).get("observedGeneration") == generation,
        30,
        f"generation {generation} of {name} to be observed",
    )


def test_a_floor_that_is_set_and_taken_away_leaves_the_autoscaler_as_it_was(
    control_plane: ControlPlane, namespace: str, resources: Resources, prometheus: LivePrometheus
) -> None:
    control_plane.deployment("web", namespace, 2, start_up="100ms")
    control_plane.kubectl(
        "autoscale", "deployment/web", "--namespace", namespace, "--min=2", "--max=30", "--cpu=70%"
    )
    path = f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers/web"
    floor = {"kind": "HorizontalPodAutoscaler", "name": "web"}

    def minimum() -> int:
        found: int = control_plane.request("GET", path)["spec"]["minReplicas"]
        return found

    with SteadyLoad(prometheus, {"load_web": 55.0}):
        resources.create("web")
        resources.wait_for("web", "Conflict", "True", "RivalFound")
        for _ in range(2):
            resources.patch("web", {"spec": {"floor": floor}})
            wait_until(lambda: minimum() == 6, 30, "a minimum of 6 for a load of 55")
            resources.wait_for("web", "Conflict", "False", "NoRival")
            resources.patch("web", {"spec": {"floor": None}})
            resources.wait_for("web", "Conflict", "True", "RivalFound")
            wait_until(lambda: minimum() == 2, 30, "the minimum to be put back")


@pytest.fixture
def loose(control_plane: ControlPlane) -> Iterator[None]:
    """The CRD without its rules and bounds, as an older one may have been; ours again after the test."""
    found = crd(control_plane, CRD)
    assert found is not None
    (version,) = copy.deepcopy(found["spec"]["versions"])
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = version["schema"]["openAPIV3Schema"]
    schema["properties"]["spec"] = anything
    # The rules of the whole name fields that are not known any more.
    schema.pop("x-kubernetes-validations", None)
    control_plane.request(
        "PATCH", f"{CRDS}/{CRD}", {"spec": {"versions": [version]}}, "application/merge-patch+json"
    )
    yield
    install_ours(control_plane)


_SLIPPED = [
    (
        {"forecast": {"timeZone": "Europe/Atlantis"}},
        "spec.forecast.timeZone: must be an IANA time zone that exists",
    ),
    ({"minReplicas": 30}, "minReplicas must not be greater than maxReplicas"),
    ({"maxReplicas": 0}, "spec.maxReplicas"),
    ({"load": {"perReplica": -3}}, "spec.load.perReplica"),
    ({"signals": [{"type": "Magic"}]}, "spec.signals[0].type"),
]


@pytest.mark.usefixtures("loose")
def test_a_bad_spec_that_slipped_past_leaves_the_last_good_one_in_force(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    operator: OperatorProcess,
) -> None:
    names = [f"bad-{number}" for number in range(len(_SLIPPED))]
    loads = {f"load_bad_{number}": 15.0 for number in range(len(_SLIPPED))}
    with SteadyLoad(prometheus, loads) as load:
        for name in names:
            control_plane.deployment(name, namespace, 1, start_up="100ms")
            resources.create(name)
        for name in names:
            _scaled(control_plane, namespace, name, 2)
        for name, (change, _) in zip(names, _SLIPPED, strict=True):
            resources.patch(name, {"spec": change})
        # From here on the API server would refuse them, and has to take their status all the same.
        install_ours(control_plane)
        for name, (_, words) in zip(names, _SLIPPED, strict=True):
            found = resources.wait_for(name, "Ready", "False", "InvalidSpec")
            assert "the last valid one is still in force" in found["message"]
            assert words in found["message"]
            load.values[f"load_{name.replace('-', '_')}"] = 45.0
        for name in names:
            _scaled(control_plane, namespace, name, 5)
        operator.process.kill()
        operator.start()
        for name, (_, words) in zip(names, _SLIPPED, strict=True):
            load.values[f"load_{name.replace('-', '_')}"] = 95.0
            found = resources.wait_for(name, "ScalingActive", "False", "InvalidSpec")
            found = resources.wait_for(name, "Ready", "False", "InvalidSpec")
            assert "nothing is scaled" in found["message"] and words in found["message"]
        time.sleep(3)
        assert {control_plane.replicas(name, namespace) for name in names} == {5}


def test_deleting_needs_no_operator_and_leaves_the_replicas(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    operator: OperatorProcess,
) -> None:
    control_plane.deployment("web", namespace, 1, start_up="100ms")
    control_plane.deployment("again", namespace, 1, start_up="100ms")
    with SteadyLoad(prometheus, {"load_web": 35.0, "load_again": 35.0}) as load:
        resources.create("web")
        resources.create("again")
        _scaled(control_plane, namespace, "web", 4)
        _scaled(control_plane, namespace, "again", 4)
        control_plane.kubectl("delete", "pa", "web", "--namespace", namespace, "--timeout=5s")
        load.values["load_web"] = 95.0
        operator.process.stop()
        control_plane.kubectl("delete", "pa", "again", "--namespace", namespace, "--timeout=5s")
        operator.start()
        load.values["load_again"] = 95.0
        time.sleep(3)
        assert control_plane.replicas("web", namespace) == 4
        assert control_plane.replicas("again", namespace) == 4
        assert not [name for name in operator.metrics() if f'namespace="{namespace}"' in name]


def test_a_namespace_goes_away_with_all_it_holds(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    operator: OperatorProcess,
) -> None:
    going = control_plane.namespace(f"{namespace}-going")
    with SteadyLoad(prometheus, {"load_web": 35.0}) as load:
        for where in (going, namespace):
            control_plane.deployment("web", where, 1, start_up="100ms")
            Resources(control_plane, where).create("web")
            _scaled(control_plane, where, "web", 4)
        control_plane.kubectl("delete", "namespace", going, "--timeout=50s")
        load.values["load_web"] = 65.0
        _scaled(control_plane, namespace, "web", 7)
    assert operator.ready()


def test_the_operator_outlives_its_own_crd(
    control_plane: ControlPlane,
    namespace: str,
    resources: Resources,
    prometheus: LivePrometheus,
    operator: OperatorProcess,
) -> None:
    control_plane.deployment("web", namespace, 1, start_up="100ms")
    with SteadyLoad(prometheus, {"load_web": 35.0}) as load:
        resources.create("web")
        _scaled(control_plane, namespace, "web", 4)
        began = operator.process.pid
        remove(control_plane, CRD)
        wait_until(
            lambda: operator.metrics()["predictive_autoscaler_resources"] == 0, 30, "nothing to be known"
        )
        load.values["load_web"] = 65.0
        time.sleep(3)
        assert operator.get("/healthz").status_code == 200
        assert control_plane.replicas("web", namespace) == 4
        install_ours(control_plane)
        wait_until_served(control_plane, CRD)
        resources.create("web")
        wait_until(lambda: control_plane.replicas("web", namespace) == 7, 60, "scaling to go on")
        assert operator.process.pid == began


def test_kubectl_waits_for_and_describes_what_the_operator_says(
    control_plane: ControlPlane, namespace: str, resources: Resources, prometheus: LivePrometheus
) -> None:
    control_plane.deployment("told", namespace, 1, start_up="100ms")
    with SteadyLoad(prometheus, {"load_told": 35.0}):
        resources.create("told")
        where = ("--namespace", namespace)
        control_plane.kubectl("wait", "--for=condition=Ready", "pa/told", *where, "--timeout=30s")
        control_plane.kubectl(
            "wait", "--for=jsonpath={.status.desired}=4", "pa/told", *where, "--timeout=30s"
        )
        wait_until(
            lambda: "From 1 to 4 replicas." in control_plane.kubectl("describe", "pa", "told", *where),
            30,
            "the events to be shown",
        )


def test_the_list_says_why_a_count_is_not_what_was_asked_for(
    control_plane: ControlPlane, namespace: str, resources: Resources, prometheus: LivePrometheus
) -> None:
    control_plane.deployment("rival", namespace, 1, start_up="100ms")
    control_plane.kubectl("autoscale", "deployment/rival", "-n", namespace, "--min=1", "--max=3", "--cpu=70%")

    def listed() -> dict[str, str]:
        reasons = "custom-columns=NAME:.metadata.name,REASON:.status.reason"
        lines = control_plane.kubectl("get", "pa", "-n", namespace, "--no-headers", "-o", reasons)
        return dict(line.split() for line in lines.splitlines())

    with SteadyLoad(prometheus, {"load_rival": 55.0, "load_ghost": 55.0}):
        resources.create("rival")
        resources.create("ghost")
        wanted = {"rival": "RivalFound", "ghost": "TargetNotFound"}
        wait_until(lambda: listed() == wanted, 30, f"{wanted} to be listed")
        assert "spec.floor" not in resources.condition("ghost", "Ready")["message"]
        control_plane.deployment("ghost", namespace, 1, start_up="100ms")
        control_plane.kubectl("delete", "hpa", "rival", "-n", namespace)
        _scaled(control_plane, namespace, "rival", 6)
        _scaled(control_plane, namespace, "ghost", 6)
        wait_until(lambda: set(listed().values()) == {"AsWished"}, 30, "nothing to be in the way any more")
