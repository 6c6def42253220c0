"""`autoscaler demo --serve` as somebody starts it: a process, with a temporary folder of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

_ROOT = Path(__file__).parents[2]
_OPENS_WITHIN_S = 240.0


class Show:
    """A running show. url: where it serves. kept: the folder in which it may keep things."""

    def __init__(self, process: subprocess.Popen[str], said: Path, kept: Path) -> None:
        self.process = process
        self.kept = kept
        self._said = said
        self.url = ""

    @property
    def said(self) -> str:
        """All that it has written to its terminal so far."""
        return self._said.read_text(encoding="utf-8")

    def wait_until_open(self) -> None:
        deadline = time.monotonic() + _OPENS_WITHIN_S
        while time.monotonic() < deadline and self.process.poll() is None:
            found = re.search(r"Open (http://\S+)/ in a browser", self.said)
            if found is not None:
                self.url = found[1]
                return
            time.sleep(0.05)
        raise AssertionError(f"it did not open: {self.said}")

    def family(self) -> set[int]:
        """Its processes, itself included, by /proc."""
        return {self.process.pid, *_descendants(self.process.pid)}

    def get(self, path: str) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=20)

    def eventually(self, is_so: Callable[[], bool], within_s: float = 60.0) -> bool:
        """Whether it becomes so in time."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if is_so():
                return True
            time.sleep(0.1)
        return False


@contextmanager
def running_show(folder: Path, *options: str) -> Iterator[Show]:
    """A show with ten minutes of past; killed at the end if it still runs."""
    kept, said = folder / "kept", folder / "said.txt"
    kept.mkdir()
    command = [sys.executable, "-c", "from autoscaler.cli import main; main()", "demo", "--serve"]
    with said.open("w", encoding="utf-8") as terminal:
        process = subprocess.Popen(
            [*command, "--port", "0", "--past", "10m", *options],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(_ROOT), "TMPDIR": str(kept)},
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # What runs in the background of a script ignores the signal, and its children would too.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    try:
        yield Show(process, said, kept)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def _descendants(pid: int) -> set[int]:
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found |= {int(child)} | _descendants(int(child))
    return found
