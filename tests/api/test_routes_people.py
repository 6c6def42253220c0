"""Overrides, known events, the audit and who is calling, over REST."""

from __future__ import annotations

from typing import Any

import pytest
from answered_shapes import refused, shaped
from filled_store import END_S
from starlette.testclient import TestClient
from whole_service import CHECKOUT, NOW_S, WholeService

from autoscaler.api.app import API
from autoscaler.api.shapes.people import AuditList, EventList, Override, OverrideList, WhoAmI
from autoscaler.controller.acting.overrides import ANNOTATION, asked_for

OVERRIDES = f"{CHECKOUT}/overrides"
UNTIL = "2026-11-27T20:00:00Z"
FIXED = {"kind": "Fixed", "replicas": 12, "until": UNTIL, "reason": "load test"}


def asked(client: TestClient, body: dict[str, Any] | None = None) -> dict[str, Any]:
    return shaped(client.post(OVERRIDES, json=FIXED if body is None else body), Override, 201)


def overrides(client: TestClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = shaped(client.get(OVERRIDES), OverrideList)["items"]
    return items


def audit(client: TestClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = shaped(client.get(f"{API}/audit"), AuditList)["items"]
    return items


def test_an_override_is_put_on_the_resource_listed_and_audited(own_service: WholeService) -> None:
    with own_service.client() as client:
        made = asked(client)
        assert made == overrides(client)[0]
        assert (made["state"], made["madeBy"], made["endedAt"]) == ("InForce", "root", None)
        assert own_service.overrides.texts == {"shop/checkout": f"12 until {UNTIL} because load test"}
        (entry,) = audit(client)
        assert (entry["actor"], entry["action"], entry["target"]) == (
            "root",
            "overrides.create",
            "shop/checkout",
        )
        said = {name: made[name] for name in ("kind", "replicas", "from", "until", "reason")}
        assert entry["allowed"] and entry["details"] == {"override": made["id"], **said}


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(FIXED, id="fixed"),
        pytest.param({**FIXED, "replicas": 0}, id="zero"),
        pytest.param({**FIXED, "kind": "Minimum"}, id="minimum"),
        pytest.param({"kind": "Freeze", "until": UNTIL, "reason": "deploying"}, id="freeze"),
        pytest.param({**FIXED, "from": "2026-11-27T19:00:00Z"}, id="later"),
        pytest.param({**FIXED, "until": "2026-11-27T21:30:00+01:00"}, id="another offset"),
        pytest.param({**FIXED, "reason": 'because "until" they said: ≥ 12 …'}, id="any words"),
    ],
)
def test_the_operator_reads_what_was_asked_for(own_service: WholeService, body: dict[str, Any]) -> None:
    with own_service.client() as client:
        made = asked(client, body)
    text = own_service.overrides.texts["shop/checkout"]
    assert text is not None
    read = asked_for({ANNOTATION: text}, NOW_S)
    override = read.override or read.later
    assert override is not None, read.problem
    assert (override.kind, override.replicas, override.reason) == (
        made["kind"],
        made["replicas"],
        made["reason"],
    )
    assert (read.later is not None) == (made["state"] == "Scheduled")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({**FIXED, "replicas": -1}, "replicas", id="negative"),
        pytest.param({**FIXED, "replicas": 1.5}, "replicas", id="a fraction"),
        pytest.param({**FIXED, "replicas": "12"}, "replicas", id="a text"),
        pytest.param({**FIXED, "replicas": True}, "replicas", id="a truth"),
        pytest.param({**FIXED, "until": "later"}, "until", id="no time"),
        pytest.param({**FIXED, "until": 1_795_809_600}, "until", id="a number"),
        pytest.param({**FIXED, "reason": ""}, "reason", id="no reason"),
        pytest.param({**FIXED, "reason": "  "}, "reason", id="blanks"),
        pytest.param({**FIXED, "reason": "two\nlines"}, "reason", id="two lines"),
        pytest.param({**FIXED, "reason": "x" * 201}, "reason", id="a novel"),
        pytest.param({**FIXED, "kind": "Freeze"}, "replicas", id="a frozen count"),
        pytest.param({"kind": "Fixed", "until": UNTIL, "reason": "x"}, "replicas", id="no count"),
        pytest.param({"kind": "Fixed", "replicas": 1, "until": UNTIL}, "reason", id="without a reason"),
        pytest.param({"kind": "Fixed", "replicas": 1, "reason": "x"}, "until", id="without an end"),
        pytest.param({**FIXED, "kind": "Sometimes"}, "body", id="another kind"),
        pytest.param({**FIXED, "who": "me"}, "who", id="another field"),
    ],
)
def test_an_override_that_says_too_little_or_too_much_is_refused(
    client: TestClient, body: dict[str, Any], field: str
) -> None:
    answer = client.post(OVERRIDES, json=body)
    refused(answer, 422, "InvalidRequest")
    assert answer.json()["errors"][0]["field"].endswith(field)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b'"\xff"', b'{"kind": NaN}'])
