"""Questions that take longer than a request: they wait in line, and are answered one at a time or taken back.

Jobs live in the memory of this process: another replica of the service does not know them, and a restart
forgets them. Nothing here waits for an answer, so it may be called from an event loop.
"""

from __future__ import annotations

import enum
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from autoscaler.api.configuration import WhatIf
from autoscaler.api.whatif.messages import Question
from autoscaler.api.whatif.process import QuestionFailed, QuestionWithdrawn, Worker

_KEPT_S = 3600.0
_MOST_KEPT = 128
_MOST_KEPT_PER_OWNER = 16
_IDLE_S = 300.0
"""A worker that had nothing to do for so long gives its memory back."""
_STOPS_WITHIN_S = 5.0
_LOG = logging.getLogger(__name__)


class JobState(enum.StrEnum):
    """Where a job is."""

    QUEUED = "Queued"
    RUNNING = "Running"
    DONE = "Done"
    FAILED = "Failed"
    CANCELLED = "Cancelled"

    @property
    def over(self) -> bool:
        """Whether nothing will change any more."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


class TooManyJobs(Exception):
    """A job was not taken; the message says which limit is reached."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job at one moment. id: cannot be guessed. owner: whose it is. workload: `namespace/name`.

    progress: from 0 to 1. message: what it does, or why it failed. result: the answer as JSON.
    """

    id: str
    owner: str
    kind: str
    workload: str
    made_s: float
    state: JobState = JobState.QUEUED
    progress: float = 0.0
    message: str = ""
    ended_s: float | None = None
    result: bytes | None = None


class Jobs:
    """All jobs. Usable from any thread."""

    def __init__(self, limits: WhatIf, now_s: Callable[[], float] = time.time) -> None:
        self._limits = limits
        self._now_s = now_s
        self._jobs: dict[str, Job] = {}
        self._line: deque[tuple[str, Question]] = deque()
        self._change = threading.Condition()
        self._stopping = False
        self._worker = Worker(limits.memory_mib << 20)
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to answer. To be called once."""
        self._thread = threading.Thread(target=self._work, name="jobs", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Answer no more, and end the worker."""
        with self._change:
            self._stopping = True
            self._change.notify_all()
        if self._thread is not None:
            self._thread.join(_STOPS_WITHIN_S)

    def submit(self, owner: str, kind: str, workload: str, question: Question) -> Job:
        """Put a question in line. Raises TooManyJobs."""
        with self._change:
            under_way = [job for job in self._jobs.values() if not job.state.over]
            mine = sum(job.owner == owner for job in under_way)
            if mine >= self._limits.per_caller:
                raise TooManyJobs(f"{mine} of your jobs wait or run already; wait for one, or cancel one")
            if len(self._line) >= self._limits.queued:
                raise TooManyJobs(f"{len(self._line)} jobs wait already; try again later")
            job = Job(secrets.token_urlsafe(16), owner, kind, workload, self._now_s(), message="waiting")
            self._jobs[job.id] = job
            self._line.append((job.id, question))
            self._forget()
            self._change.notify_all()
        return job

    def of(self, owner: str) -> list[Job]:
        """Everything of one owner, newest first."""
        with self._change:
            self._forget()
            return [job for job in reversed(self._jobs.values()) if job.owner == owner]

    def find(self, owner: str, id: str) -> Job | None:
        """One job of this owner, if there is such a one."""
        with self._change:
            self._forget()
            job = self._jobs.get(id)
        return job if job is not None and job.owner == owner else None

    def cancel(self, owner: str, id: str) -> Job | None:
        """Take a job back. One that is over stays as it is; None when there is no such job of this owner."""
        with self._change:
            job = self._jobs.get(id)
            if job is None or job.owner != owner:
                return None
            self._end(id, JobState.CANCELLED, "cancelled")
            self._line = deque(item for item in self._line if item[0] != id)
            return self._jobs[id]

    @property
    def worker_id(self) -> int | None:
        """Process that computes; None while there is none."""
        return self._worker.process_id

    def _work(self) -> None:
        """One question after the other, until there is nothing more to be answered at all."""
        while True:
            with self._change:
                self._change.wait_for(lambda: self._stopping or self._line, _IDLE_S)
                if self._stopping:
                    break
                taken = self._line.popleft() if self._line else None
                if taken is not None:
                    self._note(taken[0], state=JobState.RUNNING, message="starting")
            if taken is None:
                self._worker.end()
            else:
                self._answer(*taken)
        self._worker.end()

    def _answer(self, id: str, question: Question) -> None:
        def advance(share: float, message: str) -> None:
            self._note(id, progress=share, message=message)

        def withdrawn() -> bool:
            return self._stopping or not self._under_way(id)

        try:
            body = self._worker.ask(question, self._limits.deadline_s, advance, withdrawn)
        except QuestionWithdrawn:
            self._end(id, JobState.CANCELLED, "cancelled")
        except QuestionFailed as error:
            self._end(id, JobState.FAILED, str(error))
        except Exception as error:  # noqa: BLE001 - a fault in one job must not end the answering of all others
            _LOG.exception("a job ended in an unexpected way")
            self._worker.end()
            self._end(id, JobState.FAILED, f"it failed here ({type(error).__name__})")
        else:
            advance(1.0, "")
            self._end(id, JobState.DONE, "", body)

    def _end(self, id: str, state: JobState, message: str, result: bytes | None = None) -> None:
        self._note(id, state=state, message=message, result=result, ended_s=self._now_s())

    def _note(self, id: str, **changes: Any) -> None:
        """What became of a job. One that was cancelled meanwhile stays so."""
        with self._change:
            if self._under_way(id):
                self._jobs[id] = replace(self._jobs[id], **changes)

    def _under_way(self, id: str) -> bool:
        """Not for one that is over, nor for one that was over and is forgotten."""
        job = self._jobs.get(id)
        return job is not None and not job.state.over

    def _forget(self) -> None:
        """Drop what is over for long, and the oldest where there is too much of it."""
        now_s = self._now_s()
        kept_of: dict[str, int] = {}
        kept = 0
        for job in list(reversed(self._jobs.values())):
            if job.ended_s is None:
                continue
            of_owner = kept_of.get(job.owner, 0)
            if now_s - job.ended_s > _KEPT_S or of_owner >= _MOST_KEPT_PER_OWNER or kept >= _MOST_KEPT:
                del self._jobs[job.id]
                continue
            kept_of[job.owner] = of_owner + 1
            kept += 1
