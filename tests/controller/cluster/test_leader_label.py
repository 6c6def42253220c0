"""The label by which readers find the pod that leads."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.errors import Forbidden
from autoscaler.controller.cluster.leader_label import LABEL, LeaderLabel


@dataclass
class Lease:
    held: bool = False

    def holds(self, for_s: float = 0.0) -> bool:
        return self.held


@dataclass
class Pods:
    """Takes the place of the API server: what was patched, or a refusal."""

    refuses: bool = False
    labels: list[str | None] = field(default_factory=list)

    def patch(self, path: str, body: dict[str, Any], content: str, timeout_s: float) -> dict[str, Any]:
        assert path == "/api/v1/namespaces/ours/pods/operator-0"
        if self.refuses:
            raise Forbidden(403, "Forbidden", "pods is forbidden", path)
        self.labels.append(body["metadata"]["labels"][LABEL])
        return {}


def label(pods: Pods, lease: Lease) -> LeaderLabel:
    return LeaderLabel(cast("Cluster", pods), "ours", "operator-0", lease)


def eventually(holds: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + 20.0
    while not holds():
        assert time.monotonic() < give_up_s
        time.sleep(0.02)


def test_a_pod_that_was_labelled_in_an_earlier_life_is_not_after_it_starts_as_a_follower() -> None:
    pods = Pods()
    kept = label(pods, Lease(held=False))
    kept.start()
    eventually(lambda: pods.labels == [None])
    kept.stop()
    assert pods.labels == [None]


def test_the_label_follows_leadership_and_goes_when_the_process_ends() -> None:
    pods, lease = Pods(), Lease(held=True)
    kept = label(pods, lease)
    kept.start()
    eventually(lambda: pods.labels == ["true"])
    lease.held = False
    eventually(lambda: pods.labels == ["true", None])
    lease.held = True
    eventually(lambda: pods.labels == ["true", None, "true"])
    kept.stop()
    assert pods.labels == ["true", None, "true", None]


def test_without_the_right_it_says_so_and_the_operator_goes_on() -> None:
    kept = label(Pods(refuses=True), Lease(held=True))
    kept.start()
    eventually(lambda: "pods is forbidden" in kept.failure)
    kept.stop()
