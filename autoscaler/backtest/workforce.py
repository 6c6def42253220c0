"""Independent pieces of work, done here or shared among processes, answered in order."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

Answer = TypeVar("Answer")

Advance = Callable[[str], None]
"""Called after each finished piece with what it was."""


@dataclass(frozen=True, slots=True)
class Piece(Generic[Answer]):
    """A call to make: `function(*arguments)`. Both must be picklable."""

    label: str
    function: Callable[..., Answer]
    arguments: tuple[Any, ...]


class Workforce(Protocol):
    """Does pieces of work, here or elsewhere."""

    def do(self, pieces: Sequence[Piece[Answer]]) -> list[Answer]:
        """The answers, in the order of `pieces`. The first error is raised as it was."""
        ...


@contextmanager
def workforce(jobs: int, advance: Advance, dask: str = "") -> Iterator[Workforce]:
    """`jobs` processes, or this one alone for 1; or the Dask cluster at the address `dask`.

    Interrupting ends it after the pieces under way.
    """
    if dask:
        # An optional dependency, loaded only when asked for.
        from autoscaler.backtest.dask_cluster import dask_cluster

        with dask_cluster(dask, advance) as cluster:
            yield cluster
    elif jobs > 1:
        with _processes(jobs, advance) as crew:
            yield crew
    else:
        yield _Alone(advance)


class _Alone:
    def __init__(self, advance: Advance) -> None:
        self._advance = advance

    def do(self, pieces: Sequence[Piece[Answer]]) -> list[Answer]:
        answers = []
        for piece in pieces:
            answers.append(piece.function(*piece.arguments))
            self._advance(piece.label)
        return answers


class _Processes:
    def __init__(self, pool: ProcessPoolExecutor, advance: Advance) -> None:
        self._pool = pool
        self._advance = advance

    def do(self, pieces: Sequence[Piece[Answer]]) -> list[Answer]:
        futures = [self._pool.submit(piece.function, *piece.arguments) for piece in pieces]
        answers = []
        for piece, future in zip(pieces, futures, strict=True):
            answers.append(future.result())
            self._advance(piece.label)
        return answers


@contextmanager
def _processes(jobs: int, advance: Advance) -> Iterator[Workforce]:
    # Spawned, not forked: the caller may have threads (a progress bar) that a fork would break.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_leave_interrupts_to_the_parent)
    try:
        yield _Processes(pool, advance)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