def test_what_is_no_override_at_all_is_refused(client: TestClient, content: bytes) -> None:
    answer = client.post(OVERRIDES, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "times",
    [
        {"until": "2026-11-27T17:00:00Z"},
        {"until": UNTIL, "from": UNTIL},
        {"until": UNTIL, "from": "2026-11-27T21:00:00Z"},
    ],
)
def test_an_override_that_would_end_before_it_begins_is_refused(
    own_service: WholeService, times: dict[str, str]
) -> None:
    with own_service.client() as client:
        refused(client.post(OVERRIDES, json={**FIXED, **times}), 400, "InvalidRange")
        assert overrides(client) == [] and audit(client) == []
    assert own_service.overrides.texts == {}


def test_a_new_override_ends_the_one_before(own_service: WholeService) -> None:
    with own_service.client() as client:
        first = asked(client)
        own_service.now_s += 60.0
        second = asked(client, {**FIXED, "replicas": 20})
        newest, before = overrides(client)
        assert (newest["id"], newest["state"]) == (second["id"], "InForce")
        assert (before["id"], before["state"]) == (first["id"], "Ended")
        assert before["endedAt"] == "2026-11-27T18:00:40Z"


def test_an_override_ends_by_itself(own_service: WholeService) -> None:
    with own_service.client() as client:
        asked(client)
        own_service.now_s = END_S + 2 * 3600
        (ended,) = overrides(client)
        assert (ended["state"], ended["endedAt"]) == ("Ended", None)


def test_an_override_that_is_taken_back_is_removed_from_the_resource(own_service: WholeService) -> None:
    with own_service.client() as client:
        made = asked(client)
        own_service.now_s += 30.0
        gone = shaped(client.delete(f"{OVERRIDES}/{made['id']}"), Override)
        assert (gone["state"], gone["endedAt"]) == ("Ended", "2026-11-27T18:00:10Z")
        assert own_service.overrides.texts == {"shop/checkout": None}
        assert [entry["action"] for entry in audit(client)] == ["overrides.delete", "overrides.create"]
        own_service.overrides.texts.clear()
        assert shaped(client.delete(f"{OVERRIDES}/{made['id']}"), Override) == gone
        assert own_service.overrides.texts == {}, "one that has ended is not ended again"


def test_taking_an_override_back_leaves_what_somebody_else_has_set_since(own_service: WholeService) -> None:
    with own_service.client() as client:
        made = asked(client)
        own_service.overrides.texts["shop/checkout"] = "freeze until 2026-11-28T00:00:00Z"
        gone = shaped(client.delete(f"{OVERRIDES}/{made['id']}"), Override)
        assert gone["state"] == "Ended"
        assert own_service.overrides.texts == {"shop/checkout": "freeze until 2026-11-28T00:00:00Z"}


def test_what_the_cluster_refuses_is_not_in_force(own_service: WholeService) -> None:
    with own_service.client() as client:
        first = asked(client)
        own_service.overrides.refusal = "the API server did not take the change (Forbidden)"
        assert "Forbidden" in refused(client.post(OVERRIDES, json=FIXED), 409, "OverrideRefused")
        failed, before = overrides(client)
        assert (before["id"], before["state"]) == (first["id"], "InForce")
        assert failed["state"] == "Ended"
        refused(client.delete(f"{OVERRIDES}/{first['id']}"), 409, "OverrideRefused")
        assert overrides(client)[1]["state"] == "InForce"
        assert [entry["allowed"] for entry in audit(client)] == [True, False, True, True]


def test_overrides_come_by_pages(own_service: WholeService) -> None:
    with own_service.client() as client:
        made = [asked(client, {**FIXED, "replicas": count})["id"] for count in range(5)]
        first = shaped(client.get(OVERRIDES, params={"limit": 3}), OverrideList)
        query = {"limit": 3, "continue": first["metadata"]["continue"]}
        second = shaped(client.get(OVERRIDES, params=query), OverrideList)
        assert [one["id"] for one in first["items"] + second["items"]] == made[::-1]
        assert second["metadata"]["continue"] == ""


