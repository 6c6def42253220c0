"""JSON requests to the API server, each with a deadline for the whole of it, every failure typed.

Configuration, credentials and the connection pool are the official client's. Its typed models are
left aside: building them costs more time and memory than all else we do with an object.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeVar

import urllib3
from urllib3.exceptions import ProtocolError

from autoscaler import __version__
from autoscaler.controller.cluster.access import Access, read_access
from autoscaler.controller.cluster.credentials import Credentials, Held
from autoscaler.controller.cluster.errors import (
    ClusterConfigError,
    ClusterError,
    Json,
    Unauthorized,
    refusal,
    unavailable,
)
from autoscaler.controller.cluster.exchange import (
    FAILURES,
    Answer,
    Question,
    connection_failure,
    out_of_time,
    read_whole,
)
from autoscaler.controller.cluster.watching import Watch

Query = Mapping[str, str | int | bool]
OnRequest = Callable[[str, int, float], None]
"""Told of each exchange: method, HTTP status (0: no answer), seconds. For a watch, until it began."""

_PATCHES = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}
_CONNECT_S = 5.0

_Told = TypeVar("_Told", Answer, urllib3.BaseHTTPResponse)


class Cluster:
    """One API server, for any number of threads. Each method raises ClusterError as errors.py tells.

    Paths start with "/api" or "/apis" and hold no query. `timeout_s` is for the whole of a request,
    connecting and repeating included. Reads are repeated once where a connection that had been
    kept open turns out closed; writes never are, except after a 401, which changed nothing.
    """

    def __init__(
        self,
        read: Callable[[], Access],
        *,
        user_agent: str = f"predictive-autoscaler/{__version__}",
        on_request: OnRequest | None = None,
    ) -> None:
        """read: gives the credentials, at the start and whenever they have to be read again."""
        self._credentials = Credentials(read)
        self._headers = {"Accept": "application/json", "User-Agent": user_agent}
        self._on_request = on_request

    @classmethod
    def connect(
        cls,
        kubeconfig: Path | None = None,
        context: str = "",
        *,
        user_agent: str = f"predictive-autoscaler/{__version__}",
        on_request: OnRequest | None = None,
    ) -> Cluster:
        """By the service account of this pod where nothing is named and there is one, else by a kubeconfig
        ($KUBECONFIG or ~/.kube/config). Speaks to nobody yet. Raises ClusterConfigError, one line.
        """
        return cls(lambda: read_access(kubeconfig, context), user_agent=user_agent, on_request=on_request)

    @property
    def namespace(self) -> str:
        """Our own namespace: the service account's, the context's, or "default"."""
        return self._credentials.held.access.namespace

    @property
    def url(self) -> str:
        """Where the API server is."""
        return str(self._credentials.held.access.configuration.host)

    def __repr__(self) -> str:
        return f"Cluster({self.url!r})"

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._credentials.close()

    def get(self, path: str, query: Query | None = None, timeout_s: float = 5.0) -> Json:
        """Read one object or a whole list."""
        return self._document(Question.of("GET", path, query), timeout_s)

    def create(self, path: str, body: Json, query: Query | None = None, timeout_s: float = 5.0) -> Json:
        """POST `body` to a collection, or a review; the answer."""
        return self._document(Question.of("POST", path, query, body), timeout_s)

    def replace(self, path: str, body: Json, query: Query | None = None, timeout_s: float = 5.0) -> Json:
        """PUT `body`; refused with Conflict if its resourceVersion is not the present one."""
        return self._document(Question.of("PUT", path, query, body), timeout_s)

    def delete(
        self, path: str, body: Json | None = None, query: Query | None = None, timeout_s: float = 5.0
    ) -> Json:
        """DELETE; `body` may hold DeleteOptions such as preconditions."""
        return self._document(Question.of("DELETE", path, query, body), timeout_s)

    def patch(
        self,
        path: str,
        body: Json | list[Json],
        content: Literal["merge", "json", "apply"] = "merge",
        query: Query | None = None,
        timeout_s: float = 5.0,
    ) -> Json:
        """Change part of an object. A list of operations is for "json"; "apply" wants a `fieldManager`."""
        return self._document(Question.of("PATCH", path, query, body, _PATCHES[content]), timeout_s)

    def pages(
        self, path: str, query: Query | None = None, limit: int = 500, timeout_s: float = 30.0
    ) -> Iterator[Json]:
        """A list, `limit` objects at a time; each item is the whole List object of a page.

        `timeout_s` is for each page. Raises Gone if the list grew too old between two pages.
        """
        asked: dict[str, str | int | bool] = {**(query or {}), "limit": limit}
        while True:
            page = self.get(path, asked, timeout_s)
            yield page
            following = (page.get("metadata") or {}).get("continue")
            if not following:
                return
            asked["continue"] = following

    def watch(
        self,
        path: str,
        resource_version: str,
        query: Query | None = None,
        timeout_s: float = 300.0,
        inactivity_s: float = 70.0,
    ) -> Watch:
        """Changes of a list since `resource_version`, bookmarks included; iterate over it.

        Ends by itself after `timeout_s`, or when `inactivity_s` pass without a byte: the server sends a
        bookmark each minute, so a connection that is silent for longer is dead. Raises the typed error
        of an ERROR event (Gone: list anew), and Unavailable where the stream breaks.
        """
        asked = {
            **(query or {}),
            "watch": True,
            "allowWatchBookmarks": True,
            "resourceVersion": resource_version,
            "timeoutSeconds": max(1, int(timeout_s)),
        }
        question = Question.of("GET", path, asked)
        timeout = urllib3.Timeout(connect=_CONNECT_S, read=inactivity_s)
        response = self._admitted(
            question,
            time.monotonic() + _CONNECT_S,
            lambda held: self._begun(held, question, timeout),
        )
        if response.status != 200:
            raise self._refusal(question, read_whole(response, question))
        return Watch(response, question, time.monotonic() + timeout_s)

    def _document(self, question: Question, timeout_s: float) -> Json:
        ends = time.monotonic() + timeout_s
        answer = self._admitted(question, ends, lambda held: self._answer(held, question, ends))
        if not 200 <= answer.status < 300:
            raise self._refusal(question, answer)
        document = answer.document()
        if not isinstance(document, dict):
            raise unavailable(
                f"the answer to {question.method} {question.path} is no JSON object; is this an API server?",
                question.path,
                status=answer.status,
                outcome_unknown=question.writing,
            )
        return document

    def _admitted(self, question: Question, ends: float, ask: Callable[[Held], _Told]) -> _Told:
        """What `ask` brings; after a 401 once more, with the credentials read again."""
        held = self._credentials.current(ends - time.monotonic())
        told = ask(held)
        if told.status != 401:
            return told
        if isinstance(told, urllib3.BaseHTTPResponse):
            told.close()
        try:
            held = self._credentials.after_refusal(held, ends - time.monotonic())
        except ClusterConfigError as error:
            raise Unauthorized(401, "Unauthorized", f"not accepted, and {error}", question.path) from error
        return ask(held)

    def _answer(self, held: Held, question: Question, ends: float) -> Answer:
        """One exchange, read to its end."""
        began = time.monotonic()
        status = 0
        try:
            answer = read_whole(self._response(held, question, ends), question)
            status = answer.status
            return answer
        finally:
            self._tell(question, status, began)

    def _response(self, held: Held, question: Question, ends: float) -> urllib3.BaseHTTPResponse:
        """The beginning of an answer, whose rest has to arrive before `ends` as well."""
        may_repeat = not question.writing
        while True:
            left_s = ends - time.monotonic()
            if left_s <= 0.0:
                raise out_of_time(question)
            timeout = urllib3.Timeout(connect=min(left_s, _CONNECT_S), total=left_s)
            try:
                return self._send(held, held.requests, question, timeout)
            except ProtocolError as error:
                if not may_repeat:
                    raise connection_failure(error, question) from error
                may_repeat = False
            except FAILURES as error:
                raise connection_failure(error, question) from error

    def _begun(self, held: Held, question: Question, timeout: urllib3.Timeout) -> urllib3.BaseHTTPResponse:
        """The beginning of a stream."""
        began = time.monotonic()
        status = 0
        try:
            response = self._send(held, held.watches, question, timeout)
            status = response.status
            return response
        except FAILURES as error:
            raise connection_failure(error, question) from error
        finally:
            self._tell(question, status, began)

    def _send(
        self, held: Held, pools: urllib3.PoolManager, question: Question, timeout: urllib3.Timeout
    ) -> urllib3.BaseHTTPResponse:
        headers = self._headers | question.headers
        if held.access.authorization:
            headers["Authorization"] = held.access.authorization
        return pools.urlopen(
            question.method,
            str(held.access.configuration.host) + question.target,
            body=question.body or None,
            headers=headers,
            timeout=timeout,
            retries=False,
            redirect=False,
            preload_content=False,
        )

    def _tell(self, question: Question, status: int, began: float) -> None:
        if self._on_request is not None:
            self._on_request(question.method, status, time.monotonic() - began)

    def _refusal(self, question: Question, answer: Answer) -> ClusterError:
        if 300 <= answer.status < 400:
            return unavailable(
                f"{question.method} {question.path}: redirected, which is not followed; name the final host",
                question.path,
                status=answer.status,
            )
        return refusal(
            answer.status,
            answer.without(self._secret()).document(),
            question.path,
            answer.retry_after,
            writing=question.writing,
        )

    def _secret(self) -> bytes:
        return self._credentials.held.access.authorization.rpartition(" ")[2].encode()
