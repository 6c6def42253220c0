"""The operator, dying at a chosen instant: python crashing_child.py KUBECONFIG

Says that it is ready, then reads lines "CONFIG NUMBER SECONDS" and answers each with the exit status of an
operator that ran with this configuration and died, as of a SIGKILL, at its NUMBERth step across the edge,
counted from SECONDS after its first: just before or just after it looked at a count, read metrics,
recorded, wrote a count, kept memories or told a status. With 0 for a number it is killed those seconds after
its first step, whatever it is doing. Everything is imported once; each operator is a fork.
"""

from __future__ import annotations

import functools
import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autoscaler.cli import run
from autoscaler.controller.acting.dials import FloorDial, ScaleDial
from autoscaler.controller.observing.sources import MetricSource
from autoscaler.controller.telling.ledger import StoreLedger
from autoscaler.controller.telling.reporting import Reporter

DIED = 77
AT_ONCE = 0
_ENDS_AFTER_S = 60.0
_EDGES: tuple[tuple[type, str], ...] = (
    (ScaleDial, "read"),
    (MetricSource, "read"),
    (StoreLedger, "record"),
    (ScaleDial, "write"),
    (FloorDial, "read"),
    (FloorDial, "write"),
    (StoreLedger, "settle"),
    (Reporter, "_write"),
)


def main() -> None:
    """Until the end of standard input."""
    kubeconfig = Path(sys.argv[1])
    print("ready", flush=True)
    for line in sys.stdin:
        config, number, after_s = line.split()
        pid = os.fork()
        if not pid:
            _die_at(int(number), float(after_s))
            run.run(Path(config), kubeconfig, "")
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _die_at(number: int, after_s: float) -> None:
    first_s: list[float] = []
    steps = itertools.count(1)
    lock = threading.Lock()

    def step() -> None:
        with lock:
            now_s = time.monotonic()
            if not first_s:
                first_s.append(now_s)
                if number == AT_ONCE:
                    _in(after_s, os.kill, os.getpid(), signal.SIGKILL)
            if now_s >= first_s[0] + after_s and next(steps) == number:
                os._exit(DIED)

    for owner, name in _EDGES:
        setattr(owner, name, _stepping(getattr(owner, name), step))
    # One that never comes so far ends as well, so that nobody waits for it.
    _in(_ENDS_AFTER_S, os._exit, 1)


def _in(seconds: float, work: Callable[..., None], *arguments: int) -> None:
    timer = threading.Timer(seconds, work, arguments)
    timer.daemon = True
    timer.start()


def _stepping(real: Callable[..., Any], step: Callable[[], None]) -> Callable[..., Any]:
    @functools.wraps(real)
    def stepped(*args: Any, **kwargs: Any) -> Any:
        step()
        result = real(*args, **kwargs)
        step()
        return result

    return stepped


if __name__ == "__main__":
    main()
