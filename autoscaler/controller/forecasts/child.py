"""Where the forecasting process begins: `python -m autoscaler.controller.forecasts.child DESCRIPTOR`.

The descriptor is that of an inherited socket to the operator. When the operator ends, however it
ends, the socket closes, and then this process ends too.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from multiprocessing.connection import Connection

_NICENESS = 10
"""Decisions come first: they take no second, and a fit can wait."""


def main(descriptor: int) -> None:
    """Serve the operator on the other end of `descriptor` until it has gone."""
    # An interrupt at a terminal reaches the whole group; when to end is the operator's business.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICENESS)
    logging.basicConfig(format="%(asctime)s %(levelname)s forecasts: %(message)s", level=logging.INFO)
    connection = Connection(descriptor)
    sys.path[:] = connection.recv()
    from autoscaler.controller.forecasts.worker import serve

    serve(connection)
    sys.stderr.flush()
    # Threads may still wait for a server; nothing they could answer is wanted any more.
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
