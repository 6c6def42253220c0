"""Answers that never change again, so that the busiest of them are made once."""

from __future__ import annotations

from dataclasses import dataclass

from cachetools import LRUCache
from fastapi import Request

_MOST_BYTES = 48 * 2**20
_OVERHEAD_BYTES = 512


@dataclass(frozen=True, slots=True)
class Kept:
    """A body of JSON, and whose namespace it tells of: whether the caller may see it is asked each time."""

    namespace: str
    body: bytes


Answers = LRUCache[tuple[str, ...], Kept]


def kept_answers(request: Request) -> Answers:
    """Those of the application that got the request. Only for the thread of its event loop."""
    state = request.app.state
    if not hasattr(state, "kept_answers"):
        state.kept_answers = LRUCache(_MOST_BYTES, getsizeof=_size)
    kept: Answers = state.kept_answers
    return kept


def _size(kept: Kept) -> int:
    return len(kept.body) + _OVERHEAD_BYTES
