"""A TCP proxy that misbehaves on demand, between a client and a real server on loopback."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from processes import free_port

_CHUNK_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class _Behaviour:
    """How bytes from the server reach the client."""

    bytes_per_s: float = 0.0  # 0: as fast as they come
    latency_s: float = 0.0
    reset_after_bytes: int | None = None


class TcpProxy:
    """Listens on loopback and passes on to `target`; starts on entering, ends on leaving.

    `url` is the server's URL by way of the proxy. `forward`, `refuse`, `hang`, `slow` and `reset` switch what
    it does, at once and for connections that are open already too.
    """

    def __init__(self, target_url: str) -> None:
        parts = urlsplit(target_url)
        assert parts.hostname and parts.port, f"a URL with a port, not {target_url}"
        self._target = (parts.hostname, parts.port)
        self.port = free_port()
        self.url = urlunsplit(parts._replace(netloc=f"127.0.0.1:{self.port}"))
        self.accepted = 0
        self._behaviour = _Behaviour()
        self._listener: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> TcpProxy:
        self._loop = asyncio.new_event_loop()
        self._moving = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tcp-proxy", daemon=True)
        self._thread.start()
        self.forward()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._shut_down())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def forward(self) -> None:
        """Pass everything on, as it does at first; what was held back by `hang` goes on."""
        self._do(self._switch(_Behaviour()))

    def slow(self, bytes_per_s: float, latency_s: float = 0.0) -> None:
        """Let the server's answers trickle: each piece waits `latency_s`, then drips at `bytes_per_s`."""
        self._do(self._switch(_Behaviour(bytes_per_s=bytes_per_s, latency_s=latency_s)))

    def reset(self, after_bytes: int) -> None:
        """Reset each connection once `after_bytes` more of the server's answer have passed."""
        self._do(self._switch(_Behaviour(reset_after_bytes=after_bytes)))

    def hang(self) -> None:
        """Accept connections and pass nothing on, in either direction."""
        self._do(self._switch(_Behaviour(), moving=False))

    def refuse(self) -> None:
        """Refuse new connections and reset those that are open."""
        self._do(self._refuse())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _switch(self, behaviour: _Behaviour, *, moving: bool = True) -> None:
        self._behaviour = behaviour
        if moving:
            self._moving.set()
        else:
            self._moving.clear()
        if self._listener is None:
            self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _refuse(self) -> None:
        if self._listener is not None:
            # Only the listening socket: waiting for its connections would wait for their clients.
            self._listener.close()
            self._listener = None
        for writer in list(self._open):
            _reset(writer)

    async def _shut_down(self) -> None:
        await self._refuse()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        self._open.add(writer)
        self._note(asyncio.current_task())
        try:
            server_reader, server_writer = await asyncio.open_connection(*self._target)
        except OSError:
            self._open.discard(writer)
            _reset(writer)
            return
        self._open.add(server_writer)
        pumps = {
            self._note(self._loop.create_task(self._pump_request(reader, server_writer))),
            self._note(self._loop.create_task(self._pump_answer(server_reader, writer))),
        }
        await asyncio.wait(pumps)
        for each in (writer, server_writer):
            self._open.discard(each)
            each.close()

    def _note(self, task: asyncio.Task[None] | None) -> asyncio.Task[None]:
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _pump_request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(_CHUNK_BYTES):
                await self._moving.wait()
                writer.write(data)
                await writer.drain()
            writer.write_eof()
        except OSError:
            _reset(writer)

    async def _pump_answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passed, behaviour = 0, self._behaviour
        try:
            while data := await reader.read(_CHUNK_BYTES):
                await self._moving.wait()
                if behaviour is not self._behaviour:
                    passed, behaviour = 0, self._behaviour
                limit = behaviour.reset_after_bytes
                if limit is not None and passed + len(data) >= limit:
                    writer.write(data[: limit - passed])
                    await writer.drain()
                    _reset(writer)
                    return
                await self._send(writer, data)
                passed += len(data)
            writer.write_eof()
        except OSError:
            _reset(writer)

    async def _send(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        behaviour = self._behaviour
        await asyncio.sleep(behaviour.latency_s)
        # Ten pieces a second; whoever switches the behaviour meanwhile gets the rest at once.
        while data and behaviour.bytes_per_s and behaviour is self._behaviour:
            piece = max(1, round(behaviour.bytes_per_s / 10))
            writer.write(data[:piece])
            await writer.drain()
            data = data[piece:]
            await asyncio.sleep(piece / behaviour.bytes_per_s)
        await self._moving.wait()
        writer.write(data)
        await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
