"""Clients that say little, slowly, on as many connections as they get."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import httpx2
import pytest
import uvicorn
from guarded_service import GuardedService

from autoscaler.api.protection.slow_clients import ImpatientProtocol, Room

CONNECTIONS = 100


class _QuicklyImpatient(ImpatientProtocol):
    head_s = 0.5
    taking_s = 0.5
    room = Room(CONNECTIONS)


@contextmanager
def serving(app: Any, send_buffer: int = 0) -> Iterator[int]:
    """An application's port. send_buffer: bytes that the system takes for a client that does not read."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    if send_buffer:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    config = uvicorn.Config(
        app,
        http=_QuicklyImpatient,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_keep_alive=5,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield int(listening.getsockname()[1])
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving(GuardedService(deadline_s="500ms").app) as served_at:
        yield served_at


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
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as client:
        for _ in range(3):
            assert client.get("/healthz").status_code == 200
            time.sleep(0.7)
        kept = client._transport._pool.connections  # type: ignore[attr-defined]  # httpx2 tells nobody
        assert len(kept) == 1


def test_a_stream_goes_on_for_longer(port: int) -> None:
    headers = {"Authorization": "Bearer anna-token"}
    answer = httpx2.get(f"http://127.0.0.1:{port}/api/v1/long-stream", headers=headers)
    assert answer.text.count("data:") == 8


def test_of_more_connections_than_there_is_room_for_the_longest_silent_are_closed(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_QuicklyImpatient, "head_s", 30.0)
    url = f"http://127.0.0.1:{port}/healthz"
    with ExitStack() as stack, httpx2.Client(trust_env=False) as client:
        assert client.get(url).status_code == 200
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            for _ in range(CONNECTIONS + 10)
        ]
        for _ in range(5):
            assert client.get(url).status_code == 200
            assert httpx2.get(url, trust_env=False).status_code == 200
        assert all(is_closed(connection) for connection in silent[:10])
        assert not any(is_closed(connection) for connection in silent[20:])


def is_closed(connection: socket.socket) -> bool:
    connection.settimeout(0.01)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("kind", ["X-More: {}", "X-{}: 1", "GET /{}"])
def test_a_head_without_end_is_refused_however_fast_it_comes(port: int, kind: str) -> None:
    start = b"GET / HTTP/1.1\r\n" if kind.startswith("X") else b""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(start + kind.partition("{")[0].encode())
        sent, answer = 0, b""
        connection.settimeout(5)
        with suppress(ConnectionError):
            while sent < 100 * 2**20:
                sent += connection.send(b"x" * 65_536)
        with suppress(ConnectionError):
            answer = connection.recv(65_536)
    assert sent < 20 * 2**20
    # What was sent and not read may break the connection before the answer is seen.
    assert not answer or answer.startswith(b"HTTP/1.1 431 ")


def test_a_client_that_takes_nothing_of_its_answer_is_let_go() -> None:
    left = threading.Event()

    async def large(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(2**22), "more_body": True})
        await send({"type": "http.response.body", "body": bytes(2**22)})
        left.set()

    with serving(large, send_buffer=4096) as at, socket.socket() as stuck:
        stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.connect(("127.0.0.1", at))
        stuck.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert left.wait(10), "the answer was held up for as long as its reader liked"
        stuck.settimeout(5)
        taken = 0
        with suppress(ConnectionError):
            while chunk := stuck.recv(65_536):
                taken += len(chunk)
    assert taken < 2**22
