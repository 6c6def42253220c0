"""The operator in some namespaces only, and with a token that is exchanged while it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from chart_rights import ChartRights, Right
from control_plane import ControlPlane, wait_until
from custom_kinds import install_ours
from live_prometheus import LivePrometheus
from operator_process import OperatorProcess, Resources, SteadyLoad

pytestmark = [pytest.mark.cluster, pytest.mark.prometheus, pytest.mark.slow]


@pytest.fixture(scope="module")
def plane(control_plane: ControlPlane) -> ControlPlane:
    install_ours(control_plane)
    return control_plane


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePrometheus]:
    with LivePrometheus(tmp_path_factory.mktemp("prometheus")) as server:
        yield server


@pytest.fixture
def other(plane: ControlPlane, namespace: str) -> Iterator[str]:
    """A second namespace."""
    yield plane.namespace(f"{namespace}-other")
    plane.request("DELETE", f"/api/v1/namespaces/{namespace}-other")


GiveRights = Callable[..., ChartRights]


@pytest.fixture
def chart(
    plane: ControlPlane, namespace: str, prometheus: LivePrometheus, tmp_path: Path
) -> Iterator[GiveRights]:
    """Makes the chart's rights for these values; what was applied is removed afterwards."""
    made: list[ChartRights] = []

    def render(**values: Any) -> ChartRights:
        values = {"sources": [{"name": "default", "url": prometheus.url}], "period": "1s", **values}
        made.append(ChartRights(plane, namespace, tmp_path, values))
        return made[-1]

    yield render
    for rights in made:
        rights.take_back()


def _operator(
    rights: ChartRights, kubeconfig: Path, prometheus: LivePrometheus, folder: Path
) -> OperatorProcess:
    return OperatorProcess(folder / "operator", kubeconfig, prometheus.url, **rights.settings(folder))


def _scaled(plane: ControlPlane, namespace: str, name: str, count: int) -> None:
    wait_until(lambda: plane.replicas(name, namespace) == count, 40, f"{name} to have {count} replicas")


def test_roles_in_its_namespaces_are_enough_and_others_are_left_alone(
    plane: ControlPlane,
    namespace: str,
    other: str,
    prometheus: LivePrometheus,
    chart: GiveRights,
    tmp_path: Path,
) -> None:
    rights = chart(watchNamespaces=[namespace])
    rights.give()
    for where in (namespace, other):
        plane.deployment("web", where, 1, start_up="100ms")
        Resources(plane, where).create("web")
    kubeconfig = plane.kubeconfig_for_token(rights.token(), namespace)
    with (
        SteadyLoad(prometheus, {"load_web": 35.0}),
        _operator(rights, kubeconfig, prometheus, tmp_path) as operator,
    ):
        _scaled(plane, namespace, "web", 4)
        assert {name for name in operator.metrics() if 'code="403"' in name} == set()
        assert Resources(plane, other).status("web") == {}
        assert plane.replicas("web", other) == 1


@pytest.mark.parametrize("right", [Right("", "pods", "list"), Right("", "", "")], ids=["pods", "everything"])
def test_what_is_missing_in_one_namespace_is_said_there_and_harms_no_other(
    right: Right,
    plane: ControlPlane,
    namespace: str,
    other: str,
    prometheus: LivePrometheus,
    chart: GiveRights,
    tmp_path: Path,
) -> None:
    rights = chart(watchNamespaces=[namespace, other])
    everything = not right.verb
    rights.give(right, only_in=(other,), none_in=(other,) if everything else ())
    for where in (namespace, other):
        plane.deployment("web", where, 1, start_up="100ms")
        Resources(plane, where).create("web")
    kubeconfig = plane.kubeconfig_for_token(rights.token(), namespace)
    with (
        SteadyLoad(prometheus, {"load_web": 35.0}),
        _operator(rights, kubeconfig, prometheus, tmp_path) as operator,
    ):
        _scaled(plane, namespace, "web", 4)
        Resources(plane, namespace).wait_for("web", "SignalsHealthy", "True", "AllKnown")
        assert operator.ready()
        assert operator.metrics()["predictive_autoscaler_namespaces_unseen"] == 1
        assert any(f'in the namespace "{other}"' in entry["event"] for entry in operator.log())
        if everything:
            assert plane.replicas("web", other) == 1
        else:
            found = Resources(plane, other).wait_for("web", "SignalsHealthy", "False", "PodsUnknown")
            assert (
                f'cannot list resource "pods" in API group "" in the namespace "{other}"' in found["message"]
            )
        rights.give()
        _scaled(plane, other, "web", 4)


def _accepted(plane: ControlPlane, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(f"{plane.url}/api", headers=headers, verify=str(plane.ca_file), timeout=10)
    return answer.status_code != 401


def test_a_token_that_is_exchanged_on_disk_is_taken_up(
    plane: ControlPlane, namespace: str, prometheus: LivePrometheus, chart: GiveRights, tmp_path: Path
) -> None:
    rights = chart()
    rights.give()
    first = rights.token()
    token_file = tmp_path / "token"
    token_file.write_text(first)
    kubeconfig = plane.kubeconfig_for_token("", namespace)
    content = yaml.safe_load(kubeconfig.read_text())
    content["users"][0]["user"] = {"tokenFile": str(token_file)}
    kubeconfig.write_text(yaml.safe_dump(content))
    plane.deployment("web", namespace, 1, start_up="100ms")
    with (
        SteadyLoad(prometheus, {"load_web": 35.0}) as load,
        _operator(rights, kubeconfig, prometheus, tmp_path) as operator,
    ):
        Resources(plane, namespace).create("web")
        _scaled(plane, namespace, "web", 4)
        # Tokens are good for one account: another of the same name has others.
        plane.kubectl("delete", "serviceaccount", rights.account, "--namespace", namespace)
        rights.give()
        wait_until(lambda: not _accepted(plane, first), 40, "the first token to be refused")
        load.values["load_web"] = 65.0
        wait_until(
            lambda: any('code="401"' in name for name in operator.metrics()), 40, "the operator to be refused"
        )
        token_file.write_text(rights.token())
        _scaled(plane, namespace, "web", 7)
        assert operator.ready()
        assert first not in operator.process.log.read_text()
