"""A change that is sent twice is made once: the second time brings the first answer again.

For whoever got no answer and cannot know whether the change was made, as described in
draft-ietf-httpapi-idempotency-key-header. Keys and answers are in the store, so that they hold at every
replica and after a restart.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Protocol

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autoscaler.api.answers import in_writing_thread
from autoscaler.api.problems import Problem, store_unavailable
from autoscaler.api.protection.refusing import refuse
from autoscaler.api.protection.request_state import caller_of, request_id
from autoscaler.api.protection.whole_body import first
from autoscaler.store.errors import StoreError
from autoscaler.store.rows import AnsweredKey

HEADER = "Idempotency-Key"

_LARGEST_BYTES = 256 * 2**10
_WRITING = ("POST", "PUT", "PATCH", "DELETE")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_SLACK_S = 15.0
"""By which replicas' clocks may differ, and for keeping an answer that came at the last moment."""

_LOG = structlog.get_logger(__name__)


class Keys(Protocol):
    """What is used here of a `Store`."""

    def reserve_key(self, key: str, asked: str, now_s: float, patience_s: float) -> AnsweredKey | None:
        """None: the key is ours."""
        ...

    def keep_answer(self, key: str, answer: Mapping[str, Any]) -> None:
        """To the request that reserved the key."""
        ...

    def release_key(self, key: str) -> None:
        """Without an answer."""
        ...


class IdempotencyKeys:
    """ASGI middleware, inside of `Authentication` and `WholeBody`. Keys are each caller's own.

    patience_s: no request takes longer until its answer begins. now_s: epoch seconds.
    """

    def __init__(
        self, app: ASGIApp, keys: Keys, patience_s: float, now_s: Callable[[], float] = time.time
    ) -> None:
        self._app = app
        self._keys = keys
        self._patience_s = patience_s + _SLACK_S
        self._now_s = now_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass, answer it as before, or refuse it with 400, 409, 422 or 503."""
        caller = caller_of(scope)
        given = Headers(scope=scope).get(HEADER) if scope["type"] == "http" else None
        if given is None or caller is None or scope["method"] not in _WRITING:
            await self._app(scope, receive, send)
            return
        if not _KEY.fullmatch(given):
            await refuse(_no_key(), scope, receive, send)
            return
        body: bytes = (await receive()).get("body", b"")
        key, asked = _digest(caller.name.encode(), given.encode()), _digest_of_request(scope, body)
        try:
            known = await in_writing_thread(
                lambda: self._keys.reserve_key(key, asked, self._now_s(), self._patience_s)
            )
        except StoreError as error:
            await refuse(store_unavailable(error, request_id(scope)), scope, receive, send)
            return
        if known is None:
            await self._carry_out(key, scope, first(body, receive), send)
        elif known.asked != asked:
            await refuse(_reused(), scope, receive, send)
        elif known.answer is None:
            await refuse(_in_use(), scope, receive, send)
        else:
            await _send_again(known.answer, send)

    async def _carry_out(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        async def settle() -> None:
            try:
                await in_writing_thread(lambda: self._settle(key, answer))
            except StoreError as error:
                # Whoever sends it again is told for a while that it is still being worked on.
                _LOG.warning("an answer was not kept", requestId=request_id(scope), error=str(error))

        answer = _Recording(send, settle)
        try:
            await self._app(scope, receive, answer)
        finally:
            if not answer.is_whole:
                await settle()

    def _settle(self, key: str, answer: _Recording) -> None:
        if answer.is_worth_keeping:
            self._keys.keep_answer(key, answer.as_json())
        else:
            self._keys.release_key(key)


def _no_key() -> Problem:
    told = f"{HEADER} must be 1 to 255 visible ASCII characters"
    return Problem(HTTPStatus.BAD_REQUEST, "InvalidIdempotencyKey", told)


def _in_use() -> Problem:
    told = "the first request with this key is still being worked on"
    return Problem(HTTPStatus.CONFLICT, "IdempotencyKeyInUse", told, headers={"Retry-After": "1"})


def _reused() -> Problem:
    told = "this key belongs to another request; use a new key for a new change"
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "IdempotencyKeyReused", told)


class _Recording:
    """`send`, remembering what passes. settle: called before the end of the answer is sent."""

    def __init__(self, send: Send, settle: Callable[[], Awaitable[None]]) -> None:
        self._send = send
        self._settle = settle
        self.is_whole = False
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            if len(self.body) <= _LARGEST_BYTES:
                self.body += message.get("body", b"")
            if not message.get("more_body", False):
                self.is_whole = True
                await self._settle()
        await self._send(message)

    @property
    def is_worth_keeping(self) -> bool:
        """Whether something was changed: what was refused may be tried again."""
        return self.is_whole and len(self.body) <= _LARGEST_BYTES and 200 <= self.status < 400

    def as_json(self) -> dict[str, Any]:
        """What `_send_again` reads. Bytes as text of the same length."""
        headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in self.headers]
        return {"status": self.status, "headers": headers, "body": self.body.decode("latin-1")}


async def _send_again(kept: Mapping[str, Any], send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in kept["headers"]]
    headers.append((b"idempotency-replayed", b"true"))
    await send({"type": "http.response.start", "status": kept["status"], "headers": headers})
    await send({"type": "http.response.body", "body": kept["body"].encode("latin-1")})


def _digest_of_request(scope: Scope, body: bytes) -> str:
    return _digest(scope["method"].encode(), scope["path"].encode(), scope["query_string"], body)


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