def test_the_same_request_twice_makes_one_override(own_service: WholeService) -> None:
    with own_service.client() as client:
        headers = {"Idempotency-Key": "7f1c"}
        answers = [client.post(OVERRIDES, json=FIXED, headers=headers) for _ in range(2)]
        assert answers[0].json() == answers[1].json()
        assert answers[0].headers["location"] == f"{OVERRIDES}/{answers[0].json()['id']}"
        assert len(overrides(client)) == 1


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", f"{API}/namespaces/shop/workloads/nothing/overrides", 404, "WorkloadNotFound"),
        ("GET", f"{API}/namespaces/shop/workloads/nothing/overrides", 404, "WorkloadNotFound"),
        ("DELETE", f"{OVERRIDES}/0000000000000", 404, "OverrideNotFound"),
        ("DELETE", f"{OVERRIDES}/7zzzzzzzzzzzz", 404, "OverrideNotFound"),
        ("DELETE", f"{OVERRIDES}/nothing", 422, "InvalidRequest"),
        ("PUT", OVERRIDES, 405, "MethodNotAllowed"),
    ],
)
def test_what_is_not_there_cannot_be_changed(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    refused(client.request(method, path, json=FIXED if method == "POST" else None), status, code)


def test_an_override_of_another_workload_is_not_found_under_this_one(own_service: WholeService) -> None:
    with own_service.client() as client:
        made = asked(client)
        there = f"{API}/namespaces/pay/workloads/cards/overrides/{made['id']}"
        refused(client.delete(there), 404, "OverrideNotFound")


def test_who_may_only_read_changes_nothing_and_the_audit_tells(own_service: WholeService) -> None:
    access = own_service.access
    access.rights = {("anna", "read", "shop"), ("root", "write", ""), ("root", "read", "")}
    with own_service.client("anna-token") as anna, own_service.client() as root:
        made = asked(root)
        refused(anna.post(OVERRIDES, json=FIXED), 403, "Forbidden")
        refused(anna.delete(f"{OVERRIDES}/{made['id']}"), 403, "Forbidden")
        assert overrides(anna) == overrides(root)
        assert audit(anna) == [], "the audit is for who may write"
        tried = [(entry["actor"], entry["action"], entry["allowed"]) for entry in audit(root)]
        assert tried[:2] == [("anna", "overrides.delete", False), ("anna", "overrides.create", False)]


def test_the_audit_comes_by_pages_and_only_of_what_the_caller_may_change(own_service: WholeService) -> None:
    with own_service.client() as root, own_service.client("anna-token") as anna:
        for count in range(4):
            asked(root, {**FIXED, "replicas": count})
        cards = f"{API}/namespaces/pay/workloads/cards/overrides"
        assert root.post(cards, json=FIXED).status_code == 201
        assert len(audit(root)) == 5
        assert {entry["target"] for entry in audit(anna)} == {"shop/checkout"}
        first = shaped(root.get(f"{API}/audit", params={"limit": 2}), AuditList)
        query = {"limit": 500, "continue": first["metadata"]["continue"]}
        rest = root.get(f"{API}/audit", params=query)
        refused(root.get(f"{API}/decisions", params={"continue": query["continue"]}), 400, "InvalidCursor")
        assert first["items"] + shaped(rest, AuditList)["items"] == audit(root)


def events(client: TestClient, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = shaped(client.get(f"{API}/events", params=query), EventList)["items"]
    return items


def test_events_that_are_to_come_are_listed(client: TestClient) -> None:
    assert {(one["namespace"], one["workload"]) for one in events(client, namespace="pay")} == {
        ("pay", "cards"),
        ("pay", "refunds"),
    }
    assert events(client)[0]["name"] == "cyber-monday"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"start": "2026-11-30T23:59:59Z"}, True),
        ({"start": "2026-12-01T00:00:00Z"}, False),
        ({"end": "2026-11-30T00:00:00Z"}, False),
        ({"end": "2026-11-30T00:00:01Z"}, True),
        ({"start": "2026-11-01T00:00:00Z", "end": "2026-11-02T00:00:00Z"}, False),
    ],
)
def test_events_that_touch_a_range_are_listed(client: TestClient, query: dict[str, str], found: bool) -> None:
    assert bool(events(client, **query)) == found


def test_events_come_by_pages(client: TestClient) -> None:
    whole, found = events(client), []
    query: dict[str, Any] = {"limit": 3}
    while True:
        answer = shaped(client.get(f"{API}/events", params=query), EventList)
        found += answer["items"]
        assert answer["metadata"]["remainingItemCount"] == len(whole) - len(found)
        if not answer["metadata"]["continue"]:
            break
        query["continue"] = answer["metadata"]["continue"]
    assert found == whole


def test_who_calls_is_told_who_they_are_and_what_they_may(service: WholeService) -> None:
    with service.client() as root, service.client("anna-token") as anna:
        assert shaped(root.get(f"{API}/whoami"), WhoAmI)["may"] == {"read": ["*"], "write": ["*"]}
        told = shaped(anna.get(f"{API}/whoami"), WhoAmI)
        assert told == {
            "name": "anna",
            "groups": ["shop-team"],
            "namespaces": ["shop"],
            "may": {"read": ["shop"], "write": ["shop"]},
        }
        assert {one["namespace"] for one in events(anna)} == {"shop"}


def test_nobody_is_told_anything_while_it_is_unknown_who_may_what(own_service: WholeService) -> None:
    with own_service.client() as client:
        own_service.access.is_away = True
        for path in ("whoami", "audit", "workloads", "decisions", "events", "spend"):
            refused(client.get(f"{API}/{path}"), 503, "AccessUnavailable")
