"""The service in the chart: beside the operator where the store is a file, in pods of its own otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from rendering import NAMESPACE, ROOT, Manifest, of_kind, rendered, the

from autoscaler.api.configuration import ServeConfiguration, read_serve_configuration

pytestmark = pytest.mark.cluster

_POSTGRES = {"store": {"url": "postgresql+psycopg://autoscaler@db.data:6432/autoscaler"}}
_LEADS = "predictive-autoscaler.dev/leads"
_OPERATOR, _API = "predictive-autoscaler", "predictive-autoscaler-api"


def _named(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = [one for one in of_kind(manifests, kind) if one["metadata"]["name"] == name]
    return found


def _containers(manifests: list[Manifest], deployment: str) -> dict[str, Manifest]:
    pod = _named(manifests, "Deployment", deployment)["spec"]["template"]["spec"]
    return {one["name"]: one for one in pod["containers"]}


def _configuration(manifests: list[Manifest], tmp_path: Path) -> ServeConfiguration:
    path = tmp_path / "serve.yaml"
    path.write_text(the(manifests, "ConfigMap")["data"]["serve.yaml"])
    return read_serve_configuration(path)


def _rights(manifests: list[Manifest], account: str) -> set[tuple[str, str, str, str]]:
    """(namespace or "", group, resource, verb) of everything bound to a service account."""
    found = set()
    for binding in [*of_kind(manifests, "ClusterRoleBinding"), *of_kind(manifests, "RoleBinding")]:
        if [subject["name"] for subject in binding["subjects"]] != [account]:
            continue
        namespace = binding["metadata"].get("namespace", "")
        (role,) = [
            one
            for one in of_kind(manifests, binding["roleRef"]["kind"])
            if one["metadata"]["name"] == binding["roleRef"]["name"]
            and one["metadata"].get("namespace", "") == namespace
        ]
        for rule in role["rules"]:
            found |= {
                (namespace, group, resource, verb)
                for group in rule["apiGroups"]
                for resource in rule["resources"]
                for verb in rule["verbs"]
            }
    return found


def test_with_sqlite_it_runs_in_the_operator_s_pods_on_the_same_file() -> None:
    manifests = rendered()
    containers = _containers(manifests, _OPERATOR)
    assert set(containers) == {"operator", "api"}
    mounts = [
        {mount["name"]: mount["mountPath"] for mount in one["volumeMounts"]} for one in containers.values()
    ]
    assert mounts[0]["state"] == mounts[1]["state"]
    # Nothing of the API may make the pod, and with it the operator, count as not ready.
    assert "readinessProbe" not in containers["api"]


def test_with_sqlite_and_several_pods_the_service_leads_to_the_one_that_acts() -> None:
    manifests = rendered()
    selector = _named(manifests, "Service", _API)["spec"]["selector"]
    labels = _named(manifests, "Deployment", _OPERATOR)["spec"]["template"]["metadata"]["labels"]
    assert selector == labels | {_LEADS: "true"}
    config = yaml.safe_load(the(manifests, "ConfigMap")["data"]["config.yaml"])
    assert config["leaderElection"]["labelPod"] is True
    names = [entry["name"] for entry in _containers(manifests, _OPERATOR)["operator"]["env"]]
    assert names == ["POD_NAME"]


def test_with_one_pod_no_label_and_no_right_to_put_it_is_needed() -> None:
    manifests = rendered({"replicaCount": 1})
    assert _LEADS not in _named(manifests, "Service", _API)["spec"]["selector"]
    assert ("autoscaling", "", "pods", "patch") not in _rights(manifests, _OPERATOR)
    config = yaml.safe_load(the(manifests, "ConfigMap")["data"]["config.yaml"])
    assert config["leaderElection"]["labelPod"] is False


def test_with_postgresql_it_has_pods_a_service_account_and_rights_of_its_own() -> None:
    manifests = rendered(_POSTGRES)
    assert set(_containers(manifests, _OPERATOR)) == {"operator"}
    assert set(_containers(manifests, _API)) == {"api"}
    pod = _named(manifests, "Deployment", _API)["spec"]["template"]
    assert pod["spec"]["serviceAccountName"] == _API
    assert _named(manifests, "Service", _API)["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert _rights(manifests, _API) == {
        ("", "authentication.k8s.io", "tokenreviews", "create"),
        ("", "authorization.k8s.io", "subjectaccessreviews", "create"),
        ("", "predictive-autoscaler.dev", "predictiveautoscalers", "patch"),
    }
    assert not _rights(manifests, _OPERATOR) & _rights(manifests, _API)


def test_whoever_asks_again_reaches_the_pod_that_runs_their_what_if() -> None:
    assert _named(rendered(_POSTGRES), "Service", _API)["spec"]["sessionAffinity"] == "ClientIP"


def test_neither_deployment_takes_the_other_s_pods_for_its_own() -> None:
    manifests = rendered(_POSTGRES)
    for one, other in ((_OPERATOR, _API), (_API, _OPERATOR)):
        selector = _named(manifests, "Deployment", one)["spec"]["selector"]["matchLabels"]
        labels = _named(manifests, "Deployment", other)["spec"]["template"]["metadata"]["labels"]
        assert not selector.items() <= labels.items()
        metrics = _named(manifests, "Service", _OPERATOR)["spec"]["selector"]
        assert (
            not metrics.items()
            <= _named(manifests, "Deployment", _API)["spec"]["template"]["metadata"]["labels"].items()
        )


def test_beside_the_operator_it_adds_only_the_rights_that_it_needs() -> None:
    without = _rights(rendered({"api": {"enabled": False}}), _OPERATOR)
    assert _rights(rendered(), _OPERATOR) - without == {
        ("", "authentication.k8s.io", "tokenreviews", "create"),
        ("", "authorization.k8s.io", "subjectaccessreviews", "create"),
        ("", "predictive-autoscaler.dev", "predictiveautoscalers", "patch"),
        (NAMESPACE, "", "pods", "patch"),
    }


def test_with_namespaces_named_it_changes_resources_in_those_alone() -> None:
    manifests = rendered({**_POSTGRES, "watchNamespaces": ["shop", "search"]})
    patches = {right[0] for right in _rights(manifests, _API) if right[2] == "predictiveautoscalers"}
    assert patches == {"shop", "search"}


@pytest.mark.parametrize("store", [{}, _POSTGRES], ids=["SQLite", "PostgreSQL"])
def test_what_is_set_arrives_in_its_configuration(store: Manifest, tmp_path: Path) -> None:
    api = {
        "tlsSecret": "api-tls",
        "audiences": ["autoscaler"],
        "trustedProxies": ["10.0.0.0/8", "::1"],
        "whatIf": False,
    }
    manifests = rendered({**store, "api": api})
    name = _API if store else _OPERATOR
    container = _containers(manifests, name)["api"]
    path = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}["api-tls"]
    raw = yaml.safe_load(the(manifests, "ConfigMap")["data"]["serve.yaml"])
    assert (raw["listen"]["certFile"], raw["listen"]["keyFile"]) == (f"{path}/tls.crt", f"{path}/tls.key")
    assert container["livenessProbe"]["httpGet"]["scheme"] == "HTTPS"
    read = _configuration(manifests, tmp_path)
    assert read.authentication.kind == "cluster"
    assert read.authentication.audiences == ("autoscaler",)
    assert [str(network) for network in read.listen.trusted_proxies] == ["10.0.0.0/8", "::1/128"]
    assert not read.what_if.enabled
    assert read.listen.port == container["ports"][0]["containerPort"]


@pytest.mark.parametrize("store", [{}, _POSTGRES], ids=["SQLite", "PostgreSQL"])
def test_its_container_needs_no_privilege(store: Manifest) -> None:
    container = _containers(rendered(store), _API if store else _OPERATOR)["api"]
    security = container["securityContext"]
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False


def test_it_can_be_left_out_altogether() -> None:
    manifests = rendered({"api": {"enabled": False}})
    assert [one["metadata"]["name"] for one in manifests if one["metadata"]["name"].startswith(_API)] == []
    assert "serve.yaml" not in the(manifests, "ConfigMap")["data"]


@pytest.mark.parametrize("store", [{}, _POSTGRES], ids=["SQLite", "PostgreSQL"])
def test_the_network_policy_lets_callers_in_and_only_those_named(store: Manifest) -> None:
    peers = [{"namespaceSelector": {"matchLabels": {"team": "platform"}}}]
    manifests = rendered({**store, "networkPolicy": {"enabled": True, "apiFrom": peers}})
    policy = _named(manifests, "NetworkPolicy", _API if store else _OPERATOR)["spec"]
    assert {"ports": [{"protocol": "TCP", "port": "api"}], "from": peers} in policy["ingress"]
    if store:
        ports = [port["port"] for rule in policy["egress"] for port in rule["ports"]]
        assert ports == [53, 53, 443, 6443, 6432]


@pytest.mark.parametrize("store", [{}, _POSTGRES], ids=["SQLite", "PostgreSQL"])
@pytest.mark.parametrize("secret", ["", "api-tls"], ids=["plain", "TLS"])
def test_its_service_monitor_shows_a_token_to_the_service_alone(store: Manifest, secret: str) -> None:
    manifests = rendered({**store, "serviceMonitor": {"enabled": True}, "api": {"tlsSecret": secret}})
    operators, own = (_named(manifests, "ServiceMonitor", name)["spec"] for name in (_OPERATOR, _API))
    (endpoint,) = own["endpoints"]
    assert endpoint["bearerTokenFile"] == "/var/run/secrets/kubernetes.io/serviceaccount/token"
    assert endpoint.get("tlsConfig", {}).get("serverName", "") == (
        f"{_API}.{NAMESPACE}.svc" if secret else ""
    )
    service = _named(manifests, "Service", _API)
    assert own["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert not operators["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert "bearerTokenFile" not in operators["endpoints"][0]


def test_the_page_says_what_each_of_its_rights_is_for() -> None:
    page = (ROOT / "docs" / "install.md").read_text()
    explained = page[page.index("What for (service)") :]
    for _, group, resource, verb in _rights(rendered(_POSTGRES), _API):
        assert f"| `{group}` | `{resource}` | {verb} |" in explained
