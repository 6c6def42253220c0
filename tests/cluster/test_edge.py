"""The product's own edge against a real API server: requests, lists that follow, leadership, scale paths."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from control_plane import ControlPlane, wait_until

from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.cluster.discovery import Discovery, NotScalable, Resource, UnknownKind
from autoscaler.controller.cluster.errors import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    NotFound,
    Unauthorized,
    Unavailable,
)
from autoscaler.controller.cluster.lease import Leadership
from autoscaler.controller.cluster.reflector import Reflector

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

QUICK = {"lease_s": 2.0, "renew_deadline_s": 1.5, "retry_s": 0.2}
CHILD = Path(__file__).with_name("leading_child.py")


@pytest.fixture
def cluster(control_plane: ControlPlane) -> Iterator[Cluster]:
    made = control_plane.cluster()
    yield made
    made.close()


@pytest.fixture
def maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "data": data}


def data_of(item: dict[str, Any]) -> dict[str, str] | None:
    """What is kept of a ConfigMap; not of those that the cluster itself makes."""
    return None if item["metadata"]["name"] == "kube-root-ca.crt" else dict(item.get("data") or {})


@contextmanager
def following(cluster: Cluster, path: str, **how: Any) -> Iterator[Reflector[dict[str, str]]]:
    reflector = Reflector(cluster, path, data_of, name="config maps", pause=lambda n: 0.1, **how)
    reflector.start()
    try:
        assert reflector.wait_synced(10)
        yield reflector
    finally:
        reflector.stop()


# Requests


def test_an_object_is_created_read_changed_and_deleted(cluster: Cluster, maps: str) -> None:
    made = cluster.create(maps, config_map("one", a="1"))
    path = f"{maps}/one"
    assert cluster.get(path) == made
    assert cluster.replace(path, {**made, "data": {"a": "2"}})["data"] == {"a": "2"}
    assert cluster.patch(path, {"data": {"b": "3"}})["data"] == {"a": "2", "b": "3"}
    assert cluster.patch(path, [{"op": "remove", "path": "/data/a"}], "json")["data"] == {"b": "3"}
    applied = {"apiVersion": "v1", "kind": "ConfigMap", **config_map("one", c="4")}
    query = {"fieldManager": "tests", "force": True}
    assert cluster.patch(path, applied, "apply", query)["data"] == {"b": "3", "c": "4"}
    cluster.delete(path)
    with pytest.raises(NotFound, match='configmaps "one" not found'):
        cluster.get(path)


def test_refusals_have_their_class(
    control_plane: ControlPlane, cluster: Cluster, maps: str, namespace: str
) -> None:
    made = cluster.create(maps, config_map("one"))
    with pytest.raises(Conflict) as exists:
        cluster.create(maps, config_map("one"))
    assert exists.value.reason == "AlreadyExists"
    cluster.patch(f"{maps}/one", {"data": {"a": "1"}})
    with pytest.raises(Conflict, match="the object has been modified"):
        cluster.replace(f"{maps}/one", made)
    with pytest.raises(Invalid, match="lowercase"):
        cluster.create(maps, config_map("NO"))
    with pytest.raises(Invalid):
        cluster.patch(f"{maps}/one", {"data": 5})
    with pytest.raises(NotFound):
        cluster.get("/apis/nowhere.example.com/v1/things")
    nobody = Cluster.connect(control_plane.kubeconfig("nobody"))
    with pytest.raises(Forbidden, match='User "nobody" cannot list resource "configmaps"'):
        nobody.get(maps)


def test_a_token_that_is_exchanged_on_disk_is_taken_up(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("expired")
    file = control_plane.kubeconfig_for_token("unused", f"exchanged-{secrets.token_hex(4)}")
    file.write_text(file.read_text().replace("token: unused", f"tokenFile: {token}"))
    cluster = Cluster.connect(file)
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    review = {"spec": {"resourceAttributes": {"verb": "list", "resource": "pods"}}}
    with pytest.raises(Unauthorized):
        cluster.create(path, review)
    time.sleep(1.0)
    token.write_text(control_plane.service_account_token(namespace, "default"))
    assert cluster.create(path, review)["status"]["allowed"] is False


def test_a_list_comes_in_pages(cluster: Cluster, maps: str) -> None:
    for number in range(9):
        cluster.create(maps, config_map(f"m{number}"))
    pages = list(cluster.pages(maps, limit=4))
    assert [len(page["items"]) for page in pages] == [4, 4, 2]
    assert len({page["metadata"]["resourceVersion"] for page in pages}) == 1


def test_a_server_that_hangs_is_left_in_time_and_found_again(
    control_plane: ControlPlane, cluster: Cluster, maps: str
) -> None:
    cluster.create(maps, config_map("one"))
    control_plane.api_server.pause()
    began = time.monotonic()
    with pytest.raises(Unavailable, match="in time") as caught:
        cluster.patch(f"{maps}/one", {"data": {"a": "1"}}, timeout_s=0.5)
    assert time.monotonic() - began < 5.0
    assert caught.value.outcome_unknown
    control_plane.api_server.resume()
    assert cluster.get(f"{maps}/one")["metadata"]["name"] == "one"


# Lists that follow


def test_a_list_follows_what_happens(cluster: Cluster, maps: str, namespace: str) -> None:
    cluster.create(maps, config_map("before", a="1"))
    heard: list[tuple[str, object, object]] = []
    with following(cluster, maps, on_change=lambda *change: heard.append(change)) as reflector:
        cluster.patch(f"{maps}/before", {"data": {"a": "2"}})
        cluster.create(maps, config_map("new"))
        cluster.delete(f"{maps}/before")
        wait_until(lambda: reflector.items() == {f"{namespace}/new": {}}, 5, "the events")
    assert heard == [
        (f"{namespace}/before", None, {"a": "1"}),
        (f"{namespace}/before", {"a": "1"}, {"a": "2"}),
        (f"{namespace}/new", None, {}),
        (f"{namespace}/before", {"a": "2"}, None),
    ]


def test_bookmarks_bring_the_version_of_an_idle_watch_forward(
    control_plane: ControlPlane, cluster: Cluster, maps: str
) -> None:
    # The cluster makes one itself in every new namespace, a moment later; then it is idle.
    wait_until(lambda: cluster.get(maps)["items"], 30, "the ConfigMap that the cluster makes")
    version = cluster.get(maps)["metadata"]["resourceVersion"]
    # The server also sends one 2 s before it ends a watch, which saves waiting for a minute.
    watch = cluster.watch(maps, version, timeout_s=5.0, inactivity_s=10.0)
    elsewhere = "/api/v1/namespaces/default/configmaps"
    control_plane.request("POST", elsewhere, config_map(f"other-{secrets.token_hex(4)}"))
    events = list(watch)
    assert {event.type for event in events} == {"BOOKMARK"}
    assert int(events[-1].object["metadata"]["resourceVersion"]) > int(version)


def test_what_is_deleted_while_the_server_is_away_is_reported_and_an_old_version_is_gone(
    control_plane: ControlPlane, cluster: Cluster, maps: str, namespace: str
) -> None:
    version = cluster.get(maps)["metadata"]["resourceVersion"]
    cluster.create(maps, config_map("stays"))
    cluster.create(maps, config_map("goes"))
    held = threading.Event()

    def hold_up(key: str, before: object, after: object) -> None:
        # Whoever listens is busy, so that the deletion is missed by the watch.
        if after == {"hold": "up"}:
            held.wait(60)

    with following(cluster, maps, on_change=hold_up) as reflector:
        cluster.create(maps, config_map("blocker", hold="up"))
        wait_until(lambda: reflector.get(f"{namespace}/blocker"), 5, "the event that is held up")
        control_plane.request("DELETE", f"{maps}/goes")
        control_plane.request("POST", maps, config_map("comes"))
        control_plane.forget_history()
        with pytest.raises(Gone, match="too old"):
            list(cluster.watch(maps, version))
        held.set()
        expected = {f"{namespace}/{name}" for name in ("stays", "blocker", "comes")}
        wait_until(lambda: set(reflector.items()) == expected, 30, "the list after the restart")
        wait_until(lambda: reflector.failure == "", 30, "the end of the failure")


def test_a_server_that_goes_away_is_told_and_followed_again(
    control_plane: ControlPlane, cluster: Cluster, maps: str, namespace: str
) -> None:
    with following(cluster, maps) as reflector:
        control_plane.stop_api_server()
        wait_until(lambda: "no connection" in reflector.failure, 10, "the failure")
        control_plane.start_api_server()
        control_plane.request("POST", maps, config_map("after"))
        wait_until(lambda: f"{namespace}/after" in reflector.items(), 10, "what came afterwards")
        assert reflector.failure == ""


def test_a_missing_right_is_told_in_the_words_of_the_server(control_plane: ControlPlane, maps: str) -> None:
    nobody = Cluster.connect(control_plane.kubeconfig("nobody"))
    reflector = Reflector(nobody, maps, data_of, name="config maps")
    reflector.start()
    try:
        wait_until(lambda: 'cannot list resource "configmaps"' in reflector.failure, 5, "the failure")
        assert not reflector.synced
        assert not reflector.absent
    finally:
        reflector.stop()


def test_a_kind_that_is_installed_later_is_found(cluster: Cluster, control_plane: ControlPlane) -> None:
    group = f"g{secrets.token_hex(4)}.example.com"
    path = f"/apis/{group}/v1/racks"
    reflector = Reflector(cluster, path, lambda item: "kept", name="racks", pause=lambda n: 0.1)
    reflector.start()
    try:
        wait_until(lambda: reflector.absent, 5, "the answer that there is no such kind")
        control_plane.request("POST", CRDS, scalable_crd(group))
        assert reflector.wait_synced(20)
        assert not reflector.absent
        control_plane.request("DELETE", f"{CRDS}/racks.{group}")
        wait_until(lambda: reflector.absent, 20, "the answer that the kind is gone")
    finally:
        reflector.stop()


# Scale

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


def scalable_crd(group: str) -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    scale = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {**schema, "properties": {"spec": schema, "status": schema}}},
        "subresources": {"status": {}, "scale": scale},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"racks.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "racks", "singular": "rack", "kind": "Rack"},
            "versions": [version],
        },
    }


@pytest.fixture
def rack(control_plane: ControlPlane, namespace: str) -> Iterator[str]:
    """The apiVersion of a custom kind with a scale, one object of which is called `web`."""
    group = f"g{secrets.token_hex(4)}.example.com"
    control_plane.request("POST", CRDS, scalable_crd(group))
    path = f"{CRDS}/racks.{group}"

    def established() -> bool:
        conditions = control_plane.request("GET", path).get("status", {}).get("conditions") or []
        return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)

    wait_until(established, 20, "the CRD")
    body = {"apiVersion": f"{group}/v1", "kind": "Rack", "metadata": {"name": "web"}, "spec": {"replicas": 2}}
    control_plane.request("POST", f"/apis/{group}/v1/namespaces/{namespace}/racks", body)
    yield f"{group}/v1"
    control_plane.request("DELETE", path)


@pytest.fixture(params=["Deployment", "StatefulSet", "Rack"])
def scale_path(
    request: pytest.FixtureRequest, control_plane: ControlPlane, cluster: Cluster, namespace: str
) -> str:
    """The path of the scale of a target with two replicas, as discovered."""
    kind = str(request.param)
    api_version = "apps/v1"
    if kind == "Rack":
        api_version = request.getfixturevalue("rack")
    else:
        getattr(control_plane, kind.lower())("web", namespace, replicas=2, start_up="0s")
        # Until then the cluster's own bookkeeping changes the version now and again.
        wait_until(lambda: control_plane.ready("web", namespace, kind) == 2, 20, "the pods")
    return Discovery(cluster).scale_path(api_version, kind, namespace, "web")


def test_a_scale_is_read_and_written(cluster: Cluster, scale_path: str) -> None:
    scale = cluster.get(scale_path)
    assert (scale["kind"], scale["spec"]["replicas"]) == ("Scale", 2)
    written = cluster.patch(
        scale_path,
        {"metadata": {"resourceVersion": scale["metadata"]["resourceVersion"]}, "spec": {"replicas": 5}},
    )
    assert written["spec"]["replicas"] == 5
    assert cluster.get(scale_path)["spec"]["replicas"] == 5


def test_a_scale_that_changed_since_it_was_read_is_not_written(cluster: Cluster, scale_path: str) -> None:
    version = cluster.get(scale_path)["metadata"]["resourceVersion"]
    cluster.patch(scale_path, {"spec": {"replicas": 3}})
    with pytest.raises(Conflict, match="modified"):
        cluster.patch(scale_path, {"metadata": {"resourceVersion": version}, "spec": {"replicas": 9}})
    assert cluster.get(scale_path)["spec"]["replicas"] == 3


def test_a_target_that_was_made_anew_is_not_written(
    control_plane: ControlPlane, cluster: Cluster, scale_path: str
) -> None:
    version = cluster.get(scale_path)["metadata"]["resourceVersion"]
    path = scale_path.removesuffix("/scale")
    made = control_plane.request("GET", path)
    control_plane.request("DELETE", path)
    again = {**made, "metadata": {"name": "web"}, "status": {}}
    control_plane.request("POST", path.removesuffix("/web"), again)
    with pytest.raises(Conflict, match="modified"):
        cluster.patch(scale_path, {"metadata": {"resourceVersion": version}, "spec": {"replicas": 9}})
    assert cluster.get(scale_path)["spec"]["replicas"] == 2


def test_only_built_in_kinds_heed_a_uid_so_the_version_has_to_be_sent(
    cluster: Cluster, scale_path: str
) -> None:
    body = {"metadata": {"uid": "00000000-0000-4000-8000-000000000000"}, "spec": {"replicas": 9}}
    if "/racks/" in scale_path:
        assert cluster.patch(scale_path, body)["spec"]["replicas"] == 9
        return
    with pytest.raises(Conflict, match="UID in precondition"):
        cluster.patch(scale_path, body)
    assert cluster.get(scale_path)["spec"]["replicas"] == 2


def test_a_status_is_guarded_by_a_version_or_a_test_but_not_by_a_uid(
    cluster: Cluster, rack: str, namespace: str
) -> None:
    path = f"/apis/{rack}/namespaces/{namespace}/racks/web/status"
    other = "00000000-0000-4000-8000-000000000000"
    before = cluster.get(path)["metadata"]
    status = {"status": {"replicas": 1}}
    assert cluster.patch(path, {"metadata": {"uid": other}, **status})["metadata"]["uid"] == before["uid"]
    with pytest.raises(Conflict, match="modified"):
        cluster.patch(
            path,
            {"metadata": {"resourceVersion": before["resourceVersion"]}, "status": {"replicas": 2}},
        )
    tested = [
        {"op": "test", "path": "/metadata/uid", "value": other},
        {"op": "replace", "path": "/status", "value": {"replicas": 3}},
    ]
    with pytest.raises(Invalid):
        cluster.patch(path, tested, "json")
    tested[0]["value"] = before["uid"]
    assert cluster.patch(path, tested, "json")["status"] == {"replicas": 3}


def test_kinds_are_described_as_the_server_serves_them(cluster: Cluster) -> None:
    found = Discovery(cluster)
    assert found.resource("apps/v1", "Deployment") == Resource("/apis/apps/v1", "deployments", True, True)
    assert found.resource("v1", "ReplicationController").scalable
    assert not found.resource("v1", "Node").namespaced
    with pytest.raises(NotScalable, match="DaemonSet"):
        found.scale_path("apps/v1", "DaemonSet", "default", "web")
    with pytest.raises(UnknownKind):
        found.resource("apps/v1", "Rack")


# Leadership


@pytest.fixture
def candidate(control_plane: ControlPlane, namespace: str) -> Iterator[Callable[[str], Leadership]]:
    with ExitStack() as stack:

        def started(identity: str) -> Leadership:
            made = Leadership(control_plane.cluster(), namespace, "lock", identity, **QUICK)
            stack.callback(made.stop)
            made.start()
            return made

        yield started


def test_one_leads_and_the_next_takes_over_at_once_when_it_stops(
    candidate: Callable[[str], Leadership],
) -> None:
    first = candidate("first")
    wait_until(first.holds, 5, "the first leader")
    second = candidate("second")
    wait_until(lambda: second.holder == "first", 5, "the second to see the first")
    assert not second.holds()
    first.stop()
    wait_until(second.holds, 1.5, "the second leader")
    assert (first.term, second.term) == (0, 1)


def test_a_server_that_hangs_ends_a_term_and_a_new_one_begins_after_it(
    control_plane: ControlPlane, candidate: Callable[[str], Leadership]
) -> None:
    only = candidate("only")
    wait_until(only.holds, 5, "the leader")
    control_plane.api_server.pause()
    wait_until(lambda: not only.holds(), 3, "the end of the term")
    control_plane.api_server.resume()
    wait_until(only.holds, 15, "the next term")
    assert only.term > 0


def test_a_leader_that_was_stopped_for_longer_than_its_lease_never_leads_that_term_again(
    control_plane: ControlPlane, namespace: str, candidate: Callable[[str], Leadership]
) -> None:
    child = subprocess.Popen(
        [sys.executable, str(CHILD), str(control_plane.kubeconfig()), namespace, json.dumps(QUICK)],
        stdout=subprocess.PIPE,
        text=True,
    )
    told: list[dict[str, Any]] = []
    assert child.stdout is not None
    lines = child.stdout
    reading = threading.Thread(target=lambda: told.extend(map(json.loads, lines)), daemon=True)
    reading.start()
    try:
        wait_until(lambda: told[-1:] == [{"holds": True, "term": 0}], 20, "the child to lead")
        second = candidate("second")
        wait_until(lambda: second.holder == "child", 5, "the second to see the child")
        os.kill(child.pid, signal.SIGSTOP)
        before = len(told)
        wait_until(second.holds, 6, "the second to take over")
        time.sleep(0.5)
        assert second.holds()
        os.kill(child.pid, signal.SIGCONT)
        wait_until(lambda: told[before:], 5, "the child to notice")
        time.sleep(1.0)
        assert second.holds()
        assert told[before:] == [{"holds": False, "term": 0}]
        second.stop()
        wait_until(lambda: told[-1]["holds"], 5, "the child to lead anew")
        assert told[-1] == {"holds": True, "term": 2}
    finally:
        child.kill()
        child.wait()
