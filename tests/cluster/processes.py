"""Server processes that tests start, stop, freeze and kill, and that never outlive the tests."""

from __future__ import annotations

import contextlib
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

# Below the ports that outgoing connections take by themselves (from 32768 on Linux): a server that is
# stopped for a while must find its port free when it comes back.
_PORTS = range(15_000, 32_000)

# Kills what is left when the pipe from the tests closes, whatever ended them. It asks nothing of the
# operating system, and unlike a parent-death signal it does not depend on the thread that started a server.
_LIFELINE = """
import os, signal, sys
alive = set()
for line in sys.stdin:
    verb, pid = line.split()
    (alive.add if verb == "started" else alive.discard)(int(pid))
for pid in alive:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
"""


def free_port() -> int:
    """A loopback port that nobody listens on and that no outgoing connection will take."""
    for port in random.sample(_PORTS, 100):
        with contextlib.closing(socket.socket()) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError(f"no free port among 100 tried in {_PORTS}")


class Lifeline:
    """Ends the servers of a test run that is itself ended without a chance to clean up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watcher = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _LIFELINE],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a Ctrl-C at the terminal is for the tests alone
        )

    def note(self, verb: str, pid: int) -> None:
        """Say that a server has `started` or `ended`."""
        with self._lock:
            assert self._watcher.stdin is not None
            self._watcher.stdin.write(f"{verb} {pid}\n")
            self._watcher.stdin.flush()

    def close(self) -> None:
        """End the watcher, and with it every server that has not been noted as ended."""
        assert self._watcher.stdin is not None
        self._watcher.stdin.close()
        self._watcher.wait(10)


class ServerProcess:
    """One server: its command, its log, and the ways to make it go away and come back.

    A server is killed with everything it may have started, since each has a process group of its own.
    """

    def __init__(self, name: str, command: Sequence[str], log: Path, lifeline: Lifeline) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self._lifeline = lifeline
        self._process: subprocess.Popen[bytes] | None = None
        self._paused = False

    @property
    def running(self) -> bool:
        """Whether the process is there, paused or not."""
        return self._process is not None and self._process.poll() is None

    @property
    def paused(self) -> bool:
        """Whether `pause` was called and nothing has undone it."""
        return self._paused

    @property
    def pid(self) -> int:
        """The process id; AssertionError where it is not running."""
        assert self._process is not None and self.running, f"{self.name} is not running"
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """What it ended with by itself, negative for a signal; None otherwise, `stop` and `kill` included."""
        return self._process.poll() if self._process is not None else None

    def start(self) -> None:
        """Start it; nothing where it runs already. Does not wait until it serves."""
        if self.running:
            return
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._lifeline.note("started", self._process.pid)
        self._paused = False

    def stop(self, timeout_s: float = 15.0, *, or_kill: bool = False) -> None:
        """Ask it to end, as a node that drains does.

        One that takes longer than `timeout_s` is killed, and AssertionError raised unless `or_kill`.
        """
        self.resume()
        if not self._end(signal.SIGTERM, timeout_s) and not or_kill:
            raise AssertionError(
                f"{self.name} did not end within {timeout_s:g} s; log {self.log}:\n{self.log_tail()}"
            )

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self._end(signal.SIGKILL, 10.0)

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)
        self._paused = True

    def resume(self) -> None:
        """Let it go on after `pause`; nothing where it is not paused."""
        if self._paused and self.running:
            self._signal(signal.SIGCONT)
        self._paused = False

    def log_tail(self, characters: int = 2000) -> str:
        """The end of what it wrote."""
        return self.log.read_text(errors="replace")[-characters:] if self.log.exists() else ""

    def must_run(self) -> None:
        """Raise AssertionError with the end of the log where the process has ended."""
        if self._process is None or not self.running:
            status = "was not started" if self._process is None else f"ended with {self._process.returncode}"
            raise AssertionError(f"{self.name} {status}; log {self.log}:\n{self.log_tail()}")

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None and self.running, f"{self.name} is not running"
        self._process.send_signal(number)

    def _end(self, number: signal.Signals, timeout_s: float) -> bool:
        """Whether the signal was enough; killed otherwise."""
        process, self._process, self._paused = self._process, None, False
        if process is None:
            return True
        process.send_signal(number)
        in_time = True
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            in_time = False
            process.kill()
            process.wait(10)
        self._lifeline.note("ended", process.pid)
        return in_time
