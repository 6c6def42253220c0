"""The service over a play, for a browser on this machine: `autoscaler demo --serve`, without its options."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

import uvicorn

from autoscaler.api.access.open_access import OpenAccess
from autoscaler.api.app import make_app
from autoscaler.api.configuration import Listen, WhatIf
from autoscaler.api.fleet import Fleet
from autoscaler.api.parts import OverrideRefused, Parts
from autoscaler.api.service import listening_socket, server
from autoscaler.api.whatif.jobs import Jobs
from autoscaler.demo.clock import AcceleratedClock
from autoscaler.demo.players import PlayEnded, Players, Script
from autoscaler.demo.traffic import STEP_S
from autoscaler.store.store import Store

_ADDRESS = "127.0.0.1"
_MOST_PLAYERS = 4
_LOOK_EVERY_S = 0.5


@dataclass(frozen=True, slots=True)
class Show:
    """port: 0 for any. speed: simulated seconds a second. past_s: how much is played before it opens.
    for_s: real seconds after which it ends by itself; None for never."""

    port: int
    speed: float
    past_s: int
    for_s: float | None


def show(wanted: Show, opened: Callable[[str], None]) -> None:
    """Play, serve, and leave nothing behind. Ends after `for_s`, or at SIGINT or SIGTERM, without raising.

    opened: called with the address when a browser may come. Raises ValueError where the port cannot be
    served, and PlayEnded where the play failed.
    """
    try:
        with _termination_as_interrupt(), ExitStack() as stack:
            _show(wanted, opened, stack)
    except KeyboardInterrupt:
        return


def _show(wanted: Show, opened: Callable[[str], None], stack: ExitStack) -> None:
    listen = Listen(address=_ADDRESS, port=wanted.port)
    listening = stack.enter_context(listening_socket(listen))
    folder = stack.enter_context(TemporaryDirectory(prefix="autoscaler-demo-"))
    url = f"sqlite:///{Path(folder) / 'store.db'}"
    store = Store.open(url)
    stack.callback(store.close)
    store.migrate()
    opens_s = int(time.time()) // STEP_S * STEP_S
    players = Players(Script(url, opens_s, wanted.past_s, wanted.speed), _player_count())
    stack.callback(players.stop)
    players.start()
    clock = AcceleratedClock(opens_s, wanted.speed)
    parts = _parts(store, clock, players)
    running = server(make_app(parts), listen)
    players.wait_until_played()
    players.go_live()
    clock.start()
    parts.fleet.start()
    stack.callback(parts.fleet.stop)
    if parts.jobs is not None:
        parts.jobs.start()
        stack.callback(parts.jobs.stop)
    ending = threading.Thread(target=_end, args=(running, players, wanted.for_s), daemon=True)
    ending.start()
    opened(f"http://{_ADDRESS}:{listening.getsockname()[1]}/")
    running.run(sockets=[listening])
    ending.join()
    if players.wait_for_an_end(0.0):
        raise PlayEnded


def _player_count() -> int:
    return min(_MOST_PLAYERS, os.cpu_count() or 1)


def _parts(store: Store, clock: AcceleratedClock, players: Players) -> Parts:
    return Parts(
        store=store,
        fleet=Fleet(store, clock.now_s),
        access=OpenAccess(_ADDRESS),
        overrides=_PlayedAnnotations(players),
        jobs=Jobs(WhatIf()),
        now_s=clock.now_s,
    )


class _PlayedAnnotations:
    """`Overrides` of a play."""

    def __init__(self, players: Players) -> None:
        self._players = players

    async def put(self, workload: str, text: str | None) -> None:
        try:
            self._players.annotate(workload, text)
        except (KeyError, PlayEnded) as error:
            raise OverrideRefused(f"{workload} is not played") from error


def _end(running: uvicorn.Server, players: Players, for_s: float | None) -> None:
    """Stop serving when it is time, or when there is nothing to be shown any more."""
    ends_s = None if for_s is None else time.monotonic() + for_s
    while not running.should_exit:
        left_s = _LOOK_EVERY_S if ends_s is None else ends_s - time.monotonic()
        if left_s <= 0.0 or players.wait_for_an_end(min(left_s, _LOOK_EVERY_S)):
            running.should_exit = True


@contextmanager
def _termination_as_interrupt() -> Iterator[None]:
    """SIGTERM ends the show as Ctrl-C does, instead of the process at once with its folder left behind."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
