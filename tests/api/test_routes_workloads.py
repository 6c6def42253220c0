"""Workloads over REST: listed, as a table, one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from answered_shapes import refused, shaped
from filled_store import SCENES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from whole_service import CHECKOUT, WholeService

from autoscaler.api.app import API
from autoscaler.api.shapes.workloads import FleetTable, WorkloadList, WorkloadWithManifest

ALL = {f"{scene.namespace}/{scene.name}" for scene in SCENES}
SHOP = {name for name in ALL if name.startswith("shop/")}


def listed(client: TestClient, **query: Any) -> list[str]:
    answer = shaped(client.get(f"{API}/workloads", params=query), WorkloadList)
    return [f"{item['namespace']}/{item['name']}" for item in answer["items"]]


def test_all_workloads_are_listed_the_worst_first(client: TestClient) -> None:
    answer = shaped(client.get(f"{API}/workloads"), WorkloadList)
    assert {f"{item['namespace']}/{item['name']}" for item in answer["items"]} == ALL
    severities = [item["severity"] for item in answer["items"]]
    assert severities == sorted(severities, reverse=True)
    assert answer["items"][0]["name"] == "search"
    assert "Short" in answer["items"][0]["problems"]
    assert answer["metadata"] == {"continue": "", "remainingItemCount": 0, "outdatedSince": None}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param({"namespace": "shop"}, SHOP, id="a namespace"),
        pytest.param({"namespace": "nowhere"}, set(), id="a namespace without workloads"),
        pytest.param({"mode": "Paused"}, {"batch/reports"}, id="a mode"),
        pytest.param({"problem": "UnhealthySignal"}, {"pay/cards"}, id="a stale signal"),
        pytest.param({"problem": "OverBudget"}, {"shop/cart"}, id="over budget"),
        pytest.param({"problem": "Wasting", "namespace": "media"}, {"media/thumbnails"}, id="wasting"),
        pytest.param({"search": "CaR"}, {"pay/cards", "shop/cart"}, id="a part of a name"),
        pytest.param({"search": "shop/c"}, {"shop/cart", "shop/checkout"}, id="a part of both names"),
        pytest.param({"search": "%"}, set(), id="no wildcard"),
        pytest.param({"labelSelector": "team=="}, set(), id="an empty label"),
        pytest.param({"labelSelector": "team=pay"}, {"pay/cards", "pay/refunds"}, id="a label"),
        pytest.param(
            {"labelSelector": "team!=shop,team notin (pay, media)"}, {"batch/reports"}, id="not labels"
        ),
        pytest.param(
            {"labelSelector": "!predictive-autoscaler.dev/priority"}, {"batch/reports"}, id="without a label"
        ),
        pytest.param(
            {"labelSelector": "app in (cart,cards),team"}, {"pay/cards", "shop/cart"}, id="among labels"
        ),
        pytest.param({"namespace": "pay", "mode": "Active", "search": "a"}, {"pay/cards"}, id="all of it"),
    ],
)
def test_a_filter_leaves_what_fits_it(client: TestClient, query: dict[str, str], expected: set[str]) -> None:
    assert set(listed(client, **query)) == expected


@pytest.mark.parametrize("sort", ["worst", "name", "-load", "-replicas", "-spend"])
@pytest.mark.parametrize("limit", [1, 3, 8])
def test_pages_make_up_the_whole_list(client: TestClient, sort: str, limit: int) -> None:
    whole = listed(client, sort=sort)
    found: list[str] = []
    query: dict[str, Any] = {"sort": sort, "limit": limit}
    while True:
        answer = shaped(client.get(f"{API}/workloads", params=query), WorkloadList)
        found += [f"{item['namespace']}/{item['name']}" for item in answer["items"]]
        assert answer["metadata"]["remainingItemCount"] == len(whole) - len(found)
        if not answer["metadata"]["continue"]:
            break
        query["continue"] = answer["metadata"]["continue"]
    assert found == whole


def test_a_cursor_goes_with_its_question(client: TestClient) -> None:
    following = client.get(f"{API}/workloads", params={"limit": 1}).json()["metadata"]["continue"]
    answer = client.get(f"{API}/workloads", params={"continue": following, "sort": "name"})
    assert "another question" in refused(answer, 400, "InvalidCursor")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": 0}, "query.limit"),
        ({"limit": 501}, "query.limit"),
        ({"namespace": "Shop"}, "query.namespace"),
        ({"namespace": ""}, "query.namespace"),
        ({"mode": "active"}, "query.mode"),
        ({"problem": "Slow"}, "query.problem"),
        ({"sort": "load"}, "query.sort"),
        ({"labelSelector": "team in pay"}, "query.labelSelector"),
        ({"labelSelector": ",,"}, "query.labelSelector"),
        ({"search": "x" * 201}, "query.search"),
        ({"namespcae": "shop"}, "query.namespcae"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(
    client: TestClient, query: dict[str, Any], field: str
) -> None:
    answer = client.get(f"{API}/workloads", params=query)
    refused(answer, 422, "InvalidRequest")
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("selector", ["!!", "team in pay", "team=shop and tier=1", "team=" + "x" * 1000])
def test_what_is_no_selector_is_refused_with_an_example(client: TestClient, selector: str) -> None:
    answer = client.get(f"{API}/workloads", params={"labelSelector": selector})
    assert refused(answer, 422, "InvalidRequest") == (
        "query.labelSelector: must be a label selector such as "
        '"team=payments,tier!=canary,region in (eu,us),!legacy"'
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    query=st.fixed_dictionaries(
        {},
        optional={
            "labelSelector": st.text(max_size=30) | st.from_regex(r"[a-z!]{1,3}(=|!=| in \(|,)[a-z,)]{0,5}"),
            "search": st.text(max_size=10),
            "continue": st.text(max_size=20),
            "namespace": st.text(max_size=5),
        },
    )
)
def test_no_question_is_a_fault_of_ours(client: TestClient, query: dict[str, str]) -> None:
    assert client.get(f"{API}/workloads", params=query).status_code in (200, 400, 422)


def test_the_table_holds_every_workload_once(client: TestClient) -> None:
    columns = shaped(client.get(f"{API}/fleet"), FleetTable)["columns"]
    assert len({len(column) for column in columns.values()}) == 1
    names = {f"{space}/{name}" for space, name in zip(columns["namespace"], columns["name"], strict=True)}
    assert names == ALL
    by_list = {item["name"]: item for item in client.get(f"{API}/workloads").json()["items"]}
    for at, name in enumerate(columns["name"]):
        item = by_list[name]
        assert columns["ready"][at] == item["replicas"]["ready"]
        assert columns["spendToday"][at] == item["spend"]["today"]
        assert columns["problems"][at] == item["problems"]


def test_the_table_is_filtered_as_the_list_is(client: TestClient) -> None:
    answer = client.get(f"{API}/fleet", params={"labelSelector": "team=pay", "search": "refund"})
    assert shaped(answer, FleetTable)["columns"]["name"] == ["refunds"]
    nothing = client.get(f"{API}/fleet", params={"namespace": "nowhere"})
    assert set(map(len, shaped(nothing, FleetTable)["columns"].values())) == {0}


@pytest.mark.parametrize("how", ["parameter", "header"])
def test_the_table_comes_as_csv_for_who_wants_it(client: TestClient, how: str) -> None:
    if how == "parameter":
        answer = client.get(f"{API}/fleet", params={"format": "csv"})
    else:
        answer = client.get(f"{API}/fleet", headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "Accept" in answer.headers["vary"].split(", ")
    assert len(answer.text.splitlines()) == len(ALL) + 1


def test_one_workload_comes_with_its_manifest(client: TestClient) -> None:
    told = shaped(client.get(CHECKOUT), WorkloadWithManifest)
    assert (told["namespace"], told["name"], told["mode"]) == ("shop", "checkout", "Active")
    assert told["manifest"]["kind"] == "PredictiveAutoscaler"
    assert told["manifest"]["spec"]["load"]["perReplica"] == 120


def test_a_workload_that_is_not_there_is_not_found(client: TestClient) -> None:
    detail = refused(client.get(f"{API}/namespaces/shop/workloads/nothing"), 404, "WorkloadNotFound")
    assert detail == "there is no PredictiveAutoscaler shop/nothing"


def test_who_may_see_one_namespace_sees_only_that(service: WholeService) -> None:
    with service.client("anna-token") as anna:
        assert set(listed(anna)) == SHOP
        assert set(shaped(anna.get(f"{API}/fleet"), FleetTable)["columns"]["namespace"]) == {"shop"}
        assert anna.get(f"{API}/namespaces/shop/workloads/checkout").status_code == 200
        for hidden in ("pay/workloads/cards", "pay/workloads/nothing", "nowhere/workloads/x"):
            refused(anna.get(f"{API}/namespaces/{hidden}"), 403, "Forbidden")
        for listing in ("workloads", "fleet"):
            refused(anna.get(f"{API}/{listing}", params={"namespace": "pay"}), 403, "Forbidden")


def test_lists_go_on_from_memory_while_the_store_cannot_be_read(own_service: WholeService) -> None:
    store = own_service.store
    with own_service.client() as client:
        file = store.engine.url.database
        assert file is not None
        store.engine.dispose()
        Path(file).write_bytes(b"this is no database any more" * 100)
        own_service.steady_s += 60.0
        own_service.fleet.look()
        answer = shaped(client.get(f"{API}/workloads"), WorkloadList)
        assert len(answer["items"]) == len(ALL)
        assert answer["metadata"]["outdatedSince"] == "2026-11-27T17:59:40Z"
        detail = refused(client.get(CHECKOUT), 503, "StoreUnavailable")
        assert "database" not in detail
