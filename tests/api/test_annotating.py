"""Overrides are written to the resource, and of what the API server says to that only a word goes on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from autoscaler.api.annotating import Annotations
from autoscaler.api.parts import OverrideRefused
from autoscaler.controller.acting.overrides import ANNOTATION
from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.errors import ClusterError, refusal, unavailable

SECRET = "canary-upstream-4711"
TEXT = "12 until 2026-11-27T20:00:00Z because load test"


@dataclass
class Recorded:
    """A cluster that takes every change, or none."""

    error: ClusterError | None = None
    asked: list[tuple[str, Any, str]] = field(default_factory=list)

    def patch(self, path: str, body: Any, content: str, timeout_s: float) -> dict[str, Any]:
        self.asked.append((path, body, content))
        if self.error is not None:
            raise self.error
        return {}


def annotations(cluster: Recorded) -> Annotations:
    return Annotations(cast(Cluster, cluster))


def refused(error: ClusterError) -> str:
    with pytest.raises(OverrideRefused) as raised:
        asyncio.run(annotations(Recorded(error)).put("shop/checkout", TEXT))
    return str(raised.value)


def test_an_override_is_one_annotation_and_is_removed_only_as_it_is() -> None:
    cluster = Recorded()
    asyncio.run(annotations(cluster).put("shop/checkout", TEXT))
    assert asyncio.run(annotations(cluster).remove("shop/checkout", TEXT))
    (path, put, merge), (same, removed, json) = cluster.asked
    assert path == same and path.endswith("/namespaces/shop/predictiveautoscalers/checkout")
    assert (put, merge) == ({"metadata": {"annotations": {ANNOTATION: TEXT}}}, "merge")
    assert [one["op"] for one in removed] == ["test", "remove"] and removed[0]["value"] == TEXT
    assert json == "json"


def test_what_somebody_has_set_since_is_no_fault() -> None:
    cluster = Recorded(refusal(422, {"reason": "Invalid", "message": SECRET}, "/a"))
    assert not asyncio.run(annotations(cluster).remove("shop/checkout", TEXT))


@pytest.mark.parametrize(
    ("status", "document", "told"),
    [
        pytest.param(403, {"reason": "Forbidden", "message": SECRET}, "(Forbidden)", id="a word"),
        pytest.param(403, {"reason": f"denied {SECRET}", "message": SECRET}, "(HTTP 403)", id="no word"),
        pytest.param(409, {"reason": "X" * 1000}, "(HTTP 409)", id="endless"),
        pytest.param(418, SECRET, "(HTTP 418)", id="no document"),
        pytest.param(404, {"reason": "NotFound", "message": SECRET}, "no PredictiveAutoscaler", id="absent"),
        pytest.param(502, SECRET, "look at the workload whether", id="a proxy"),
    ],
)
def test_a_refusal_repeats_nothing_but_its_kind(status: int, document: Any, told: str) -> None:
    said = refused(refusal(status, document, "/a", writing=True))
    assert told in said
    assert SECRET not in said and len(said) < 120


@pytest.mark.parametrize(
    ("unknown", "told"),
    [(True, "look at the workload whether"), (False, "did not take the change (no answer)")],
)
def test_a_change_that_may_have_been_made_is_not_called_refused(unknown: bool, told: str) -> None:
    assert told in refused(unavailable("timed out", "/a", outcome_unknown=unknown))
