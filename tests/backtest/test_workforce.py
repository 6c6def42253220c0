"""Pieces of work: in order, errors as they are, and the same on one process as on several."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from autoscaler.backtest.workforce import Piece, get_ready, workforce
from autoscaler.signals.errors import InputError


def doubled(number: int, pause_s: float) -> int:
    time.sleep(pause_s)
    return 2 * number


def refused(number: int) -> int:
    raise InputError(f"{number} is no good; give another")


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def which_process() -> int:
    return os.getpid()


# The first piece is the slowest, so that answers come back in another order than they were asked.
PIECES = [Piece(f"piece {n}", doubled, (n, 0.2 if n == 0 else 0.0)) for n in range(6)]


@pytest.mark.parametrize("jobs", [1, 2])
def test_answers_and_progress_keep_the_order_of_the_pieces(jobs: int) -> None:
    told: list[str] = []
    with workforce(jobs, told.append) as crew:
        assert crew.do(PIECES) == [0, 2, 4, 6, 8, 10]
        assert crew.do([]) == []
    assert told == [piece.label for piece in PIECES]


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_is_raised_as_it_was(jobs: int) -> None:
    pieces = [PIECES[1], Piece("bad", refused, (7,)), PIECES[2]]
    with (
        workforce(jobs, lambda _: None) as crew,
        pytest.raises(InputError, match="7 is no good; give another"),
    ):
        crew.do(pieces)


def test_a_worker_that_is_killed_is_told_in_one_line() -> None:
    with (
        pytest.raises(InputError, match="a worker process was ended from outside"),
        workforce(2, lambda _: None) as crew,
    ):
        crew.do([Piece("killed", killed, ()), PIECES[1]])


def test_one_job_stays_in_this_process_and_two_do_not() -> None:
    piece = Piece("who", which_process, ())
    with workforce(1, lambda _: None) as crew:
        assert crew.do([piece]) == [os.getpid()]
    with workforce(2, lambda _: None) as crew:
        assert os.getpid() not in crew.do([piece, piece])


def loaded(module: str) -> bool:
    return module in sys.modules


def test_whoever_says_nothing_gets_a_process_for_each_core_and_no_more_than_four() -> None:
    cores = len(os.sched_getaffinity(0))
    assert get_ready(None, "") == min(4, cores)
    assert get_ready(None, "tcp://10.0.0.7:8786") == min(4, cores)
    assert [get_ready(jobs, "") for jobs in (1, 3)] == [1, 3]


def test_processes_find_what_they_need_already_loaded() -> None:
    modules = ("autoscaler.backtest.runner", "lightgbm")
    with workforce(2, lambda _: None) as crew:
        assert crew.do([Piece(module, loaded, (module,)) for module in modules]) == [True, True]
