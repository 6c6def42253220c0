"""How routes use the store and answer: without a model in between, since building answers through one takes
longer than everything else a request does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, TypeVar

import orjson
from fastapi import Request
from starlette.responses import Response

from autoscaler.api.columns import CSV, JSON, Format, Table, preferred_format
from autoscaler.api.parts import Parts
from autoscaler.api.problems import Problem
from autoscaler.store.rows import Row

Found = TypeVar("Found")

# As many as SQLite's pool has connections: more would wait there instead, and only for the interpreter.
_READERS = ThreadPoolExecutor(4, thread_name_prefix="store-reader")
# A store is written to by one thread at a time.
_WRITER = ThreadPoolExecutor(1, thread_name_prefix="store-writer")


def parts_of(request: Request) -> Parts:
    """What the service was started with."""
    parts: Parts = request.app.state.parts
    return parts


async def in_thread(read: Callable[[], Found]) -> Found:
    """What `read` returns, which may block: it reads the store."""
    return await asyncio.get_running_loop().run_in_executor(_READERS, read)


async def in_writing_thread(write: Callable[[], Found]) -> Found:
    """What `write` returns, which may block: it writes to the store."""
    return await asyncio.get_running_loop().run_in_executor(_WRITER, write)


async def write_rows(request: Request, *rows: Row) -> None:
    """Keep rows in the store: all or, raising StoreError, none."""
    store = parts_of(request).store
    await in_writing_thread(lambda: store.write(rows))


def answer(
    data: Any, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response:
    """Plain data as JSON."""
    return Response(orjson.dumps(data), status.value, headers=headers, media_type=JSON)


def chosen_format(request: Request, wanted: Format | None) -> Format:
    """The format of a table: as the query says, else as `Accept` does."""
    return wanted or preferred_format(request.headers.get("accept", ""))


def table_response(body: bytes, kind: Format) -> Response:
    """A table that was encoded."""
    media_type = f"{CSV}; charset=utf-8" if kind == "csv" else JSON
    return Response(body, headers={"Vary": "Accept"}, media_type=media_type)


async def answer_table(request: Request, table: Table, wanted: Format | None) -> Response:
    """A table in the format that the caller wants."""
    kind = chosen_format(request, wanted)
    return table_response(await in_thread(lambda: table.encoded(kind)), kind)


def no_workload(namespace: str, name: str) -> Problem:
    """For a workload that is not there; only to whom may see its namespace."""
    return Problem(
        HTTPStatus.NOT_FOUND, "WorkloadNotFound", f"there is no PredictiveAutoscaler {namespace}/{name}"
    )
