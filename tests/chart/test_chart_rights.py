"""What the operator may do in a cluster: as little as it can work with, and no more by accident."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from rendering import NAMESPACE, ROOT, Manifest, of_kind, the, without_api

pytestmark = pytest.mark.cluster

_BASE = {
    ("predictive-autoscaler.dev", "predictiveautoscalers"): {"list", "watch"},
    ("predictive-autoscaler.dev", "predictiveautoscalers/status"): {"patch"},
    ("apps", "deployments/scale"): {"get", "patch"},
    ("apps", "statefulsets/scale"): {"get", "patch"},
    ("", "pods"): {"list", "watch"},
    ("metrics.k8s.io", "pods"): {"list"},
    ("autoscaling", "horizontalpodautoscalers"): {"list", "watch"},
    ("keda.sh", "scaledobjects"): {"list", "watch"},
    ("events.k8s.io", "events"): {"create"},
}
_FLOOR = _BASE | {
    ("autoscaling", "horizontalpodautoscalers"): {"get", "list", "watch", "patch"},
    ("keda.sh", "scaledobjects"): {"get", "list", "watch", "patch"},
}
_ROLLOUTS = _BASE | {("argoproj.io", "rollouts/scale"): {"get", "patch"}}

Rights = dict[tuple[str, str], set[str]]


def _rights(roles: Iterable[Manifest]) -> Rights:
    found: Rights = {}
    for role in roles:
        for rule in role["rules"]:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    found.setdefault((group, resource), set()).update(rule["verbs"])
    return found


def _bound(manifests: list[Manifest]) -> list[Manifest]:
    """The roles that a binding gives to the operator's service account."""
    account = the(manifests, "ServiceAccount")["metadata"]
    roles = []
    for binding in [*of_kind(manifests, "ClusterRoleBinding"), *of_kind(manifests, "RoleBinding")]:
        assert binding["subjects"] == [
            {"kind": "ServiceAccount", "name": account["name"], "namespace": account["namespace"]}
        ]
        reference, namespace = binding["roleRef"], binding["metadata"].get("namespace")
        roles += [
            role
            for role in of_kind(manifests, reference["kind"])
            if (role["metadata"]["name"], role["metadata"].get("namespace")) == (reference["name"], namespace)
        ]
    return roles


@pytest.mark.parametrize(
    ("values", "rights"),
    [
        pytest.param({}, _BASE, id="default"),
        pytest.param({"rbac": {"floor": True}}, _FLOOR, id="floors may be raised"),
        pytest.param(
            {"scalableResources": [{"group": "argoproj.io", "resource": "rollouts"}]},
            _ROLLOUTS,
            id="rollouts",
        ),
    ],
)
def test_the_operator_has_exactly_the_rights_it_needs(values: Manifest, rights: Rights) -> None:
    roles = [role for role in _bound(without_api(values)) if role["kind"] == "ClusterRole"]
    assert _rights(roles) == rights


def test_with_namespaces_named_it_has_rights_in_those_alone() -> None:
    manifests = without_api({"watchNamespaces": ["shop", "search"], "rbac": {"aggregateToUserRoles": False}})
    assert of_kind(manifests, "ClusterRole") + of_kind(manifests, "ClusterRoleBinding") == []
    by_namespace = {role["metadata"]["namespace"]: _rights([role]) for role in _bound(manifests)}
    assert by_namespace.pop(NAMESPACE).keys() == {("coordination.k8s.io", "leases")}
    assert by_namespace == {"shop": _BASE, "search": _BASE}


@pytest.mark.parametrize("namespace", [NAMESPACE, "leases"])
def test_leases_are_written_in_one_namespace_and_under_one_name(namespace: str) -> None:
    chosen = "" if namespace == NAMESPACE else namespace
    manifests = without_api({"leaderElection": {"namespace": chosen, "name": "ours"}})
    (role,) = [role for role in _bound(manifests) if role["kind"] == "Role"]
    assert role["metadata"]["namespace"] == namespace
    assert role["rules"] == [
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "resourceNames": ["ours"],
            "verbs": ["get", "update"],
        },
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
    ]


def test_without_leader_election_there_are_no_rights_on_leases() -> None:
    manifests = without_api({"replicaCount": 1, "leaderElection": {"enabled": False}})
    assert ("coordination.k8s.io", "leases") not in _rights(_bound(manifests))


def test_nothing_is_given_by_wildcard_and_no_secret_can_be_read() -> None:
    values = {"rbac": {"floor": True}, "scalableResources": [{"group": "a.b", "resource": "c"}]}
    manifests = without_api(values)
    roles = of_kind(manifests, "ClusterRole") + of_kind(manifests, "Role")
    rights = _rights(roles)
    assert "*" not in {part for key in rights for part in key} | set().union(*rights.values())
    assert not any(resource == "secrets" for _, resource in rights)
    assert not any("nonResourceURLs" in rule for role in roles for rule in role["rules"])


def test_users_who_may_edit_a_namespace_may_edit_its_resources() -> None:
    roles = [role for role in of_kind(without_api(), "ClusterRole")]
    given = {
        label.removeprefix("rbac.authorization.k8s.io/aggregate-to-"): _rights([role])
        for role in roles
        for label in role["metadata"]["labels"]
        if label.startswith("rbac.authorization.k8s.io/aggregate-to-")
    }
    ours = ("predictive-autoscaler.dev", "predictiveautoscalers")
    assert given["view"] == {ours: {"get", "list", "watch"}}
    assert given["edit"] == given["admin"]
    assert given["edit"] == {ours: {"create", "update", "patch", "delete", "deletecollection"}}


def test_roles_can_be_left_to_the_administrator() -> None:
    manifests = without_api({"rbac": {"create": False}, "serviceAccount": {"create": False, "name": "ours"}})
    kinds = {manifest["kind"] for manifest in manifests}
    assert not kinds & {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "ServiceAccount"}
    assert the(manifests, "Deployment")["spec"]["template"]["spec"]["serviceAccountName"] == "ours"


def test_the_page_says_what_each_right_is_for() -> None:
    page = (ROOT / "docs" / "install.md").read_text().partition("What for (service)")[0]
    rows = [line for line in page.splitlines() if line.startswith("| ") and line.count("|") == 5]
    explained = "".join(rows)
    for (group, resource), verbs in _rights(_bound(without_api({"rbac": {"floor": True}}))).items():
        assert f"`{resource}`" in explained
        assert f"`{group or 'core'}`".replace("`core`", "core") in explained
        (row,) = [
            row
            for row in rows
            if f"`{resource}`" in row and (f"`{group}`" in row or (not group and "core" in row))
        ]
        assert all(verb in row for verb in verbs)
