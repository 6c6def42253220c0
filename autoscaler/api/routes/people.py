"""Who is calling, and who changed what."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from autoscaler.api.access.rules import current_caller, identified
from autoscaler.api.access.verbs import Verb
from autoscaler.api.answers import answer, in_thread, parts_of
from autoscaler.api.paging import cursor, identifier_of
from autoscaler.api.rights import allowed_namespaces
from autoscaler.api.shapes.people import AuditList, WhoAmI
from autoscaler.api.shapes.problem_answers import problem_answers
from autoscaler.api.shapes.queries import Paged
from autoscaler.api.times import shown_time
from autoscaler.store.rows import Audited

router = APIRouter(tags=["people"])


@router.get(
    "/whoami",
    operation_id="whoAmI",
    summary="Who is calling",
    response_model=WhoAmI,
    responses=problem_answers(),
    dependencies=[Depends(identified())],
)
async def who_am_i(request: Request) -> Response:
    """Who the token says the caller is, and in which of the namespaces that have workloads they may read and
    write."""
    caller, namespaces = current_caller(request), parts_of(request).fleet.snapshot.namespaces
    read = _named(await allowed_namespaces(request, Verb.READ, namespaces))
    write = _named(await allowed_namespaces(request, Verb.WRITE, namespaces))
    return answer(
        {
            "name": caller.name,
            "groups": caller.groups,
            "namespaces": read,
            "may": {"read": read, "write": write},
        }
    )


@router.get(
    "/audit",
    operation_id="listAudit",
    summary="List changes",
    response_model=AuditList,
    responses=problem_answers(400),
    dependencies=[Depends(identified())],
)
async def list_audit(request: Request, asked: Annotated[Paged, Query()]) -> Response:
    """What was changed through this service, by whom, and what somebody was refused, newest first; of
    namespaces that the caller may write to."""
    parts = parts_of(request)
    namespaces = await allowed_namespaces(request, Verb.WRITE, parts.fleet.snapshot.namespaces)
    question = asked.question("audit")
    before = identifier_of(asked.continue_, question)
    found = await in_thread(
        lambda: parts.store.audit(namespaces=namespaces, before=before, limit=asked.limit + 1)
    )
    page = found[: asked.limit]
    following = cursor(question, [page[-1].id]) if len(found) > asked.limit else ""
    return answer({"items": [_entry(one) for one in page], "metadata": {"continue": following}})


def _named(namespaces: frozenset[str] | None) -> list[str]:
    return ["*"] if namespaces is None else sorted(namespaces)


def _entry(entry: Audited) -> dict[str, Any]:
    return {
        "id": entry.id,
        "at": shown_time(entry.at_s),
        "actor": entry.actor,
        "action": entry.action,
        "target": entry.target,
        "allowed": entry.allowed,
        "details": entry.payload,
    }
