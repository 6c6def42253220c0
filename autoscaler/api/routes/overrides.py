"""Overrides: what people ask for in place of what is decided, for a time."""

from __future__ import annotations

import dataclasses
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query, Request
from starlette.responses import Response

from autoscaler.api.access.rules import current_caller, identified, require
from autoscaler.api.access.verbs import Verb
from autoscaler.api.answers import answer, in_thread, no_workload, parts_of, write_rows
from autoscaler.api.auditing import audited, demand_write
from autoscaler.api.paging import cursor, identifier_of
from autoscaler.api.parts import OverrideRefused
from autoscaler.api.problems import Problem
from autoscaler.api.shapes.paths import NamePath, NamespacePath, OverridePath
from autoscaler.api.shapes.people import FreezeOverride, Override, OverrideBody, OverrideList
from autoscaler.api.shapes.problem_answers import problem_answers
from autoscaler.api.shapes.queries import Paged
from autoscaler.api.times import shown_time
from autoscaler.store.ids import new_id
from autoscaler.store.rows import OverrideEnded, OverrideMade
from autoscaler.store.store import Store

router = APIRouter(prefix="/namespaces/{namespace}/workloads/{name}/overrides", tags=["overrides"])

_CREATE, _DELETE = "overrides.create", "overrides.delete"
_ENDED = "Ended"
_FINDABLE = 1000


@router.get(
    "",
    operation_id="listOverrides",
    summary="List overrides",
    response_model=OverrideList,
    responses=problem_answers(400, 404),
    dependencies=[Depends(require(Verb.READ))],
)
async def list_overrides(
    request: Request, namespace: NamespacePath, name: NamePath, asked: Annotated[Paged, Query()]
) -> Response:
    """Overrides that were asked for through this service, newest first, those that have ended included.

    One that was set with kubectl is in the workload itself, under `override`.
    """
    parts, workload = parts_of(request), f"{namespace}/{name}"
    question = asked.question("overrides", workload)
    before = identifier_of(asked.continue_, question)
    found = await in_thread(lambda: parts.store.all_overrides(workload, before=before, limit=asked.limit + 1))
    if not found and workload not in parts.fleet.snapshot.entries:
        raise no_workload(namespace, name)
    page = found[: asked.limit]
    following = cursor(question, [page[-1].id]) if len(found) > asked.limit else ""
    items = [_shown(one, parts.now_s()) for one in page]
    return answer({"items": items, "metadata": {"continue": following}})


@router.post(
    "",
    operation_id="createOverride",
    summary="Override what is decided",
    response_model=Override,
    status_code=201,
    responses=problem_answers(400, 404, 409, 413),
    dependencies=[Depends(identified())],
)
async def create_override(
    request: Request, namespace: NamespacePath, name: NamePath, body: Annotated[OverrideBody, Body()]
) -> Response:
    """Ask for a fixed count, for a minimum, or that the count stays as it is, for a time and for a reason.

    It replaces the override that there is. The operator takes note of it at its next evaluation, and ends it
    by itself. Send an `Idempotency-Key`, so that a repeated request does nothing twice.
    """
    parts, workload = parts_of(request), f"{namespace}/{name}"
    await demand_write(request, _CREATE, workload)
    if workload not in parts.fleet.snapshot.entries:
        raise no_workload(namespace, name)
    now_s = parts.now_s()
    made = _made(workload, body, current_caller(request).name, now_s)
    # Kept before it is done: what was done and not kept could never be explained.
    await write_rows(
        request, made, audited(request, _CREATE, workload, {"override": made.id, **_asked_for(made)})
    )
    try:
        await parts.overrides.put(workload, _annotation(made))
    except OverrideRefused as error:
        failed = audited(
            request, _CREATE, workload, {"override": made.id, "refused": str(error)}, allowed=False
        )
        await write_rows(request, OverrideEnded(workload, made.id, parts.now_s()), failed)
        raise _refused(error) from error
    replaced = await in_thread(lambda: parts.store.overrides(parts.now_s(), workload))
    ended = [OverrideEnded(workload, one.id, parts.now_s()) for one in replaced if one.id < made.id]
    await write_rows(request, *ended)
    place = {"Location": f"{request.url.path}/{made.id}"}
    return answer(_shown(made, parts.now_s()), HTTPStatus.CREATED, place)


