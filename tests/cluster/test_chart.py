"""The chart and the plain manifest in a real cluster: installing, upgrading, removing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from control_plane import ControlPlane, cluster_binaries, wait_until
from live_prometheus import LivePrometheus
from operator_process import OperatorProcess, Resources, SteadyLoad

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

_ROOT = Path(__file__).resolve().parents[2]
_CHART = _ROOT / "operator" / "chart" / "predictive-autoscaler"
_EARLIER_CHART = _ROOT / "tests" / "data" / "chart-before-the-service.tgz"
_CRD = "predictiveautoscalers.predictive-autoscaler.dev"
_CRD_PATH = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{_CRD}"
_DESCRIPTION = "Scales a workload before its load arrives."
_NAME = "autoscaler-predictive-autoscaler"  # of what the release named autoscaler makes
_RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"


@dataclass(frozen=True)
class _Helm:
    """The helm binary, acting on one namespace of the test's cluster."""

    plane: ControlPlane
    namespace: str
    home: Path

    def __call__(self, command: str, *args: str) -> str:
        binaries = cluster_binaries()
        assert binaries
        where = ["--kubeconfig", str(self.plane.kubeconfig()), "--namespace", self.namespace]
        done = subprocess.run(
            [str(binaries / "helm"), *command.split(), "autoscaler", *args, *where],
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
            env=os.environ | {f"HELM_{what}_HOME": str(self.home) for what in ("CACHE", "CONFIG", "DATA")},
        )
        assert done.returncode == 0, f"helm {command}: {done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A cluster of this module's own: what the chart installs belongs to the whole of it."""
    with ControlPlane(tmp_path_factory.mktemp("chart-control-plane")) as plane:
        yield plane


@pytest.fixture
def helm(control_plane: ControlPlane, namespace: str, tmp_path: Path) -> Iterator[_Helm]:
    """Helm on the test's namespace; whatever is cluster-wide is removed afterwards."""
    found = _Helm(control_plane, namespace, tmp_path)
    yield found
    found("uninstall", "--ignore-not-found", "--wait")
    _remove_crd(control_plane)


def _remove_crd(plane: ControlPlane) -> None:
    plane.kubectl("delete", "crd", _CRD, "--ignore-not-found", "--wait")


def _restrict(plane: ControlPlane, namespace: str) -> None:
    plane.kubectl("label", "namespace", namespace, _RESTRICTED)


def _served(plane: ControlPlane) -> bool:
    """Whether the API server takes resources of our kind yet."""
    conditions = plane.request("GET", _CRD_PATH)["status"].get("conditions", ())
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)


def _described(plane: ControlPlane) -> str:
    (version,) = plane.request("GET", _CRD_PATH)["spec"]["versions"]
    description: str = version["schema"]["openAPIV3Schema"]["description"]
    return description


def _resource(plane: ControlPlane, namespace: str) -> None:
    spec = {
        "scaleTargetRef": {"kind": "Deployment", "name": "checkout"},
        "maxReplicas": 9,
        "load": {"query": "sum(up)", "perReplica": 1},
    }
    manifest = {
        "apiVersion": "predictive-autoscaler.dev/v1alpha1",
        "kind": "PredictiveAutoscaler",
        "metadata": {"name": "checkout", "namespace": namespace},
        "spec": spec,
    }
    wait_until(lambda: _served(plane), 30, "the kind to be served")
    plane.kubectl("apply", "--filename", "-", input=json.dumps(manifest))


def _resources(plane: ControlPlane, namespace: str) -> list[str]:
    answer = plane.kubectl("get", "predictiveautoscalers", "--namespace", namespace, "--output", "name")
    return answer.split()


def _changed_chart(folder: Path) -> Path:
    """The next version of the chart, whose CRD has another description."""
    chart = folder / "next" / _CHART.name
    shutil.copytree(_CHART, chart)
    (crd,) = (chart / "files" / "crds").glob("*.yaml")
    text = crd.read_text()
    assert text.count(_DESCRIPTION) == 1
    crd.write_text(text.replace(_DESCRIPTION, "Says something else."))
    return chart


def test_the_pods_run_where_only_restricted_ones_may(
    control_plane: ControlPlane, namespace: str, helm: _Helm
) -> None:
    _restrict(control_plane, namespace)
    helm("install", str(_CHART), "--set", "networkPolicy.enabled=true")
    wait_until(lambda: control_plane.ready(_NAME, namespace) == 2, 60, "both pods to be ready")


