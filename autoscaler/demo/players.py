"""The processes that play the fleet, a share of it each, beside the one that serves: as the operator is one.

play the past -> say so -> then whatever is asked for, a step or an annotation, until the pipe closes
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from autoscaler.interrupts import put_off

_ENDS_WITHIN_S = 5.0


class PlayEnded(Exception):
    """A player has ended by itself; what it said of it is on stderr."""


@dataclass(frozen=True, slots=True)
class Script:
    """What is played. url: of the store that it is kept in. opens_s: when the live part begins, epoch
    seconds on the grid; past_s: how much is played before."""

    url: str
    opens_s: int
    past_s: int


@dataclass(frozen=True, slots=True)
class Played:
    """What was to be played is played. keys: `namespace/name` of the workloads whose it is."""

    keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Step:
    """Play the next step."""


@dataclass(frozen=True, slots=True)
class Annotate:
    """The override annotation of a workload, or that there is none any more."""

    key: str
    override: str | None


class Players:
    """All players. Use: `start`, `wait_until_played`; then `step`, and `annotate` from any thread; `stop`.

    All but the last raise PlayEnded.
    """

    def __init__(self, script: Script, players: int) -> None:
        self._script = script
        self._count = players
        self._connections: list[Connection] = []
        self._processes: list[BaseProcess] = []
        self._by_key: dict[str, Connection] = {}
        self._sending = threading.Lock()

    def start(self) -> None:
        """Start the processes, which begin with the past."""
        context = multiprocessing.get_context("spawn")
        # Started with the first of them otherwise, and an interrupt would end what is begun here.
        resource_tracker.ensure_running()
        # Ctrl-C, and SIGTERM to a group, reach all processes at once; when players end is ours to say.
        with put_off(signal.SIGINT, signal.SIGTERM):
            for part in range(self._count):
                ours, theirs = context.Pipe()
                arguments = (theirs, self._script, part, self._count)
                process = context.Process(target=_begin, args=arguments, name="player", daemon=True)
                process.start()
                theirs.close()
                self._connections.append(ours)
                self._processes.append(process)

    def wait_until_played(self) -> None:
        """Wait until all have played what they were told to."""
        for connection in self._connections:
            try:
                played: Played = connection.recv()
            except (EOFError, OSError) as error:
                raise PlayEnded from error
            self._by_key.update(dict.fromkeys(played.keys, connection))

    def step(self) -> None:
        """Play the next step of the whole fleet."""
        for connection in self._connections:
            self._send(connection, Step())
        self.wait_until_played()

    def annotate(self, key: str, override: str | None) -> None:
        """From its next step on the workload has this override annotation, or none.

        Raises KeyError where there is no such workload.
        """
        self._send(self._by_key[key], Annotate(key, override))

    def stop(self) -> None:
        """End all players, wherever they are."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.join(_ENDS_WITHIN_S)
        for connection in self._connections:
            connection.close()

    def _send(self, connection: Connection, message: Step | Annotate) -> None:
        try:
            with self._sending:
                connection.send(message)
        except OSError as error:
            raise PlayEnded from error


def _begin(connection: Connection, script: Script, part: int, parts: int) -> None:
    # What a player needs takes a second to load, which whoever starts it has other use for.
    from autoscaler.demo.player import perform

    perform(connection, script, part, parts)