@router.delete(
    "/{id}",
    operation_id="deleteOverride",
    summary="Take an override back",
    response_model=Override,
    responses=problem_answers(404, 409),
    dependencies=[Depends(identified())],
)
async def delete_override(
    request: Request, namespace: NamespacePath, name: NamePath, override: OverridePath
) -> Response:
    """End an override before its time. One that has ended already stays as it is.

    It is taken from the resource only where it is still what the resource is annotated with: what somebody
    has set since, as with kubectl, stays in force.
    """
    parts, workload = parts_of(request), f"{namespace}/{name}"
    await demand_write(request, _DELETE, workload)
    found = await in_thread(lambda: _find(parts.store, workload, override))
    if found is None:
        detail = f"there is no override {override} of {workload}"
        raise Problem(HTTPStatus.NOT_FOUND, "OverrideNotFound", detail)
    if _state(found, parts.now_s()) == _ENDED:
        return answer(_shown(found, parts.now_s()))
    await write_rows(request, audited(request, _DELETE, workload, {"override": override}))
    try:
        await parts.overrides.remove(workload, _annotation(found))
    except OverrideRefused as error:
        raise _refused(error) from error
    ended_s = parts.now_s()
    await write_rows(request, OverrideEnded(workload, override, ended_s))
    return answer(_shown(dataclasses.replace(found, ended_s=ended_s), ended_s))


def _made(workload: str, body: OverrideBody, actor: str, now_s: float) -> OverrideMade:
    """The row of what is asked for. Raises Problem (400) where it would end before it begins."""
    from_s = now_s if body.from_ is None else body.from_
    if body.until <= max(now_s, from_s):
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "InvalidRange",
            "the override would end before it begins: until must be after now, and after from",
            fields=[("body.until", "must be after now, and after from")],
        )
    replicas = None if isinstance(body, FreezeOverride) else body.replicas
    payload = {"kind": body.kind, "replicas": replicas, "from": from_s, "reason": body.reason}
    return OverrideMade(workload, new_id(now_s), now_s, body.until, actor, payload)


def _annotation(made: OverrideMade) -> str:
    """As `controller.acting.overrides` reads it."""
    wanted, from_s = made.payload, made.payload["from"]
    count = {
        "Fixed": f"{wanted['replicas']}",
        "Minimum": f"at least {wanted['replicas']}",
        "Freeze": "freeze",
    }
    begins = f"from {shown_time(from_s)} " if from_s > made.made_s else ""
    return f"{begins}{count[wanted['kind']]} until {shown_time(made.expires_s)} because {wanted['reason']}"


def _find(store: Store, workload: str, override: str) -> OverrideMade | None:
    """One of the newest; those before them have long ended."""
    found = store.all_overrides(workload, limit=_FINDABLE)
    return next((one for one in found if one.id == override), None)


def _state(made: OverrideMade, now_s: float) -> str:
    if made.ended_s is not None or made.expires_s <= now_s:
        return _ENDED
    return "Scheduled" if made.payload["from"] > now_s else "InForce"


def _asked_for(made: OverrideMade) -> dict[str, Any]:
    """What a person said, in the words of an answer: the audit keeps it as it is shown."""
    return {
        "kind": made.payload["kind"],
        "replicas": made.payload["replicas"],
        "from": shown_time(made.payload["from"]),
        "until": shown_time(made.expires_s),
        "reason": made.payload["reason"],
    }


def _shown(made: OverrideMade, now_s: float) -> dict[str, Any]:
    return {
        "id": made.id,
        **_asked_for(made),
        "state": _state(made, now_s),
        "madeBy": made.made_by,
        "madeAt": shown_time(made.made_s),
        "endedAt": shown_time(made.ended_s),
    }


def _refused(error: OverrideRefused) -> Problem:
    return Problem(HTTPStatus.CONFLICT, "OverrideRefused", str(error))
