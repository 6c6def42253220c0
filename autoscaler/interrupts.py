"""Ctrl-C: noticed whatever becomes of it, and put off while something must not be begun by half."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Whether there was one."""

    def __init__(self) -> None:
        self.noticed = False

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal: raise KeyboardInterrupt, as ever."""
        self.noticed = True
        raise KeyboardInterrupt


@contextmanager
def noticing(*signals: signal.Signals) -> Iterator[Interrupts]:
    """Each of the signals raises KeyboardInterrupt meanwhile, and is noticed.

    Python does not always let one pass as it is: where it hits while a module is loaded, what arrives may be
    another error, such as that a class could not be made.
    """
    interrupts = Interrupts()
    # What runs in the background of a script ignores Ctrl-C, and goes on to ignore it.
    heeded = [one for one in signals if signal.getsignal(one) is not signal.SIG_IGN]
    handlers = {one: signal.signal(one, interrupts.interrupt) for one in heeded}
    try:
        yield interrupts
    finally:
        for one, handler in handlers.items():
            signal.signal(one, handler)


@contextmanager
def put_off(*signals: signal.Signals) -> Iterator[None]:
    """What arrives meanwhile acts at the end. Processes that are started meanwhile never hear of any.

    To be used in the main thread, the only one that is interrupted.
    """
    arrived: list[int] = []
    handlers = {one: signal.signal(one, lambda number, _: arrived.append(number)) for one in signals}
    # For the processes to be. Here it would not be enough: another thread may receive what this one does not.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        for one, handler in handlers.items():
            signal.signal(one, handler)
        for number in arrived:
            signal.raise_signal(number)
