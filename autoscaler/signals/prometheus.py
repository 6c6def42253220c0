"""One Prometheus server: ranges and present values, every outcome typed.

Built on prometheus-api-client; what that leaves open (deadlines, size, redirects, warnings, error
bodies, rotating credentials) is closed by the session below it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType

import numpy as np
from prometheus_api_client.prometheus_connect import PrometheusConnect

from autoscaler.series import Reading, Series
from autoscaler.signals.answer import MalformedAnswer, matrix, vector
from autoscaler.signals.errors import InputError
from autoscaler.signals.history import Chunk, History, Span, read_history, usable_series
from autoscaler.signals.instant import Instant, InstantQuery, InstantReader
from autoscaler.signals.server_clock import ServerClock
from autoscaler.signals.session import PrometheusSession, exchange
from autoscaler.signals.settings import ConnectionSettings, settings_from_environment

_SERVER_SHARE = 0.8
"""Part of our deadline after which the server is to give up by itself, so that its reason reaches us."""

_TIME_TIMEOUT_S = 2.0
_MOST_CHARACTERS = {"POST": 64_000, "GET": 3_000}
"""What a shared query may hold: request bodies are long, URLs are not."""


class Prometheus:
    """Reads from one server, for one thread at a time. Usable as a context manager; close it otherwise.

    session: for tests; by default one is made from `settings`.
    """

    def __init__(self, settings: ConnectionSettings, session: PrometheusSession | None = None) -> None:
        self._settings = settings
        self._session = session or PrometheusSession(settings)
        self._connect = PrometheusConnect(url=settings.url, session=self._session, method=settings.method)
        self._instant = InstantReader(self._ask_instant, _MOST_CHARACTERS[settings.method])
        self._clock = ServerClock(self._ask_time)

    @classmethod
    def from_environment(cls, url: str) -> Prometheus:
        """A reader for `url` with the credentials that the environment names by file."""
        return cls(settings_from_environment(url))

    def __enter__(self) -> Prometheus:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    @property
    def identity(self) -> str:
        """Tells this server and tenant from others, without giving away what the headers hold."""
        told = json.dumps([self._settings.url, sorted(self._settings.headers.items())])
        return hashlib.sha256(told.encode()).hexdigest()

    def read_range(self, query: str, start_s: int, end_s: int, step_s: int) -> History:
        """Evaluate `query` at every step from `start_s` to `end_s`, both included, epoch seconds.

        A step has the time of its evaluation, so with `rate(...[1m])` it describes the minute before.
        Each request has the total deadline of the settings. What goes wrong is in the result; only
        an unusable range raises InputError.
        """

        ahead_s = self.clock_ahead_s()

        def ask(span: Span) -> Chunk:
            return self._ask_range(query, span, ahead_s)

        return read_history(ask, query, start_s, end_s, step_s, self._settings.max_points)

    def read_load(self, query: str, start_s: float, end_s: float, step_s: float) -> Series:
        """The load from `start_s` to `end_s`, for someone who needs all of it.

        Times are rounded down to whole steps; missing steps at the beginning are left out, as the
        server may not reach back so far. Raises InputError, one line, for any outcome but VALUE.
        """
        step = int(step_s)
        if step != step_s or not 1 <= step <= 86_400:
            raise InputError(f"Prometheus: a step of {step_s:g} s; use whole seconds from 1 s to 1 d")
        first_s, last_s = (int(time_s // step) * step for time_s in (start_s, end_s))
        series = usable_series(self.read_range(query, first_s, last_s, step), self._settings.url)
        begins = int(np.argmax(np.isfinite(series.values)))
        return series.between(begins, len(series))

    def read_now(
        self, queries: Sequence[InstantQuery], now_s: float, timeout_s: float | None = None
    ) -> list[Reading]:
        """Evaluate each query at `now_s`; one reading each, in order.

        Takes as few requests as it can, and `timeout_s` (by default the total deadline of the
        settings) in all. Never raises for what a server does.
        """
        limit_s = self._settings.total_timeout_s if timeout_s is None else timeout_s
        return self._instant.read(queries, now_s + self.clock_ahead_s(), limit_s)

    def clock_ahead_s(self) -> int:
        """Whole seconds by which the server's clock is ahead of ours; 0 where that is not to be followed."""
        return self._clock.ahead_s() if self._settings.follow_clock else 0

    def _ask_time(self) -> float:
        limit_s = min(_TIME_TIMEOUT_S, self._settings.total_timeout_s)
        with exchange(limit_s) as current:
            self._connect.custom_query("time()", params={"timeout": _server_limit(limit_s)})
        if current.body is None:
            raise MalformedAnswer("is no instant answer")
        return vector(current.body)[0].value

    def _ask_range(self, query: str, span: Span, ahead_s: int) -> Chunk:
        limit_s = self._settings.total_timeout_s
        with exchange(limit_s) as current:
            result = self._connect.custom_query_range(
                query,
                datetime.fromtimestamp(span.begins_s + ahead_s, UTC),
                datetime.fromtimestamp(span.ends_s + ahead_s, UTC),
                str(span.step_s),
                params={"timeout": _server_limit(limit_s)},
            )
        if current.body is None or current.body.result_type != "matrix":
            raise MalformedAnswer("is no range")
        found = [replace(series, times_s=series.times_s - ahead_s) for series in matrix(result)]
        return Chunk(found, current.body.warned)

    def _ask_instant(self, query: str, now_s: float, limit_s: float) -> Instant:
        with exchange(limit_s) as current:
            self._connect.custom_query(
                query, params={"time": f"{now_s:.3f}", "timeout": _server_limit(limit_s)}
            )
        if current.body is None:
            raise MalformedAnswer("is no instant answer")
        return Instant(vector(current.body), current.body.warned, current.body.result_type == "vector")


def _server_limit(limit_s: float) -> str:
    return f"{max(1, round(limit_s * _SERVER_SHARE * 1000))}ms"
