"""Answers that are good for a while, and questions that are asked once however many wait for the answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from typing import Generic, TypeVar

from cachetools import TTLCache

Key = TypeVar("Key", bound=Hashable)
Told = TypeVar("Told")


class Remembered(Generic[Key, Told]):
    """Answers to questions of one kind, at most `most` good and `most` bad ones.

    Good and bad are kept apart: whoever makes up questions, all with bad answers, drives no good answer out.
    Used by the thread of one event loop.
    """

    def __init__(
        self,
        *,
        most: int,
        is_good: Callable[[Told], bool],
        good_for_s: float,
        bad_for_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._is_good = is_good
        self._good: TTLCache[Key, Told] = TTLCache(most, good_for_s, timer=clock)
        self._bad: TTLCache[Key, Told] = TTLCache(most, bad_for_s, timer=clock)
        self._asking: dict[Key, asyncio.Future[Told]] = {}

    async def get(self, key: Key, ask: Callable[[], Awaitable[Told]]) -> Told:
        """The remembered answer, or that of `ask`; what it raises, all who wait get, and it is not kept."""
        for answers in (self._good, self._bad):
            with suppress(KeyError):
                return answers[key]
        asking = self._asking.get(key)
        if asking is None:
            asking = asyncio.ensure_future(self._ask(key, ask))
            self._asking[key] = asking
        # Who gives up waiting must not take the question away from the others.
        return await asyncio.shield(asking)

    async def _ask(self, key: Key, ask: Callable[[], Awaitable[Told]]) -> Told:
        try:
            told = await ask()
        finally:
            del self._asking[key]
        (self._good if self._is_good(told) else self._bad)[key] = told
        return told
