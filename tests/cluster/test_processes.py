"""Server processes of tests: they say why they did not start, and none outlives the tests."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from processes import Lifeline, ServerProcess
from waiting import wait_until

_FOLDER = Path(__file__).parent

_INTERRUPTED = """
import sys
sys.path.insert(0, {folder!r})
from pathlib import Path
from processes import Lifeline, ServerProcess
server = ServerProcess("server", ["sleep", "600"], Path({log!r}), Lifeline())
server.start()
print(server.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lifeline() -> Iterator[Lifeline]:
    line = Lifeline()
    yield line
    line.close()


def test_no_server_outlives_tests_that_are_killed(tmp_path: Path) -> None:
    source = _INTERRUPTED.format(folder=str(_FOLDER), log=str(tmp_path / "log"))
    with subprocess.Popen(
        [sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as tests:
        assert tests.stdout is not None
        server = int(tests.stdout.readline())
        # While it becomes another program, a process has no command line either.
        wait_until(lambda: not _ended(server), 10, "the server to run")
        tests.kill()
        tests.wait()
    wait_until(lambda: _ended(server), 10, "the server's end")


def _ended(pid: int) -> bool:
    # Its new parent may take a while to collect it; a process that waits for that has no command line.
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() == b""
    except FileNotFoundError:
        return True


def test_a_server_that_ends_says_why(tmp_path: Path, lifeline: Lifeline) -> None:
    server = ServerProcess("server", ["sh", "-c", "echo no such option; exit 3"], tmp_path / "log", lifeline)
    server.start()
    wait_until(lambda: not server.running, 10, "the server's end")
    with pytest.raises(AssertionError, match=r"server ended with 3; log .*\n.*no such option"):
        server.must_run()


@pytest.mark.parametrize("or_kill", [True, False], ids=["as asked for", "which is a failure"])
def test_a_server_that_ignores_the_request_to_end_is_killed(
    or_kill: bool, tmp_path: Path, lifeline: Lifeline
) -> None:
    command = ["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done"]
    server = ServerProcess("server", command, tmp_path / "log", lifeline)
    server.start()
    wait_until(lambda: "deaf" in server.log_tail(), 10, "the server to be deaf")
    pid = server.pid
    failure = pytest.raises(AssertionError, match=r"server did not end within 0.1 s; log .*\n.*deaf")
    with contextlib.nullcontext() if or_kill else failure:
        server.stop(timeout_s=0.1, or_kill=or_kill)
    assert not server.running
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_waiting_in_vain_says_for_what_and_what_was_seen_last() -> None:
    with pytest.raises(AssertionError, match=r"waited 0 s for the tide; last value: \[\]"):
        wait_until(list, 0, "the tide")
