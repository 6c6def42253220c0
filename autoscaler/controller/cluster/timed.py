"""Connections whose whole answer, headers and body, arrives before one moment or not at all.

A socket's own timeout starts afresh with every byte, so a server that drips holds its caller for as
long as it likes. Here each read is given only what is left until the end.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from typing import Any

from urllib3 import HTTPConnectionPool, PoolManager
from urllib3.connection import HTTPConnection
from urllib3.response import HTTPResponse


class _Reading(io.RawIOBase):
    """Reads from a socket until `ends`, a moment of the monotonic clock."""

    def __init__(self, connected: socket.socket, ends: float) -> None:
        self._socket = connected
        self._raw = connected.makefile("rb", buffering=0)
        self._ends = ends

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left_s = self._ends - time.monotonic()
        if left_s <= 0.0:
            raise TimeoutError("the time for the whole answer is over")
        self._socket.settimeout(left_s)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Until:
    """What an HTTP response takes for its socket; of that it only uses `makefile`."""

    def __init__(self, connected: socket.socket, ends: float) -> None:
        self._socket = connected
        self._ends = ends

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reading(self._socket, self._ends))


class _Timed(HTTPConnection):
    """Takes the read timeout, which starts when the request has been sent, as one for the whole answer."""

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 itself narrows it
        ends = time.monotonic() + float(self.timeout or 0.0)

        def until(connected: socket.socket, **options: Any) -> http.client.HTTPResponse:
            return http.client.HTTPResponse(_Until(connected, ends), **options)  # type: ignore[arg-type]  # see _Until

        self.response_class = until  # type: ignore[assignment]  # http.client only calls it
        return super().getresponse()


def time_whole_answers(pools: PoolManager) -> PoolManager:
    """Make `pools` open connections that end a whole exchange within the total of its timeout."""
    pools.pool_classes_by_scheme = {
        scheme: _timed(plain) for scheme, plain in pools.pool_classes_by_scheme.items()
    }
    return pools


def _timed(plain: type[HTTPConnectionPool]) -> type[HTTPConnectionPool]:
    """By mixing in, since there is one kind of pool for each scheme, and others behind a SOCKS proxy."""
    connection = type("TimedConnection", (_Timed, plain.ConnectionCls), {})
    return type("TimedPool", (plain,), {"ConnectionCls": connection})
