"""The caller's own jobs. They live in this process: another replica of the service does not know them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from autoscaler.api.access.rules import current_caller, demand, identified, visible
from autoscaler.api.access.verbs import Verb
from autoscaler.api.answers import answer, parts_of, write_rows
from autoscaler.api.auditing import audited
from autoscaler.api.problems import Problem
from autoscaler.api.shapes import jobs as shapes
from autoscaler.api.shapes.problem_answers import problem_answers
from autoscaler.api.times import shown_time
from autoscaler.api.whatif.jobs import Job

router = APIRouter(prefix="/jobs", tags=["what-if"])

JobPath = Annotated[
    str,
    Path(
        alias="id",
        pattern=r"^[A-Za-z0-9_-]{22}$",
        description="Identifier of the job.",
        examples=["wNn0a8Yt7kQ2mXb5rVd3cg"],
    ),
]


@router.get(
    "",
    operation_id="listJobs",
    summary="List one's own jobs",
    response_model=shapes.JobList,
    responses=problem_answers(),
    dependencies=[Depends(identified())],
)
async def list_jobs(request: Request) -> Response:
    """All jobs of the caller that wait, run, or ended within the last hour, newest first, without results."""
    jobs, owner = parts_of(request).jobs, current_caller(request).name
    found = [] if jobs is None else jobs.of(owner)
    namespaces = await visible(request, {_namespace(job) for job in found})
    items = [
        {**shown(job), "result": None} for job in found if namespaces is None or _namespace(job) in namespaces
    ]
    return answer({"items": items, "metadata": {"continue": "", "remainingItemCount": 0}})


@router.get(
    "/{id}",
    operation_id="getJob",
    summary="One of one's own jobs",
    response_model=shapes.Job,
    responses=problem_answers(404),
    dependencies=[Depends(identified())],
)
async def get_job(request: Request, id: JobPath) -> Response:
    """How far a job is, and its result when it is done. Ask again every second or two until it is over."""
    jobs = parts_of(request).jobs
    job = None if jobs is None else jobs.find(current_caller(request).name, id)
    if job is None:
        raise _no_job()
    await demand(request, Verb.READ, _namespace(job))
    return answer(shown(job))


@router.delete(
    "/{id}",
    operation_id="cancelJob",
    summary="Cancel one of one's own jobs",
    response_model=shapes.Job,
    responses=problem_answers(404),
    dependencies=[Depends(identified())],
)
async def cancel_job(request: Request, id: JobPath) -> Response:
    """Stop a job that waits or runs. One that is over stays as it is, and is answered as it is."""
    jobs, owner = parts_of(request).jobs, current_caller(request).name
    before = None if jobs is None else jobs.find(owner, id)
    if jobs is None or before is None:
        raise _no_job()
    await demand(request, Verb.READ, _namespace(before))
    job = jobs.cancel(owner, id) or before
    if not before.state.over:
        await write_rows(request, audited(request, "jobs.cancel", job.workload, {"job": job.id}))
    return answer(shown(job))


def shown(job: Job) -> dict[str, Any]:
    """A job as it is answered."""
    return {
        "id": job.id,
        "kind": job.kind,
        "workload": job.workload,
        "state": job.state,
        "progress": round(job.progress, 3),
        "message": job.message,
        "made": shown_time(job.made_s),
        "result": None if job.result is None else orjson.Fragment(job.result),
    }


def _namespace(job: Job) -> str:
    return job.workload.partition("/")[0]


def _no_job() -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, "JobNotFound", "the caller has no such job, or has it no more")
