"""The service over a play: every part of it, where nobody but the person at this machine can reach it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager

from autoscaler.api.access.open_access import OpenAccess
from autoscaler.api.app import make_app
from autoscaler.api.configuration import Listen, WhatIf
from autoscaler.api.fleet import Fleet
from autoscaler.api.parts import OverrideRefused, Parts
from autoscaler.api.service import listening_socket, server
from autoscaler.api.whatif.jobs import Jobs
from autoscaler.demo.players import PlayEnded, Players
from autoscaler.store.store import Store

_ADDRESS = "127.0.0.1"


def loopback_socket(port: int) -> AbstractContextManager[socket.socket]:
    """Where the service is to listen; 0 takes any port. Raises ValueError where it cannot be had."""
    return listening_socket(Listen(address=_ADDRESS, port=port))


class Service:
    """Everything is made at once and begins with `run`. url: of the store. now_s: the clock of the play."""

    def __init__(
        self, listening: socket.socket, url: str, now_s: Callable[[], float], players: Players
    ) -> None:
        self._listening = listening
        self._store = Store.open(url)
        self._fleet = Fleet(self._store, now_s)
        self._jobs = Jobs(WhatIf())
        parts = Parts(
            store=self._store,
            fleet=self._fleet,
            access=OpenAccess(_ADDRESS),
            overrides=_PlayedAnnotations(players),
            jobs=self._jobs,
            now_s=now_s,
        )
        self._server = server(make_app(parts), Listen(address=_ADDRESS))

    @property
    def address(self) -> str:
        """For a browser."""
        return f"http://{_ADDRESS}:{self._listening.getsockname()[1]}/"

    def run(self) -> None:
        """Answer until `stop`, SIGINT or SIGTERM; the signals are raised again when all has ended."""
        self._fleet.start()
        self._jobs.start()
        try:
            self._server.run(sockets=[self._listening])
        finally:
            self._jobs.stop()
            self._fleet.stop()
            self._store.close()

    def stop(self) -> None:
        """Let `run` return. Usable from any thread."""
        self._server.should_exit = True


class _PlayedAnnotations:
    """`Overrides` of a play."""

    def __init__(self, players: Players) -> None:
        self._players = players
        self._texts: dict[str, str | None] = {}

    async def put(self, workload: str, text: str) -> None:
        self._annotate(workload, text)

    async def remove(self, workload: str, text: str) -> bool:
        if self._texts.get(workload) != text:
            return False
        self._annotate(workload, None)
        return True

    def _annotate(self, workload: str, text: str | None) -> None:
        try:
            self._players.annotate(workload, text)
        except (KeyError, PlayEnded) as error:
            raise OverrideRefused(f"{workload} is not played") from error
        self._texts[workload] = text
