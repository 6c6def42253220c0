"""How much anybody may ask for: a bucket for each that holds a minute's worth and is refilled evenly.

The `limits` package was looked at and left: it knows no bound on how many it keeps, and looks through all of
them every 10 ms, so that a flood from many addresses would fill the memory and the event loop.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import LRUCache

_MOST = 50_000
_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Level:
    """What is left after one request. taken: whether there was something for it. full_in_s: until the bucket
    is full again; wait_s: until there is something for the next request.
    """

    taken: bool
    limit: int
    left: float
    full_in_s: float
    wait_s: float

    @property
    def headers(self) -> dict[str, str]:
        """As answers tell it (draft-ietf-httpapi-ratelimit-headers, its fields in separate headers)."""
        told = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(int(self.left)),
            "RateLimit-Reset": str(math.ceil(self.full_in_s)),
        }
        return told if self.taken else told | {"Retry-After": str(max(1, math.ceil(self.wait_s)))}


class Buckets:
    """A bucket for each key, at most `most` of them: that not used for longest is forgotten, as if full."""

    def __init__(
        self, per_minute: int, most: int = _MOST, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = per_minute
        self._per_s = per_minute / _MINUTE_S
        self._clock = clock
        # What was left, and when.
        self._left: LRUCache[str, tuple[float, float]] = LRUCache(most)

    def take(self, key: str) -> Level:
        """Take what one request needs, if it is there."""
        now = self._clock()
        left, at = self._left.get(key, (float(self._limit), now))
        left = min(self._limit, left + (now - at) * self._per_s)
        taken = left >= 1.0
        if taken:
            left -= 1.0
        self._left[key] = (left, now)
        return Level(
            taken=taken,
            limit=self._limit,
            left=left,
            full_in_s=(self._limit - left) / self._per_s,
            wait_s=max(0.0, (1.0 - left) / self._per_s),
        )

    def give_back(self, key: str) -> None:
        """Undo a `take`, since somebody else pays."""
        left, at = self._left.get(key, (float(self._limit), 0.0))
        self._left[key] = (min(self._limit, left + 1.0), at)
