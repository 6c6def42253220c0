"""What is kept of a pod, and how pods are found."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from workload_making import pod

from autoscaler.controller.observing.pods import Pod, PodIndex, cores, parse_pod
from autoscaler.controller.observing.selectors import parse_selector, selects
from autoscaler.spec.units import parse_time

CREATED, READY_SINCE = "2026-11-27T08:00:00Z", "2026-11-27T08:00:42Z"


def item(**changes: Any) -> dict[str, Any]:
    """A ready pod with one container, as the API server sends it; parts are replaced by keyword."""
    status = {
        "phase": "Running",
        "conditions": [
            {"type": "Initialized", "status": "True", "lastTransitionTime": CREATED},
            {"type": "Ready", "status": "True", "lastTransitionTime": READY_SINCE},
        ],
        "containerStatuses": [{"restartCount": 0, "state": {"running": {}}}],
    }
    spec = {"containers": [{"resources": {"requests": {"cpu": "250m"}}}]}
    metadata = {"name": "web-1", "namespace": "shop", "uid": "u", "creationTimestamp": CREATED}
    return {
        "metadata": {**metadata, **changes.pop("metadata", {})},
        "spec": {**spec, **changes.pop("spec", {})},
        "status": {**status, **changes},
    }


def test_a_ready_pod_is_ready_since_its_condition_says_so() -> None:
    found = parse_pod(item())
    assert (found.ready, found.created_s, found.ready_s) == (
        True,
        parse_time(CREATED),
        parse_time(READY_SINCE),
    )


@pytest.mark.parametrize(
    ("changes", "ready", "failed"),
    [
        ({"conditions": []}, False, False),
        ({"conditions": None}, False, False),
        ({"conditions": [{"type": "Ready", "status": "False"}]}, False, False),
        ({"conditions": [{"type": "Ready", "status": "Unknown"}]}, False, False),
        ({"metadata": {"deletionTimestamp": READY_SINCE}}, False, False),
        ({"phase": "Failed"}, False, True),
        ({"phase": "Succeeded"}, False, False),
        ({"containerStatuses": None}, True, False),
        (
            {
                "conditions": [],
                "containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}],
            },
            False,
            True,
        ),
        (
            {
                "conditions": [],
                "containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}],
            },
            False,
            False,
        ),
    ],
)
def test_a_pod_serves_only_while_it_is_ready_and_stays(
    changes: dict[str, Any], ready: bool, failed: bool
) -> None:
    found = parse_pod(item(**changes))
    assert (found.ready, found.failed) == (ready, failed)


def test_a_pod_that_has_no_status_yet_is_not_ready() -> None:
    bare = item()
    del bare["status"], bare["spec"]
    found = parse_pod(bare)
    assert (found.ready, found.restarts, found.cpu_request) == (False, 0, None)


def test_restarts_of_all_containers_count() -> None:
    assert parse_pod(item(containerStatuses=[{"restartCount": 2}, {"restartCount": 1}])).restarts == 3


@pytest.mark.parametrize(
    ("requests", "cpu"),
    [
        ([{"cpu": "250m"}], 0.25),
        ([{"cpu": "250m"}, {"cpu": "1"}], 1.25),
        ([{"cpu": "1e-1"}], 0.1),
        ([{"cpu": "250m"}, {"memory": "1Gi"}], None),
        ([None], None),
        ([], None),
    ],
)
def test_the_cpu_request_is_known_only_when_every_container_states_one(
    requests: list[dict[str, str] | None], cpu: float | None
) -> None:
    containers = [{"resources": {"requests": asked}} for asked in requests]
    assert parse_pod(item(spec={"containers": containers})).cpu_request == cpu


def test_what_is_no_quantity_is_no_number() -> None:
    assert math.isnan(cores("much"))


def test_labels_that_every_pod_has_of_its_own_are_not_kept() -> None:
    labels = {"app": "web", "controller-revision-hash": "x", "statefulset.kubernetes.io/pod-name": "web-0"}
    assert parse_pod(item(metadata={"labels": labels})).labels == {"app": "web"}


KEYS = ("shop/a", "shop/b", "shop/c", "bank/a")
SELECTORS = (
    "app=web", "app=db", "app=web,tier=front", "app in (web,db)", "app in (web)", "app!=web", "app", "!tier",
    "tier notin (front)", "app=web,!tier", "",
)  # fmt: skip
labelled = st.dictionaries(st.sampled_from(["app", "tier"]), st.sampled_from(["web", "db", "front"]))
changes = st.lists(st.tuples(st.sampled_from(KEYS), st.one_of(st.none(), labelled)), max_size=30)


@settings(deadline=None)
@given(changes)
def test_the_index_finds_what_a_search_through_all_pods_finds(
    schedule: list[tuple[str, dict[str, str] | None]],
) -> None:
    index, kept = PodIndex(), dict[str, Pod]()
    for key, labels in schedule:
        before = kept.pop(key, None)
        after = None if labels is None else pod(key, labels=labels)
        if before is None and after is None:
            continue
        if after is not None:
            kept[key] = after
        index.change(key, before, after)
        for namespace in ("shop", "bank", "none"):
            for selector in SELECTORS:
                asked = parse_selector(selector)
                searched = [
                    one
                    for at, one in kept.items()
                    if asked and at.startswith(f"{namespace}/") and selects(asked, one.labels)
                ]
                found = index.selected(namespace, selector)
                assert sorted(one.name for one in found) == sorted(one.name for one in searched)


def test_an_index_of_no_pods_holds_nothing() -> None:
    index = PodIndex()
    for _ in range(3):
        index.change("shop/a", None, pod("a"))
        index.change("shop/a", pod("a"), None)
    assert index.selected("shop", "app=web") == []
    assert not index._labelled, "labels of pods that are gone are dropped"


def test_only_a_first_becoming_ready_that_was_seen_counts_as_a_start() -> None:
    index = PodIndex()
    starting, up = pod("web", ready=False, witnessed=False), pod("web", witnessed=False)
    down_again = pod("web", ready=False, witnessed=False)

    def witnessed(before: Pod | None, after: Pod) -> bool:
        index.change("shop/web", before, after)
        return index.selected("shop", "app=web")[0].witnessed

    assert not witnessed(None, starting)
    assert witnessed(starting, up)
    assert witnessed(up, up)
    assert not witnessed(up, down_again) or witnessed(down_again, up), "it stays the start it was"
    found = pod("web", uid="another", witnessed=False)
    assert not witnessed(up, found), "another pod, ready when it was first seen"
    assert not witnessed(found, pod("web", uid="another", ready=False, witnessed=False))
    assert not witnessed(pod("web", uid="another", ready=False, witnessed=False), found), "a flap is no start"
