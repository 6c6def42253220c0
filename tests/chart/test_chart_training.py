"""Training in the cluster: a CronJob with few rights, a volume, and an operator that reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rendering import NAMESPACE, Manifest, of_kind, refusal, template, the, without_api

from autoscaler.controller.configuration import Configuration, read_configuration

pytestmark = pytest.mark.cluster

_ON = {"enabled": True}
_NAME = "predictive-autoscaler-training"
_ONE_NODE = {"replicaCount": 1, "training": _ON | {"accessMode": "ReadWriteOnce"}}


def _rendered(**values: Any) -> list[Manifest]:
    return without_api({"training": _ON} | values)


def _named(manifests: list[Manifest], kind: str) -> Manifest:
    (found,) = [one for one in of_kind(manifests, kind) if one["metadata"]["name"] == _NAME]
    return found


def _pod(manifests: list[Manifest]) -> Manifest:
    spec: Manifest = the(manifests, "CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return spec


def _container(manifests: list[Manifest]) -> Manifest:
    (container,) = _pod(manifests)["containers"]
    return container


def _operator(manifests: list[Manifest]) -> Manifest:
    spec: Manifest = the(manifests, "Deployment")["spec"]["template"]["spec"]
    return spec


def _read(manifests: list[Manifest], tmp_path: Path) -> Configuration:
    path = tmp_path / "config.yaml"
    path.write_text(the(manifests, "ConfigMap")["data"]["config.yaml"])
    return read_configuration(path)


def test_by_default_nothing_is_trained_and_the_shipped_model_is_in_force(tmp_path: Path) -> None:
    manifests = without_api()
    assert of_kind(manifests, "CronJob") == []
    assert of_kind(manifests, "PersistentVolumeClaim") == []
    assert _read(manifests, tmp_path).forecasts.model_folder is None
    assert "training" not in template({}).stdout


def test_a_training_runs_alone_on_time_and_within_bounds() -> None:
    job = the(_rendered(), "CronJob")["spec"]
    assert (job["schedule"], job["timeZone"], job["concurrencyPolicy"]) == ("17 3 * * 0", "Etc/UTC", "Forbid")
    assert job["startingDeadlineSeconds"] > 0
    assert job["jobTemplate"]["spec"]["activeDeadlineSeconds"] == 21600
    assert job["jobTemplate"]["spec"]["backoffLimit"] == 1
    assert _pod(_rendered())["restartPolicy"] == "Never"
    assert "memory" in _container(_rendered())["resources"]["limits"]


def test_it_trains_into_the_folder_that_the_operator_reads(tmp_path: Path) -> None:
    manifests = _rendered()
    folder = str(_read(manifests, tmp_path).forecasts.model_folder)
    assert _container(manifests)["args"] == [
        "train",
        "--config",
        "/etc/predictive-autoscaler/config.yaml",
        "--if-better",
    ]
    assert {"name": "model", "mountPath": folder} in _container(manifests)["volumeMounts"]
    (operator,) = _operator(manifests)["containers"]
    assert {"name": "model", "mountPath": folder, "readOnly": True} in operator["volumeMounts"]
    claim = {"name": "model", "persistentVolumeClaim": {"claimName": _NAME}}
    assert claim in _pod(manifests)["volumes"]
    assert claim in _operator(manifests)["volumes"]
    assert the(manifests, "PersistentVolumeClaim")["spec"]["accessModes"] == ["ReadWriteMany"]


def test_it_is_restricted_as_the_operator_is() -> None:
    manifests = _rendered()
    (operator,) = _operator(manifests)["containers"]
    assert _pod(manifests)["securityContext"] == _operator(manifests)["securityContext"]
    assert _container(manifests)["securityContext"] == operator["securityContext"]
    writable = {
        mount["mountPath"] for mount in _container(manifests)["volumeMounts"] if not mount.get("readOnly")
    }
    assert writable == {"/tmp", "/var/lib/predictive-autoscaler-model"}


def test_no_service_and_no_disruption_budget_takes_its_pods_for_the_operator_s() -> None:
    manifests = _rendered(commonLabels={"app.kubernetes.io/name": "other"})
    labels = the(manifests, "CronJob")["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
    selector = the(manifests, "Deployment")["spec"]["selector"]["matchLabels"]
    assert not selector.items() <= labels.items()
    assert labels["app.kubernetes.io/name"] == _NAME


@pytest.mark.parametrize("namespaces", [[], ["shop", "search"]], ids=["all", "some namespaces"])
def test_it_may_read_resources_and_nothing_else(namespaces: list[str]) -> None:
    manifests = _rendered(watchNamespaces=namespaces)
    kind = "Role" if namespaces else "ClusterRole"
    roles = [one for one in of_kind(manifests, kind) if one["metadata"]["name"] == _NAME]
    assert [one["metadata"].get("namespace") for one in roles] == (namespaces or [None])
    for role in roles:
        assert role["rules"] == [
            {
                "apiGroups": ["predictive-autoscaler.dev"],
                "resources": ["predictiveautoscalers"],
                "verbs": ["get", "list"],
            }
        ]
    bindings = [*of_kind(manifests, "ClusterRoleBinding"), *of_kind(manifests, "RoleBinding")]
    account = {"kind": "ServiceAccount", "name": _NAME, "namespace": NAMESPACE}
    ours = [one for one in bindings if account in one["subjects"]]
    assert {(one["roleRef"]["kind"], one["roleRef"]["name"]) for one in ours} == {(kind, _NAME)}
    assert _pod(manifests)["serviceAccountName"] == _named(manifests, "ServiceAccount")["metadata"]["name"]


def test_without_service_accounts_of_the_chart_it_runs_as_the_one_that_is_named() -> None:
    manifests = _rendered(serviceAccount={"create": False, "name": "ours"})
    assert of_kind(manifests, "ServiceAccount") == []
    assert _pod(manifests)["serviceAccountName"] == "ours"


def test_a_claim_that_exists_is_used_as_it_is() -> None:
    manifests = _rendered(training=_ON | {"existingClaim": "mine"})
    assert of_kind(manifests, "PersistentVolumeClaim") == []
    used = {"name": "model", "persistentVolumeClaim": {"claimName": "mine"}}
    assert used in _pod(manifests)["volumes"]
    assert used in _operator(manifests)["volumes"]


def test_on_a_volume_of_one_node_everything_runs_on_that_node_one_pod_after_the_other() -> None:
    manifests = without_api(_ONE_NODE)
    deployment = the(manifests, "Deployment")["spec"]
    assert deployment["strategy"] == {"type": "Recreate"}
    (near,) = _pod(manifests)["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert near["labelSelector"] == deployment["selector"]
    assert near["topologyKey"] == "kubernetes.io/hostname"
    assert "affinity" not in _pod(_rendered())


def test_credentials_of_the_sources_reach_it_too() -> None:
    volume = {"name": "token", "secret": {"secretName": "mimir"}}
    mount = {"name": "token", "mountPath": "/etc/sources/mimir", "readOnly": True}
    manifests = _rendered(extraVolumes=[volume], extraVolumeMounts=[mount])
    assert volume in _pod(manifests)["volumes"]
    assert mount in _container(manifests)["volumeMounts"]


def test_its_network_policy_lets_it_reach_what_it_reads_and_lets_nobody_in() -> None:
    policy = _named(_rendered(networkPolicy=_ON), "NetworkPolicy")["spec"]
    ports = sorted({port["port"] for rule in policy["egress"] for port in rule["ports"]})
    assert ports == [53, 443, 6443, 9090]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policy


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"training": {"schedule": "weekly"}}, "/training/schedule"),
        ({"training": {"accessMode": "ReadWriteOncePod"}}, "/training/accessMode"),
        ({"training": {"activeDeadlineSeconds": "6h"}}, "/training/activeDeadlineSeconds"),
        ({"training": {"size": "much"}}, "/training/size"),
        ({"training": {"retrain": True}}, "'retrain' not allowed"),
        ({"training": _ON | {"accessMode": "ReadWriteOnce"}}, "training.accessMode: a ReadWriteOnce volume"),
    ],
)
def test_what_cannot_work_is_refused(values: Manifest, named: str) -> None:
    assert named in refusal(values)


def test_a_long_name_leaves_a_cronjob_the_52_characters_it_may_have() -> None:
    manifests = without_api({"training": _ON, "fullnameOverride": "a" * 47})
    assert the(manifests, "CronJob")["metadata"]["name"] == "a" * 43 + "-training"
