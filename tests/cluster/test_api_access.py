"""Who may do what in the service, by a real API server: its tokens, roles and groups."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from control_plane import ControlPlane, wait_until
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from service_process import ServiceProcess

from autoscaler.api.access.access import Unavailable
from autoscaler.api.access.caller import Caller
from autoscaler.api.access.cluster_access import ClusterAccess
from autoscaler.api.access.verbs import Verb
from autoscaler.controller.cluster.connection import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_ISSUER = "https://kubernetes.default.svc.cluster.local"


class Team:
    """A namespace with a service account `dev`, and the rights that a test gives."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self.plane, self.namespace = plane, namespace
        self.token = plane.service_account_token(namespace, "dev")
        self._cluster_wide: list[str] = []

    def give(self, *verbs: str, to: dict[str, str] | None = None, where: str = "") -> None:
        """Let `to`, or `dev`, do `verbs` with our resources in `where`, or in the own namespace."""
        rule = {
            "apiGroups": ["predictive-autoscaler.dev"],
            "resources": ["predictiveautoscalers"],
            "verbs": list(verbs),
        }
        path = f"{_RBAC}/namespaces/{where or self.namespace}"
        name = f"{self.namespace}-{'-'.join(verbs)}"
        self.plane.request("POST", f"{path}/roles", {"metadata": {"name": name}, "rules": [rule]})
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
        binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": [to or self._dev]}
        self.plane.request("POST", f"{path}/rolebindings", binding)

    def take_back(self, *verbs: str) -> None:
        """Undo `give` in the own namespace."""
        name = f"{self.namespace}-{'-'.join(verbs)}"
        self.plane.request("DELETE", f"{_RBAC}/namespaces/{self.namespace}/rolebindings/{name}")

    def give_everywhere(self, role: str) -> None:
        """Bind `dev` to a cluster role, until the test is over."""
        reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
        name = f"{self.namespace}-{role.replace(':', '-')}"
        body = {"metadata": {"name": name}, "roleRef": reference, "subjects": [self._dev]}
        self.plane.request("POST", f"{_RBAC}/clusterrolebindings", body)
        self._cluster_wide.append(f"{_RBAC}/clusterrolebindings/{name}")

    def give_metrics(self) -> None:
        """Let `dev` read the metrics of services."""
        name = f"{self.namespace}-metrics"
        rule = {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}
        self.plane.request("POST", f"{_RBAC}/clusterroles", {"metadata": {"name": name}, "rules": [rule]})
        self._cluster_wide.append(f"{_RBAC}/clusterroles/{name}")
        self.give_everywhere(name)

    def end(self) -> None:
        """Remove what is outside of the namespace."""
        for path in self._cluster_wide:
            self.plane.request("DELETE", path)

    @property
    def _dev(self) -> dict[str, str]:
        return {"kind": "ServiceAccount", "name": "dev", "namespace": self.namespace}


@pytest.fixture
def team(control_plane: ControlPlane, namespace: str) -> Iterator[Team]:
    team = Team(control_plane, namespace)
    yield team
    control_plane.heal()
    team.end()


@pytest.fixture(scope="module")
def service(control_plane: ControlPlane) -> Iterator[Cluster]:
    """A connection with what the service needs, and no right more."""
    own = Team(control_plane, control_plane.namespace("service"))
    own.give_everywhere("system:auth-delegator")
    cluster = Cluster.connect(control_plane.kubeconfig_for_token(own.token, "service"))
    yield cluster
    cluster.close()
    own.end()
    control_plane.request("DELETE", "/api/v1/namespaces/service")


def identified(cluster: Cluster, token: str, audiences: Sequence[str] = ()) -> Caller | None:
    return asyncio.run(ClusterAccess(cluster, audiences).identify(token))


def allows(cluster: Cluster, token: str, verb: Verb, namespace: str) -> bool:
    async def asked() -> bool:
        access = ClusterAccess(cluster)
        caller = await access.identify(token)
        assert caller is not None
        return await access.allows(caller, verb, namespace)

    return asyncio.run(asked())


def visible(cluster: Cluster, token: str, namespaces: Collection[str]) -> frozenset[str] | None:
    async def asked() -> frozenset[str] | None:
        access = ClusterAccess(cluster)
        caller = await access.identify(token)
        assert caller is not None
        return await access.visible(caller, namespaces)

    return asyncio.run(asked())


