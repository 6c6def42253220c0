"""An HTTP proxy that misbehaves request by request, before a real API server or a real Prometheus.

`tcp_proxy.py` breaks connections; this one knows what is asked, so a test can lose the answer to one
particular write, refuse the next three reads, or change something just before a request arrives.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from processes import free_port

_CHUNK_BYTES = 65_536
_UPSTREAM_S = 400.0
_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in. at_s: monotonic seconds. client: whom its certificate names."""

    at_s: float
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    client: str = ""

    @property
    def path(self) -> str:
        """Without the query."""
        return self.target.partition("?")[0]

    @property
    def watching(self) -> bool:
        """Whether it is a watch of the API server."""
        return "watch=true" in self.target


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and the status it was answered with; 0 where the answer was lost or never came."""

    asked: Asked
    status: int


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answered by the proxy; the server never sees it."""

    status: int
    body: bytes = b"<html>broken</html>"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class LoseAnswer:
    """Carried out by the server; the connection breaks before the answer."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Not passed on, and not answered, until the proxy is healed; then broken off."""


@dataclass(frozen=True, slots=True)
class Late:
    """Passed on after `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Passed on to another server."""

    target_url: str


@dataclass(frozen=True, slots=True)
class First:
    """Passed on after `work` was done."""

    work: Callable[[], object]


Fault = Refuse | LoseAnswer | Hold | Late | Elsewhere | First
Rule = Callable[[Asked], Fault | None]
"""What is to go wrong with a request, None for nothing."""


def every(fault: Fault, method: str = "", ending: str = "", times: int = 1_000_000) -> Rule:
    """The rule for the next `times` requests with this method whose path ends so; empty for any."""
    left = [times]
    lock = threading.Lock()

    def rule(asked: Asked) -> Fault | None:
        if (method and asked.method != method) or not asked.path.endswith(ending):
            return None
        with lock:
            if not left[0]:
                return None
            left[0] -= 1
            return fault

    return rule


