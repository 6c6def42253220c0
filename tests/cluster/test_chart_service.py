"""The chart with its API on a real control plane: with SQLite in the operator's pods, else in its own.

Every process has what its pod has: arguments, environment, configuration, and the token of its account.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from chart_pods import ChartPod, ChartPods
from chart_rights import ChartRights, Right
from control_plane import ControlPlane, wait_until
from custom_kinds import install_ours
from live_prometheus import LivePrometheus
from operator_process import Resources, SteadyLoad
from real_postgresql import RealPostgresql, running_postgresql
from workloads import START_UP

pytestmark = [pytest.mark.cluster, pytest.mark.prometheus, pytest.mark.slow, pytest.mark.timeout(300)]

_PA = "predictive-autoscaler.dev"
_LABEL = f"{_PA}/leads"
_LEASE_S = 7.0
_SQLITE = {"url": "sqlite:////var/lib/predictive-autoscaler/store.db"}


@pytest.fixture(scope="module")
def plane(control_plane: ControlPlane) -> ControlPlane:
    install_ours(control_plane)
    return control_plane


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePrometheus]:
    with (
        LivePrometheus(tmp_path_factory.mktemp("prometheus")) as server,
        SteadyLoad(server, {"load_web": 35.0}),
    ):
        yield server


@pytest.fixture(scope="module")
def postgresql() -> Iterator[RealPostgresql]:
    with running_postgresql() as server:
        yield server


class Release:
    """The chart, rendered and applied, with a workload `web` and an account `dev` who may work with it.

    Its name is the namespace's.
    """

    def __init__(
        self, plane: ControlPlane, namespace: str, prometheus: str, folder: Path, **values: Any
    ) -> None:
        self.plane, self.namespace = plane, namespace
        wanted = {
            "sources": [{"name": "default", "url": prometheus}],
            "watchNamespaces": [namespace],
            "period": "1s",
            "leaderElection": {
                "leaseDuration": f"{_LEASE_S:g}s",
                "renewDeadline": "6s",
                "retryPeriod": "500ms",
            },
            "podAnnotations": {START_UP: "100ms"},
            "api": {"enabled": True, "whatIf": False},
            "crds": {"install": False},
            **values,
        }
        self.rights = ChartRights(plane, namespace, folder, wanted)
        self.resources = Resources(plane, namespace)

    def apply(self) -> None:
        """Apply everything, and make the workload and the account."""
        self.rights.give()
        everything = {"apiVersion": "v1", "kind": "List", "items": self.rights.others}
        self.plane.kubectl("apply", "--filename", "-", input=json.dumps(everything))
        self.plane.deployment("web", self.namespace, 1, start_up="100ms")
        self.resources.create("web")
        self._give("dev", "get", "update")
        self._give("reader", "get")

    def remove(self) -> None:
        """Remove what is outside of the namespace."""
        self.rights.take_back()

    def token(self, account: str = "dev") -> str:
        """As `kubectl create token` makes one."""
        return self.plane.kubectl("create", "token", account, "-n", self.namespace).strip()

    @property
    def operator(self) -> str:
        """The name of the operator's Deployment, Service and account."""
        return self.rights.account

    @property
    def service(self) -> str:
        """The name of the API's Service, and of what it has of its own."""
        return f"{self.operator}-api"

    @property
    def web(self) -> str:
        """The path of the workload in the API."""
        return f"/api/v1/namespaces/{self.namespace}/workloads/web"

    def labelled(self) -> set[str]:
        """Names of the pods that say that they lead."""
        path = f"/api/v1/namespaces/{self.namespace}/pods?labelSelector={_LABEL}=true"
        return {pod["metadata"]["name"] for pod in self.plane.request("GET", path)["items"]}

    def override(self) -> str:
        """What the resource's annotation says; empty without one."""
        path = f"/apis/{_PA}/v1alpha1/namespaces/{self.namespace}/predictiveautoscalers/web"
        found = self.plane.request("GET", path)["metadata"].get("annotations") or {}
        return str(found.get(f"{_PA}/override", ""))

    def override_by_hand(self, text: str) -> None:
        """As a person with kubectl does."""
        annotation = f"{_PA}/override={text}"
        self.plane.kubectl(
            "annotate", "predictiveautoscaler", "web", annotation, "--overwrite", "-n", self.namespace
        )

    def _give(self, account: str, *verbs: str) -> None:
        self.plane.service_account_token(self.namespace, account)
        verb_words = [word for verb in verbs for word in ("--verb", verb)]
        where = ("-n", self.namespace)
        self.plane.kubectl(
            "create", "role", account, *verb_words, f"--resource=predictiveautoscalers.{_PA}", *where
        )
        subject = f"--serviceaccount={self.namespace}:{account}"
        self.plane.kubectl("create", "rolebinding", account, f"--role={account}", subject, *where)


