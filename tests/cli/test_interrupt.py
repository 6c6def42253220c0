"""Ctrl-C in the middle, to the real process group as a terminal sends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import csv_of

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from autoscaler.cli import main; main()"]


def children(pid: int) -> set[int]:
    """Descendants of a process, by /proc."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            found |= {int(child)} | children(int(child))
    return found


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="processes are watched through /proc")
@pytest.mark.parametrize(
    ("command", "processes", "then_s"),
    [
        pytest.param("backtest --jobs 1", 0, 4.0, id="alone"),
        # What the processes are forked from, what cleans up after them, and the two.
        pytest.param("backtest --jobs 2", 4, 2.0, id="two at work"),
        pytest.param("backtest --jobs 2", 1, 0.3, id="while the two load"),
    ],
)
@pytest.mark.slow
def test_an_interrupted_run_says_so_in_one_line_and_leaves_nothing_behind(
    command: str, processes: int, then_s: float, tmp_path: Path
) -> None:
    # Enough to do for a minute, so that it is certainly not over when it is interrupted.
    (tmp_path / "load.csv").write_text(csv_of([100 + index % 50 for index in range(31 * 288)]))
    (tmp_path / "out.json").write_text("older")
    outputs = "--html out.html --json out.json --timeline out.csv"
    options = f"{command} --baselines hpa-tuned,phpa --model auto --quantiles 0.5,0.6,0.7 {outputs} load.csv"
    running = subprocess.Popen(
        [*COMMAND, *options.split()],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # What runs in the background of a script ignores the signal, and its children would too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 60
    while len(children(running.pid)) < processes and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(then_s)
    family = children(running.pid)
    assert running.poll() is None, "it was over before it could be interrupted"
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert err.splitlines() == ["autoscaler: interrupted; no file is left half written"]
    assert out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["load.csv", "out.json"]
    assert (tmp_path / "out.json").read_text() == "older"
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in family) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [pid for pid in family if alive(pid)]
