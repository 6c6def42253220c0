"""Jobs wait their turn, end in one of the states there are, and take nothing else down with them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import psutil
import pytest
from odd_questions import Crash, Devour, Echo, Fail, Leave, Refuse, Sleep

from autoscaler.api.configuration import WhatIf
from autoscaler.api.whatif import jobs as jobs_module
from autoscaler.api.whatif.jobs import Job, Jobs, JobState, TooManyJobs

ANNA, BEN = "anna", "ben"


class Clock:
    """Epoch seconds that stand still until they are moved."""

    def __init__(self) -> None:
        self.now_s = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(scope="module")
def jobs() -> Iterator[Jobs]:
    """Shared by the tests that do not mind; each leaves it with nothing under way."""
    made = Jobs(WhatIf(per_caller=3, queued=4, deadline_s="20s"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def start() -> Iterator[Callable[..., Jobs]]:
    """Makes jobs with settings of their own."""
    made: list[Jobs] = []

    def begin(clock: Clock | None = None, **settings: Any) -> Jobs:
        made.append(Jobs(WhatIf(**settings), clock or time.time))
        made[-1].start()
        return made[-1]

    yield begin
    for one in made:
        one.stop()


def ended(jobs: Jobs, job: Job, within_s: float = 60.0) -> Job:
    """The job when it is over."""
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        found = jobs.find(job.owner, job.id)
        assert found is not None
        if found.state.over:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{found} is not over after {within_s} s")


def began(path: Path, within_s: float = 60.0) -> int:
    """Process that sleeps, once it does."""
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        if path.exists() and path.read_text():
            return int(path.read_text())
        time.sleep(0.02)
    raise AssertionError(f"nothing began within {within_s} s")


def within(so: Callable[[], bool], timeout_s: float = 10.0) -> bool:
    until_s = time.monotonic() + timeout_s
    while time.monotonic() < until_s:
        if so():
            return True
        time.sleep(0.02)
    return False


def gone(process: int) -> bool:
    return within(lambda: not psutil.pid_exists(process))


def test_an_answer_comes_from_a_niced_process_of_its_own(jobs: Jobs) -> None:
    job = jobs.submit(ANNA, "WhatIf", "shop/checkout", Echo({"a": float("nan")}))
    assert job.state is JobState.QUEUED
    over = ended(jobs, job)
    assert (over.state, over.progress, over.message) == (JobState.DONE, 1.0, "")
    assert over.result is not None
    answer = orjson.loads(over.result)
    assert answer["value"] == {"a": None}
    assert answer["process"] != os.getpid()
    assert answer["nice"] > os.nice(0)


def test_one_process_answers_one_question_after_the_other(jobs: Jobs) -> None:
    answers = [ended(jobs, jobs.submit(ANNA, "WhatIf", "shop/checkout", Echo())) for _ in range(3)]
    assert len({orjson.loads(job.result or b"")["process"] for job in answers}) == 1


@pytest.mark.parametrize(
    ("question", "message"),
    [
        pytest.param(Refuse(), "there is nothing to tell", id="no answer"),
        pytest.param(Fail(), "it failed here (KeyError); the log of the service tells where", id="a fault"),
        pytest.param(Crash(), "the process that computed it was ended by SIGSEGV", id="a crash"),
        pytest.param(Leave(), "the process that computed it ended with code 3", id="an exit"),
    ],
)
def test_a_question_without_an_answer_fails_with_one_line_and_the_next_is_answered(
    jobs: Jobs, question: Any, message: str
) -> None:
    failed = ended(jobs, jobs.submit(ANNA, "WhatIf", "shop/checkout", question))
    assert (failed.state, failed.message, failed.result) == (JobState.FAILED, message, None)
    assert ended(jobs, jobs.submit(ANNA, "WhatIf", "shop/checkout", Echo())).state is JobState.DONE


def test_a_job_that_takes_too_long_is_stopped(start: Callable[..., Jobs], tmp_path: Path) -> None:
    jobs = start(deadline_s="3s")
    job = jobs.submit(ANNA, "WhatIf", "shop/checkout", Sleep(tmp_path / "began", ignore_signals=True))
    process = began(tmp_path / "began")
    failed = ended(jobs, job)
    assert failed.state is JobState.FAILED
    assert failed.message == "it took longer than 3 s and was stopped; ask for fewer days"
    assert gone(process)


def test_a_job_that_needs_too_much_memory_fails_alone(start: Callable[..., Jobs]) -> None:
    jobs = start(memory_mib=512)
    failed = ended(jobs, jobs.submit(ANNA, "WhatIf", "shop/checkout", Devour(600)))
    assert failed.state is JobState.FAILED
    assert failed.message == "it needs more than 512 MiB of memory; ask for fewer days"
    assert ended(jobs, jobs.submit(ANNA, "WhatIf", "shop/checkout", Devour(100))).state is JobState.DONE


def test_a_running_job_can_be_cancelled_and_the_next_takes_its_place(jobs: Jobs, tmp_path: Path) -> None:
    job = jobs.submit(ANNA, "WhatIf", "shop/checkout", Sleep(tmp_path / "began"))
    after = jobs.submit(ANNA, "WhatIf", "shop/checkout", Echo())
    process = began(tmp_path / "began")
    running = jobs.find(ANNA, job.id)
    assert running is not None
    assert (running.state, running.progress, running.message) == (JobState.RUNNING, 0.25, "sleeping")
    cancelled = jobs.cancel(ANNA, job.id)
    assert cancelled is not None
    assert cancelled.state is JobState.CANCELLED
    assert gone(process)
    assert ended(jobs, after).state is JobState.DONE
    assert ended(jobs, job) == cancelled


def test_a_waiting_job_that_is_cancelled_never_begins(jobs: Jobs, tmp_path: Path) -> None:
    first = jobs.submit(ANNA, "WhatIf", "shop/checkout", Sleep(tmp_path / "first"))
    waiting = jobs.submit(ANNA, "WhatIf", "shop/checkout", Sleep(tmp_path / "waiting"))
    began(tmp_path / "first")
    jobs.cancel(ANNA, waiting.id)
    jobs.cancel(ANNA, first.id)
    assert ended(jobs, jobs.submit(ANNA, "WhatIf", "shop/checkout", Echo())).state is JobState.DONE
    assert not (tmp_path / "waiting").exists()
    assert ended(jobs, waiting).state is JobState.CANCELLED


def test_cancelling_what_is_over_changes_nothing(jobs: Jobs) -> None:
    done = ended(jobs, jobs.submit(ANNA, "WhatIf", "shop/checkout", Echo()))
    assert jobs.cancel(ANNA, done.id) == done


def test_nobody_sees_or_cancels_the_jobs_of_others(jobs: Jobs) -> None:
    job = ended(jobs, jobs.submit(ANNA, "WhatIf", "shop/checkout", Echo()))
    assert jobs.find(BEN, job.id) is None
    assert jobs.cancel(BEN, job.id) is None
    assert job not in jobs.of(BEN)
    assert jobs.of(ANNA)[0] == job
    assert len(job.id) >= 20


def test_one_caller_may_have_so_many_under_way_and_no_more(jobs: Jobs, tmp_path: Path) -> None:
    mine = [jobs.submit(ANNA, "WhatIf", "shop/checkout", Sleep(tmp_path / str(n))) for n in range(3)]
    with pytest.raises(TooManyJobs, match="3 of your jobs wait or run already"):
        jobs.submit(ANNA, "WhatIf", "shop/checkout", Echo())
    of_ben = jobs.submit(BEN, "WhatIf", "shop/checkout", Echo())
    for job in mine:
        jobs.cancel(ANNA, job.id)
    assert ended(jobs, of_ben).state is JobState.DONE
    assert ended(jobs, jobs.submit(ANNA, "WhatIf", "shop/checkout", Echo())).state is JobState.DONE


def test_the_line_is_only_so_long(start: Callable[..., Jobs], tmp_path: Path) -> None:
    jobs = start(queued=2)
    jobs.submit("first", "WhatIf", "shop/checkout", Sleep(tmp_path / "began"))
    began(tmp_path / "began")
    for owner in ("second", "third"):
        jobs.submit(owner, "WhatIf", "shop/checkout", Echo())
    with pytest.raises(TooManyJobs, match="2 jobs wait already"):
        jobs.submit("fourth", "WhatIf", "shop/checkout", Echo())


def test_what_is_over_is_kept_for_an_hour(start: Callable[..., Jobs]) -> None:
    clock = Clock()
    jobs = start(clock)
    job = ended(jobs, jobs.submit(ANNA, "WhatIf", "shop/checkout", Echo()))
    clock.now_s += 3600.0
    assert jobs.of(ANNA) == [job]
    clock.now_s += 1.0
    assert jobs.of(ANNA) == []
    assert jobs.find(ANNA, job.id) is None


def test_one_caller_keeps_only_the_newest_and_pushes_nobody_elses_out(jobs: Jobs) -> None:
    of_ben = ended(jobs, jobs.submit(BEN, "WhatIf", "shop/checkout", Echo()))
    of_anna = [ended(jobs, jobs.submit(ANNA, "WhatIf", "shop/checkout", Echo())) for _ in range(20)]
    assert jobs.of(ANNA) == of_anna[:3:-1]
    assert jobs.find(BEN, of_ben.id) == of_ben


def test_a_running_job_that_is_cancelled_and_forgotten_at_once_holds_nothing_up(
    jobs: Jobs, tmp_path: Path
) -> None:
    running = jobs.submit(ANNA, "WhatIf", "shop/checkout", Sleep(tmp_path / "began"))
    process = began(tmp_path / "began")
    jobs.cancel(ANNA, running.id)
    for _ in range(20):
        jobs.cancel(ANNA, jobs.submit(ANNA, "WhatIf", "shop/checkout", Echo()).id)
    assert jobs.find(ANNA, running.id) is None
    assert gone(process)
    assert ended(jobs, jobs.submit(BEN, "WhatIf", "shop/checkout", Echo())).state is JobState.DONE


def test_an_idle_worker_gives_its_memory_back(
    start: Callable[..., Jobs], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "_IDLE_S", 0.2)
    jobs = start()
    job = ended(jobs, jobs.submit(ANNA, "WhatIf", "shop/checkout", Echo()))
    assert gone(orjson.loads(job.result or b"")["process"])
    assert within(lambda: jobs.worker_id is None)
    assert ended(jobs, jobs.submit(ANNA, "WhatIf", "shop/checkout", Echo())).state is JobState.DONE


def test_stopping_ends_the_worker_in_the_middle_of_a_job(tmp_path: Path) -> None:
    jobs = Jobs(WhatIf())
    jobs.start()
    job = jobs.submit(ANNA, "WhatIf", "shop/checkout", Sleep(tmp_path / "began"))
    process = began(tmp_path / "began")
    jobs.stop()
    assert gone(process)
    over = jobs.find(ANNA, job.id)
    assert over is not None
    assert over.state is JobState.CANCELLED


_SERVICE = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from odd_questions import Sleep
from autoscaler.api.configuration import WhatIf
from autoscaler.api.whatif.jobs import Jobs

jobs = Jobs(WhatIf())
jobs.start()
jobs.submit("anna", "WhatIf", "shop/checkout", Sleep(Path({began!r})))
time.sleep(3600)
"""


def test_a_worker_does_not_outlive_a_service_that_is_killed(tmp_path: Path) -> None:
    program = _SERVICE.format(tests=str(Path(__file__).parent), began=str(tmp_path / "began"))
    service = subprocess.Popen([sys.executable, "-c", program])
    try:
        process = began(tmp_path / "began")
    finally:
        service.kill()
        service.wait()
    assert gone(process)


def test_the_worker_starts_with_what_all_questions_need_and_no_more() -> None:
    heavy = ("pandas", "statsmodels", "scipy", "lightgbm", "prophet", "matplotlib", "plotly")
    program = (
        f"import sys, autoscaler.api.whatif.worker; print([name for name in {heavy} if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert loaded.stdout.strip() == "[]"
