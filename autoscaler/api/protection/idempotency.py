"""A change that is sent twice is made once: the second time brings the first answer again.

For whoever got no answer and cannot know whether the change was made, as described in
draft-ietf-httpapi-idempotency-key-header. Answers to changes that were made are kept for a day in the memory
of this process, up to a bound; after a restart, or at another replica, a key is new.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from cachetools import TTLCache
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autoscaler.api.problems import Problem
from autoscaler.api.protection.refusing import refuse
from autoscaler.api.protection.request_state import caller_of
from autoscaler.api.protection.whole_body import first

HEADER = "Idempotency-Key"

_DAY_S = 86_400.0
_MOST_BYTES = 32 * 2**20
_LARGEST_BYTES = 256 * 2**10
_OVERHEAD_BYTES = 1024
_WRITING = ("POST", "PUT", "PATCH", "DELETE")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")

_Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer, and a digest of what was asked."""

    asked: bytes
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class IdempotencyKeys:
    """ASGI middleware, inside of `Authentication` and `WholeBody`. Keys are each caller's own."""

    def __init__(self, app: ASGIApp, clock: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._kept: TTLCache[_Key, _Kept] = TTLCache(_MOST_BYTES, _DAY_S, timer=clock, getsizeof=_size)
        self._asking: set[_Key] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass, answer it as before, or refuse it with 400, 409 or 422."""
        caller = caller_of(scope)
        given = Headers(scope=scope).get(HEADER) if scope["type"] == "http" else None
        if given is None or caller is None or scope["method"] not in _WRITING:
            await self._app(scope, receive, send)
            return
        body: bytes = (await receive()).get("body", b"")
        key, asked = (caller.name, given), _digest(scope, body)
        kept = self._kept.get(key)
        if problem := self._fault(key, asked, kept):
            await refuse(problem, scope, receive, send)
        elif kept is not None:
            await _send_again(kept, send)
        else:
            await self._carry_out(key, asked, scope, first(body, receive), send)

    def _fault(self, key: _Key, asked: bytes, kept: _Kept | None) -> Problem | None:
        """What is wrong with the use of this key."""
        if not _KEY.fullmatch(key[1]):
            told = f"{HEADER} must be 1 to 255 visible ASCII characters"
            return Problem(HTTPStatus.BAD_REQUEST, "InvalidIdempotencyKey", told)
        if key in self._asking:
            told = "the first request with this key is still being worked on"
            return Problem(HTTPStatus.CONFLICT, "IdempotencyKeyInUse", told, headers={"Retry-After": "1"})
        if kept is not None and kept.asked != asked:
            told = "this key belongs to another request; use a new key for a new change"
            return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "IdempotencyKeyReused", told)
        return None

    async def _carry_out(self, key: _Key, asked: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Recording(send)
        self._asking.add(key)
        try:
            await self._app(scope, receive, answer)
        finally:
            self._asking.discard(key)
            if answer.is_worth_keeping:
                self._kept[key] = _Kept(asked, answer.status, tuple(answer.headers), bytes(answer.body))


class _Recording:
    """`send`, remembering what passes."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._is_whole = False
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body" and len(self.body) <= _LARGEST_BYTES:
            self.body += message.get("body", b"")
            self._is_whole = not message.get("more_body", False)
        await self._send(message)

    @property
    def is_worth_keeping(self) -> bool:
        """Whether something was changed: what was refused may be tried again."""
        return self._is_whole and len(self.body) <= _LARGEST_BYTES and 200 <= self.status < 400


async def _send_again(kept: _Kept, send: Send) -> None:
    headers = [*kept.headers, (b"idempotency-replayed", b"true")]
    await send({"type": "http.response.start", "status": kept.status, "headers": headers})
    await send({"type": "http.response.body", "body": kept.body})


def _digest(scope: Scope, body: bytes) -> bytes:
    asked = hashlib.sha256()
    for part in (scope["method"].encode(), scope["path"].encode(), scope["query_string"], body):
        asked.update(len(part).to_bytes(8, "big") + part)
    return asked.digest()


def _size(kept: _Kept) -> int:
    return len(kept.body) + _OVERHEAD_BYTES
