"""Waiting for something that happens elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_POLL_S = 0.1


def wait_until(condition: Callable[[], T], timeout_s: float, what: str) -> T:
    """Call `condition` every 0.1 s until it gives something true, and return that.

    After `timeout_s` raises AssertionError that names `what` was waited for and the last value. What
    `condition` raises is not caught: a condition that may fail for a while says so by returning.
    """
    ends = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > ends:
            raise AssertionError(f"waited {timeout_s:g} s for {what}; last value: {value!r}")
        time.sleep(_POLL_S)
