"""The worker process as seen from the service: started when it is needed, ended when it does not behave."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from autoscaler.api.whatif.messages import Answered, Progress, Question, Refused, Setup, Told
from autoscaler.api.whatif.trial import Advance

_LOOK_EVERY_S = 0.1
_STARTS_WITHIN_S = 60.0
_HANGS_UP_WITHIN_S = 1.0
_ENVIRONMENT = {
    # One core is all that a question gets, and threads of linear algebra would take memory.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
}


class QuestionFailed(Exception):
    """There is no answer; the message says why, in one line."""


class QuestionWithdrawn(Exception):
    """Nobody wants the answer any more."""


class Worker:
    """One process that answers one question at a time. For one thread."""

    def __init__(self, memory_bytes: int) -> None:
        self._memory_bytes = memory_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    @property
    def process_id(self) -> int | None:
        """Of the process; None while there is none."""
        return None if self._process is None else self._process.pid

    def ask(
        self, question: Question, deadline_s: float, advance: Advance, withdrawn: Callable[[], bool]
    ) -> bytes:
        """The answer as JSON. A process that takes longer than `deadline_s`, or whose question is withdrawn,
        is ended; the next question gets a new one.

        Raises QuestionFailed or QuestionWithdrawn.
        """
        late = f"it took longer than {deadline_s:g} s and was stopped; ask for fewer days"
        try:
            connection = self._ready(withdrawn)
            connection.send(question)
            until_s = time.monotonic() + deadline_s
            while True:
                match self._next(connection, until_s, late, withdrawn):
                    case Progress(share, message):
                        advance(share, message)
                    case Answered(body):
                        return body
                    case Refused(message):
                        raise QuestionFailed(message)
        except (EOFError, OSError) as error:
            raise QuestionFailed(f"the process that computed it {self._fate()}") from error

    def end(self) -> None:
        """End the process, if there is one, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._connection is not None:
            self._connection.close()
        self._process = self._connection = None

    def _ready(self, withdrawn: Callable[[], bool]) -> Connection:
        """The way to a process that takes questions; it is started if there is none."""
        if self._connection is not None and self._process is not None and self._process.poll() is None:
            return self._connection
        self.end()
        ours, theirs = socket.socketpair()
        self._connection = Connection(ours.detach())
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "autoscaler.api.whatif.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**os.environ, **_ENVIRONMENT},
                stdin=subprocess.DEVNULL,
            )
        self._connection.send(Setup(tuple(sys.path), self._memory_bytes))
        late = f"the process to compute it did not start within {_STARTS_WITHIN_S:g} s; try again"
        self._next(self._connection, time.monotonic() + _STARTS_WITHIN_S, late, withdrawn)
        return self._connection

    def _next(self, connection: Connection, until_s: float, late: str, withdrawn: Callable[[], bool]) -> Told:
        """What the process says next. It is ended when that comes too late or nobody waits any more."""
        while True:
            if withdrawn():
                self.end()
                raise QuestionWithdrawn
            if time.monotonic() > until_s:
                self.end()
                raise QuestionFailed(late)
            if connection.poll(_LOOK_EVERY_S):
                told: Told = connection.recv()
                return told

    def _fate(self) -> str:
        """What became of a process that answers no more, in words; it is cleared away."""
        if self._process is None:
            return "could not be started"
        try:
            code = self._process.wait(timeout=_HANGS_UP_WITHIN_S)
        except subprocess.TimeoutExpired:
            return "hung up"
        finally:
            self.end()
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
