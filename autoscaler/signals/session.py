"""A requests.Session that closes the gaps of a Prometheus client built on top of it.

Every exchange has a total deadline and a cap on bytes; redirects are not followed, so credentials
stay with the host they are meant for; the environment (proxies, .netrc) adds nothing; a body that
is not a success of the Prometheus API, or carries warnings, is seen.
"""

from __future__ import annotations

import contextvars
import random
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.adapters import BaseAdapter

from autoscaler.signals.answer import Body
from autoscaler.signals.credentials import Authorization
from autoscaler.signals.deadline import Watchdog
from autoscaler.signals.failures import Cause, QueryFailed
from autoscaler.signals.judging import MayPass, judged
from autoscaler.signals.settings import ConnectionSettings
from autoscaler.signals.tls import TlsAdapter, TlsFiles, tls_failure

_CHUNK = 64 * 1024
_BACKOFF_S = 0.25


@dataclass(slots=True)
class Exchange:
    """What one question brought besides its result; filled while it is asked."""

    timeout_s: float
    body: Body | None = None


_exchange: contextvars.ContextVar[Exchange | None] = contextvars.ContextVar("exchange", default=None)


@contextmanager
def exchange(timeout_s: float) -> Iterator[Exchange]:
    """Requests of this thread inside the context end within `timeout_s` in all, and report here."""
    current = Exchange(timeout_s)
    token = _exchange.set(current)
    try:
        yield current
    finally:
        _exchange.reset(token)


class _Answered(requests.Response):
    """A success that has been read and parsed."""

    def __init__(self, body: Body, request: requests.PreparedRequest) -> None:
        super().__init__()
        self.status_code = 200
        self.request = request
        self.url = request.url or ""
        self._body = body

    def json(self, **kwargs: Any) -> Any:
        """The parsed document."""
        return self._body.document


class PrometheusSession(requests.Session):
    """Session for one server; `send` returns successes only and raises QueryFailed for all else.

    sleep, uniform: for the pauses between retries (seconds; a number between two bounds).
    """

    def __init__(
        self,
        settings: ConnectionSettings,
        sleep: Callable[[float], None] = time.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        super().__init__()
        self._settings = settings
        self._sleep = sleep
        self._uniform = uniform
        self._authorization = Authorization(settings)
        self._tls = TlsFiles(settings)
        self._guarded = TlsAdapter(self._tls, max_retries=0, pool_maxsize=4)
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.auth = self._authorization
        self.headers.update({"Accept": "application/json", "Accept-Encoding": "gzip"})
        self.headers.update(settings.headers)

    def get_adapter(self, url: str) -> BaseAdapter:
        """The guarded transport, whatever a client has mounted."""
        return self._guarded

    def request(  # type: ignore[override]  # narrowed to how the client calls it
        self, method: str, url: str, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """As requests, but the parameters of a POST travel in its body: queries outgrow URLs."""
        if method.upper() == "POST" and kwargs.get("params") is not None:
            kwargs["data"] = kwargs.pop("params")
        return super().request(method, url, *args, **kwargs)

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: even to look where a redirect leads, requests would read its body without bound."""

    def close(self) -> None:
        """Close all connections."""
        self._guarded.close()
        super().close()

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Ask once, and again where that may help and time is left."""
        current = _exchange.get() or Exchange(self._settings.total_timeout_s)
        with Watchdog(current.timeout_s) as watchdog:
            for attempt in range(self._settings.retries + 1):
                try:
                    current.body = self._attempt(request, watchdog, kwargs)
                    return _Answered(current.body, request)
                except MayPass as passing:
                    pause_s = passing.pause_s or self._uniform(0.0, _BACKOFF_S * 2**attempt)
                    if attempt == self._settings.retries or pause_s >= watchdog.left_s:
                        raise passing.failure from passing
                    self._sleep(pause_s)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _attempt(self, request: requests.PreparedRequest, watchdog: Watchdog, kwargs: dict[str, Any]) -> Body:
        response, raw = self._exchange_once(request, watchdog, kwargs)
        if response.status_code == 401 and self._authorization.renewed(request):
            response, raw = self._exchange_once(request, watchdog, kwargs)
        return judged(response, raw)

    def _exchange_once(
        self, request: requests.PreparedRequest, watchdog: Watchdog, kwargs: dict[str, Any]
    ) -> tuple[requests.Response, bytes]:
        left_s = watchdog.left_s
        timeout = (min(self._settings.connect_timeout_s, left_s), min(self._settings.read_timeout_s, left_s))
        if left_s <= 0.0:
            raise _out_of_time()
        options = kwargs | {"timeout": timeout, "stream": True, "allow_redirects": False, "proxies": {}}
        try:
            response = super().send(request, **options)
            try:
                _refuse_redirect(response)
                raw = _read(response, self._settings.max_bytes)
            finally:
                response.close()
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            if watchdog.expired:
                raise _out_of_time() from error
            if isinstance(error, requests.exceptions.SSLError):
                raise tls_failure(error, self._tls.problem) from error
            raise _connection_failure(error) from error
        if watchdog.expired:
            raise _out_of_time()
        return response, raw


def _out_of_time() -> QueryFailed:
    return QueryFailed(Cause.DEADLINE, "the server did not answer completely within the deadline")


def _connection_failure(error: Exception) -> Exception:
    """Told by kind only: texts of the libraries may repeat what the server sent."""
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return QueryFailed(Cause.DEADLINE, "the server did not answer in time")
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, urllib3.exceptions.NewConnectionError):
        return QueryFailed(Cause.UNREACHABLE, "no connection to the server; check the URL and that it runs")
    if isinstance(error, _BROKEN_OFF):
        return MayPass(QueryFailed(Cause.BROKEN, "the connection broke before the answer was complete"))
    return QueryFailed(Cause.UNREACHABLE, f"no connection to the server ({type(error).__name__})")


_BROKEN_OFF = (
    requests.ConnectionError,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.ProtocolError,
    ConnectionError,
)


def _refuse_redirect(response: requests.Response) -> None:
    status = response.status_code
    if 300 <= status < 400:
        raise QueryFailed(
            Cause.REDIRECTED,
            f"the server redirects (HTTP {status}), which is not followed; give the final URL",
        )


def _read(response: requests.Response, max_bytes: int) -> bytes:
    """The body, decompressed, reading no more than `max_bytes` of it in either form."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise QueryFailed(Cause.BROKEN, "the server answers in a compression that was not asked for")
    stated = response.headers.get("Content-Length", "")
    if stated.isdecimal() and int(stated) > max_bytes:
        raise _too_large(max_bytes)
    unpack = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    parts: list[bytes] = []
    size = received = 0
    while chunk := response.raw.read1(_CHUNK, decode_content=False):
        received += len(chunk)
        part = _unpacked(unpack, chunk, max_bytes - size + 1) if unpack else chunk
        size += len(part)
        if size > max_bytes or received > max_bytes:
            raise _too_large(max_bytes)
        parts.append(part)
    if unpack and received and not unpack.eof:
        raise MayPass(QueryFailed(Cause.BROKEN, "the answer ends early"))
    return b"".join(parts)


def _unpacked(unpack: Any, chunk: bytes, most: int) -> bytes:
    try:
        part: bytes = unpack.decompress(chunk, most)
        return part
    except zlib.error as error:
        raise QueryFailed(Cause.BROKEN, "the answer is damaged (gzip)") from error


def _too_large(max_bytes: int) -> QueryFailed:
    return QueryFailed(
        Cause.TOO_LARGE,
        f"the answer exceeds {max_bytes / 2**20:g} MiB; aggregate in the query or ask for less",
    )
