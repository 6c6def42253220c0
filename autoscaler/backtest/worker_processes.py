"""Processes that share work: they leave Ctrl-C to their parent, and end with it however it ends."""

from __future__ import annotations

import multiprocessing
import multiprocessing.context
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from autoscaler.interrupts import put_off
from autoscaler.signals.errors import InputError

_LOADED_AHEAD = ["__main__", "autoscaler.backtest.worker_modules"]

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


@contextmanager
def worker_processes(
    jobs: int, context: multiprocessing.context.BaseContext
) -> Iterator[ProcessPoolExecutor]:
    """`jobs` processes, started when there is work. Where it ends, they end after the pieces under way.

    Raises InputError, in one line, where one of them was lost.
    """
    pool = _WorkerProcesses(jobs, mp_context=context, initializer=_end_with_the_parent)
    try:
        yield pool
    except BrokenProcessPool as error:
        raise InputError(
            "a worker process was ended from outside, as happens when memory runs out: "
            "give more memory, or use fewer processes (--jobs 1)"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def prepared_context() -> multiprocessing.context.BaseContext:
    """How to start processes that have all modules of a backtest loaded; begins to load them.

    Not forked from here: the caller may have threads (a progress bar) that a fork would break. They are
    forked from a process that has none and loads all modules once; without forks each loads its own.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver, resource_tracker

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED_AHEAD)
    # Starting the tracker unblocks what is blocked, so that it comes first.
    resource_tracker.ensure_running()
    with put_off(signal.SIGINT):
        forkserver.ensure_running()
    return context


class _WorkerProcesses(ProcessPoolExecutor):
    def submit(
        self, fn: Callable[Given, Answer], /, *args: Given.args, **kwargs: Given.kwargs
    ) -> Future[Answer]:
        """As ever. It may start a process, which an interrupt would leave behind half started."""
        with put_off(signal.SIGINT):
            return super().submit(fn, *args, **kwargs)


def _end_with_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_wait_for_its_end, name="parent", daemon=True).start()


def _wait_for_its_end() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None  # this is no main process
    parent.join()
    # Nobody is there to take the answer, and the next piece would be waited for for ever.
    os._exit(1)