@pytest.fixture
def release(
    plane: ControlPlane, namespace: str, prometheus: LivePrometheus, tmp_path: Path
) -> Iterator[Callable[..., Release]]:
    """Applies the chart with some values; what it made for the whole cluster is removed afterwards."""
    made: list[Release] = []

    def apply(**values: Any) -> Release:
        made.append(Release(plane, namespace, prometheus.url, tmp_path, **values))
        made[-1].apply()
        return made[-1]

    yield apply
    for one in made:
        one.remove()


def _code(answer: requests.Response) -> tuple[int, str]:
    """Status, and the problem's code where it is one."""
    problem = answer.headers.get("Content-Type", "").startswith("application/problem+json")
    return answer.status_code, answer.json()["code"] if problem else ""


def _shows_web(pod: ChartPod, release: Release, token: str) -> bool:
    answer = pod.ask("api", release.web, token)
    return answer.status_code == 200 and answer.json()["replicas"]["current"] == 4


def _freeze(pod: ChartPod, release: Release, token: str, key: str = "") -> requests.Response:
    body = {"kind": "Freeze", "until": "2999-01-01T00:00:00Z", "reason": "a test"}
    headers = {"Idempotency-Key": key} if key else {}
    return pod.ask("api", f"{release.web}/overrides", token, "POST", headers, json=body)


# Beside the operator


def test_the_service_beside_the_operator_leads_to_the_pod_that_acts(
    release: Callable[..., Release], tmp_path: Path
) -> None:
    made = release(store=_SQLITE)
    token = made.token()
    with ChartPods(made.plane, made.namespace, tmp_path / "pods") as pods:
        first, second = pods.run(made.operator)

        def leads(other_than: str = "") -> ChartPod:
            wait_until(
                lambda: (
                    len(pods.behind(made.service)) == 1 and pods.behind(made.service)[0].name != other_than
                ),
                3 * _LEASE_S,
                "the Service to lead to one pod",
            )
            return pods.behind(made.service)[0]

        leader = leads()
        other = second if leader is first else first
        assert made.labelled() == {leader.name}
        wait_until(lambda: _shows_web(leader, made, token), 30, "the workload to be shown")
        assert other.ask("api", made.web, token).status_code == 404, "the follower's store is empty"

        assert _freeze(leader, made, token).status_code == 201
        assert made.override().startswith("freeze until 2999-01-01T00:00:00Z")
        assert _code(_freeze(leader, made, made.token("reader"))) == (403, "Forbidden")
        assert leader.ask("api", made.web, made.token("reader")).status_code == 200
        assert leader.ask("api", made.web, made.token("default")).status_code == 403
        assert leader.ask("api", made.web, "nobody's").status_code == 401

        leader.container("operator").kill()
        wait_until(lambda: other.name in made.labelled(), 3 * _LEASE_S, "the next leader to be labelled")
        # The pod has the name it had: what it says of itself is wrong until its container is there again.
        leader.container("operator").start()
        assert leads(other_than=leader.name) is other
        assert made.labelled() == {other.name}
        wait_until(lambda: _shows_web(other, made, token), 30, "the workload to be shown by the next")

        leader.wait_until_ready()
        other.container("operator").stop()
        assert leads(other_than=other.name) is leader, "a leader that stops takes its label along"
        refused = [each for pod in pods for each in _refused(pod)]
        assert refused == []


def _refused(pod: ChartPod) -> list[str]:
    """Requests that the API server forbade to the operator of this pod."""
    lines = pod.ask("operator", "/metrics").text.splitlines()
    return [line for line in lines if "api_request" in line and 'code="403"' in line]