# Who


def test_a_token_of_kubectl_is_its_service_account(
    control_plane: ControlPlane, service: Cluster, team: Team
) -> None:
    token = control_plane.kubectl("create", "token", "dev", "-n", team.namespace).strip()
    caller = identified(service, token)
    assert caller is not None
    assert caller.name == f"system:serviceaccount:{team.namespace}:dev"
    assert f"system:serviceaccounts:{team.namespace}" in caller.groups
    account = control_plane.request("GET", f"/api/v1/namespaces/{team.namespace}/serviceaccounts/dev")
    assert caller.uid == account["metadata"]["uid"]
    assert dict(caller.extra)["authentication.kubernetes.io/credential-id"]


def test_a_person_is_known_by_what_the_cluster_calls_them(
    control_plane: ControlPlane, service: Cluster
) -> None:
    caller = identified(service, control_plane.admin_token)
    assert caller is not None
    assert (caller.name, "system:masters" in caller.groups) == ("admin", True)


@pytest.mark.parametrize("token", ["", "wrong", "a.b.c", "x" * 5000])
def test_a_word_that_is_no_token_is_nobodys(service: Cluster, token: str) -> None:
    assert identified(service, token) is None


def test_a_token_is_good_until_it_expires_and_only_if_the_cluster_signed_it(
    control_plane: ControlPlane, service: Cluster, team: Team
) -> None:
    now_s = int(time.time())
    own_key = load_pem_private_key((control_plane.folder / "accounts.key").read_bytes(), None)
    assert isinstance(own_key, rsa.RSAPrivateKey)
    other_key = rsa.generate_private_key(65537, 2048)
    claims = _claims(control_plane, team.namespace)
    assert identified(service, _signed(claims | {"exp": now_s + 600}, own_key)) is not None
    assert identified(service, _signed(claims | {"exp": now_s - 60}, own_key)) is None
    assert identified(service, _signed(claims | {"exp": now_s + 600}, other_key)) is None
    assert identified(service, _signed(claims | {"exp": now_s + 600, "nbf": now_s + 300}, own_key)) is None


def test_a_token_is_good_for_its_audience_alone(
    control_plane: ControlPlane, service: Cluster, team: Team
) -> None:
    create = ("create", "token", "dev", "-n", team.namespace)
    ours = control_plane.kubectl(*create, "--audience=autoscaler").strip()
    others = control_plane.kubectl(*create, "--audience=vault").strip()
    servers = control_plane.kubectl(*create).strip()
    audiences = ("autoscaler", "autoscaler.test")
    assert [identified(service, token, audiences) is not None for token in (ours, others, servers)] == [
        True,
        False,
        False,
    ]
    assert [identified(service, token) is not None for token in (ours, others, servers)] == [
        False,
        False,
        True,
    ]


def test_the_token_of_an_account_that_is_gone_is_nobodys_even_if_another_has_its_name(
    control_plane: ControlPlane, service: Cluster, team: Team
) -> None:
    assert identified(service, team.token) is not None
    control_plane.kubectl("delete", "serviceaccount", "dev", "-n", team.namespace)
    wait_until(lambda: identified(service, team.token) is None, 15, "the token to be refused")
    control_plane.service_account_token(team.namespace, "dev")
    assert identified(service, team.token) is None


def test_a_token_that_is_kept_in_a_secret_is_its_service_account_until_the_secret_is_gone(
    control_plane: ControlPlane, service: Cluster, team: Team
) -> None:
    secrets = f"/api/v1/namespaces/{team.namespace}/secrets"
    annotations = {"kubernetes.io/service-account.name": "dev"}
    body = {
        "metadata": {"name": "dev-token", "annotations": annotations},
        "type": "kubernetes.io/service-account-token",
    }
    control_plane.request("POST", secrets, body)

    def kept() -> str:
        return str((control_plane.request("GET", f"{secrets}/dev-token").get("data") or {}).get("token", ""))

    wait_until(lambda: bool(kept()), 30, "a token in the secret")
    token = base64.b64decode(kept()).decode()
    caller = identified(service, token)
    assert caller is not None
    assert caller.name == f"system:serviceaccount:{team.namespace}:dev"
    control_plane.request("DELETE", f"{secrets}/dev-token")
    wait_until(lambda: identified(service, token) is None, 30, "the token to be refused")


