"""Ctrl-C and SIGTERM, put off while something is begun that must not be begun by half."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_INTERRUPTS = {signal.SIGINT, signal.SIGTERM}


@contextmanager
def interrupts_put_off() -> Iterator[None]:
    """What arrives meanwhile acts at the end. Processes that are started meanwhile never hear of any."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _INTERRUPTS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _INTERRUPTS)
