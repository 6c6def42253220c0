"""A stream of what changes, as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack
from http import HTTPStatus
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from autoscaler.api.access.rules import current_caller, identified, visible
from autoscaler.api.answers import in_thread, parts_of
from autoscaler.api.news import News, TooMany, Update, Watcher
from autoscaler.api.problems import Problem
from autoscaler.api.reckoned import summary
from autoscaler.api.shapes.paths import IDENTIFIER_PATTERN
from autoscaler.api.shapes.problem_answers import problem_answers
from autoscaler.api.shapes.queries import NamespaceQuestion
from autoscaler.store.ids import first_number, id_number, id_text
from autoscaler.store.rows import FoundDecision

_PING_EVERY_S = 15.0
_LASTS_S = 900.0
"""Then the client comes again, and shows that its token is still good."""

_PATIENCE_S = 10.0
"""Who takes nothing for so long is let go."""

_BACK_S = 3600.0
_AT_ONCE = 500
_MEDIA_TYPE = "text/event-stream"
_RETRY_MS = 2000

_EVENT = {
    "type": "object",
    "properties": {
        "event": {"enum": ["workloads", "decision", "ping"]},
        "id": {"type": "string", "pattern": IDENTIFIER_PATTERN},
        "data": {"type": "string", "description": "JSON."},
    },
}

_DESCRIPTION = """Server-sent events, as browsers' `EventSource` reads them:

- `workloads`: `{"changed": ["namespace/name", …]}`, whose state is new, or that are gone;
- `decision`: a decision in a line, as `listDecisions` has it; its `id` is the decision's;
- `ping`: every 15 seconds in which nothing else is said.

A client that comes back with `Last-Event-ID` is first told the decisions it missed, up to an hour of them. A
stream ends after 15 minutes, or when its client is too slow; `EventSource` comes back by itself."""


def watch_routes(news: News) -> APIRouter:
    """The stream, of what `news` finds out."""
    router = APIRouter(tags=["watch"])

    @router.get(
        "/watch",
        operation_id="watch",
        summary="Watch what changes",
        description=_DESCRIPTION,
        response_class=StreamingResponse,
        responses={
            **problem_answers(),
            200: {"description": "Events.", "content": {_MEDIA_TYPE: {"schema": _EVENT}}},
        },
        dependencies=[Depends(identified())],
    )
    async def watch(
        request: Request,
        asked: Annotated[NamespaceQuestion, Query()],
        last_event_id: Annotated[
            str | None,
            Header(pattern=IDENTIFIER_PATTERN, description="The `id` of the last event that was seen."),
        ] = None,
    ) -> Response:
        await visible(request, (), asked.namespace)
        stack = ExitStack()
        try:
            watcher = stack.enter_context(news.watching(current_caller(request).name))
        except TooMany as error:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "TooManyStreams",
                "as many clients watch as may, in all or of this caller; ask for lists now and then instead",
                headers={"Retry-After": "30"},
            ) from error
        events = _events(request, asked.namespace, watcher, news.newest, last_event_id)
        return _EventStream(events, stack.close)

    return router


class _EventStream(StreamingResponse):
    """Sends events to a client that takes them; `close` is called whatever happens."""

    def __init__(self, events: AsyncIterator[bytes], close: Callable[[], None]) -> None:
        super().__init__(events, media_type=_MEDIA_TYPE, headers={"X-Accel-Buffering": "no"})
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def patient(message: Message) -> None:
            async with asyncio.timeout(_PATIENCE_S):
                await send(message)

        try:
            await super().__call__(scope, receive, patient)
        except TimeoutError:
            # The answer is left unfinished, upon which the server closes the connection.
            return
        finally:
            self._close()


async def _events(
    request: Request, named: str | None, watcher: Watcher, newest: str, last_seen: str | None
) -> AsyncIterator[bytes]:
    yield f"retry: {_RETRY_MS}\nid: {newest}\n\n".encode()
    seen: set[str] = set()
    try:
        if last_seen is not None:
            missed = await _missed(request, newest, last_seen)
            seen.update(one.id for one in missed)
            for event in await _told(request, named, Update(decisions=missed)):
                yield event
            if len(missed) == _AT_ONCE:
                return  # the client comes back for the rest
        clock = asyncio.get_running_loop().time
        ends = clock() + _LASTS_S
        while clock() < ends:
            try:
                async with asyncio.timeout(_PING_EVERY_S):
                    update = await watcher.update()
            except TimeoutError:
                yield _event("ping", {})
                continue
            if update is None:
                return
            fresh = [one for one in update.decisions if one.id not in seen]
            for event in await _told(request, named, Update(update.workloads, fresh)):
                yield event
    except Problem:
        return  # what the caller may not see any more, or nobody says


async def _missed(request: Request, newest: str, last_seen: str) -> Sequence[FoundDecision]:
    hour_ago = id_text(max(0, id_number(newest) - first_number(_BACK_S)))
    store = parts_of(request).store
    return await in_thread(lambda: store.decisions_after(max(last_seen, hour_ago), _AT_ONCE))


async def _told(request: Request, named: str | None, update: Update) -> list[bytes]:
    """What of an update the caller may see, and asked for."""
    keys = {*update.workloads, *(one.workload for one in update.decisions)}
    namespaces = await visible(request, {_namespace(key) for key in keys}, named)
    return list(_encoded(update, lambda key: namespaces is None or _namespace(key) in namespaces))


def _encoded(update: Update, wanted: Callable[[str], bool]) -> Iterator[bytes]:
    changed = sorted(filter(wanted, update.workloads))
    if changed:
        yield _event("workloads", {"changed": changed})
    for one in update.decisions:
        if wanted(one.workload):
            yield _event("decision", summary(one), one.id)


def _event(kind: str, data: dict[str, Any], number: str = "") -> bytes:
    named = f"id: {number}\n" if number else ""
    return f"event: {kind}\n{named}data: ".encode() + orjson.dumps(data) + b"\n\n"


def _namespace(workload: str) -> str:
    return workload.partition("/")[0]
