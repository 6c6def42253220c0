"""Ctrl-C: noticed whatever becomes of it, and put off while something must not be begun by half."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Ctrl-C raises KeyboardInterrupt as ever, and stays noticed.

    Python does not always let that pass as it is: where it hits while a module is loaded, what arrives may be
    another error, such as that a class could not be made.
    """

    def __init__(self) -> None:
        self.noticed = False

    def notice(self) -> None:
        """Begin to. What runs in the background of a script ignores Ctrl-C, and goes on to ignore it."""
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._raise)

    def _raise(self, number: int, frame: FrameType | None) -> None:
        self.noticed = True
        raise KeyboardInterrupt


@contextmanager
def put_off(*signals: signal.Signals) -> Iterator[None]:
    """What arrives meanwhile acts at the end. Processes that are started meanwhile never hear of any."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
