"""The processes that play the fleet, a share of it each, beside the one that serves: as the operator is one.

play the past -> say so -> wait to be told to go live -> one step at a time, until the pipe closes
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from autoscaler.demo.clock import AcceleratedClock
from autoscaler.demo.fleet import read_fleet
from autoscaler.demo.play import Play
from autoscaler.demo.records import Records
from autoscaler.demo.traffic import STEP_S
from autoscaler.store.store import Store

_STORE_PATIENCE_S = 60.0
"""Players take turns in writing, for fractions of a second each, except on a busy machine."""
_ENDS_WITHIN_S = 5.0


class PlayEnded(Exception):
    """A player has ended by itself; what it said of it is on stderr."""


@dataclass(frozen=True, slots=True)
class Script:
    """What is played. url: of a store whose tables are there. opens_s: when the live part begins, epoch
    seconds on the grid; past_s: how much is played before. speed: of the live part, seconds a second."""

    url: str
    opens_s: int
    past_s: int
    speed: float


@dataclass(frozen=True, slots=True)
class _Played:
    """The past is played. keys: `namespace/name` of the workloads whose it is."""

    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class _GoLive:
    """Time passes from now on."""


@dataclass(frozen=True, slots=True)
class _Annotate:
    """The override annotation of a workload, or that there is none any more."""

    key: str
    override: str | None


class Players:
    """All players. Use: `start`, `wait_until_played`, `go_live`, then `annotate` from any thread, `stop`."""

    def __init__(self, script: Script, players: int) -> None:
        self._script = script
        self._connections: list[Connection] = []
        self._processes: list[BaseProcess] = []
        self._by_key: dict[str, Connection] = {}
        self._count = players

    def start(self) -> None:
        """Start the processes, which begin with the past."""
        context = multiprocessing.get_context("spawn")
        with _interrupts_kept_from_children():
            for part in range(self._count):
                ours, theirs = context.Pipe()
                arguments = (theirs, self._script, part, self._count)
                process = context.Process(target=_perform, args=arguments, name="player", daemon=True)
                process.start()
                theirs.close()
                self._connections.append(ours)
                self._processes.append(process)

    def wait_until_played(self) -> None:
        """Wait for the past of all workloads. Raises PlayEnded."""
        for connection in self._connections:
            try:
                played: _Played = connection.recv()
            except EOFError as error:
                raise PlayEnded from error
            self._by_key.update(dict.fromkeys(played.keys, connection))

    def go_live(self) -> None:
        """Let time pass. Raises PlayEnded."""
        for connection in self._connections:
            _send(connection, _GoLive())

    def annotate(self, key: str, override: str | None) -> None:
        """From its next step on the workload has this override annotation, or none.

        Raises KeyError where there is no such workload, and PlayEnded.
        """
        _send(self._by_key[key], _Annotate(key, override))

    def wait_for_an_end(self, patience_s: float) -> bool:
        """Whether any player has ended, waiting for that for so long."""
        return bool(wait([process.sentinel for process in self._processes], patience_s))

    def stop(self) -> None:
        """End all players, wherever they are."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(_ENDS_WITHIN_S)
        for connection in self._connections:
            connection.close()


def _send(connection: Connection, message: _GoLive | _Annotate) -> None:
    try:
        connection.send(message)
    except OSError as error:
        raise PlayEnded from error


@contextmanager
def _interrupts_kept_from_children() -> Iterator[None]:
    """Ctrl-C reaches all processes of a terminal. Those that are started meanwhile never hear of it, as when
    they end is ours to say; here it is only put off."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _perform(connection: Connection, script: Script, part: int, parts: int) -> None:
    """Play every `parts`-th workload of the fleet, from the one numbered `part` on, until the pipe closes."""
    members = read_fleet(script.opens_s)[part::parts]
    play = Play(members, script.opens_s - script.past_s)
    store = Store.open(script.url, _STORE_PATIENCE_S)
    records = Records(store, play.fan)
    try:
        play.until(script.opens_s, records)
        connection.send(_Played(play.keys))
        connection.recv()
        clock = AcceleratedClock(script.opens_s, script.speed)
        clock.start()
        _play_live(play, records, clock, connection)
    except (EOFError, BrokenPipeError):
        return  # whoever has started this has gone
    finally:
        store.close()


def _play_live(play: Play, records: Records, clock: AcceleratedClock, connection: Connection) -> None:
    while True:
        if connection.poll(clock.real_seconds_until(play.next_s)):
            message: _Annotate = connection.recv()
            play.annotate(message.key, message.override)
        else:
            play.until(play.next_s + STEP_S, records)
