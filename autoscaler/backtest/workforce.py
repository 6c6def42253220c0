"""Independent pieces of work, done here or shared among processes, answered in order."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")

Advance = Callable[[str], None]
"""Called after each finished piece with what it was."""


@dataclass(frozen=True, slots=True)
class Piece(Generic[Answer]):
    """A call to make: `function(*arguments)`. Both must be picklable."""

    label: str
    function: Callable[..., Answer]
    arguments: tuple[Any, ...]


class Workforce:
    """Does pieces of work, on one or several processes."""

    def __init__(self, pool: ProcessPoolExecutor | None, advance: Advance) -> None:
        self._pool = pool
        self._advance = advance

    def do(self, pieces: Sequence[Piece[Answer]]) -> list[Answer]:
        """The answers, in the order of `pieces`. The first error is raised as it was."""
        if self._pool is None:
            return [self._finished(piece, piece.function(*piece.arguments)) for piece in pieces]
        futures = [self._pool.submit(piece.function, *piece.arguments) for piece in pieces]
        return [self._finished(piece, future.result()) for piece, future in zip(pieces, futures, strict=True)]

    def _finished(self, piece: Piece[Answer], answer: Answer) -> Answer:
        self._advance(piece.label)
        return answer


@contextmanager
def workforce(jobs: int, advance: Advance) -> Iterator[Workforce]:
    """`jobs` processes, or this one alone for 1. Interrupting ends it after the pieces under way."""
    if jobs <= 1:
        yield Workforce(None, advance)
        return
    # Spawned, not forked: the caller may have threads (a progress bar) that a fork would break.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_leave_interrupts_to_the_parent)
    try:
        yield Workforce(pool, advance)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
