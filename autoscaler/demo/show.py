"""The service over a play, for a browser on this machine: `autoscaler demo --serve`, without its options."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
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
    # Ended after the players: it may wait for one of them.
    conductor = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="conductor"))
    players = Players(Script(url, opens_s, wanted.past_s), _player_count())
    stack.callback(players.stop)
    players.start()
    clock = AcceleratedClock(opens_s, wanted.speed)
    parts = _parts(store, clock, players)
    running = server(make_app(parts), listen)
    players.wait_until_played()
    _start(parts, stack)
    ended = threading.Event()
    stack.callback(ended.set)
    conducting = conductor.submit(_conduct, players, clock, ended)
    conducting.add_done_callback(lambda _: _stop(running))
    if wanted.for_s is not None:
        timer = threading.Timer(wanted.for_s, ended.set)
        stack.callback(timer.cancel)
        timer.start()
    opened(f"http://{_ADDRESS}:{listening.getsockname()[1]}/")
    running.run(sockets=[listening])
    ended.set()
    conducting.result()


def _conduct(players: Players, clock: AcceleratedClock, ended: threading.Event) -> None:
    """Have each step played when it is time. Raises PlayEnded."""
    next_s = clock.now_s()
    while not ended.wait(clock.real_seconds_until(next_s)):
        players.step()
        next_s += STEP_S
        clock.go_on(next_s)


def _stop(running: uvicorn.Server) -> None:
    running.should_exit = True


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


def _start(parts: Parts, stack: ExitStack) -> None:
    parts.fleet.start()
    stack.callback(parts.fleet.stop)
    if parts.jobs is not None:
        parts.jobs.start()
        stack.callback(parts.jobs.stop)


class _PlayedAnnotations:
    """`Overrides` of a play."""

    def __init__(self, players: Players) -> None:
        self._players = players

    async def put(self, workload: str, text: str | None) -> None:
        try:
            self._players.annotate(workload, text)
        except (KeyError, PlayEnded) as error:
            raise OverrideRefused(f"{workload} is not played") from error


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
