"""What is known of namespaces, by what is watched, and when that is enough to be ready."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from scripted_api import Answer, Conversation, ScriptedAPI, eventually, listed

from autoscaler.controller.acting.rivals import Rivals
from autoscaler.controller.catalog import Catalog
from autoscaler.controller.observing.pods import PodIndex
from autoscaler.controller.watches import Watches

Serve = Callable[[Answer], ScriptedAPI]
Watching = Callable[..., Watches]


class _Server:
    """Empty lists for whoever may read them. refused: parts of paths; awaited: those not answered yet."""

    def __init__(self, refused: tuple[str, ...] = (), awaited: tuple[str, ...] = ()) -> None:
        self.refused, self.awaited = refused, awaited
        self.absent: tuple[str, ...] = ()

    def __call__(self, c: Conversation) -> None:
        path = c.asked.path
        if any(part in path for part in self.awaited):
            c.say_nothing()
        elif any(part in path for part in self.absent):
            c.status(404, "NotFound", f"nothing is served at {path}")
        elif any(part in path for part in self.refused):
            c.status(403, "Forbidden", f"cannot list {path}")
        elif "watch" in c.asked.query:
            c.stream()
            c.say_nothing()
        else:
            c.json(listed(1))


@pytest.fixture
def watching(serve: Serve) -> Iterator[Watching]:
    """Start to watch namespaces on a server; ends with the test."""
    with ExitStack() as stack:

        def started(server: _Server, *namespaces: str) -> Watches:
            rivals = Rivals()
            cluster = serve(server).cluster()
            stack.callback(cluster.close)
            watches = Watches(cluster, namespaces, Catalog(5, rivals), PodIndex(), rivals)
            stack.callback(watches.stop)
            watches.start()
            return watches

        yield started


def _settled(watches: Watches) -> bool:
    return eventually(watches.settled)


def test_nothing_is_known_to_be_gone_from_a_namespace_that_is_not_watched_or_not_listed_yet(
    watching: Watching,
) -> None:
    watches = watching(_Server(awaited=("shop/predictiveautoscalers",)), "shop")
    assert not watches.sees_resources("elsewhere")
    assert not watches.sees_resources("shop")


@pytest.mark.parametrize(
    "refused",
    [("other/pods",), ("other/horizontalpodautoscalers",), ("other/predictiveautoscalers",), ("/other/",)],
    ids=["pods", "other autoscalers", "resources", "everything"],
)
def test_what_is_refused_in_one_namespace_keeps_nobody_from_being_ready(
    refused: tuple[str, ...], watching: Watching
) -> None:
    watches = watching(_Server(refused), "shop", "other")
    assert _settled(watches)
    assert watches.problem() == ""
    assert watches.namespaces_unseen() == 1
    assert watches.blind("shop").pods == watches.blind("shop").rivals == ""


@pytest.mark.parametrize("namespaces", [(), ("shop",), ("shop", "other")], ids=["cluster", "one", "two"])
def test_while_no_namespace_is_seen_whole_the_operator_is_not_ready_and_says_why(
    namespaces: tuple[str, ...], watching: Watching
) -> None:
    watches = watching(_Server(refused=("/pods",)), *namespaces)
    assert _settled(watches)
    assert watches.problem().startswith("pods: ")
    assert "cannot list" in watches.problem()
    assert watches.namespaces_unseen() == max(1, len(namespaces))


def test_without_its_kind_in_the_cluster_the_operator_is_not_ready(watching: Watching) -> None:
    server = _Server()
    server.absent = ("predictiveautoscalers",)
    watches = watching(server, "shop", "other")
    assert _settled(watches)
    assert "nothing is served" in watches.problem()


def test_the_operator_is_not_ready_before_every_list_was_answered_once(watching: Watching) -> None:
    server = _Server(awaited=("other/pods",))
    watches = watching(server, "shop", "other")
    assert eventually(lambda: watches.namespaces_unseen() == 1)
    assert watches.problem() == "not listed yet"


def test_a_cluster_without_keda_is_seen_whole(watching: Watching) -> None:
    server = _Server()
    server.absent = ("scaledobjects",)
    watches = watching(server)
    assert _settled(watches)
    assert eventually(lambda: watches.problem() == "")
    assert watches.namespaces_unseen() == 0
