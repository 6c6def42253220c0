"""From kinds to paths, as the server describes them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from scripted_api import Answer, Conversation, ScriptedAPI

from autoscaler.controller.cluster.discovery import (
    Discovery,
    ImpossibleName,
    NotScalable,
    Resource,
    UnknownKind,
)
from autoscaler.controller.cluster.errors import Unavailable

Serve = Callable[[Answer], ScriptedAPI]


def entry(name: str, kind: str, namespaced: bool = True) -> dict[str, object]:
    return {"name": name, "kind": kind, "namespaced": namespaced, "verbs": ["get"]}


SERVED = {
    "/api/v1": [entry("pods", "Pod"), entry("nodes", "Node", False), entry("pods/status", "Pod")],
    "/apis/apps/v1": [
        entry("deployments", "Deployment"),
        entry("deployments/scale", "Scale"),
        entry("daemonsets", "DaemonSet"),
    ],
    "/apis/example.com/v1beta1": [entry("racks", "Rack", False), entry("racks/scale", "Scale", False)],
}


def describe(c: Conversation) -> None:
    if c.asked.path in SERVED:
        c.json({"kind": "APIResourceList", "resources": SERVED[c.asked.path]})
    else:
        c.reply(b"404 page not found\n", 404)


@pytest.fixture
def api(serve: Serve) -> ScriptedAPI:
    return serve(describe)


@pytest.mark.parametrize(
    ("api_version", "kind", "expected"),
    [
        ("v1", "Pod", Resource("/api/v1", "pods", True, False)),
        ("v1", "Node", Resource("/api/v1", "nodes", False, False)),
        ("apps/v1", "Deployment", Resource("/apis/apps/v1", "deployments", True, True)),
        ("apps/v1", "DaemonSet", Resource("/apis/apps/v1", "daemonsets", True, False)),
    ],
)
def test_a_kind_is_found(api: ScriptedAPI, api_version: str, kind: str, expected: Resource) -> None:
    assert Discovery(api.cluster()).resource(api_version, kind) == expected


def test_the_path_of_a_scale_follows_from_it(api: ScriptedAPI) -> None:
    found = Discovery(api.cluster())
    assert found.scale_path("apps/v1", "Deployment", "shop", "web.1") == (
        "/apis/apps/v1/namespaces/shop/deployments/web.1/scale"
    )
    assert found.scale_path("example.com/v1beta1", "Rack", "shop", "r") == (
        "/apis/example.com/v1beta1/racks/r/scale"
    )
    assert found.object_path("v1", "Pod", "shop", "p") == "/api/v1/namespaces/shop/pods/p"


@pytest.mark.parametrize(
    ("api_version", "kind", "error", "words"),
    [
        ("apps/v1", "Deploymnt", UnknownKind, "no kind Deploymnt in apps/v1; check spelling"),
        ("apps/v1", "Scale", UnknownKind, "no kind Scale"),
        ("gone.example.com/v1", "Deployment", UnknownKind, "install its CRD"),
        ("apps", "Deployment", UnknownKind, "write it like apps/v1"),
        ("../../version", "Deployment", UnknownKind, "is no apiVersion"),
        ("apps/v1/namespaces", "Deployment", UnknownKind, "is no apiVersion"),
        ("apps/v1", "DaemonSet", NotScalable, "has no scale subresource; name a Deployment"),
    ],
)
def test_what_cannot_be_scaled_is_told_with_what_to_do(
    api: ScriptedAPI, api_version: str, kind: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        Discovery(api.cluster()).scale_path(api_version, kind, "shop", "web")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a/../b", "a%2fb", "a?b", "a#b", "a b", "a\n", "-a"])
@pytest.mark.parametrize("place", ["name", "namespace"])
def test_a_name_cannot_lead_elsewhere(api: ScriptedAPI, name: str, place: str) -> None:
    named = {"name": "web", "namespace": "shop", place: name}
    with pytest.raises(ImpossibleName):
        Discovery(api.cluster()).scale_path("apps/v1", "Deployment", **named)


def test_the_server_is_asked_once_for_a_group(api: ScriptedAPI) -> None:
    found = Discovery(api.cluster())
    for _ in range(3):
        found.resource("apps/v1", "Deployment")
        found.resource("apps/v1", "DaemonSet")
    assert len(api.asked) == 1


def test_answers_are_forgotten_in_time(api: ScriptedAPI) -> None:
    now = [0.0]
    found = Discovery(api.cluster(), clock=lambda: now[0])
    asked: list[int] = []
    for now[0], kind in [(0, "Deployment"), (599, "Deployment"), (601, "Deployment"), (602, "X"), (632, "X")]:
        try:
            found.resource("apps/v1", kind)
        except UnknownKind:
            assert kind == "X"
        asked.append(len(api.asked))
    assert asked == [1, 1, 2, 2, 3]


def test_a_server_that_cannot_be_asked_is_no_unknown_kind(serve: Serve) -> None:
    api = serve(lambda c: c.status(503, "", "not now"))
    with pytest.raises(Unavailable, match="not now"):
        Discovery(api.cluster()).resource("apps/v1", "Deployment")
