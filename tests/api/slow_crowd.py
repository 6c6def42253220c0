"""Clients who mean no good, thousands at once, in a process of their own.

    python tests/api/slow_crowd.py PORT CLIENTS SECONDS TOKEN

Each does one of these, and does it again whenever its connection is closed: say nothing, send a head byte by
byte, send a head without end, ask for much and read nothing of it. Prints in JSON how many connections were
opened and closed, and how many were open at once as the clients saw it.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine

import uvloop

_OTHER_FILES = 100
_PAUSE_S = 1.0

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter, str], Coroutine[None, None, None]]


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
    await reader.read()


async def _byte_by_byte(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
    for byte in f"GET /api/v1/workloads HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n".encode():
        writer.write(bytes([byte]))
        await asyncio.sleep(_PAUSE_S)


async def _endless_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
    writer.write(b"GET / HTTP/1.1\r\nX-More: ")
    while True:
        writer.write(b"x" * 10_000)
        await writer.drain()
        await asyncio.sleep(_PAUSE_S)


async def _reading_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # of a transport that reads as well
    asked = f"GET /api/v1/workloads?limit=500 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
    writer.write(asked.encode())
    await asyncio.sleep(3600)


_KINDS: tuple[Behaviour, ...] = (_silent, _byte_by_byte, _endless_head, _reading_nothing)


async def _client(number: int, port: int, token: str, seen: Counter[str]) -> None:
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4096)
        except OSError:
            seen["refused"] += 1
            await asyncio.sleep(_PAUSE_S)
            continue
        seen["opened"] += 1
        seen["open"] += 1
        seen["most"] = max(seen["most"], seen["open"])
        try:
            await _KINDS[number % len(_KINDS)](reader, writer, token)
        except OSError:
            pass
        finally:
            seen["open"] -= 1
            writer.transport.abort()
        await asyncio.sleep(_PAUSE_S)


async def _crowd(port: int, clients: int, seconds: float, token: str) -> Counter[str]:
    seen: Counter[str] = Counter()
    tasks = [asyncio.create_task(_client(number, port, token, seen)) for number in range(clients)]
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        await asyncio.sleep(0.1)
    found = Counter(seen)
    for task in tasks:
        task.cancel()
    return found


if __name__ == "__main__":
    port, clients, seconds, token = sys.argv[1:]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(clients) + _OTHER_FILES, most))
    print(json.dumps(uvloop.run(_crowd(int(port), int(clients), float(seconds), token))))
