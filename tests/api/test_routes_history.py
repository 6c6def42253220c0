"""A workload's history over REST: series, forecasts as made, accuracy."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from answered_shapes import refused, shaped
from filled_store import END_S
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from whole_service import CHECKOUT, WholeService, service_over

from autoscaler.api.app import API
from autoscaler.api.shapes.series import Accuracy, Forecast, ForecastList, SeriesTable
from autoscaler.store.pruning import Retention
from autoscaler.store.rows import Observed

HOUR_S = 3600.0
GONE = f"{API}/namespaces/shop/workloads/gone"


def series(client: TestClient, **query: Any) -> dict[str, Any]:
    return shaped(client.get(f"{CHECKOUT}/series", params=query), SeriesTable)


def forecasts(client: TestClient, **query: Any) -> dict[str, Any]:
    return shaped(client.get(f"{CHECKOUT}/forecasts", params=query), ForecastList)


def test_a_day_by_the_minute_is_shown_if_nothing_else_is_asked(client: TestClient) -> None:
    told = series(client)
    assert told["metadata"] == {
        "stepSeconds": 60,
        "leadTimeSeconds": 180.0,
        "perReplica": 120.0,
        "quantile": 0.95,
    }
    columns = told["columns"]
    assert len({len(column) for column in columns.values()}) == 1
    assert columns["timestamp"][-1] == END_S - 60
    assert len(columns["timestamp"]) == 1440
    known = [load for load in columns["load"] if load is not None]
    assert len(known) == 360, "a quarter of a day was recorded"
    last = {name: column[-1] for name, column in columns.items()}
    assert last["needed"] == -(-last["load"] // 120)
    assert last["p50"] < last["p95"] == last["stated"]


def test_a_row_holds_what_was_observed_then(client: TestClient, service: WholeService) -> None:
    columns = series(client, start=END_S - HOUR_S, end=END_S)["columns"]
    observed = service.store.observations("shop/checkout", END_S - HOUR_S, END_S)
    assert len(observed) == len(columns["timestamp"]) == 60
    for at, one in enumerate(observed):
        assert columns["timestamp"][at] == one.at_s // 60 * 60
        assert columns["load"][at] == pytest.approx(one.load, rel=1e-5)
        assert (columns["ready"][at], columns["asked"][at]) == (one.ready, one.asked)


def test_the_forecast_of_a_row_was_made_one_lead_time_before(client: TestClient) -> None:
    made_at_s = END_S - HOUR_S
    answer = client.get(f"{CHECKOUT}/forecasts/{made_at_s:.0f}")
    forecast = shaped(answer, Forecast)
    columns = series(client, start=made_at_s + 180, end=made_at_s + 480)["columns"]
    assert columns["p95"] == [forecast["columns"]["peak0.95"][2]] * 5
    assert columns["p50"] == [forecast["columns"]["peak0.5"][2]] * 5


@pytest.mark.parametrize(
    ("query", "step_s", "rows"),
    [
        ({"step": "5m"}, 300, 12),
        ({"step": "300"}, 300, 12),
        ({"step": "90s"}, 90, 40),
        ({"step": "1h"}, 3600, 1),
        ({"step": "15"}, 15, 240),
    ],
)
def test_a_step_may_be_chosen(client: TestClient, query: dict[str, str], step_s: int, rows: int) -> None:
    told = series(client, start=END_S - HOUR_S, end=END_S, **query)
    assert told["metadata"]["stepSeconds"] == step_s
    assert len(told["columns"]["timestamp"]) == rows
    assert None not in told["columns"]["load"]


def test_start_is_included_and_end_is_not(client: TestClient) -> None:
    stamps = series(client, start="2026-11-27T17:00:00Z", end="2026-11-27T18:02:00+01:00")["columns"][
        "timestamp"
    ]
    assert (stamps[0], stamps[-1]) == (END_S - HOUR_S, END_S - HOUR_S + 60)


def test_hours_are_answered_where_the_range_begins_when_minutes_are_kept_no_more(
    a_quarter: Path, tmp_path: Path
) -> None:
    with service_over(shutil.copy(a_quarter, tmp_path / "store.db")) as service, service.client() as client:
        assert series(client, start=END_S - 4 * HOUR_S)["metadata"]["stepSeconds"] == 60
        while service.store.prune(Retention(observations_s=2 * HOUR_S, max_bytes=None), END_S).more:
            pass
        told = series(client, start=END_S - 5 * HOUR_S)
        assert told["metadata"]["stepSeconds"] == 3600
        assert len(told["columns"]["load"]) == 5 and None not in told["columns"]["load"]
        assert series(client, start=END_S - HOUR_S)["metadata"]["stepSeconds"] == 60


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"start": END_S, "end": END_S - 1}, "InvalidRange"),
        ({"start": END_S + 86_400}, "InvalidRange"),
        ({"start": END_S - 86_400, "step": "1s"}, "TooManyPoints"),
        ({"start": 0, "step": "1m"}, "TooManyPoints"),
    ],
)
def test_a_range_that_cannot_be_shown_is_refused(
    client: TestClient, query: dict[str, Any], code: str
) -> None:
    refused(client.get(f"{CHECKOUT}/series", params=query), 400, code)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("series", {"step": "0"}),
        ("series", {"start": "yesterday"}),
        ("series", {"format": "xml"}),
        ("series", {"from": "1"}),
        ("forecasts", {"limit": "no"}),
        ("forecasts/soon", {}),
        ("accuracy", {"end": ""}),
    ],
)
def test_what_is_no_time_or_step_is_refused(client: TestClient, path: str, query: dict[str, Any]) -> None:
    refused(client.get(f"{CHECKOUT}/{path}", params=query), 422, "InvalidRequest")


def test_a_series_comes_as_csv_with_the_same_columns(client: TestClient) -> None:
    query = {"start": END_S - 300, "end": END_S}
    columns = series(client, **query)["columns"]
    answer = client.get(f"{CHECKOUT}/series", params={**query, "format": "csv"})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert list(rows[0]) == list(columns)
    assert [float(row["load"]) for row in rows] == columns["load"]
    assert rows[0]["timestamp"] == "2026-11-27T17:55:00Z"


def test_the_history_of_a_workload_that_is_gone_is_still_there(own_service: WholeService) -> None:
    own_service.store.write([Observed("shop/gone", END_S - 600, 500.0, 5, 6)])
    with own_service.client() as client:
        told = shaped(client.get(f"{GONE}/series"), SeriesTable)
        assert 500.0 in told["columns"]["load"]
        assert set(told["columns"]["needed"]) == {None}, "what one replica served is not known any more"


@pytest.mark.parametrize(
    "path", ["series", "forecasts", "forecasts/latest", "forecasts/5", "accuracy", "spend"]
)
def test_a_workload_that_never_was_has_no_history(client: TestClient, path: str) -> None:
    refused(client.get(f"{GONE}/{path}"), 404, "WorkloadNotFound")


def test_forecasts_are_listed_newest_first_and_by_pages(client: TestClient) -> None:
    whole = forecasts(client, limit=500)["items"]
    assert len(whole) == 72
    assert [one["madeAt"] for one in whole] == sorted((one["madeAt"] for one in whole), reverse=True)
    found: list[Any] = []
    query: dict[str, Any] = {"limit": 25}
    while True:
        answer = forecasts(client, **query)
        found += answer["items"]
        if not answer["metadata"]["continue"]:
            break
        query["continue"] = answer["metadata"]["continue"]
    assert found == whole


def test_forecasts_of_a_range_are_listed(client: TestClient) -> None:
    found = forecasts(client, start="2026-11-27T17:00:00Z", end="2026-11-27T17:10:00Z")["items"]
    assert [one["madeAt"] for one in found] == ["2026-11-27T17:05:00Z", "2026-11-27T17:00:00Z"]


def test_the_newest_forecast_reaches_into_the_future(client: TestClient) -> None:
    told = shaped(client.get(f"{CHECKOUT}/forecasts/latest"), Forecast)
    assert told["madeAt"] == "2026-11-27T17:55:00Z"
    assert (told["leadSeconds"], told["stepSeconds"]) == (180.0, 60.0)
    columns = told["columns"]
    assert set(columns) == {"timestamp", "actual"} | {
        f"{kind}{level:g}" for kind in ("q", "peak") for level in told["levels"]
    }
    assert columns["timestamp"][0] == END_S - 240
    assert columns["actual"][:4].count(None) == 0
    assert set(columns["actual"][6:]) == {None}, "nobody has seen that yet"
    for low, high in zip(columns["q0.5"], columns["q0.95"], strict=True):
        assert low <= high


def test_an_old_forecast_is_shown_against_what_came(client: TestClient) -> None:
    told = shaped(client.get(f"{CHECKOUT}/forecasts/2026-11-27T17:04:59Z"), Forecast)
    assert told["madeAt"] == "2026-11-27T17:00:00Z", "the newest made by then"
    assert None not in told["columns"]["actual"]


def test_before_the_first_forecast_there_was_none(client: TestClient) -> None:
    refused(client.get(f"{CHECKOUT}/forecasts/2026-01-01T00:00:00Z"), 404, "ForecastNotFound")


def test_a_forecast_comes_as_csv(client: TestClient) -> None:
    answer = client.get(f"{CHECKOUT}/forecasts/latest", headers={"Accept": "text/csv"})
    assert answer.text.splitlines()[0].startswith("timestamp,q0.05,")


def test_accuracy_tells_how_often_what_was_stated_held(client: TestClient) -> None:
    told = shaped(client.get(f"{CHECKOUT}/accuracy"), Accuracy)
    assert told["forecasts"] == 72
    assert 70 <= told["judged"] <= 72
    assert told["leadSeconds"] == 180.0
    by_level = {one["level"]: one["observed"] for one in told["coverage"]}
    assert by_level[0.95] > 0.85 > by_level[0.5] > by_level[0.05]
    assert told["window"]["end"] == "2026-11-27T17:59:40Z"


def test_accuracy_of_a_time_without_forecasts_is_unknown(client: TestClient) -> None:
    answer = client.get(f"{CHECKOUT}/accuracy", params={"end": "2026-11-01T00:00:00Z"})
    told = shaped(answer, Accuracy)
    assert (told["forecasts"], told["judged"], told["wape"], told["coverage"]) == (0, 0, None, [])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    start=st.none() | st.integers(0, 2**40).map(str) | st.text(max_size=12),
    end=st.none()
    | st.integers(0, 2**40).map(str)
    | st.datetimes().map(lambda moment: f"{moment.isoformat()}Z"),
    step=st.none() | st.sampled_from(["1s", "5m", "1h", "1d", "999d"]) | st.text(max_size=6),
)
def test_no_range_is_a_fault_of_ours(client: TestClient, **query: str | None) -> None:
    asked = {name: value for name, value in query.items() if value is not None}
    answer = client.get(f"{CHECKOUT}/series", params=asked)
    assert answer.status_code in (200, 400, 422)


def test_who_may_not_see_the_namespace_sees_no_history(service: WholeService) -> None:
    with service.client("anna-token") as anna:
        for path in (
            "series",
            "forecasts",
            "forecasts/latest",
            "forecasts/5",
            "accuracy",
            "spend",
            "overrides",
        ):
            refused(anna.get(f"{API}/namespaces/pay/workloads/cards/{path}"), 403, "Forbidden")
            assert anna.get(f"{CHECKOUT}/{path}").status_code in (200, 404)
