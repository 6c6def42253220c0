"""Which loads of a cluster a model is trained on; the cluster itself is in tests/cluster/test_training.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from autoscaler.cli.training import cluster_loads
from autoscaler.controller.cluster.errors import ClusterError
from autoscaler.controller.configuration import Configuration, Source
from autoscaler.series import Series, State
from autoscaler.signals.history import History
from autoscaler.signals.settings import ConnectionSettings

NOW_S = 1_700_000_000.0
_A, _B = (Source(name=name, url=f"http://{name}:9090") for name in ("a", "b"))


class Answers:
    """A source where every query has a value at every step."""

    asked: list[tuple[str, str]]

    def __init__(self, settings: ConnectionSettings) -> None:
        self._url = settings.url

    def __enter__(self) -> Answers:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def read_range(self, query: str, start_s: int, end_s: int, step_s: int) -> History:
        self.asked.append((self._url, query))
        values = np.arange((end_s - start_s) // step_s + 1, dtype=float)
        values[:10] = np.nan
        return History(Series(query, start_s, step_s, values), State.VALUE, "", np.isfinite(values), {})


class Cluster:
    """Resources in two pages."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self.items = list(items)
        self.paths: list[str] = []

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        self.paths.append(path)
        yield {"items": self.items[:2]}
        yield {"items": self.items[2:]}


def resource(name: str, query: str, source: str = "", **forecast: str) -> dict[str, Any]:
    return {
        "apiVersion": "predictive-autoscaler.dev/v1alpha1",
        "kind": "PredictiveAutoscaler",
        "metadata": {"name": name, "namespace": "shop", "uid": name},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": name},
            "maxReplicas": 9,
            "load": {"query": query, "perReplica": 1} | ({"source": source} if source else {}),
            "forecast": {"history": "2d", "step": "1m"} | forecast,
        },
    }


@pytest.fixture(autouse=True)
def answers(monkeypatch: pytest.MonkeyPatch) -> None:
    Answers.asked = []
    monkeypatch.setattr(cluster_loads, "Prometheus", Answers)
    monkeypatch.setattr("time.sleep", lambda _: None)


def loads_of(cluster: Cluster, *namespaces: str) -> tuple[list[cluster_loads.Load], list[str]]:
    said: list[str] = []
    configuration = Configuration(sources=(_A, _B), watch_namespaces=namespaces)
    found = cluster_loads.cluster_loads(configuration, cluster, NOW_S, said.append)  # type: ignore[arg-type]
    return found, said


def test_each_distinct_load_is_read_once_from_its_own_source_with_its_own_history() -> None:
    cluster = Cluster(
        resource("web", "up", quantile="0.9"),
        resource("same", "up"),
        resource("elsewhere", "up", source="b"),
        resource("coarse", "up", step="5m"),
    )
    loads, said = loads_of(cluster)
    assert Answers.asked.count(("http://a:9090", "up")) == 2
    assert Answers.asked.count(("http://b:9090", "up")) == 1
    by_name = {load.series.name: load for load in loads}
    assert by_name.keys() == {"shop/web", "shop/elsewhere", "shop/coarse"}
    assert (by_name["shop/web"].quantile, by_name["shop/elsewhere"].quantile) == (0.9, 0.95)
    assert (by_name["shop/coarse"].series.step_s, len(by_name["shop/coarse"].series)) == (300, 576 - 10)
    assert said == []


def test_resources_that_cannot_be_read_are_named_and_cost_the_others_nothing() -> None:
    broken = resource("broken", "up")
    broken["spec"]["maxReplicas"] = -1
    loads, said = loads_of(
        Cluster(broken, resource("lost", "up", source="c"), resource("none", "up", model="none"))
    )
    assert loads == []
    assert [line.split(": ")[1] for line in said] == ["shop/broken", "shop/lost", "shop/none"]
    assert "spec.maxReplicas" in said[0]


def test_of_very_many_loads_the_same_hundred_are_taken_every_time() -> None:
    many = [resource(f"w{number}", f"load_{number}") for number in range(130)]
    first, said = loads_of(Cluster(*many))
    again, _ = loads_of(Cluster(*reversed(many)))
    assert said == ["left out: 30 loads beyond the first 100"]
    assert [load.series.name for load in first] == [load.series.name for load in again]
    assert len(first) == 100


def test_only_the_namespaces_of_the_operator_are_listed() -> None:
    cluster = Cluster()
    loads_of(cluster, "shop", "search")
    assert [path.split("/")[-2] for path in cluster.paths] == ["shop", "search"]


def test_a_cluster_that_refuses_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Cluster, path: str) -> Iterator[dict[str, Any]]:
        raise ClusterError(403, "Forbidden", "may not list", path)

    monkeypatch.setattr(Cluster, "pages", refuse)
    with pytest.raises(ValueError, match=r"the resources of the cluster cannot be listed: .*may not list"):
        loads_of(Cluster())
