"""The process that computes what-ifs: `python -m autoscaler.api.whatif.worker DESCRIPTOR`.

The descriptor is that of an inherited socket to the service. One question is answered at a time. When the
service ends, however it ends, the socket closes, and then this process ends in the middle of its work.
"""

from __future__ import annotations

import logging
import os
import queue
import resource
import signal
import sys
import threading
from multiprocessing.connection import Connection

import orjson

from autoscaler.api.whatif.history import Unanswerable
from autoscaler.api.whatif.messages import Answered, Progress, Question, Ready, Refused, Setup
from autoscaler.api.whatif.trial import Foresights
from autoscaler.store.errors import StoreError

_NICENESS = 10
"""Whoever looks at the service comes first, and decisions that may be made on the same machine."""

_LOG = logging.getLogger(__name__)


def main(descriptor: int) -> None:
    """Answer the questions that come over `descriptor` until it closes."""
    # An interrupt at a terminal reaches the whole group; when to end is the service's business.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICENESS)
    logging.basicConfig(format="%(asctime)s %(levelname)s what-if: %(message)s", level=logging.WARNING)
    connection = Connection(descriptor)
    setup: Setup = connection.recv()
    sys.path[:] = setup.path
    # What is written into memory, not what is mapped: libraries map far more than they use.
    resource.setrlimit(resource.RLIMIT_DATA, (setup.memory_bytes, setup.memory_bytes))
    # A picture of the memory left on a disk might hold the password of the store.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    questions: queue.SimpleQueue[Question] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(connection, questions), name="questions", daemon=True).start()
    foresights = Foresights()
    connection.send(Ready())
    while True:
        connection.send(_answered(questions.get(), foresights, connection, setup))


def _receive(connection: Connection, questions: queue.SimpleQueue[Question]) -> None:
    try:
        while True:
            questions.put(connection.recv())
    except (EOFError, OSError):
        os._exit(0)


def _answered(
    question: Question, foresights: Foresights, connection: Connection, setup: Setup
) -> Answered | Refused:
    def advance(share: float, message: str) -> None:
        connection.send(Progress(share, message))

    try:
        return Answered(orjson.dumps(question.answer(foresights, advance)))
    except (Unanswerable, StoreError) as error:
        return Refused(str(error))
    except MemoryError:
        return Refused(f"it needs more than {setup.memory_bytes >> 20} MiB of memory; ask for fewer days")
    except Exception as error:  # noqa: BLE001 - whatever a question raises is told to whoever asked it
        _LOG.exception("a question could not be answered")
        return Refused(f"it failed here ({type(error).__name__}); the log of the service tells where")


if __name__ == "__main__":
    main(int(sys.argv[1]))