_REVIEW_TOKENS = Right("authentication.k8s.io", "tokenreviews", "create")
_REVIEW_RIGHTS = Right("authorization.k8s.io", "subjectaccessreviews", "create")
_ANNOTATE = Right(_PA, "predictiveautoscalers", "patch")
_LABEL_PODS = Right("", "pods", "patch")


def test_every_right_that_is_missing_shows_and_nothing_else_stops(
    release: Callable[..., Release], tmp_path: Path
) -> None:
    made = release(store=_SQLITE)
    without_service = ChartRights(made.plane, made.namespace, tmp_path, {"watchNamespaces": [made.namespace]})
    of_service = made.rights.all() - without_service.all()
    assert of_service == {_REVIEW_TOKENS, _REVIEW_RIGHTS, _ANNOTATE, _LABEL_PODS}
    known = made.token()
    with ChartPods(made.plane, made.namespace, tmp_path / "pods") as pods:
        pods.run(made.operator)
        wait_until(lambda: len(pods.behind(made.service)) == 1, 30, "the Service to lead to one pod")
        (leader,) = pods.behind(made.service)
        wait_until(lambda: _shows_web(leader, made, known), 30, "the workload to be shown")

        made.rights.give(without=_REVIEW_TOKENS)
        assert _code(leader.ask("api", made.web, made.token())) == (503, "AccessUnavailable")
        assert leader.ask("api", made.web, known).status_code == 200, "who is remembered goes on"

        made.rights.give(without=_REVIEW_RIGHTS)
        assert _code(leader.ask("api", made.web, made.token())) == (503, "AccessUnavailable")

        made.rights.give(without=_ANNOTATE)
        refused = _freeze(leader, made, made.token())
        assert _code(refused) == (409, "OverrideRefused")
        assert made.override() == ""

        made.rights.give(without=_LABEL_PODS)
        leader.container("operator").kill()
        leader.container("operator").start()
        said = ("the label of the leading pod cannot be kept", "cannot patch resource", "pods")
        log = leader.container("operator").log
        wait_until(
            lambda: any(all(word in line for word in said) for line in log.read_text().splitlines()),
            30,
            "the operator to say that it cannot label its pod",
        )

        made.rights.give()
        assert _freeze(leader, made, made.token()).status_code == 201


# In pods of its own


_BEYOND = [
    "get secrets",
    "list pods",
    "patch pods",
    "get predictiveautoscalers.predictive-autoscaler.dev",
    "patch deployments.apps --subresource=scale",
    "update leases.coordination.k8s.io",
]


@pytest.mark.postgresql
def test_the_service_in_pods_of_its_own_answers_alike_in_all_of_them(
    release: Callable[..., Release], postgresql: RealPostgresql, tmp_path: Path
) -> None:
    made = release(store={"url": postgresql.url(postgresql.new_database())})
    token = made.token()
    with ChartPods(made.plane, made.namespace, tmp_path / "pods") as pods:
        pods.run(made.service.removesuffix("-api"))
        first, second = pods.run(made.service)
        wait_until(lambda: {*pods.behind(made.service)} == {first, second}, 20, "the Service to lead to both")
        for pod in (first, second):
            wait_until(lambda pod=pod: _shows_web(pod, made, token), 30, "the workload to be shown")
        assert made.labelled() == set(), "no Service follows the leader"

        override = _freeze(first, made, token, "once").json()["id"]
        assert _freeze(second, made, token, "once").json()["id"] == override, "sent again, made once"
        listed = second.ask("api", f"{made.web}/overrides", token).json()["items"]
        assert [each["id"] for each in listed] == [override]
        ended = second.ask("api", f"{made.web}/overrides/{override}", token, "DELETE")
        assert ended.status_code == 200 and made.override() == ""
        override = _freeze(second, made, token).json()["id"]
        by_hand = "at least 3 until 2999-01-01T00:00:00Z"
        made.override_by_hand(by_hand)
        ended = first.ask("api", f"{made.web}/overrides/{override}", token, "DELETE")
        assert (ended.status_code, ended.json()["state"]) == (200, "Ended")
        assert made.override() == by_hand, "what was set since stays"

        own = made.plane.service_account_token(made.namespace, made.service)
        asked = ("--namespace", made.namespace)
        may = [
            what
            for what in _BEYOND
            if made.plane.kubectl("auth", "can-i", *what.split(), *asked, token=own, check=False).startswith(
                "yes"
            )
        ]
        assert may == []
