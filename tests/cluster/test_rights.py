"""The operator with the rights that its chart gives it, with each of them missing, and with none beyond."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from chart_rights import ChartRights, Right
from control_plane import ControlPlane, wait_until
from custom_kinds import install_ours
from live_prometheus import LivePrometheus
from operator_process import OperatorProcess, Resources, SteadyLoad, events
from pod_metrics import PodMetrics
from scaled_objects import install_scaled_objects, minimum, remove_scaled_objects, scaled_object

from autoscaler.controller.cluster.connection import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.prometheus, pytest.mark.slow]

_PA = "predictive-autoscaler.dev"
_CPU_SIGNAL = {"type": "CPU", "targetUtilization": 70}


@pytest.fixture(scope="module")
def plane(control_plane: ControlPlane) -> Iterator[ControlPlane]:
    """The control plane with our CRD, KEDA's, and resource metrics."""
    install_ours(control_plane)
    PodMetrics(control_plane).install()
    install_scaled_objects(control_plane)
    yield control_plane
    remove_scaled_objects(control_plane)
    PodMetrics(control_plane).remove()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePrometheus]:
    with LivePrometheus(tmp_path_factory.mktemp("prometheus")) as server:
        yield server


class _Stage:
    """One operator with the rights under test, and a target of every kind that it may scale."""

    def __init__(
        self, plane: ControlPlane, namespace: str, prometheus: LivePrometheus, folder: Path, load: SteadyLoad
    ) -> None:
        self.plane, self.namespace, self.load = plane, namespace, load
        values = {
            "sources": [{"name": "default", "url": prometheus.url}],
            "period": "1s",
            "rbac": {"floor": True},
        }
        self.rights = ChartRights(plane, namespace, folder, values)
        self.rights.give()
        kubeconfig = plane.kubeconfig_for_token(self.rights.token(), namespace)
        self.operator = OperatorProcess(
            folder / "operator", kubeconfig, prometheus.url, **self.rights.settings(folder)
        )
        self.resources = Resources(plane, namespace)
        self._logged = 0

    def populate(self) -> None:
        """The targets: `web` and `cpu` are Deployments, `db` a StatefulSet; `hpa` and `keda` have floors."""
        for name in ("web", "cpu", "hpa", "keda"):
            self.plane.deployment(name, self.namespace, 1, start_up="100ms")
        self.plane.statefulset("db", self.namespace, 1, start_up="100ms")
        self.plane.kubectl(
            "autoscale", "deployment/hpa", "-n", self.namespace, "--min=1", "--max=50", "--cpu=70%"
        )
        scaled_object(self.plane, self.namespace, "keda", "keda", least=1)
        most = {"maxReplicas": 200}
        self.resources.create("web", **most)
        self.resources.create("db", scaleTargetRef={"kind": "StatefulSet", "name": "db"}, **most)
        self.resources.create("cpu", signals=[_CPU_SIGNAL])
        self.resources.create("hpa", floor={"kind": "HorizontalPodAutoscaler", "name": "hpa"}, **most)
        self.resources.create("keda", floor={"kind": "ScaledObject", "name": "keda"}, **most)

    def count(self, name: str) -> int:
        """What the operator writes for a resource: replicas, or a minimum."""
        if name == "keda":
            return minimum(self.plane, self.namespace, "keda")
        if name == "hpa":
            path = f"/apis/autoscaling/v2/namespaces/{self.namespace}/horizontalpodautoscalers/hpa"
            least: int = self.plane.request("GET", path)["spec"]["minReplicas"]
            return least
        return self.plane.replicas(name, self.namespace, "StatefulSet" if name == "db" else "Deployment")

    def ask_for_one_more(self, name: str) -> int:
        """Raise the load of a resource by what one more pod serves; the count that this calls for."""
        self.load.values[f"load_{name}"] += 10.0
        return round((self.load.values[f"load_{name}"] + 5.0) / 10.0)

    def scales(self, name: str) -> None:
        """Assert that the operator scales a target."""
        wanted = self.ask_for_one_more(name)
        wait_until(lambda: self.count(name) == wanted, 30, f"{name} to have {wanted}")

    def begin_again(self) -> None:
        """Replace the operator's process, whether or not it will become ready."""
        self.operator.process.stop()
        self.operator.process.start()
        wait_until(lambda: self.operator.get("/readyz").status_code, 40, "the operator to listen")

    def forget_log(self) -> None:
        """From now on `said` looks at what is logged later only."""
        self._logged = len(self.operator.log())

    def said(self, *words: str) -> list[dict[str, Any]]:
        """New entries of the log that hold all of these words."""
        entries = self.operator.log()[self._logged :]
        return [entry for entry in entries if all(word in json.dumps(entry) for word in words)]