class HttpProxy:
    """Listens on loopback and passes requests on to `target_url`; starts on entering, ends on leaving.

    rule: decides what goes wrong, set it any time; `heal` takes it away. frozen: while it says so of a
    stream, nothing of it passes on. ca_file: to trust an https target by. serving: certificate and
    key to be shown, both may be exchanged with `show`. clients: to let in only whom these authorities
    signed. exchanges: all that was answered, in order.
    """

    def __init__(
        self,
        target_url: str,
        ca_file: Path | None = None,
        serving: tuple[Path, Path] | None = None,
        clients: Path | None = None,
    ) -> None:
        self._target = _address(target_url)
        self._trust = ssl.create_default_context(cafile=str(ca_file)) if ca_file else None
        self._shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if serving else None
        if serving:
            self.show(*serving)
        if self._shown and clients:
            self._shown.load_verify_locations(clients)
            self._shown.verify_mode = ssl.CERT_REQUIRED
        self._port = free_port()
        self.url = f"{'https' if serving else 'http'}://127.0.0.1:{self._port}"
        self.rule: Rule = lambda asked: None
        self.frozen: Callable[[Asked], bool] = lambda asked: False
        self.exchanges: list[Exchange] = []
        self._healed = threading.Event()
        self._closed = threading.Event()

    def __enter__(self) -> HttpProxy:
        proxy = self

        class Handler(_Handler):
            def handle_asked(self, asked: Asked) -> None:
                proxy._handle(self, asked)

        self._server = _Server(("127.0.0.1", self._port), Handler, self._shown)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        self.heal()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def heal(self) -> None:
        """Pass everything on again; what was held is broken off."""
        self.rule = lambda asked: None
        self.frozen = lambda asked: False
        healed, self._healed = self._healed, threading.Event()
        healed.set()

    def show(self, certificate: Path, key: Path) -> None:
        """Show another certificate from the next connection on."""
        assert self._shown is not None, "only a proxy that serves TLS shows a certificate"
        self._shown.load_cert_chain(certificate, key)

    def break_connections(self) -> None:
        """Reset whatever is open, so that clients have to connect anew."""
        self._server.break_connections()

    def answered(self, method: str, ending: str = "") -> list[Exchange]:
        """Exchanges with this method whose path ends so."""
        return [e for e in self.exchanges if e.asked.method == method and e.asked.path.endswith(ending)]

    def _handle(self, handler: _Handler, asked: Asked) -> None:
        fault = self.rule(asked)
        status = 0
        try:
            match fault:
                case Refuse():
                    status = fault.status
                    handler.answer(fault.status, list(fault.headers), fault.body)
                    return
                case Hold():
                    self._healed.wait()
                    handler.break_off()
                    return
                case Late():
                    self._closed.wait(fault.seconds)
                case First():
                    fault.work()
            target = _address(fault.target_url) if isinstance(fault, Elsewhere) else self._target
            status = self._pass_on(handler, asked, target, lose=isinstance(fault, LoseAnswer))
        except (OSError, http.client.HTTPException):
            handler.break_off()
        finally:
            self.exchanges.append(Exchange(asked, status))

    def _pass_on(self, handler: _Handler, asked: Asked, target: tuple[str, int], *, lose: bool) -> int:
        host, port = target
        upstream = (
            http.client.HTTPSConnection(host, port, timeout=_UPSTREAM_S, context=self._trust)
            if self._trust
            else http.client.HTTPConnection(host, port, timeout=_UPSTREAM_S)
        )
        try:
            headers = {k: v for k, v in asked.headers.items() if k.lower() not in _HOP_BY_HOP}
            upstream.request(asked.method, asked.target, asked.body or None, headers)
            response = upstream.getresponse()
            kept = [(k, v) for k, v in response.getheaders() if k.lower() not in _HOP_BY_HOP]
            if asked.watching and response.status == 200:
                self._stream(handler, asked, response, kept)
                return response.status
            body = response.read()
            if lose:
                handler.break_off()
                return 0
            handler.answer(response.status, kept, body)
            return response.status
        finally:
            upstream.close()

    def _stream(
        self,
        handler: _Handler,
        asked: Asked,
        response: http.client.HTTPResponse,
        headers: list[tuple[str, str]],
    ) -> None:
        handler.begin(response.status, [*headers, ("Transfer-Encoding", "chunked")])
        while data := response.read1(_CHUNK_BYTES):
            while self.frozen(asked) and not self._closed.is_set():
                time.sleep(0.05)
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        handler.wfile.write(b"0\r\n\r\n")


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname and parts.port, f"a URL with a port, not {url}"
    return parts.hostname, parts.port


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Otherwise headers and body of an answer wait for each other's acknowledgement.
    disable_nagle_algorithm = True

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = dict(self.headers.items())
        self.handle_asked(Asked(time.monotonic(), self.command, self.path, headers, body, self._client()))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

    def _client(self) -> str:
        told = self.connection.getpeercert() if isinstance(self.connection, ssl.SSLSocket) else None
        names: Any = (told or {}).get("subjectAltName", ())
        return str(names[0][1]) if names else ""

    def handle_asked(self, asked: Asked) -> None:
        raise NotImplementedError

    def begin(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.begin(status, [*headers, ("Content-Length", str(len(body)))])
        self.wfile.write(body)

    def break_off(self) -> None:
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the other side was faster

    def log_message(self, format: str, *arguments: object) -> None:
        """Tests read `exchanges`."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], handler: type[_Handler], shown: ssl.SSLContext | None
    ) -> None:
        super().__init__(address, handler)
        self._shown = shown
        self._open: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def break_connections(self) -> None:
        for connection in list(self._open):
            # What is closed already needs no breaking.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def get_request(self) -> tuple[socket.socket, object]:
        connection, peer = super().get_request()
        if self._shown is not None:
            # The handshake happens at the first read, in the thread of the connection.
            connection = self._shown.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._open.add(connection)
        return connection, peer

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are what tests are about."""