@pytest.mark.parametrize(
    "values",
    [
        {"watchNamespaces": ["default"], "rbac": {"floor": True}},
        {"replicaCount": 1, "persistence": {"enabled": True}},
        {
            "podDisruptionBudget": {"maxUnavailable": "50%"},
            "networkPolicy": {"enabled": True, "metricsFrom": [{"podSelector": {}}]},
            "scalableResources": [{"group": "argoproj.io", "resource": "rollouts"}],
            "tolerations": [{"operator": "Exists"}],
        },
        {
            "store": {"url": "postgresql+psycopg://autoscaler@db.data/autoscaler"},
            "api": {"tlsSecret": "api-tls", "audiences": ["autoscaler"]},
            "networkPolicy": {"enabled": True, "apiFrom": [{"podSelector": {}}]},
        },
    ],
    ids=["namespaced", "volume", "network", "service of its own"],
)
def test_the_api_server_accepts_every_object_as_the_chart_writes_it(
    values: dict[str, Any], control_plane: ControlPlane, namespace: str, helm: _Helm, tmp_path: Path
) -> None:
    _restrict(control_plane, namespace)
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    manifests = helm("template", str(_CHART), "--values", str(file))
    # Strict: a field that the API server does not know is an error, not dropped in silence.
    said = control_plane.kubectl(
        "apply", "--server-side", "--dry-run=server", "--validate=strict", "--filename", "-", input=manifests
    )
    assert said.count("serverside-applied (server dry run)") == manifests.count("\nkind: ")
    assert "Warning" not in said


def test_the_crd_is_upgraded_with_the_chart(
    control_plane: ControlPlane, namespace: str, helm: _Helm, tmp_path: Path
) -> None:
    helm("install", str(_CHART))
    _resource(control_plane, namespace)
    assert _described(control_plane) == _DESCRIPTION
    helm("upgrade", str(_changed_chart(tmp_path)), "--reset-then-reuse-values")
    assert _described(control_plane) == "Says something else."
    assert _resources(control_plane, namespace) == ["predictiveautoscaler.predictive-autoscaler.dev/checkout"]


def test_an_earlier_chart_is_upgraded_and_rolled_back_under_running_workloads(
    control_plane: ControlPlane, namespace: str, helm: _Helm
) -> None:
    """From the chart as it was before it could bring the service, with values that somebody has set."""
    control_plane.deployment("checkout", namespace, replicas=3, start_up="100ms")
    helm("install", str(_EARLIER_CHART), "--set", "period=20s,log.level=debug,rbac.floor=true")
    _resource(control_plane, namespace)
    pods = _pods(control_plane, namespace, "app=checkout")
    helm("upgrade", str(_CHART), "--reset-then-reuse-values", "--wait")
    values = json.loads(helm("get values", "--output", "json"))
    assert values == {"period": "20s", "log": {"level": "debug"}, "rbac": {"floor": True}}
    everything = json.loads(helm("get values", "--all", "--output", "json"))
    assert everything["api"]["enabled"] and everything["store"]["maxBytes"], "defaults of the new chart"
    applied = helm("get manifest")
    fresh = helm("template", str(_CHART), "--set", "period=20s,log.level=debug,rbac.floor=true")
    assert _rules(applied) == _rules(fresh), "whoever upgrades has the rights of whoever installs"
    assert _properties(control_plane) >= {"shadow", "objective"}, "fields of the new version are known"
    assert control_plane.ready(_NAME, namespace) == 2
    helm("rollback", "1", "--wait")
    assert len(_resources(control_plane, namespace)) == 1
    assert control_plane.replicas("checkout", namespace) == 3
    assert _pods(control_plane, namespace, "app=checkout") == pods, "not one pod was replaced"


def _pods(plane: ControlPlane, namespace: str, selector: str) -> set[str]:
    asked = ("get", "pods", "--namespace", namespace, "--selector", selector, "--output", "name")
    return set(plane.kubectl(*asked).split())


def _rules(manifests: str) -> dict[str, Any]:
    found = [one for one in yaml.safe_load_all(manifests) if one and "rules" in one]
    return {f"{one['kind']} {one['metadata']['name']}": one["rules"] for one in found}


