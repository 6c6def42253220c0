"""Clients that say little, slowly, on as many connections as they get."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
import uvicorn
from guarded_service import GuardedService

from autoscaler.api.protection.slow_clients import ImpatientProtocol

CONNECTIONS = 100


class _QuicklyImpatient(ImpatientProtocol):
    head_s = 0.5


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    service = GuardedService(deadline_s="500ms")
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    config = uvicorn.Config(
        service.app,
        http=_QuicklyImpatient,
        log_config=None,
        access_log=False,
        lifespan="off",
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=5,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield int(listening.getsockname()[1])
    server.should_exit = True
    thread.join(10)


def open_for_s(port: int, pieces: Iterator[bytes], every_s: float = 0.1) -> tuple[float, bytes]:
    """How long the service bears with what is sent piece by piece, and what it answers."""
    began_at = time.monotonic()
    answer = b""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(every_s)
        while time.monotonic() - began_at < 5:
            try:
                connection.sendall(next(pieces, b""))
                received = connection.recv(65_536)
            except TimeoutError:
                continue
            except OSError:
                break
            answer += received
            if not received:
                break
    return time.monotonic() - began_at, answer


def head(extra: str = "") -> bytes:
    return (
        "POST /api/v1/namespaces/shop/thing HTTP/1.1\r\nHost: service.test\r\n"
        f"Authorization: Bearer anna-token\r\n{extra}"
    ).encode()


def bytewise(text: bytes) -> Iterator[bytes]:
    return (text[index : index + 1] for index in range(len(text)))


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param(lambda: iter(()), id="nothing"),
        pytest.param(lambda: bytewise(head()), id="a byte now and then"),
        pytest.param(lambda: iter([head(), *(b"X-More: 1\r\n" for _ in range(100))]), id="endless headers"),
        pytest.param(lambda: iter([b"\r\n"] * 100), id="empty lines"),
    ],
)
def test_a_connection_on_which_no_request_gets_ready_is_closed(port: int, pieces: object) -> None:
    took_s, answer = open_for_s(port, pieces())  # type: ignore[operator]  # a table of functions
    assert took_s < 2
    assert b"200" not in answer


def test_a_body_that_does_not_arrive_is_given_up_and_its_connection_closed(port: int) -> None:
    pieces = iter([head("Content-Length: 1000\r\n\r\n"), *(b"x" for _ in range(100))])
    took_s, answer = open_for_s(port, pieces)
    assert answer.startswith(b"HTTP/1.1 504 ")
    assert took_s < 3


def test_who_asks_in_time_may_ask_again_on_the_same_connection_later(port: int) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        for _ in range(3):
            assert client.get("/healthz").status_code == 200
            time.sleep(0.7)
        kept = client._transport._pool.connections  # type: ignore[attr-defined]  # httpx tells nobody
        assert len(kept) == 1


def test_a_stream_goes_on_for_longer(port: int) -> None:
    headers = {"Authorization": "Bearer anna-token"}
    answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/long-stream", headers=headers)
    assert answer.text.count("data:") == 8


def test_more_connections_than_are_taken_are_refused_until_the_silent_ones_are_closed(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_QuicklyImpatient, "head_s", 5.0)
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    url = f"http://127.0.0.1:{port}/healthz"
    assert httpx.get(url, trust_env=False).status_code == 503
    for _ in range(100):
        time.sleep(0.2)
        if httpx.get(url, trust_env=False).status_code == 200:
            break
    else:
        pytest.fail("never served again")
    for connection in silent:
        connection.close()
