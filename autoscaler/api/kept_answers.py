"""Answers that are kept: some never change again, and some not before a workload's state is renewed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cachetools import LRUCache
from fastapi import Request

from autoscaler.api.answers import in_thread
from autoscaler.api.snapshot import Entry

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


async def until_renewed(
    request: Request, entry: Entry | None, asked: Sequence[str], make: Callable[[], bytes | None]
) -> bytes | None:
    """The body that `make` returns, in a thread; kept until the state of the workload is another one.

    Its forecasts, observations and manifest are stored together with its state, so they are as new as that.
    asked: what tells this body from others of the workload. Nothing is kept for a workload without a state.
    """
    if entry is None:
        return await in_thread(make)
    answers = kept_answers(request)
    key = (*asked, entry.workload, f"{entry.changed_s} {entry.at_s} {entry.health.severity}")
    kept = answers.get(key)
    if kept is not None:
        return kept.body
    body = await in_thread(make)
    if body is not None:
        answers[key] = Kept(entry.namespace, body)
    return body


def _size(kept: Kept) -> int:
    return len(kept.body) + _OVERHEAD_BYTES
