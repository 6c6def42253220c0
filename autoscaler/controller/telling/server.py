"""Health and metrics over HTTP, from a thread that nothing else waits for.

/healthz: decisions are being completed. /readyz: resources, pods and rivals of some namespace are known.
/metrics.
"""

from __future__ import annotations

import http
import http.server
import threading
from collections.abc import Callable

from prometheus_client.exposition import CONTENT_TYPE_LATEST

_SLOWEST_CLIENT_S = 5.0

Check = Callable[[], str]
"""What is wrong, in words; empty when all is well."""

Exported = Callable[[], bytes]
"""All metrics in Prometheus' text format."""


class HealthServer:
    """Serves until it is stopped. port: as bound, which tells when 0 was asked for."""

    def __init__(self, address: str, port: int, alive: Check, ready: Check, metrics: Exported) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            timeout = _SLOWEST_CLIENT_S
            server_version = "predictive-autoscaler"
            sys_version = ""

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                if path == "/metrics":
                    self._answer(http.HTTPStatus.OK, metrics(), CONTENT_TYPE_LATEST)
                elif path in ("/healthz", "/readyz"):
                    problem = alive() if path == "/healthz" else ready()
                    status = http.HTTPStatus.SERVICE_UNAVAILABLE if problem else http.HTTPStatus.OK
                    self._answer(status, f"{problem or 'ok'}\n".encode(), "text/plain; charset=utf-8")
                else:
                    self._answer(http.HTTPStatus.NOT_FOUND, b"not found\n", "text/plain; charset=utf-8")

            def _answer(self, status: http.HTTPStatus, body: bytes, kind: str) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:
                """Probes every few seconds are not worth a line."""

        self._server = http.server.ThreadingHTTPServer((address, port), Handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(_SLOWEST_CLIENT_S)
