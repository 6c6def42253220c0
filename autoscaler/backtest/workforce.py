"""Independent pieces of work, done here or shared among processes, answered in order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from autoscaler.backtest.worker_processes import prepared_context, worker_processes

_MOST_BY_ITSELF = 4
"""Processes that are used where nobody says how many: each takes memory for a trace and its forecasts."""

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
        with worker_processes(jobs, prepared_context()) as pool:
            yield _Processes(pool, advance)
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


def get_ready(jobs: int | None, dask: str) -> int:
    """How many processes to use, one per core where nobody says; begins to load what they will need.

    To be called before anything large is imported here, so that both are loaded at once.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    jobs = jobs or min(_MOST_BY_ITSELF, cores)
    if jobs > 1 and not dask:
        prepared_context()
    return jobs
