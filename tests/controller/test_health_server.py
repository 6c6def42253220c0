"""Health and metrics over HTTP."""

from __future__ import annotations

import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from autoscaler.controller.telling.server import HealthServer


@dataclass
class Served:
    server: HealthServer
    dead: str = ""
    unready: str = ""

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.server.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture(scope="module")
def serving() -> Iterator[Served]:
    made: list[Served] = []
    server = HealthServer(
        "127.0.0.1",
        0,
        alive=lambda: made[0].dead,
        ready=lambda: made[0].unready,
        metrics=lambda: b"answer 42.0\n",
    )
    made.append(Served(server))
    server.start()
    yield made[0]
    server.stop()


@pytest.fixture
def served(serving: Served) -> Served:
    serving.dead = serving.unready = ""
    return serving


def test_health_says_ok_while_all_is_well(served: Served) -> None:
    assert served.get("/healthz") == (200, "ok\n")
    assert served.get("/readyz") == (200, "ok\n")


def test_health_fails_with_the_reason_when_no_decision_is_completed(served: Served) -> None:
    served.dead = "no decision was completed for 91 s"
    assert served.get("/healthz") == (503, "no decision was completed for 91 s\n")
    assert served.get("/readyz")[0] == 200


def test_readiness_fails_with_the_reason_and_does_not_get_the_process_killed(served: Served) -> None:
    served.unready = "pods: forbidden"
    assert served.get("/readyz?verbose=1") == (503, "pods: forbidden\n")
    assert served.get("/healthz")[0] == 200


def test_metrics_are_served_whatever_the_health(served: Served) -> None:
    served.dead = served.unready = "x"
    status, text = served.get("/metrics")
    assert status == 200 and "answer 42.0" in text


@pytest.mark.parametrize("path", ["/", "/healthz/x", "/metrics2", "/..%2fetc/passwd"])
def test_nothing_else_is_served(served: Served, path: str) -> None:
    assert served.get(path)[0] == 404


def test_a_client_that_says_nothing_delays_no_probe(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.server.port)):
        began_s = time.monotonic()
        assert served.get("/healthz")[0] == 200
        assert time.monotonic() - began_s < 2.0
