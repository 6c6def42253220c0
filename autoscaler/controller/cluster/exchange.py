"""One question to the API server and its whole answer, bounded in time and size."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ProxyError,
    SSLError,
)
from urllib3.exceptions import TimeoutError as HTTPTimeoutError

from autoscaler.controller.cluster.errors import Unavailable, unavailable

MOST_BYTES = 64 * 2**20
"""No answer is longer than this; a page of 500 pods is about 5 MiB."""

_CHUNK = 64 * 1024

FAILURES = (HTTPError, OSError)
"""What the HTTP library raises where an exchange fails."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request without what depends on who asks. target: path and query. body: empty for none."""

    method: str
    path: str
    target: str
    body: bytes = field(default=b"", repr=False)
    content_type: str = "application/json"

    @classmethod
    def of(
        cls,
        method: str,
        path: str,
        query: Mapping[str, str | int | bool] | None,
        body: Any = None,
        content_type: str = "application/json",
    ) -> Question:
        """Raises ValueError for a path that could lead elsewhere than it seems."""
        segments = path.split("/")[1:]
        if not path.startswith("/") or any(part in ("", ".", "..") for part in segments) or "%" in path:
            raise ValueError(f"no path of the Kubernetes API: {path!r}")
        words = {
            name: str(value).lower() if value is True or value is False else value
            for name, value in (query or {}).items()
        }
        target = quote(path, safe="/:") + (f"?{urlencode(words)}" if words else "")
        return cls(method, path, target, b"" if body is None else orjson.dumps(body), content_type)

    @property
    def writing(self) -> bool:
        """Whether it is to change something."""
        return self.method != "GET"

    @property
    def headers(self) -> dict[str, str]:
        """What the body needs."""
        return {"Content-Type": self.content_type} if self.body else {}


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. retry_after: the header of that name, empty where there is none."""

    status: int
    body: bytes = field(repr=False)
    retry_after: str = ""

    def without(self, secret: bytes) -> Answer:
        """The same, lest a server that repeats our headers brings a token into messages and logs."""
        if not secret or secret not in self.body:
            return self
        return Answer(self.status, self.body.replace(secret, b"..."), self.retry_after)

    def document(self) -> object:
        """The parsed body; None where it is no JSON."""
        try:
            parsed: object = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None
        return parsed


def read_whole(response: BaseHTTPResponse, question: Question) -> Answer:
    """The whole answer, giving its connection back. Raises Unavailable."""
    parts: list[bytes] = []
    size = 0
    try:
        for chunk in response.stream(_CHUNK, decode_content=False):
            size += len(chunk)
            if size > MOST_BYTES:
                raise unavailable(
                    f"the answer to {question.method} {question.path} exceeds {MOST_BYTES // 2**20} MiB",
                    question.path,
                    status=response.status,
                    outcome_unknown=question.writing,
                )
            parts.append(chunk)
    except FAILURES as error:
        response.close()
        raise connection_failure(error, question) from error
    except Unavailable:
        response.close()
        raise
    response.release_conn()
    return Answer(response.status, b"".join(parts), response.headers.get("Retry-After", ""))


def connection_failure(error: Exception, question: Question) -> Unavailable:
    """An exchange that broke, in our words: those of the libraries may repeat what was sent."""
    asked = f"{question.method} {question.path}"
    if isinstance(error, ProxyError):
        return unavailable(f"{asked}: the proxy gives no connection to the API server", question.path)
    if isinstance(error, NewConnectionError | ConnectTimeoutError):
        return unavailable(f"{asked}: no connection to the API server{_because(error)}", question.path)
    if isinstance(error, SSLError | ssl.SSLError):
        doubted = any(isinstance(part, ssl.SSLCertVerificationError) for part in (error, *error.args))
        return unavailable(
            f"{asked}: no TLS connection that can be trusted{_because(error)}",
            question.path,
            outcome_unknown=question.writing and not doubted,
        )
    late = isinstance(error, HTTPTimeoutError | TimeoutError)
    return unavailable(
        f"{asked}: " + ("no complete answer in time" if late else "the connection broke before the answer"),
        question.path,
        outcome_unknown=question.writing,
    )


def _because(error: Exception) -> str:
    """The operating system's or the TLS library's word for it, which quotes nothing of ours."""
    cause: BaseException | None = error
    for part in (*error.args, error.__cause__, error.__context__):
        if isinstance(part, ssl.SSLCertVerificationError):
            return f" ({part.verify_message})"
        if isinstance(part, OSError) and part.strerror:
            cause = part
    return f" ({cause.strerror})" if isinstance(cause, OSError) and cause.strerror else ""


def out_of_time(question: Question) -> Unavailable:
    """Time was over before anything was sent."""
    return unavailable(f"{question.method} {question.path}: no time left to ask", question.path)