def test_a_token_of_a_pod_is_nobodys_when_the_pod_is_gone(
    control_plane: ControlPlane, service: Cluster, team: Team
) -> None:
    pods = f"/api/v1/namespaces/{team.namespace}/pods"
    container = {"name": "main", "image": "none"}
    spec = {"serviceAccountName": "dev", "containers": [container], "terminationGracePeriodSeconds": 0}
    control_plane.request("POST", pods, {"metadata": {"name": "tool"}, "spec": spec})
    bound = ("--bound-object-kind=Pod", "--bound-object-name=tool")
    token = control_plane.kubectl("create", "token", "dev", "-n", team.namespace, *bound).strip()
    caller = identified(service, token)
    assert caller is not None
    assert caller.name == f"system:serviceaccount:{team.namespace}:dev"
    assert dict(caller.extra)["authentication.kubernetes.io/pod-name"] == ("tool",)
    control_plane.kubectl("delete", "pod", "tool", "-n", team.namespace, "--grace-period=0", "--force")
    wait_until(lambda: identified(service, token) is None, 30, "the token to be refused")


# What they may


@pytest.mark.parametrize(
    ("given", "reads", "writes"),
    [
        ((), False, False),
        (("get",), True, False),
        (("get", "update"), True, True),
        (("update",), False, True),
        (("list", "watch", "patch", "delete"), False, False),
        (("*",), True, True),
    ],
)
def test_the_verbs_of_kubernetes_decide(
    service: Cluster, team: Team, given: tuple[str, ...], reads: bool, writes: bool
) -> None:
    if given:
        team.give(*given) if given != ("*",) else team.give_everywhere("cluster-admin")
    assert allows(service, team.token, Verb.READ, team.namespace) == reads
    assert allows(service, team.token, Verb.WRITE, team.namespace) == writes


def test_who_has_rights_in_some_namespaces_sees_those(service: Cluster, team: Team) -> None:
    team.give("get")
    team.give("get", where="default")
    there = [team.namespace, "default", "kube-system", "none"]
    assert visible(service, team.token, there) == {team.namespace, "default"}
    assert not allows(service, team.token, Verb.READ, "kube-system")
    assert not allows(service, team.token, Verb.READ, "")


@pytest.mark.parametrize("name", ["*", " ", "a b", "UPPER", "../default", "ünï", "a\nb", "\x00", "n" * 63])
def test_a_name_that_no_namespace_has_is_nobodys(service: Cluster, team: Team, name: str) -> None:
    team.give("get")
    assert not allows(service, team.token, Verb.READ, name)


def test_who_may_read_the_cluster_sees_all_that_will_ever_be(
    control_plane: ControlPlane, service: Cluster, team: Team
) -> None:
    assert visible(service, control_plane.admin_token, ["default"]) is None
    team.give_everywhere("cluster-admin")
    assert visible(service, team.token, ["default"]) is None


def test_rights_of_a_group_are_its_members(service: Cluster, team: Team) -> None:
    group = f"system:serviceaccounts:{team.namespace}"
    team.give("get", to={"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": group})
    assert visible(service, team.token, [team.namespace, "default"]) == {team.namespace}


def test_who_is_known_and_may_nothing_sees_nothing(control_plane: ControlPlane, service: Cluster) -> None:
    token = control_plane.kubeconfig("nobody").read_text().split("token: ")[1].strip()
    assert visible(service, token, ["default", "kube-system"]) == frozenset()
    for verb in Verb:
        assert not allows(service, token, verb, "")


def test_the_metrics_are_a_right_of_their_own(service: Cluster, team: Team) -> None:
    team.give("get", "update")
    assert not allows(service, team.token, Verb.METRICS, "")
    team.give_metrics()
    assert allows(service, team.token, Verb.METRICS, "")
    assert not allows(service, team.token, Verb.READ, "")


def test_a_right_that_is_taken_back_is_gone_within_ten_seconds(service: Cluster, team: Team) -> None:
    team.give("get")

    async def asked() -> float:
        access = ClusterAccess(service)
        caller = await access.identify(team.token)
        assert caller is not None
        assert await access.allows(caller, Verb.READ, team.namespace)
        team.take_back("get")
        taken_at = time.monotonic()
        while await access.allows(caller, Verb.READ, team.namespace):
            assert time.monotonic() - taken_at < 15
            await asyncio.sleep(0.2)
        return time.monotonic() - taken_at

    assert asyncio.run(asked()) <= 11


