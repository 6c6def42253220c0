"""A local HTTP server in the place of an API server; it answers as a test says: well, badly or not at all."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from autoscaler.controller.cluster.connection import Cluster


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


class Conversation(BaseHTTPRequestHandler):
    """What an answering function is given: the request, and ways to answer it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    asked: Asked

    def log_message(self, format: str, *args: object) -> None:
        """Silence."""

    def setup(self) -> None:
        super().setup()
        self.api.connections += 1

    @property
    def api(self) -> ScriptedAPI:
        assert isinstance(self.server, _Server)
        return self.server.api

    def _serve(self) -> None:
        split = urlsplit(self.path)
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        body = json.loads(raw) if raw else None
        self.asked = Asked(self.command, split.path, query, dict(self.headers.items()), body)
        self.api.asked.append(self.asked)
        try:
            self.api.answer(self)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def begin(self, status: int = 200, **headers: str) -> None:
        """Status line and headers only; an underscore in a header's name stands for a hyphen."""
        self.send_response(status)
        for name, content in headers.items():
            self.send_header(name.replace("_", "-"), content)
        self.end_headers()

    def reply(self, body: bytes, status: int = 200, **headers: str) -> None:
        """A complete answer."""
        self.begin(status, Content_Length=str(len(body)), **headers)
        self.wfile.write(body)

    def json(self, document: object, status: int = 200, **headers: str) -> None:
        """A complete answer with a JSON body."""
        self.reply(json.dumps(document).encode(), status, Content_Type="application/json", **headers)

    def status(self, code: int, reason: str, message: str, **headers: str) -> None:
        """A refusal as the API server words it."""
        self.json(status_object(code, reason, message), code, **headers)

    def stream(self) -> None:
        """Begin a watch."""
        self.begin(200, Transfer_Encoding="chunked", Content_Type="application/json")

    def event(self, kind: str, about: object) -> None:
        """One event of a watch."""
        self.chunk(json.dumps({"type": kind, "object": about}).encode() + b"\n")

    def chunk(self, data: bytes) -> None:
        """Part of a stream."""
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

    def end_stream(self) -> None:
        """The orderly end of a stream."""
        self.wfile.write(b"0\r\n\r\n")

    def reset(self) -> None:
        """Break the connection off."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def hang_up(self) -> None:
        """Close the connection without a word."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def drip(self, piece: bytes = b" ", every_s: float = 0.05) -> None:
        """Go on saying next to nothing until the other side hangs up or the test ends."""
        while not self.api.over.wait(every_s):
            self.wfile.write(piece)

    def say_nothing(self) -> None:
        """Until the test ends."""
        self.api.over.wait(20)
        self.close_connection = True


Answer = Callable[[Conversation], None]


@dataclass
class ScriptedAPI:
    """The server of one test."""

    url: str
    answer: Answer
    folder: Path
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def kubeconfig(self, user: dict[str, Any] | None = None, **server: Any) -> Path:
        """A kubeconfig for this server."""
        path = self.folder / "kubeconfig"
        path.write_text(kubeconfig_text(self.url, user or {"token": "sesame"}, **server), encoding="utf-8")
        return path

    def cluster(self, **how: Any) -> Cluster:
        """A connection to this server."""
        return Cluster.connect(self.kubeconfig(), **how)

    def requests_of(self, method: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.method == method]


def kubeconfig_text(url: str, user: dict[str, Any], **server: Any) -> str:
    """A kubeconfig with one context, `here`, in the namespace `ours`."""
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "ours"}}],
            "clusters": [{"name": "c", "cluster": {"server": url, **server}}],
            "users": [{"name": "u", "user": user}],
        }
    )


def status_object(code: int, reason: str, message: str) -> dict[str, Any]:
    """A Status as the API server sends it."""
    return {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}


def thing(name: str, version: int, namespace: str = "shop", **more: Any) -> dict[str, Any]:
    """A small object."""
    return {"metadata": {"namespace": namespace, "name": name, "resourceVersion": str(version)}, **more}


def listed(version: int, *items: dict[str, Any], following: str = "") -> dict[str, Any]:
    """A page of a list."""
    return {"metadata": {"resourceVersion": str(version), "continue": following}, "items": list(items)}


def eventually(condition: Callable[[], object], timeout_s: float = 20.0) -> bool:
    """Whether `condition` comes to hold in time."""
    ends = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.002)
    return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    api: ScriptedAPI

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what many of these tests are about."""
        if not isinstance(sys.exc_info()[1], OSError | ValueError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # passed on


@contextmanager
def serving(answer: Answer, folder: Path, tls: ssl.SSLContext | None = None) -> Iterator[ScriptedAPI]:
    """A server for one test; files for it go into `folder`."""
    server = _Server(("127.0.0.1", 0), Conversation)
    scheme = "http"
    if tls is not None:
        scheme, server.socket = "https", tls.wrap_socket(server.socket, server_side=True)
    server.api = ScriptedAPI(f"{scheme}://127.0.0.1:{server.server_address[1]}", answer, folder)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)
    thread.start()
    try:
        yield server.api
    finally:
        server.api.over.set()
        server.shutdown()
        server.server_close()
