"""Other policies tried on a workload's own past: one that somebody has in mind, or a search for the best."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request
from starlette.responses import Response

from autoscaler.api.access.rules import current_caller, identified
from autoscaler.api.answers import answer, in_thread, no_workload, parts_of, write_rows
from autoscaler.api.auditing import audited, demand_write
from autoscaler.api.problems import Problem
from autoscaler.api.routes.jobs import shown
from autoscaler.api.shapes.jobs import Job
from autoscaler.api.shapes.paths import NamePath, NamespacePath
from autoscaler.api.shapes.problem_answers import problem_answers
from autoscaler.api.shapes.whatif import PolicySearchBody, WhatIfBody
from autoscaler.api.whatif.history import Unanswerable
from autoscaler.api.whatif.jobs import TooManyJobs
from autoscaler.api.whatif.manifest import changed, present
from autoscaler.api.whatif.messages import Question
from autoscaler.api.whatif.question import Past, PolicySearch, WhatIf
from autoscaler.api.whatif.terms import Terms, terms_of
from autoscaler.spec.variation import SpecRefused, WrittenPolicy
from autoscaler.store.errors import StoreError

router = APIRouter(prefix="/namespaces/{namespace}/workloads/{name}", tags=["what-if"])

_ANSWERS = problem_answers(400, 404, 409, 413)
_AGAIN_S = "10"


@router.post(
    "/what-if",
    operation_id="createWhatIf",
    summary="Try a changed policy",
    response_model=Job,
    status_code=202,
    responses=_ANSWERS,
    dependencies=[Depends(identified())],
)
async def create_what_if(
    request: Request, namespace: NamespacePath, name: NamePath, body: Annotated[WhatIfBody, Body()]
) -> Response:
    """What would have happened over the last days, had the policy been another one.

    The changed policy and the present one are run on what was recorded of this workload, and set beside what
    really happened. Nothing is changed anywhere. The answer is a job; ask its `Location` until it is over.
    Needs the right to change the workload.
    """
    asked = await _asked(request, "what-if.create", f"{namespace}/{name}", body.days)
    policy = await _changed(asked.policy, body)
    question = WhatIf(asked.past, asked.policy.manifest, body.patch, _terms(request, asked, policy))
    return await _queued(request, "WhatIf", asked, question)


@router.post(
    "/policy-search",
    operation_id="createPolicySearch",
    summary="Search for better policies",
    response_model=Job,
    status_code=202,
    responses=_ANSWERS,
    dependencies=[Depends(identified())],
)
async def create_policy_search(
    request: Request, namespace: NamespacePath, name: NamePath, body: Annotated[PolicySearchBody, Body()]
) -> Response:
    """Which quantiles and scale-down windows would have been the best over the last days.

    Every policy that was tried comes with what it cost and missed, and those that no other one beats with a
    manifest to be applied. The answer is a job, as for a what-if.
    """
    asked = await _asked(request, "policy-search.create", f"{namespace}/{name}", body.days)
    terms = _terms(request, asked, asked.policy)
    question = PolicySearch(asked.past, asked.policy.manifest, body.points, terms)
    return await _queued(request, "PolicySearch", asked, question)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that may be made of a workload that can be looked at. action: as the audit names it."""

    action: str
    policy: WrittenPolicy
    past: Past


async def _asked(request: Request, action: str, workload: str, days: float) -> _Asked:
    await demand_write(request, action, workload)
    parts = parts_of(request)
    if parts.jobs is None:
        raise _impossible("WhatIfSwitchedOff", "what-if is switched off here: whatIf.enabled is false")
    if workload not in parts.fleet.snapshot.entries:
        raise no_workload(*workload.split("/"))
    kept, seen = await in_thread(
        lambda: (parts.store.manifest(workload), parts.store.latest_observation(workload))
    )
    if kept is None or seen is None:
        raise _impossible("NothingRecorded", f"nothing has been recorded of {workload} yet; try again later")
    try:
        policy = present(kept.payload)
    except SpecRefused as error:
        raise _impossible("SpecInvalid", f"the spec as it stands is not valid: {error}") from error
    # Read by another process; with its password, which is needed there.
    url = parts.store.engine.url.render_as_string(hide_password=False)
    return _Asked(action, policy, Past(url, workload, parts.now_s(), days))


async def _changed(policy: WrittenPolicy, body: WhatIfBody) -> WrittenPolicy:
    try:
        return await in_thread(lambda: changed(policy, body.patch))
    except SpecRefused as error:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "PolicyInvalid", str(error), fields=error.fields
        ) from error


def _terms(request: Request, asked: _Asked, policy: WrittenPolicy) -> Terms:
    entry = parts_of(request).fleet.snapshot.entries.get(asked.past.workload)
    try:
        return terms_of(asked.policy, policy, {} if entry is None else entry.state)
    except Unanswerable as error:
        raise _impossible("CapacityUnknown", str(error)) from error


async def _queued(request: Request, kind: str, asked: _Asked, question: Question) -> Response:
    """Put the question in line, and say so in the audit."""
    jobs, owner = parts_of(request).jobs, current_caller(request).name
    assert jobs is not None  # looked at before the question was made
    try:
        job = jobs.submit(owner, kind, asked.past.workload, question)
    except TooManyJobs as error:
        headers = {"Retry-After": _AGAIN_S}
        raise Problem(HTTPStatus.TOO_MANY_REQUESTS, "TooManyJobs", str(error), headers=headers) from error
    details = {"job": job.id, "days": asked.past.days}
    try:
        await write_rows(request, audited(request, asked.action, asked.past.workload, details))
    except StoreError:
        jobs.cancel(owner, job.id)
        raise
    return answer(shown(job), HTTPStatus.ACCEPTED, {"Location": f"/api/v1/jobs/{job.id}"})


def _impossible(code: str, detail: str) -> Problem:
    return Problem(HTTPStatus.CONFLICT, code, detail)
