"""Clients of the service at once, in a process of their own, each on a connection that it keeps.

    python tests/bench/api_clients.py PLAN.json

The plan says where, for how long, with what pause between an answer and the next request, and what each
client asks for in turn. Prints in JSON, for each kind of request, how many milliseconds answers took from the
first byte sent to the last received, and how many were none. Nothing is parsed but heads: on a machine with
two processors the clients would otherwise take one of them away from the service.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httptools
import uvloop

_WARM_UP_S = 3.0
_LONGEST_S = 30.0


@dataclass(slots=True)
class Figures:
    """took_ms: by kind of request, of answers that began after `since_s`. wrong: by status; 0 for none."""

    since_s: float
    took_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: Counter[int] = field(default_factory=Counter)
    bytes: int = 0


class _Connection(asyncio.Protocol):
    """One client's connection: one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser: Any = None
        self._answered: asyncio.Future[int] | None = None
        self.received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # of a socket
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(self._parser.get_status_code())

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(0)

    async def ask(self, request: bytes) -> int:
        """The status of the answer, once all of it is there; 0 where there is none."""
        if self._transport is None:
            return 0
        self._parser = httptools.HttpResponseParser(self)
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await asyncio.wait_for(self._answered, _LONGEST_S)
        except TimeoutError:
            self._transport.abort()
            return 0


async def _client(number: int, plan: dict[str, Any], until_s: float, figures: Figures) -> None:
    loop, chance = asyncio.get_running_loop(), random.Random(number)
    asked: Sequence[tuple[str, str]] = plan["clients"][number]["asks"]
    head = (
        f"Host: {plan['host']}\r\nAuthorization: Bearer {plan['clients'][number]['token']}\r\n"
        "Accept: application/json\r\nAccept-Encoding: gzip\r\n\r\n"
    )
    await asyncio.sleep(chance.random() * max(plan["pause"], 0.5))
    connection, turn = _Connection(), chance.randrange(len(asked))
    await loop.create_connection(lambda: connection, plan["host"], plan["port"])
    while time.monotonic() < until_s:
        kind, path = asked[turn % len(asked)]
        turn += 1
        began_s = time.monotonic()
        status = await connection.ask(f"GET {path} HTTP/1.1\r\n{head}".encode())
        if began_s >= figures.since_s:
            figures.took_ms[kind].append(1000 * (time.monotonic() - began_s))
            if status != 200:
                figures.wrong[status] += 1
        if status == 0:
            connection = _Connection()
            await loop.create_connection(lambda: connection, plan["host"], plan["port"])  # noqa: B023 - made at once
        if plan["pause"]:
            await asyncio.sleep(plan["pause"] * chance.uniform(0.5, 1.5))
    figures.bytes += connection.received


async def _all(plan: dict[str, Any]) -> dict[str, Any]:
    now_s = time.monotonic()
    figures = Figures(now_s + _WARM_UP_S)
    until_s, used_s = now_s + _WARM_UP_S + plan["seconds"], time.process_time()
    await asyncio.gather(*(_client(number, plan, until_s, figures) for number in range(len(plan["clients"]))))
    ended_s = time.monotonic()
    return {
        "since": figures.since_s,
        "until": ended_s,
        "took_ms": figures.took_ms,
        "wrong": figures.wrong,
        "bytes": figures.bytes,
        "processor": (time.process_time() - used_s) / (ended_s - now_s),
    }


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_all(json.loads(Path(sys.argv[1]).read_text())))))