def _properties(plane: ControlPlane) -> set[str]:
    (version,) = plane.request("GET", _CRD_PATH)["spec"]["versions"]
    return set(version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"])


def test_removing_the_operator_keeps_resources_and_replicas(
    control_plane: ControlPlane, namespace: str, helm: _Helm
) -> None:
    control_plane.deployment("checkout", namespace, replicas=3, start_up="100ms")
    helm("install", str(_CHART))
    _resource(control_plane, namespace)
    helm("uninstall", "--wait")
    assert control_plane.kubectl("get", "deployments", "--namespace", namespace, "--output", "name") == (
        "deployment.apps/checkout\n"
    )
    assert len(_resources(control_plane, namespace)) == 1
    assert control_plane.replicas("checkout", namespace) == 3
    # Installing again takes up the CRD that was left.
    helm("install", str(_CHART))
    assert len(_resources(control_plane, namespace)) == 1


_MAY = [
    "watch predictiveautoscalers.predictive-autoscaler.dev",
    "patch predictiveautoscalers.predictive-autoscaler.dev --subresource=status",
    "patch statefulsets.apps --subresource=scale",
    "watch pods",
    "watch horizontalpodautoscalers.autoscaling",
    "create events.events.k8s.io",
]
_MAY_NOT = [
    "get secrets",
    "get deployments.apps",
    "patch deployments.apps",
    "create pods",
    "patch predictiveautoscalers.predictive-autoscaler.dev",
    "patch horizontalpodautoscalers.autoscaling",
    "create leases.coordination.k8s.io",
    "impersonate serviceaccounts",
]
_LEASES_MAY = ["create leases.coordination.k8s.io", "update leases.coordination.k8s.io/predictive-autoscaler"]
_LEASES_MAY_NOT = ["update leases.coordination.k8s.io/other", "list leases.coordination.k8s.io"]


def test_the_operator_may_do_what_it_does_and_no_more(
    control_plane: ControlPlane, namespace: str, helm: _Helm
) -> None:
    # With PostgreSQL the service has an account of its own, and the operator's has no right of it.
    helm("install", str(_CHART), "--set", "store.url=postgresql+psycopg://autoscaler@db.data/autoscaler")
    token = control_plane.service_account_token(namespace, _NAME)

    def may(what: str, where: str = "default") -> bool:
        asked = ("auth", "can-i", *what.split(), "--namespace", where)
        return control_plane.kubectl(*asked, token=token, check=False).splitlines()[-1] == "yes"

    wait_until(lambda: may(_MAY[0]), 10, "the rights to count")
    assert [what for what in _MAY if not may(what)] == []
    assert [what for what in _MAY_NOT if may(what)] == []
    assert [what for what in _LEASES_MAY if not may(what, namespace)] == []
    assert [what for what in _LEASES_MAY_NOT if may(what, namespace)] == []


def test_the_operator_scales_a_workload_that_it_may_not_even_read(
    control_plane: ControlPlane, namespace: str, helm: _Helm
) -> None:
    helm("install", str(_CHART))
    token = control_plane.service_account_token(namespace, _NAME)
    control_plane.deployment("checkout", namespace, replicas=1)
    patch = ("patch", "deployment/checkout", "--namespace", namespace, "--patch", '{"spec":{"replicas":4}}')
    refused = control_plane.kubectl(*patch, token=token, check=False)
    assert "forbidden" in refused.lower()
    assert control_plane.replicas("checkout", namespace) == 1
    control_plane.kubectl(*patch, "--subresource=scale", "--type=merge", token=token)
    assert control_plane.replicas("checkout", namespace) == 4


def _operator(helm: _Helm, folder: Path, prometheus: str, values: dict[str, Any]) -> OperatorProcess:
    """The operator outside of a pod, with the configuration and the rights that the chart gives it."""
    file = folder / "values.yaml"
    sources = [{"name": "default", "url": prometheus}]
    store = {"url": f"sqlite:///{folder / 'store.db'}"}
    file.write_text(yaml.safe_dump({"sources": sources, "period": "1s", "store": store, **values}))
    helm("install", str(_CHART), "--values", str(file))
    wait_until(lambda: _served(helm.plane), 30, "the kind to be served")
    token = helm.plane.service_account_token(helm.namespace, _NAME)
    path = f"/api/v1/namespaces/{helm.namespace}/configmaps/{_NAME}"
    configuration = yaml.safe_load(helm.plane.request("GET", path)["data"]["config.yaml"])
    # Where a pod keeps histories and listens is no place for a test.
    del configuration["server"], configuration["forecasts"]
    # Nor is there a pod to be labelled.
    configuration["leaderElection"]["labelPod"] = False
    kubeconfig = helm.plane.kubeconfig_for_token(token, "operator")
    return OperatorProcess(folder / "operator", kubeconfig, prometheus, **configuration)


def _refused(operator: OperatorProcess) -> dict[str, float]:
    """Requests that the API server forbade, by method."""
    return {name: value for name, value in operator.metrics().items() if 'code="403"' in name}


@pytest.mark.prometheus
@pytest.mark.parametrize("scope", ["cluster", "namespace"])
def test_the_operator_scales_with_the_rights_the_chart_gives_it(
    scope: str, control_plane: ControlPlane, namespace: str, helm: _Helm, tmp_path: Path
) -> None:
    values = {"watchNamespaces": [namespace]} if scope == "namespace" else {}
    control_plane.deployment("web", namespace, 1, start_up="100ms")
    with LivePrometheus(tmp_path / "prometheus") as prometheus, SteadyLoad(prometheus, {"load_web": 35.0}):
        operator = _operator(helm, tmp_path, prometheus.url, values)
        with operator:
            resources = Resources(control_plane, namespace)
            resources.create("web")
            wait_until(
                lambda: control_plane.replicas("web", namespace) == 4, 30, "4 replicas for a load of 35"
            )
            wait_until(lambda: "lastScale" in resources.status("web"), 20, "the status to be written")
            events = ("get", "events.events.k8s.io", "--namespace", namespace)
            wait_until(lambda: "Scaled" in control_plane.kubectl(*events), 20, "an event to be written")
            assert _refused(operator) == {}


@pytest.mark.prometheus
def test_the_operator_raises_a_floor_with_the_rights_for_it(
    control_plane: ControlPlane, namespace: str, helm: _Helm, tmp_path: Path
) -> None:
    control_plane.deployment("web", namespace, 1, start_up="100ms")
    control_plane.kubectl(
        "autoscale", "deployment/web", "--namespace", namespace, "--min=2", "--max=9", "--cpu=70%"
    )
    path = f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers/web"
    with LivePrometheus(tmp_path / "prometheus") as prometheus, SteadyLoad(prometheus, {"load_web": 35.0}):
        operator = _operator(helm, tmp_path, prometheus.url, {"rbac": {"floor": True}})
        with operator:
            Resources(control_plane, namespace).create(
                "web", floor={"kind": "HorizontalPodAutoscaler", "name": "web"}
            )
            wait_until(
                lambda: control_plane.request("GET", path)["spec"]["minReplicas"] == 4, 30, "a minimum of 4"
            )
            assert _refused(operator) == {}


def test_an_editor_of_a_namespace_may_write_resources_there(
    control_plane: ControlPlane, namespace: str, helm: _Helm
) -> None:
    helm("install", str(_CHART))
    token = control_plane.service_account_token(namespace, "editor")
    binding = (
        "create",
        "rolebinding",
        "editor",
        "--clusterrole=edit",
        f"--serviceaccount={namespace}:editor",
    )
    control_plane.kubectl(*binding, "--namespace", namespace)
    asked = (
        "auth",
        "can-i",
        "create",
        "predictiveautoscalers.predictive-autoscaler.dev",
        "--namespace",
        namespace,
    )
    wait_until(
        lambda: control_plane.kubectl(*asked, token=token, check=False).splitlines()[-1] == "yes",
        20,
        "the right to be part of the edit role",
    )


def test_the_plain_manifest_installs_the_operator(control_plane: ControlPlane) -> None:
    manifest = str(_ROOT / "operator" / "install.yaml")
    try:
        control_plane.kubectl("apply", "--filename", manifest)
        control_plane.kubectl("apply", "--filename", manifest)  # and is the way to upgrade
        name = "predictive-autoscaler"
        wait_until(lambda: control_plane.ready(name, name) == 2, 60, "both pods to be ready")
    finally:
        control_plane.kubectl("delete", "--ignore-not-found", "--wait=false", "--filename", manifest)
        _remove_crd(control_plane)
