"""Connections on which nothing gets ready are closed, lest somebody keeps them all by saying nothing.

uvicorn waits without end for the head of a request however long that grows, after an answer for the rest of a
body that nobody reads, and for whoever does not take an answer; and where there are too many connections, it
refuses everybody. How long a body may take that is being read is for `Deadline`.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any, ClassVar

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_LOG = structlog.get_logger(__name__)

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Room:
    """For so many connections at once: where there are more, the one that is silent longest has to go.

    First those that never sent a whole request, then those that were answered and are kept open. Who is about
    to be answered stays; where all are, there is no room for another.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._silent: dict[ImpatientProtocol, None] = {}
        self._answered: dict[ImpatientProtocol, None] = {}
        self._closed = 0

    def enter(self, connection: ImpatientProtocol) -> None:
        """A connection is there, and nothing was heard of it."""
        self._silent[connection] = None
        if len(connection.connections) <= self._most:
            return
        self._tell()
        next(itertools.chain(self._silent, self._answered)).give_up()

    def answered(self, connection: ImpatientProtocol) -> None:
        """Its request was answered, and it may send another."""
        self._answered[connection] = None

    def busy(self, connection: ImpatientProtocol) -> None:
        """It waits no more: it has sent a request, or is gone."""
        self._silent.pop(connection, None)
        self._answered.pop(connection, None)

    def _tell(self) -> None:
        if self._closed % self._most == 0:
            _LOG.warning("there are too many connections; idle ones are closed", connections=self._most)
        self._closed += 1


class ImpatientProtocol(HttpToolsProtocol):
    """For `uvicorn.Config(http=…)`, by `impatient`.

    head_s: how long the head of a request may take, from the connection on, or from its first byte where
    there was a request before; head_bytes: how long it may be. taking_s: how long a client may take nothing
    of what is sent to it once buffers are full.
    """

    head_s: ClassVar[float] = 10.0
    head_bytes: ClassVar[int] = 64 * 1024
    taking_s: ClassVar[float] = 30.0
    room: ClassVar[Room]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._giving_up: asyncio.TimerHandle | None = None
        self._not_taking: asyncio.TimerHandle | None = None
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as theirs
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()
        self.room.enter(self)

    def data_received(self, data: bytes) -> None:
        """Begin to wait, if this is not part of a request that is being worked on."""
        if self._giving_up is None and (self.cycle is None or self.cycle.response_complete):
            self._wait()
        super().data_received(data)
        if self._giving_up is not None:
            self._head_bytes += len(data)
            if self._head_bytes > self.head_bytes and not self.transport.is_closing():
                self.transport.write(_TOO_LARGE)
                self.transport.close()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._wait_no_more()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Wait for another request, without haste."""
        super().on_response_complete()
        if not self.pipeline and not self.transport.is_closing():
            self.room.answered(self)

    def pause_writing(self) -> None:
        """The client takes nothing at present."""
        super().pause_writing()
        if self._not_taking is None:
            self._not_taking = self.loop.call_later(self.taking_s, self.give_up)

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        self._take_again()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing to wait for any more."""
        self._wait_no_more()
        self._take_again()
        super().connection_lost(exc)

    def give_up(self) -> None:
        """Close the connection, whatever was still to be sent."""
        self.room.busy(self)
        self.connections.discard(self)
        self.transport.abort()

    def _wait(self) -> None:
        self._head_bytes = 0
        self._giving_up = self.loop.call_later(self.head_s, self.give_up)

    def _wait_no_more(self) -> None:
        self.room.busy(self)
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None

    def _take_again(self) -> None:
        if self._not_taking is not None:
            self._not_taking.cancel()
            self._not_taking = None


def impatient(most_connections: int) -> type[ImpatientProtocol]:
    """The protocol for one server, with room for so many connections."""

    class Impatient(ImpatientProtocol):
        room = Room(most_connections)

    return Impatient
