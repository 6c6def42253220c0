"""Where the forecasting process begins: `python -m autoscaler.controller.forecasts.child DESCRIPTOR`.

The descriptor is that of an inherited socket to the operator. When the operator ends, however it
ends, the socket closes, and then this process ends too; on Linux the kernel sees to it even sooner, which
matters while libraries are being loaded and an operator is killed again and again.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
from multiprocessing.connection import Connection

_PR_SET_PDEATHSIG = 1
"""Of linux/prctl.h: the signal to get when the thread that started this process is gone."""

_NICENESS = 10
"""Decisions come first: they take no second, and a fit can wait."""


def main(descriptor: int) -> None:
    """Serve the operator on the other end of `descriptor` until it has gone."""
    # An interrupt at a terminal reaches the whole group; when to end is the operator's business.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_the_operator()
    os.nice(_NICENESS)
    logging.basicConfig(format="%(asctime)s %(levelname)s forecasts: %(message)s", level=logging.INFO)
    connection = Connection(descriptor)
    sys.path[:] = connection.recv()
    from autoscaler.controller.forecasts.worker import serve

    serve(connection)
    sys.stderr.flush()
    # Threads may still wait for a server; nothing they could answer is wanted any more.
    os._exit(0)


def _end_with_the_operator() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main(int(sys.argv[1]))
