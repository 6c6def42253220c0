"""What is shown is in the store: each resource as it is, its manifest, and nothing of those that are gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import crd
import pytest
from control_plane import ControlPlane
from live_prometheus import LivePrometheus
from operator_process import OperatorProcess, Resources, SteadyLoad
from waiting import wait_until

from autoscaler.store.rows import StateKept
from autoscaler.store.store import Store

pytestmark = [pytest.mark.cluster, pytest.mark.prometheus, pytest.mark.slow]

_WITHIN_S = 20.0
"""Periods are a second long here."""


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[LivePrometheus]:
    with LivePrometheus(tmp_path / "prometheus") as server:
        yield server


class Shown:
    """The store as a reader in another process sees it."""

    def __init__(self, url: str, namespace: str) -> None:
        self.store = Store.open(url)
        self.store.migrate()  # whoever comes first
        self._namespace = namespace

    def names(self) -> set[str]:
        """Resources that have a state."""
        return {key.partition("/")[2] for key in self.store.state_keys()}

    def state(self, name: str) -> dict[str, Any]:
        """The newest state of one, empty where there is none."""
        states = {one.workload: dict(one.payload) for one in self.store.states()}
        return states.get(f"{self._namespace}/{name}", {})


def test_states_follow_resources_that_come_change_and_go_whoever_watches(
    control_plane: ControlPlane, namespace: str, prometheus: LivePrometheus, tmp_path: Path
) -> None:
    crd.install(control_plane)
    resources = Resources(control_plane, namespace)
    operator = OperatorProcess(
        tmp_path / "operator", control_plane.kubeconfig(), prometheus.url, watchNamespaces=[namespace]
    )
    for name in ("web", "late", "early"):
        control_plane.deployment(name, namespace, 1, start_up="1s")
        resources.create(name, load={"query": "load_web", "perReplica": 10, "maxAge": "5s"})
    with SteadyLoad(prometheus, {"load_web": 35.0}), operator:
        shown = Shown(operator.configuration["store"]["url"], namespace)
        wait_until(lambda: shown.names() == {"web", "late", "early"}, _WITHIN_S, "three states")
        wait_until(lambda: shown.state("web")["replicas"]["ready"] == 4, _WITHIN_S, "4 ready of web")
        state = shown.state("web")
        assert (state["load"]["value"], state["replicas"]["needed"], state["mode"]) == (35.0, 4, "Active")
        assert shown.store.decision(state["decisionId"]) is not None
        conditions = {one["type"]: one["lastTransitionTime"] for one in state["conditions"]}
        assert resources.condition("web", "Ready")["lastTransitionTime"] == conditions["Ready"]

        resources.patch("web", {"metadata": {"labels": {"team": "shop"}}, "spec": {"maxReplicas": 3}})
        wait_until(lambda: shown.state("web")["labels"] == {"team": "shop"}, _WITHIN_S, "the new label")
        manifest = shown.store.manifest(f"{namespace}/web")
        assert manifest is not None and manifest.payload["spec"]["maxReplicas"] == 3
        assert manifest.payload["metadata"]["labels"] == {"team": "shop"}

        resources.delete("early")
        wait_until(lambda: shown.names() == {"web", "late"}, _WITHIN_S, "the state of early to go")

        operator.process.stop()
        resources.delete("late")
        # As a second operator would leave it, that watches other namespaces and shares the store.
        shown.store.write([StateKept("elsewhere/foreign", 0.0, {})])
        assert shown.names() == {"web", "late", "foreign"}
        operator.start()
        wait_until(lambda: "late" not in shown.names(), _WITHIN_S, "the state of late to go")
        assert shown.names() == {"web", "foreign"}, "what is not watched is not ours to judge"
        assert shown.store.manifest(f"{namespace}/late") is None
        shown.store.close()


def test_resources_say_that_the_store_is_down_and_are_scaled_all_the_same(
    control_plane: ControlPlane, namespace: str, prometheus: LivePrometheus, tmp_path: Path
) -> None:
    crd.install(control_plane)
    resources = Resources(control_plane, namespace)
    missing = tmp_path / "missing"
    operator = OperatorProcess(
        tmp_path / "operator",
        control_plane.kubeconfig(),
        prometheus.url,
        watchNamespaces=[namespace],
        store={"url": f"sqlite:///{missing / 'store.db'}"},
    )
    control_plane.deployment("web", namespace, 1, start_up="1s")
    resources.create("web", load={"query": "load_web", "perReplica": 10, "maxAge": "5s"})
    with SteadyLoad(prometheus, {"load_web": 35.0}) as load, operator:
        wait_until(lambda: control_plane.replicas("web", namespace) == 4, _WITHIN_S, "4 replicas")
        resources.wait_for("web", "DecisionsKept", "False", "StoreDown")
        assert str(tmp_path) not in resources.condition("web", "DecisionsKept")["message"]
        missing.mkdir()
        up = "predictive_autoscaler_journal_up"
        wait_until(lambda: operator.metrics()[up] == 1.0, 2 * _WITHIN_S, "the store to be written")
        load.values["load_web"] = 45.0
        wait_until(lambda: control_plane.replicas("web", namespace) == 5, _WITHIN_S, "5 replicas")
        wait_until(lambda: not resources.condition("web", "DecisionsKept"), _WITHIN_S, "the condition to go")