def test_hundreds_of_namespaces_are_gone_through_in_seconds(service: Cluster, team: Team) -> None:
    team.give("get")
    namespaces = [team.namespace, *(f"made-up-{number}" for number in range(300))]
    began_at = time.monotonic()
    assert visible(service, team.token, namespaces) == {team.namespace}
    took_s = time.monotonic() - began_at
    print(f"{len(namespaces)} namespaces in {took_s:.2f} s")
    assert took_s < 9, "or it would be given up"


# The whole service


def test_the_running_service_answers_each_according_to_their_rights(
    control_plane: ControlPlane, team: Team, tmp_path: Path
) -> None:
    own = Team(control_plane, control_plane.namespace(f"{team.namespace}-service"))
    own.give_everywhere("system:auth-delegator")
    team.give("get")
    kubeconfig = control_plane.kubeconfig_for_token(own.token, "serve")
    token = control_plane.kubectl("create", "token", "dev", "-n", team.namespace).strip()
    admin = control_plane.admin_token
    there = f"/api/v1/namespaces/{team.namespace}/workloads/none"
    elsewhere = "/api/v1/namespaces/default/workloads/none"
    override = f"{there}/overrides/0000000000000"
    with ServiceProcess(tmp_path, kubeconfig) as service:
        told = [
            (service.status("GET", "/api/v1/whoami", who), service.status("GET", there, who))
            for who in ("", "wrong", token, admin)
        ]
        assert told == [(401, 401), (401, 401), (200, 404), (200, 404)]
        assert [service.status("GET", elsewhere, who) for who in (token, admin)] == [403, 404]
        assert [service.status("DELETE", override, who) for who in (token, admin)] == [403, 404]
        assert [service.status("GET", "/metrics", who) for who in (token, admin)] == [403, 200]
        assert [service.status("GET", "/docs", who) for who in ("", token)] == [401, 200]
    own.end()
    control_plane.request("DELETE", f"/api/v1/namespaces/{own.namespace}")


# Without an answer


def test_a_service_that_may_not_ask_lets_nobody_in(control_plane: ControlPlane, team: Team) -> None:
    powerless = Cluster.connect(control_plane.kubeconfig_for_token(team.token, "powerless"))
    with pytest.raises(Unavailable) as raised:
        identified(powerless, control_plane.admin_token)
    assert control_plane.admin_token not in str(raised.value)
    powerless.close()


def test_while_the_api_server_is_away_only_what_was_asked_before_is_known(
    control_plane: ControlPlane, service: Cluster, team: Team
) -> None:
    team.give("get")

    async def asked() -> None:
        access = ClusterAccess(service)
        caller = await access.identify(team.token)
        assert caller is not None
        assert await access.allows(caller, Verb.READ, team.namespace)
        control_plane.stop_api_server()
        assert await access.identify(team.token) == caller
        for question in (
            access.identify(control_plane.admin_token),
            access.allows(caller, Verb.WRITE, team.namespace),
        ):
            began_at = time.monotonic()
            with pytest.raises(Unavailable):
                await question
            assert time.monotonic() - began_at < 5

    asyncio.run(asked())
    control_plane.start_api_server()
    assert allows(service, team.token, Verb.READ, team.namespace)


def _claims(plane: ControlPlane, namespace: str) -> dict[str, Any]:
    """What a token of the account `dev` says, signed or not."""
    account = plane.request("GET", f"/api/v1/namespaces/{namespace}/serviceaccounts/dev")
    now_s = int(time.time())
    about = {"name": "dev", "uid": account["metadata"]["uid"]}
    return {
        "iss": _ISSUER,
        "sub": f"system:serviceaccount:{namespace}:dev",
        "aud": [_ISSUER],
        "iat": now_s - 3600,
        "nbf": now_s - 3600,
        "kubernetes.io": {"namespace": namespace, "serviceaccount": about},
    }


def _signed(claims: dict[str, Any], key: rsa.RSAPrivateKey) -> str:
    """A JSON Web Token, signed with RS256."""
    parts = [_base64(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, claims)]
    signature = key.sign(".".join(parts).encode(), padding.PKCS1v15(), hashes.SHA256())
    return ".".join([*parts, _base64(signature)])


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
