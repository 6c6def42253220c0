"""Ends an exchange at a fixed moment, however slowly the other side drips.

Socket timeouts start afresh with every byte. So a watchdog shuts the socket down when time is up,
which wakes whoever reads from it.
"""

from __future__ import annotations

import contextlib
import contextvars
import socket
import threading
import time
from types import TracebackType
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.response import HTTPResponse

_watchdog: contextvars.ContextVar[Watchdog | None] = contextvars.ContextVar("watchdog", default=None)


class Watchdog:
    """Context in which the exchange of this thread ends after `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._timer = threading.Timer(max(0.0, seconds), self._expire)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._expired = False

    def __enter__(self) -> Watchdog:
        self._token = _watchdog.set(self)
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _watchdog.reset(self._token)
        self._timer.cancel()
        with self._lock:
            self._socket = None

    @property
    def expired(self) -> bool:
        """Whether time is up."""
        return self._expired or self.left_s <= 0.0

    @property
    def left_s(self) -> float:
        """Seconds that remain, not below 0."""
        return max(0.0, self._ends - time.monotonic())

    def guard(self, connected: socket.socket) -> None:
        """Shut `connected` down when time is up."""
        with self._lock:
            self._socket = connected
            if self._expired:
                self._shut_down()

    def _expire(self) -> None:
        with self._lock:
            self._expired = True
            self._shut_down()

    def _shut_down(self) -> None:
        if self._socket is not None:
            # The base class's method even for TLS: SSLSocket.shutdown would also take the TLS state
            # away from under the reading thread. An error means it is closed already.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _guard(connected: object) -> None:
    watchdog = _watchdog.get()
    if watchdog is not None and isinstance(connected, socket.socket):
        watchdog.guard(connected)


class _GuardedHTTPConnection(HTTPConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 itself narrows it
        _guard(self.sock)
        return super().getresponse()


class _GuardedHTTPSConnection(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 itself narrows it
        _guard(self.sock)
        return super().getresponse()


class _GuardedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _GuardedHTTPConnection


class _GuardedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedHTTPSConnection


class DeadlineAdapter(HTTPAdapter):
    """Transport whose sockets the surrounding `Watchdog` can shut down. Never retries or redirects."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Build the pools out of guarded connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _GuardedHTTPPool, "https": _GuardedHTTPSPool}
