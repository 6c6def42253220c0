"""Ctrl-C in the middle, to the real process group as a terminal sends it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from command import csv_of

import autoscaler.cli

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from autoscaler.cli import main; main()"]
TOLD = "autoscaler: interrupted; no file is left half written"
WATCHED = pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="processes are watched through /proc"
)


def children(pid: int) -> set[int]:
    """Descendants of a process, by /proc."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            for child in task.read_text().split():
                found |= {int(child)} | children(int(child))
    return found


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def started(command: str, folder: Path) -> subprocess.Popen[str]:
    """A run with enough to do for a minute, so that it is certainly not over when it is interrupted."""
    (folder / "load.csv").write_text(csv_of([100 + index % 50 for index in range(31 * 288)]))
    (folder / "out.json").write_text("older")
    outputs = "--html out.html --json out.json --timeline out.csv"
    options = f"{command} --baselines hpa-tuned,phpa --model auto --quantiles 0.5,0.6,0.7 {outputs} load.csv"
    return subprocess.Popen(
        [*COMMAND, *options.split()],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # What runs in the background of a script ignores the signal, and its children would too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def wait_for_children(running: subprocess.Popen[str], count: int) -> None:
    deadline = time.monotonic() + 60
    while len(children(running.pid)) < count and time.monotonic() < deadline:
        time.sleep(0.01)


def check_gone(family: set[int]) -> None:
    """None of them is left, ten seconds from now at the latest."""
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in family) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [pid for pid in family if alive(pid)]


# What the processes are forked from, what cleans up after them, and the two.
AT_WORK = 4


@WATCHED
@pytest.mark.parametrize(
    ("command", "processes", "then_s"),
    [
        pytest.param("backtest --jobs 1", 0, 4.0, id="alone"),
        pytest.param("backtest --jobs 2", AT_WORK, 2.0, id="two at work"),
        *(
            pytest.param("backtest --jobs 2", 1, then_s, id=f"{then_s} s after the two began to load")
            for then_s in (0.0, 0.2, 0.3, 0.5, 0.7, 0.9, 1.2)
        ),
    ],
)
@pytest.mark.slow
def test_an_interrupted_run_says_so_in_one_line_and_leaves_nothing_behind(
    command: str, processes: int, then_s: float, tmp_path: Path
) -> None:
    running = started(command, tmp_path)
    wait_for_children(running, processes)
    time.sleep(then_s)
    family = children(running.pid)
    assert running.poll() is None, "it was over before it could be interrupted"
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert err.splitlines() == [TOLD]
    assert running.returncode == 130
    assert out == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["load.csv", "out.json"]
    assert (tmp_path / "out.json").read_text() == "older"
    check_gone(family)


@WATCHED
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.slow
def test_no_process_outlives_a_run_that_is_killed(how: signal.Signals, tmp_path: Path) -> None:
    with started("backtest --jobs 2", tmp_path) as running:
        wait_for_children(running, AT_WORK)
        time.sleep(2.0)
        family = children(running.pid)
        assert len(family) == AT_WORK
        running.send_signal(how)
        running.wait(60)
        check_gone(family)


def test_an_interrupt_is_told_as_one_where_python_made_another_error_of_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def loading(**_: object) -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt as error:
            raise RuntimeError("Error calling __set_name__") from error

    monkeypatch.setattr(autoscaler.cli, "app", loading)
    # Tests may themselves run in the background of a script, where the signal is ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(SystemExit, match="130"):
            autoscaler.cli.main()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert capsys.readouterr().err.splitlines() == [TOLD]