@pytest.fixture(scope="module")
def stage(
    plane: ControlPlane, prometheus: LivePrometheus, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[_Stage]:
    namespace = plane.namespace("rights")
    loads = dict.fromkeys(("load_web", "load_db", "load_hpa", "load_keda"), 15.0)
    with SteadyLoad(prometheus, {**loads, "load_cpu": 5.0}) as load:
        made = _Stage(plane, namespace, prometheus, tmp_path_factory.mktemp("rights"), load)
        with made.operator:
            made.populate()
            yield made
        made.rights.take_back()
    plane.request("DELETE", f"/api/v1/namespaces/{namespace}")


def test_what_the_chart_grants_is_enough_for_everything(stage: _Stage) -> None:
    for name in ("web", "db", "hpa", "keda"):
        wait_until(lambda name=name: stage.count(name) == 2, 40, f"2 of {name} for a load of 15")
    metrics = PodMetrics(stage.plane)
    metrics.report_each(stage.namespace, "cpu", "140m")
    wait_until(lambda: stage.count("cpu") == 2, 30, "2 replicas for 140 % of CPU where 70 % is the target")
    for name in ("web", "db", "cpu", "hpa", "keda"):
        stage.resources.wait_for(name, "Ready", "True", "Deciding")
        wait_until(lambda name=name: "lastScale" in stage.resources.status(name), 20, f"the status of {name}")
    told = {e["regarding"]["name"] for e in events(stage.plane, stage.namespace) if e["reason"] == "Scaled"}
    assert told == {"web", "db", "cpu", "hpa", "keda"}
    leases = f"/apis/coordination.k8s.io/v1/namespaces/{stage.namespace}/leases"
    (lease,) = stage.plane.request("GET", leases)["items"]
    assert lease["spec"]["holderIdentity"]
    assert {name for name in stage.operator.metrics() if 'code="403"' in name} == set()


@dataclass(frozen=True)
class _Sign:
    """What shows that a right is missing, and what goes on all the same.

    condition: resource, type and reason. words: in its message, in the answer to /readyz and in the log,
    whichever the sign is. afresh: only an operator that starts lacks it, others go on with what they have.
    provoke: the resource that has to scale for it. goes_on: one that still scales.
    """

    words: tuple[str, ...]
    condition: tuple[str, str, str] | None = None
    unready: bool = False
    afresh: bool = False
    provoke: str = ""
    goes_on: str = ""


def _cannot(verb: str, resource: str, group: str) -> tuple[str, ...]:
    return (f"cannot {verb} resource", resource, group)


def _scaling(resource: str, verb: str, name: str, group: str = "apps", goes_on: str = "web") -> _Sign:
    words = _cannot(verb, resource, group)
    return _Sign(words, (name, "ScalingActive", "NoPermission"), provoke=name, goes_on=goes_on)


_HPA, _KEDA = ("autoscaling", "horizontalpodautoscalers"), ("keda.sh", "scaledobjects")
_LEASES = ("coordination.k8s.io", "leases")

SIGNS = {
    Right("apps", "deployments/scale", "get"): _scaling("deployments/scale", "get", "web", goes_on="db"),
    Right("apps", "deployments/scale", "patch"): _scaling("deployments/scale", "patch", "web", goes_on="db"),
    Right("apps", "statefulsets/scale", "get"): _scaling("statefulsets/scale", "get", "db"),
    Right("apps", "statefulsets/scale", "patch"): _scaling("statefulsets/scale", "patch", "db"),
    Right(*_HPA, "get"): _scaling(_HPA[1], "get", "hpa", _HPA[0]),
    Right(*_HPA, "patch"): _scaling(_HPA[1], "patch", "hpa", _HPA[0]),
    Right(*_KEDA, "get"): _scaling(_KEDA[1], "get", "keda", _KEDA[0]),
    Right(*_KEDA, "patch"): _scaling(_KEDA[1], "patch", "keda", _KEDA[0]),
    Right("metrics.k8s.io", "pods", "list"): _Sign(
        _cannot("list", "pods", "metrics.k8s.io"), ("cpu", "SignalsHealthy", "Failed"), goes_on="web"
    ),
    Right(_PA, "predictiveautoscalers/status", "patch"): _Sign(
        ("status not written", *_cannot("patch", "predictiveautoscalers/status", _PA)),
        provoke="web",
        goes_on="web",
    ),
    Right("events.k8s.io", "events", "create"): _Sign(
        ("event not posted", *_cannot("create", "events", "events.k8s.io")), provoke="web", goes_on="web"
    ),
    Right(*_LEASES, "get"): _Sign(_cannot("get", "leases", _LEASES[0])),
    Right(*_LEASES, "update"): _Sign(_cannot("update", "leases", _LEASES[0])),
    Right(*_LEASES, "create"): _Sign(_cannot("create", "leases", _LEASES[0])),
    Right("", "pods", "list"): _Sign(
        _cannot("list", "pods", ""),
        ("web", "SignalsHealthy", "PodsUnknown"),
        unready=True,
        afresh=True,
        goes_on="web",
    ),
    Right(*_HPA, "list"): _Sign(
        _cannot("list", *reversed(_HPA)), ("web", "ScalingActive", "RivalsUnknown"), unready=True, afresh=True
    ),
    Right(*_KEDA, "list"): _Sign(
        _cannot("list", *reversed(_KEDA)),
        ("web", "ScalingActive", "RivalsUnknown"),
        unready=True,
        afresh=True,
    ),
    Right(_PA, "predictiveautoscalers", "list"): _Sign(
        _cannot("list", "predictiveautoscalers", _PA), unready=True, afresh=True
    ),
    Right(_PA, "predictiveautoscalers", "watch"): _Sign(
        ("cannot follow", *_cannot("watch", "predictiveautoscalers", _PA)), afresh=True, goes_on="web"
    ),
    Right("", "pods", "watch"): _Sign(
        ("cannot follow", *_cannot("watch", "pods", "")), afresh=True, goes_on="web"
    ),
    Right(*_HPA, "watch"): _Sign(
        ("cannot follow", *_cannot("watch", *reversed(_HPA))), afresh=True, goes_on="web"
    ),
    Right(*_KEDA, "watch"): _Sign(
        ("cannot follow", *_cannot("watch", *reversed(_KEDA))), afresh=True, goes_on="web"
    ),
}


def test_every_right_of_the_chart_has_its_sign(stage: _Stage) -> None:
    assert stage.rights.all() == set(SIGNS)


@pytest.fixture
def restored(stage: _Stage) -> Iterator[_Stage]:
    """The stage with all rights again after the test, and an operator that is well again by itself."""
    yield stage
    stage.rights.give()
    wait_until(stage.operator.ready, 60, "the operator to be ready again")
    wait_until(
        lambda: stage.operator.metrics()["predictive_autoscaler_leader"] == 1,
        60,
        "the operator to lead again",
    )
    for name in ("web", "db", "cpu", "hpa", "keda"):
        stage.resources.wait_for(name, "Ready", "True", "Deciding")
        stage.resources.wait_for(name, "ScalingActive", "True", "Scaling", 40)


@pytest.mark.parametrize("right", SIGNS, ids=str)
def test_a_missing_right_shows(right: Right, restored: _Stage) -> None:
    stage, sign = restored, SIGNS[right]
    PodMetrics(stage.plane).report_each(stage.namespace, "cpu", "70m")
    stage.forget_log()
    stage.rights.give(without=right)
    if right == Right(*_LEASES, "create"):
        stage.plane.kubectl("delete", "lease", "predictive-autoscaler", "-n", stage.namespace)
    if sign.afresh:
        stage.begin_again()
    if sign.provoke:
        stage.ask_for_one_more(sign.provoke)
    if sign.condition is not None:
        found = stage.resources.wait_for(sign.condition[0], sign.condition[1], "False", sign.condition[2], 40)
        assert all(word in found["message"] for word in sign.words), found
    else:
        wait_until(lambda: stage.said(*sign.words), 40, f"the log to say {sign.words}")
    answer = stage.operator.get("/readyz")
    assert answer.status_code == (503 if sign.unready else 200)
    assert not sign.unready or all(word in answer.text for word in sign.words)
    if sign.goes_on:
        stage.scales(sign.goes_on)
    stage.operator.process.must_run()


_MAY_NOT = [
    ("", "secrets", "get list watch"),
    ("", "configmaps", "get list"),
    ("apps", "deployments", "get update patch delete create"),
    ("apps", "deployments/scale", "update"),
    ("apps", "replicasets/scale", "get patch"),
    ("", "pods", "get create patch delete deletecollection"),
    ("", "pods/exec", "create"),
    ("", "pods/eviction", "create"),
    (_PA, "predictiveautoscalers", "get create update patch delete"),
    (*_HPA, "create update delete"),
    ("rbac.authorization.k8s.io", "clusterroles", "escalate bind create update patch"),
    ("rbac.authorization.k8s.io", "rolebindings", "create update patch"),
    ("", "users", "impersonate"),
    ("", "serviceaccounts", "impersonate"),
    ("", "serviceaccounts/token", "create"),
    ("apiextensions.k8s.io", "customresourcedefinitions", "get list patch"),
    ("", "nodes", "list"),
    ("", "namespaces", "list"),
]
"""In any namespace: group, resource, verbs."""


def test_it_may_do_nothing_beyond(stage: _Stage) -> None:
    cluster = Cluster.connect(stage.plane.kubeconfig_for_token(stage.rights.token(), "beyond"))

    def may(namespace: str, group: str, resource: str, verb: str, name: str = "") -> bool:
        kind, _, subresource = resource.partition("/")
        asked = {"namespace": namespace, "group": group, "verb": verb, "resource": kind}
        asked |= {"subresource": subresource, "name": name}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": asked},
        }
        answer = cluster.create("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review)
        return bool(answer["status"]["allowed"])

    for where in (stage.namespace, "kube-system"):
        refused = [(group, what, verb) for group, what, verbs in _MAY_NOT for verb in verbs.split()]
        assert [right for right in refused if may(where, *right)] == []
    assert may("kube-system", "", "pods", "list"), "what is allowed is seen to be"
    ours = "predictive-autoscaler"
    assert may(stage.namespace, *_LEASES, "update", ours)
    assert not may(stage.namespace, *_LEASES, "update", "other")
    assert not any(may("kube-system", *_LEASES, verb, ours) for verb in ("get", "create", "update"))
