"""The same question, asked by many within a second, is answered once.

What is answered comes from the store, which is looked at once a second for all who watch. An answer is given
again until the next look and not beyond, so nobody who was told of a change is shown what was before it.
Those who may read everything share their answers; everybody else has their own, since lists hold what each
may see. Requests that come while an answer is being made wait for it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from cachetools import LRUCache
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autoscaler.api.access.access import ALL_NAMESPACES, Access, Unavailable
from autoscaler.api.access.verbs import Verb
from autoscaler.api.protection.request_state import caller_of, name_route, route_of

_MOST_BYTES = 32 * 2**20
_LARGEST_BYTES = 8 * 2**20
_OVERHEAD_BYTES = 1024
_GOOD = (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED)

# What is read from the store and is the same for all who may read it. What people ask for and were allowed is
# not among it: whoever changed that wants to see it.
_SHARED = re.compile(
    r"/api/v1/(workloads|fleet|decisions|decisions/[^/]+|spend"
    r"|namespaces/[^/]+/workloads/[^/]+(/(series|spend|accuracy|forecasts|forecasts/[^/]+))?)"
)
# What an answer depends on beside the path, the query and the caller.
_HEADERS = (b"accept", b"accept-encoding", b"if-none-match")


@dataclass(frozen=True, slots=True)
class _Kept:
    """A whole answer, and the route that gave it."""

    messages: tuple[Message, ...]
    route: str

    async def send(self, scope: Scope, send: Send) -> None:
        name_route(scope, self.route)
        for message in self.messages:
            await send(_copied(message))


@dataclass(frozen=True, slots=True)
class _Look:
    """What was answered since one look at the store. asking: those of which an answer is being made."""

    number: int
    kept: LRUCache[Hashable, _Kept] = field(default_factory=lambda: LRUCache(_MOST_BYTES, getsizeof=_size))
    asking: dict[Hashable, asyncio.Event] = field(default_factory=dict)


class SharedAnswers:
    """ASGI middleware, inside of `Authentication` and outside of what compresses and tags.

    looks: how often the store was looked at until now.
    """

    def __init__(self, app: ASGIApp, access: Access, looks: Callable[[], int]) -> None:
        self._app = app
        self._access = access
        self._looks = looks
        self._look = _Look(looks())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as before, or let the request pass and keep what it is answered."""
        # An answer that is still being made while the store is looked at is kept with those of before: it may
        # be older than what is found there.
        look, key = self._newest(), await self._key(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        being_made = look.asking.get(key)
        if being_made is not None:
            await being_made.wait()
        kept = look.kept.get(key)
        if kept is not None:
            await kept.send(scope, send)
        elif being_made is not None:
            await self._app(scope, receive, send)
        else:
            await self._ask(look, key, scope, receive, send)

    async def _ask(self, look: _Look, key: Hashable, scope: Scope, receive: Receive, send: Send) -> None:
        made = look.asking[key] = asyncio.Event()
        messages: list[Message] = []

        async def recorded(message: Message) -> None:
            messages.append(_copied(message))
            await send(message)

        try:
            await self._app(scope, receive, recorded)
            kept = _Kept(tuple(messages), route_of(scope))
            if _is_good(messages) and _size(kept) <= _LARGEST_BYTES:
                look.kept[key] = kept
        finally:
            del look.asking[key]
            made.set()

    async def _key(self, scope: Scope) -> Hashable | None:
        """What tells one answer from another; None for what is not shared."""
        if scope["type"] != "http" or scope["method"] != "GET" or not _SHARED.fullmatch(scope["path"]):
            return None
        caller = caller_of(scope)
        if caller is None:
            return None
        try:
            reads_all = await self._access.allows(caller, Verb.READ, ALL_NAMESPACES)
        except Unavailable:
            return None
        headers = tuple((name, value) for name, value in scope["headers"] if name in _HEADERS)
        return (None if reads_all else caller, scope["path"], scope["query_string"], headers)

    def _newest(self) -> _Look:
        number = self._looks()
        if number != self._look.number:
            self._look = _Look(number)
        return self._look


def _copied(message: Message) -> Message:
    """As it is now: others add headers to it on its way out."""
    return {**message, "headers": list(message["headers"])} if "headers" in message else message


def _is_good(messages: Sequence[Message]) -> bool:
    """Whether they are a whole answer that is no refusal."""
    return bool(messages) and messages[0]["status"] in _GOOD and not messages[-1].get("more_body", False)


def _size(kept: _Kept) -> int:
    return _OVERHEAD_BYTES + sum(len(message.get("body", b"")) for message in kept.messages)
