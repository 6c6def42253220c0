"""What is found out once a day about each workload, from what was known at midnight (UTC).

For what takes as long as several fits; the answer stands until the next midnight. What is kept saves time
and changes no answer.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from autoscaler.forecasting.forecaster import DAY_S
from autoscaler.series import Series

_MOST_KEPT = 2048
_LOOKED_BACK_S = 21 * DAY_S

Found = TypeVar("Found")


class Daily(Generic[Found]):
    """Answers by what they rest on. Usable from any thread."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, Found] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, own: Series, about: object, find: Callable[[Series], Found]) -> Found:
        """What `find` says of the newest whole days of a cleaned history, of three weeks at most.

        about: whatever else the answer depends on, told apart by its `repr`.
        """
        days = until_midnight(own)
        key = _digest(days, about)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = find(days)
        with self._lock:
            self._kept[key] = found
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return found


def until_midnight(own: Series) -> Series:
    """What is looked at of a history: whole days, the newest three weeks of them."""
    after_s = (own.end_s + own.step_s) % DAY_S
    last = max(0, len(own) - after_s // own.step_s)
    return own.between(max(0, last - _LOOKED_BACK_S // own.step_s), last)


def _digest(days: Series, about: object) -> bytes:
    digest = hashlib.blake2b(days.values.tobytes(), digest_size=16)
    digest.update(f"{days.start_s} {days.step_s} {about!r}".encode())
    return digest.digest()
