"""How `autoscaler demo` ends: on a terminal with a question, elsewhere with the command to go on with."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# As the command ends. Else Python ends by the signal even where it was handled, if it came within an `exec`.
OFFER = "from rich.console import Console; from autoscaler.cli.demo import offer; exit(offer(Console()))"


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}


class _Terminal:
    """The offer on a terminal of its own."""

    def __init__(self, folder: Path) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", OFFER],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=_environment(folder),
            start_new_session=True,
            # What runs in the background of a script ignores the signal, and its children would too.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        os.close(theirs)
        self.said = ""

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def wait_for(self, text: str, within_s: float = 100.0) -> None:
        deadline = time.monotonic() + within_s
        while text not in self.said and time.monotonic() < deadline:
            readable, _, _ = select.select([self._ours], [], [], 1.0)
            try:
                self.said += os.read(self._ours, 4096).decode() if readable else ""
            except OSError:  # its other end is closed: it has ended
                break
        assert text in self.said, self.said

    def close(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._ours)


def test_without_a_terminal_it_names_the_command(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", OFFER],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=_environment(tmp_path),
        timeout=100,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "Live in the browser, on the same traffic: autoscaler demo --serve\n"


@pytest.mark.parametrize("answer", ["n\n", "\n", "\x04"], ids=["no", "Enter", "Ctrl-D"])
def test_on_a_terminal_it_asks_and_takes_no_for_an_answer(answer: str, tmp_path: Path) -> None:
    terminal = _Terminal(tmp_path)
    try:
        terminal.wait_for("Look at it live in the browser? [y/N]:")
        terminal.type(answer)
        assert terminal.process.wait(100) == 0
    finally:
        terminal.close()
    assert "Playing" not in terminal.said


@pytest.mark.slow
def test_on_a_terminal_yes_starts_it(tmp_path: Path) -> None:
    terminal = _Terminal(tmp_path)
    try:
        terminal.wait_for("[y/N]")
        terminal.type("y\n")
        terminal.wait_for("Playing the last 2d")
        deadline = time.monotonic() + 100
        while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.05)
        os.killpg(terminal.process.pid, signal.SIGINT)
        terminal.wait_for("Ended; nothing is left behind.")
        assert terminal.process.wait(100) == 0
    finally:
        terminal.close()
    assert list(tmp_path.iterdir()) == []
