"""Independent pieces of work, done here or shared among processes, answered in order."""

from __future__ import annotations

import multiprocessing
import multiprocessing.context
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from autoscaler.signals.errors import InputError

_LOADED_AHEAD = ["__main__", "autoscaler.backtest.worker_modules"]
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


def get_ready(jobs: int | None, dask: str) -> int:
    """How many processes to use, one per core where nobody says; begins to load what they will need.

    To be called before anything large is imported here, so that both are loaded at once.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    jobs = jobs or min(_MOST_BY_ITSELF, cores)
    if jobs > 1 and not dask:
        _prepared_context()
    return jobs


@contextmanager
def _processes(jobs: int, advance: Advance) -> Iterator[Workforce]:
    initializer = _leave_interrupts_to_the_parent
    pool = ProcessPoolExecutor(jobs, mp_context=_prepared_context(), initializer=initializer)
    try:
        with lost_workers_told():
            yield _Processes(pool, advance)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def lost_workers_told() -> Iterator[None]:
    """Say in one line, as an InputError, that a worker process was lost."""
    try:
        yield
    except BrokenProcessPool as error:
        raise InputError(
            "a worker process was ended from outside, as happens when memory runs out: "
            "give more memory, or use fewer processes (--jobs 1)"
        ) from error


def _prepared_context() -> multiprocessing.context.BaseContext:
    # Not forked from here: the caller may have threads (a progress bar) that a fork would break. They are
    # forked from a process that has none and loads all modules once; without forks each loads its own.
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver, resource_tracker

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED_AHEAD)
    # What is blocked now stays so there: Ctrl-C while it loads is for this process alone. The tracker is
    # started first, since starting it would unblock what is blocked.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return context


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
