"""Decisions over REST: listed, in full, decided again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from answered_shapes import refused, shaped
from filled_store import END_S
from starlette.testclient import TestClient
from whole_service import WholeService

from autoscaler.api.app import API
from autoscaler.api.shapes.decisions import Decision, DecisionList, Replay
from autoscaler.planning.record import VERSION
from autoscaler.store.ids import new_id
from autoscaler.store.rows import DecisionMade, FoundDecision, Outcome


def listed(client: TestClient, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = shaped(client.get(f"{API}/decisions", params=query), DecisionList)["items"]
    return items


@pytest.fixture
def newest(client: TestClient) -> dict[str, Any]:
    return listed(client, namespace="shop", workload="checkout", limit=1)[0]


def test_decisions_are_listed_newest_first(client: TestClient) -> None:
    found = listed(client, limit=500)
    assert len(found) > 100
    assert [one["id"] for one in found] == sorted((one["id"] for one in found), reverse=True)
    assert {one["namespace"] for one in found} == {"shop", "pay", "media", "batch"}


def test_pages_make_up_the_whole_list(client: TestClient) -> None:
    whole = listed(client, limit=500, namespace="shop")
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 17, "namespace": "shop"}
    while True:
        answer = shaped(client.get(f"{API}/decisions", params=query), DecisionList)
        found += answer["items"]
        if not answer["metadata"]["continue"]:
            break
        query["continue"] = answer["metadata"]["continue"]
    assert found[: len(whole)] == whole


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        pytest.param({"namespace": "pay"}, lambda one: one.workload.startswith("pay/"), id="of a namespace"),
        pytest.param(
            {"namespace": "pay", "workload": "cards"},
            lambda one: one.workload == "pay/cards",
            id="of a workload",
        ),
        pytest.param(
            {"reason": "TooManyReplicas"}, lambda one: "TooManyReplicas" in one.reasons, id="for a reason"
        ),
        pytest.param(
            {"reason": "TooManyReplicas", "namespace": "shop"},
            lambda one: "TooManyReplicas" in one.reasons and one.workload.startswith("shop/"),
            id="for a reason in a namespace",
        ),
        pytest.param({"start": END_S - 3600}, lambda one: one.at_s >= END_S - 3600, id="from a time on"),
        pytest.param(
            {"end": "2026-11-27T17:00:00Z"}, lambda one: one.at_s < END_S - 3600, id="before a time"
        ),
        pytest.param(
            {"start": "2026-11-27T16:00:00Z", "end": "2026-11-27T17:00:00Z", "namespace": "shop"},
            lambda one: END_S - 7200 <= one.at_s < END_S - 3600 and one.workload.startswith("shop/"),
            id="of a range in a namespace",
        ),
    ],
)
def test_a_filter_leaves_what_fits_it(
    client: TestClient, service: WholeService, query: dict[str, Any], fits: Callable[[FoundDecision], bool]
) -> None:
    every = service.store.decisions(limit=1000)
    assert every.older is None
    expected = [one.id for one in every.decisions if fits(one)]
    found = [one["id"] for one in listed(client, limit=500, **query)]
    assert found == expected[:500]
    assert found


def test_an_unknown_reason_was_never_given(client: TestClient) -> None:
    assert listed(client, reason="NoSuchReason") == []


def test_a_workload_is_named_with_its_namespace(client: TestClient) -> None:
    refused(client.get(f"{API}/decisions", params={"workload": "checkout"}), 400, "NamespaceMissing")


def test_a_decision_is_told_in_full(client: TestClient, newest: dict[str, Any]) -> None:
    told = shaped(client.get(f"{API}/decisions/{newest['id']}"), Decision)
    assert {name: told[name] for name in newest} == newest
    wishes = {wish["source"]: wish for wish in told["wishes"]}
    assert set(wishes) == {"forecast", "load", "cpu", "errors"}
    assert told["wished"] == max(wish["replicas"] or 0 for wish in wishes.values())
    assert wishes["errors"]["why"] == "only vetoes"
    assert told["observation"]["load"]["value"] == wishes["load"]["value"]
    assert [signal["name"] for signal in told["observation"]["signals"]] == ["cpu", "errors"]
    assert told["outlook"]["model"] == "auto (peak)"
    assert told["policy"]["leadTimeSeconds"] == 180.0
    assert told["policy"]["events"][0]["start"] == "2026-11-30T00:00:00Z"


def test_each_rule_that_acted_says_on_what_grounds(client: TestClient) -> None:
    held = listed(client, reason="ScaleDownStabilized", limit=1)[0]
    (change,) = shaped(client.get(f"{API}/decisions/{held['id']}"), Decision)["changes"]
    assert change["reason"] == "ScaleDownStabilized"
    assert change["after"] > change["before"]
    assert change["inputs"] == {"windowSeconds": 300.0}


def test_every_stored_decision_is_told_and_decided_again_the_same(client: TestClient) -> None:
    for one in listed(client, limit=60):
        told = shaped(client.get(f"{API}/decisions/{one['id']}"), Decision)
        again = shaped(client.get(f"{API}/decisions/{one['id']}/replay"), Replay)
        assert (again["same"], again["differences"]) == (True, [])
        assert again["recomputed"]["sentence"] == told["sentence"]
        for part in ("wishes", "wished", "changes", "alerts"):
            assert again["recomputed"][part] == told[part]


def stored(service: WholeService, **changes: Any) -> str:
    """The newest decision of checkout, stored once more with changes; its identifier."""
    number = service.store.decisions(workload="shop/checkout", limit=1).decisions[0].id
    whole = service.store.decision(number)
    assert whole is not None
    found = whole.summary
    made = DecisionMade(
        found.workload,
        new_id(found.at_s),
        found.at_s,
        found.before,
        found.after,
        found.reasons,
        found.sentence,
        {**whole.payload},
        found.outcome,
    )
    made = dataclasses.replace(made, **changes)
    service.store.write([made])
    return made.id


def payload(service: WholeService) -> dict[str, Any]:
    number = service.store.decisions(workload="shop/checkout", limit=1).decisions[0].id
    whole = service.store.decision(number)
    assert whole is not None
    return dict(whole.payload)


def test_a_decision_that_comes_out_differently_names_what_differs(own_service: WholeService) -> None:
    kept = payload(own_service)
    kept["decision"] = {**kept["decision"], "replicas": kept["decision"]["replicas"] + 5}
    number = stored(own_service, payload=kept)
    with own_service.client() as client:
        again = shaped(client.get(f"{API}/decisions/{number}/replay"), Replay)
    assert (again["same"], again["differences"]) == (False, ["replicas"])
    assert again["recomputed"]["replicas"] == kept["decision"]["replicas"] - 5


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"v": VERSION + 1}, "newer release", id="of a newer release"),
        pytest.param({"memory": {"decided_s": "noon"}}, "memory cannot be read", id="damaged"),
    ],
)
def test_a_record_that_cannot_be_read_says_so(
    own_service: WholeService, changes: dict[str, Any], told: str
) -> None:
    number = stored(own_service, payload={**payload(own_service), **changes})
    with own_service.client() as client:
        for path in ("", "/replay"):
            detail = refused(client.get(f"{API}/decisions/{number}{path}"), 409, "NotReplayable")
            assert told in detail
        assert number in [one["id"] for one in listed(client, limit=500)], "it is listed all the same"


def test_the_outcome_of_a_decision_is_not_forgotten_by_what_is_kept(own_service: WholeService) -> None:
    number = stored(own_service, outcome="")
    with own_service.client() as client:
        assert client.get(f"{API}/decisions/{number}").json()["outcome"] == ""
        own_service.store.write([Outcome("shop/checkout", number, "Done")])
        own_service.fleet.look()
        for _ in range(2):
            assert client.get(f"{API}/decisions/{number}").json()["outcome"] == "Done"


@pytest.mark.parametrize("path", ["", "/replay"])
def test_a_decision_that_is_not_there_is_not_found(client: TestClient, path: str) -> None:
    refused(client.get(f"{API}/decisions/{new_id(END_S)}{path}"), 404, "DecisionNotFound")


@pytest.mark.parametrize(
    "number", ["x", "0" * 12, "0" * 14, "8" + "0" * 12, "I" * 13, "%00" * 13, "zzzzzzzzzzzzz"]
)
def test_what_is_no_identifier_is_refused(client: TestClient, number: str) -> None:
    refused(client.get(f"{API}/decisions/{number}"), 422, "InvalidRequest")


def test_who_may_see_one_namespace_sees_only_its_decisions(service: WholeService, client: TestClient) -> None:
    hidden = listed(client, namespace="pay", limit=1)[0]["id"]
    seen = listed(client, namespace="shop", limit=1)[0]["id"]
    with service.client("anna-token") as anna:
        assert {one["namespace"] for one in listed(anna, limit=500)} == {"shop"}
        refused(anna.get(f"{API}/decisions", params={"namespace": "pay"}), 403, "Forbidden")
        for path in ("", "/replay"):
            assert anna.get(f"{API}/decisions/{seen}{path}").status_code == 200
            # Once more when somebody else has seen it, and it is kept.
            assert client.get(f"{API}/decisions/{hidden}{path}").status_code == 200
            there = refused(anna.get(f"{API}/decisions/{hidden}{path}"), 404, "DecisionNotFound")
            number = new_id(END_S)
            nowhere = refused(anna.get(f"{API}/decisions/{number}{path}"), 404, "DecisionNotFound")
            assert there.replace(hidden, number) == nowhere, "whether it exists is not told"
