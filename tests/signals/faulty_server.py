"""A local HTTP server that answers as a test says: well, badly, slowly, or not at all."""

from __future__ import annotations

import json
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    parameters: dict[str, str]
    headers: dict[str, str]


class Conversation(BaseHTTPRequestHandler):
    """What an answering function is given: the request, and ways to answer it well or badly."""

    protocol_version = "HTTP/1.1"
    asked: Asked

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""

    def _serve(self) -> None:
        split = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        parameters = {name: values[0] for name, values in parse_qs(split.query + "&" + body).items()}
        self.asked = Asked(self.command, split.path, parameters, dict(self.headers.items()))
        server = self.server
        assert isinstance(server, _Server)
        server.faulty.asked.append(self.asked)
        try:
            server.faulty.answer(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_POST = _serve

    def reply(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """A complete answer."""
        self.begin(status, {"Content-Length": str(len(body))} | (headers or {}))
        self.wfile.write(body)

    def reply_json(self, document: object, status: int = 200) -> None:
        """A complete answer with a JSON body."""
        self.reply(json.dumps(document).encode(), status, {"Content-Type": "application/json"})

    def reply_error(self, status: int, kind: str, text: str = "secret upstream text") -> None:
        """An error as Prometheus gives it."""
        self.reply_json({"status": "error", "errorType": kind, "error": text}, status)

    def reply_matrix(self, *series: list[tuple[float, str]], **more: object) -> None:
        """A range answer."""
        result = [{"metric": {"n": str(n)}, "values": values} for n, values in enumerate(series)]
        self.reply_json({"status": "success", "data": {"resultType": "matrix", "result": result}, **more})

    def reply_steps(self, value: Callable[[float], float] = float, **more: object) -> None:
        """A range answer with `value(time)` at every step asked for."""
        start, end = float(self.asked.parameters["start"]), float(self.asked.parameters["end"])
        times = np.arange(start, end + 0.5, float(self.asked.parameters["step"]))
        self.reply_matrix([(t, repr(value(t))) for t in times], **more)

    def begin(self, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Status line and headers only."""
        self.send_response(status)
        for name, content in (headers or {}).items():
            self.send_header(name, content)
        self.end_headers()

    def wait_until_closed(self) -> None:
        """Say nothing more until the other side hangs up or the test ends."""
        server = self.server
        assert isinstance(server, _Server)
        server.faulty.over.wait(20)
        self.close_connection = True


Answer = Callable[[Conversation], None]


@dataclass
class FaultyServer:
    """A local HTTP server that answers as the test says."""

    url: str
    answer: Answer
    asked: list[Asked] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    faulty: FaultyServer

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what many of these tests are about."""
        if not isinstance(sys.exc_info()[1], ConnectionError | ssl.SSLError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # passed on


@contextmanager
def serving(answer: Answer, tls: ssl.SSLContext | None = None) -> Iterator[FaultyServer]:
    """A server for one test."""
    server = _Server(("127.0.0.1", 0), Conversation)
    scheme = "http"
    if tls is not None:
        scheme, server.socket = "https", tls.wrap_socket(server.socket, server_side=True)
    server.faulty = FaultyServer(f"{scheme}://127.0.0.1:{server.server_address[1]}", answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.faulty
    finally:
        server.faulty.over.set()
        server.shutdown()
        server.server_close()
