"""One watch: a stream of events, a JSON document per line."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import ReadTimeoutError

from autoscaler.controller.cluster.errors import Json, refusal, unavailable
from autoscaler.controller.cluster.exchange import FAILURES, Question, connection_failure

MOST_LINE_BYTES = 4 * 2**20
"""No event is longer than this; etcd holds no object above 1.5 MiB."""

_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """type: ADDED, MODIFIED, DELETED or BOOKMARK. A bookmark's object holds nothing but its version."""

    type: str
    object: Json = field(repr=False)


class Watch(Iterator[WatchEvent]):
    """A stream that has begun. For one thread; `stop` may be called by any other.

    Iterating raises the typed error of an ERROR event, and Unavailable where the stream breaks or
    makes no sense. An end in silence, at `ends` (monotonic seconds) or after `stop` is no error.
    """

    def __init__(self, response: BaseHTTPResponse, question: Question, ends: float) -> None:
        self._response = response
        self._question = question
        self._ends = ends
        self._stopped = False
        self._events = self._read()

    def __next__(self) -> WatchEvent:
        return next(self._events)

    def stop(self) -> None:
        """End the stream, waking whoever waits for its next event."""
        self._stopped = True
        # It was read to its end, or is closed.
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            self._response.shutdown()

    def close(self) -> None:
        """Give the connection back; for the thread that iterates."""
        self._response.close()

    def _read(self) -> Iterator[WatchEvent]:
        try:
            for line in self._lines():
                if self._stopped:
                    return
                yield self._event(line)
        except ReadTimeoutError:
            return
        except FAILURES as error:
            if not self._stopped:
                raise connection_failure(error, self._question) from error
        finally:
            self._response.close()

    def _lines(self) -> Iterator[bytes]:
        rest = b""
        while time.monotonic() < self._ends and not self._stopped:
            chunk = self._response.read1(_CHUNK, decode_content=False)
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            yield from filter(None, lines)
            if len(rest) > MOST_LINE_BYTES:
                raise unavailable("a watched object exceeds 4 MiB", self._question.path)

    def _event(self, line: bytes) -> WatchEvent:
        try:
            event = orjson.loads(line)
            kind, about = event["type"], event["object"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            kind, about = "", None
        if not isinstance(kind, str) or not isinstance(about, dict):
            raise unavailable(f"the watch of {self._question.path} sent no event", self._question.path)
        if kind == "ERROR":
            code = about.get("code")
            raise refusal(code if isinstance(code, int) else 500, about, self._question.path)
        return WatchEvent(kind, about)
