"""The show: the fleet played beside a service for a browser on this machine, from the past to the end."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from autoscaler.demo.clock import STEP_S, AcceleratedClock
from autoscaler.demo.players import Players, Script
from autoscaler.interrupts import noticing, put_off

_MOST_PLAYERS = 4


@dataclass(frozen=True, slots=True)
class Show:
    """port: 0 for any. speed: simulated seconds a second. past_s: how much is played before it opens.
    for_s: real seconds after which it ends by itself; None for never."""

    port: int
    speed: float
    past_s: int
    for_s: float | None


class PortRefused(Exception):
    """The port cannot be served; the message says why."""


def show(wanted: Show, opened: Callable[[str], None]) -> None:
    """Play, serve, and leave nothing behind. Ends after `for_s`, or at SIGINT or SIGTERM, without raising.

    opened: called with the address when a browser may come. Raises PortRefused, and PlayEnded where the play
    failed.
    """
    # SIGTERM too, which would end the process at once with its folder left behind.
    with noticing(signal.SIGINT, signal.SIGTERM) as interrupts, ExitStack() as stack:
        try:
            _show(wanted, opened, stack)
        except BaseException:
            # What fails while it is tidied up afterwards is told even so.
            if not interrupts.noticed:
                raise


def _show(wanted: Show, opened: Callable[[str], None], stack: ExitStack) -> None:
    with put_off(signal.SIGINT, signal.SIGTERM):
        folder = stack.enter_context(TemporaryDirectory(prefix="autoscaler-demo-"))
    url = f"sqlite:///{Path(folder) / 'store.db'}"
    # Ended after the players: it may wait for one of them.
    conductor = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="conductor"))
    opens_s = int(time.time()) // STEP_S * STEP_S
    past_s = wanted.past_s // STEP_S * STEP_S
    players = Players(Script(url, opens_s, past_s), min(_MOST_PLAYERS, os.cpu_count() or 1))
    stack.callback(players.stop)
    players.start()
    # Loaded while the players are at work, as it takes a second or two.
    from autoscaler.demo.service import Service, loopback_socket

    try:
        listening = stack.enter_context(loopback_socket(wanted.port))
    except ValueError as error:
        raise PortRefused(str(error)) from error
    clock = AcceleratedClock(opens_s, wanted.speed)
    service = Service(listening, url, clock.now_s, players)
    players.wait_until_played()
    ended = threading.Event()
    stack.callback(ended.set)
    conducting = conductor.submit(_conduct, players, clock, ended)
    conducting.add_done_callback(lambda _: service.stop())
    if wanted.for_s is not None:
        timer = threading.Timer(wanted.for_s, ended.set)
        stack.callback(timer.cancel)
        timer.start()
    opened(service.address)
    service.run()
    ended.set()
    conducting.result()


def _conduct(players: Players, clock: AcceleratedClock, ended: threading.Event) -> None:
    """Have each step played when it is time. Raises PlayEnded."""
    next_s = clock.now_s()
    while not ended.wait(clock.real_seconds_until(next_s)):
        players.step()
        next_s += STEP_S
        clock.go_on(next_s)
