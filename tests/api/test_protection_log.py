"""What the log and the metrics tell of requests: enough to work with, and no secret."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import pytest
from guarded_service import GuardedService
from prometheus_client import generate_latest
from structlog.testing import capture_logs

CANARY = "canary-4711"


def lines(told: list[MutableMapping[str, Any]]) -> list[MutableMapping[str, Any]]:
    return [entry for entry in told if entry["event"] == "request"]


def test_a_request_is_one_line_that_says_who_asked_what_kind_of_thing() -> None:
    with GuardedService().client("anna-token") as client, capture_logs() as told:
        answer = client.get("/api/v1/namespaces/shop/thing?a=b")
    (line,) = lines(told)
    assert 0 < line.pop("seconds") < 5
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "GET",
        "route": "/api/v1/namespaces/{namespace}/thing",
        "status": 200,
        "caller": "anna",
        "address": "192.0.2.1",
        "requestId": answer.headers["X-Request-Id"],
    }


@pytest.mark.parametrize(
    ("token", "path", "status", "route", "level"),
    [
        ("anna-token", "/api/v1/none", 404, "-", "info"),
        ("", "/api/v1/whoami", 401, "-", "info"),
        ("anna-token", "/api/v1/namespaces/pay/thing", 403, "/api/v1/namespaces/{namespace}/thing", "info"),
        ("anna-token", "/api/v1/fails", 500, "/api/v1/fails", "warning"),
        ("", "/healthz", 200, "/healthz", "debug"),
    ],
)
def test_refusals_and_faults_are_told_too(token: str, path: str, status: int, route: str, level: str) -> None:
    with GuardedService().client(token) as client, capture_logs() as told:
        client.get(path)
    (line,) = lines(told)
    assert (line["status"], line["route"], line["log_level"]) == (status, route, level)


def test_a_fault_is_told_with_its_traceback_under_the_id_of_the_request() -> None:
    with GuardedService().client("anna-token") as client, capture_logs() as told:
        answer = client.get("/api/v1/fails")
    (fault,) = [entry for entry in told if entry["event"] == "a request failed"]
    assert fault["exc_info"] is True
    assert fault["requestId"] == answer.json()["requestId"]


def test_nothing_that_was_sent_is_in_the_log() -> None:
    with GuardedService().client() as client, capture_logs() as told:
        client.get(f"/api/v1/{CANARY}?token={CANARY}", headers={"Authorization": f"Bearer {CANARY}"})
        client.get(f"/api/v1/whoami?token={CANARY}", headers={"Cookie": f"pa_session={CANARY}"})
        client.post("/login", data={"token": CANARY, "next": f"/{CANARY}"})
        client.get("/login", params={"next": CANARY}, headers={"X-Request-Id": f"{CANARY} {CANARY}"})
        client.request(CANARY, f"/{CANARY}", headers={"User-Agent": CANARY, "Referer": CANARY})
    assert len(lines(told)) == 5
    assert CANARY not in str(told)


def test_requests_are_counted_by_route_and_status_and_paths_make_no_new_series() -> None:
    service = GuardedService()
    with service.client("anna-token") as client, capture_logs():
        for number in range(5):
            client.get(f"/api/v1/namespaces/n{number}/thing")
            client.get(f"/api/v1/none/{number}")
            client.request(f"MADEUP{number}", "/api/v1/whoami")
        client.get("/api/v1/namespaces/shop/thing")
    counts = {
        tuple(sample.labels[name] for name in ("method", "route", "status")): sample.value
        for family in service.metrics.registry.collect()
        for sample in family.samples
        if sample.name == "predictive_autoscaler_service_answer_seconds_count"
    }
    assert counts == {
        ("GET", "/api/v1/namespaces/{namespace}/thing", "200"): 1,
        ("GET", "/api/v1/namespaces/{namespace}/thing", "403"): 5,
        ("GET", "-", "404"): 5,
        ("other", "/api/v1/whoami", "405"): 5,
    }
    exported = generate_latest(service.metrics.registry).decode()
    assert "predictive_autoscaler_service_requests_running 0.0" in exported
