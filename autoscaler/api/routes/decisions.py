"""Decisions: a list of them, one in full, and one decided again."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from autoscaler.api.access.rules import identified, visible
from autoscaler.api.answers import answer, in_thread, parts_of
from autoscaler.api.columns import JSON
from autoscaler.api.kept_answers import Kept, kept_answers
from autoscaler.api.paging import cursor, identifier_of
from autoscaler.api.problems import Problem
from autoscaler.api.ranges import chosen_range
from autoscaler.api.reckoned import decided_again, in_full, summary
from autoscaler.api.shapes.decisions import Decision, DecisionList, Replay
from autoscaler.api.shapes.paths import DecisionPath
from autoscaler.api.shapes.problem_answers import problem_answers
from autoscaler.api.shapes.queries import DecisionsQuestion
from autoscaler.api.times import LATEST_S
from autoscaler.store.ids import id_time_s
from autoscaler.store.rows import Page, WholeDecision
from autoscaler.store.store import Store

router = APIRouter(tags=["decisions"])

_FIRST_BACK_S = (3600.0, 12 * 3600.0)


@router.get(
    "/decisions",
    operation_id="listDecisions",
    summary="List decisions",
    response_model=DecisionList,
    responses=problem_answers(400),
    dependencies=[Depends(identified())],
)
async def list_decisions(request: Request, asked: Annotated[DecisionsQuestion, Query()]) -> Response:
    """Decisions of workloads that the caller may read, newest first: those that were carried out, and those
    that said something new. Workloads that are gone are included, for as long as decisions are kept."""
    parts = parts_of(request)
    if asked.workload is not None and asked.namespace is None:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "NamespaceMissing",
            "a workload is named together with its namespace",
            fields=[("query.namespace", "is needed where workload is given")],
        )
    namespaces = await visible(request, parts.fleet.snapshot.namespaces, asked.namespace)
    span = chosen_range(asked.start, asked.end, parts.now_s(), usual_s=LATEST_S)
    question = asked.question()
    before = identifier_of(asked.continue_, question)
    before_s = span.end_s if before is None else min(id_time_s(before), span.end_s)
    query = _Query(asked, namespaces, before, before_s)
    page = await in_thread(lambda: _newest(parts.store, query))
    following = "" if page.older is None else cursor(question, [page.older])
    return answer({"items": [summary(one) for one in page.decisions], "metadata": {"continue": following}})


@router.get(
    "/decisions/{id}",
    operation_id="getDecision",
    summary="One decision in full",
    response_model=Decision,
    responses=problem_answers(404, 409),
    dependencies=[Depends(identified())],
)
async def get_decision(request: Request, decision: DecisionPath) -> Response:
    """Everything that one decision was made from: what each source asked for, every rule that changed the
    number and on what grounds, what was seen and forecast, and the policy."""
    return await _told(request, decision, "full", in_full)


@router.get(
    "/decisions/{id}/replay",
    operation_id="replayDecision",
    summary="Decide again",
    response_model=Replay,
    responses=problem_answers(404, 409),
    dependencies=[Depends(identified())],
)
async def replay_decision(request: Request, decision: DecisionPath) -> Response:
    """The decision as the present code makes it from the stored inputs, and whether that is the same.

    It is, unless the rules were changed by a newer release. 409 where a newer one has stored it.
    """
    return await _told(request, decision, "again", decided_again)


@dataclass(frozen=True, slots=True)
class _Query:
    """Which page: of decisions older than `before`, none of which was made later than before_s."""

    asked: DecisionsQuestion
    namespaces: Collection[str] | None
    before: str | None
    before_s: float

    def page(self, store: Store, since_s: float | None) -> Page:
        """The decisions since then."""
        asked = self.asked
        return store.decisions(
            workload=None if asked.workload is None else f"{asked.namespace}/{asked.workload}",
            namespaces=self.namespaces,
            reason=asked.reason,
            since_s=since_s,
            until_s=asked.end,
            before=self.before,
            limit=asked.limit,
        )


def _newest(store: Store, query: _Query) -> Page:
    """The page. Where it is of some namespaces, the newest hours are looked at first: a database would sort
    everything that those ever had, however little is wanted."""
    asked = query.asked
    if query.namespaces is not None and asked.workload is None:
        for back_s in _FIRST_BACK_S:
            since_s = max(query.before_s - back_s, asked.start or 0.0)
            page = query.page(store, since_s)
            if len(page.decisions) == asked.limit:
                return Page(page.decisions, page.decisions[-1].id)
    return query.page(store, asked.start)


async def _told(
    request: Request, decision: str, how: str, tell: Callable[[WholeDecision], dict[str, Any]]
) -> Response:
    """A decision told in one of the ways, to whom may see it; for all others it does not exist."""
    answers, store = kept_answers(request), parts_of(request).store
    told = answers.get((how, decision))
    if told is None:
        found = await in_thread(lambda: _read(store, decision, tell))
        if found is None:
            raise _no_decision(decision)
        told, is_final = found
        if is_final:
            answers[how, decision] = told
    namespaces = await visible(request, {told.namespace})
    if namespaces is not None and told.namespace not in namespaces:
        raise _no_decision(decision)
    return Response(told.body, media_type=JSON)


def _read(
    store: Store, decision: str, tell: Callable[[WholeDecision], dict[str, Any]]
) -> tuple[Kept, bool] | None:
    """What to answer, and whether it stays so: the outcome of a decision is stored after the decision."""
    whole = store.decision(decision)
    if whole is None:
        return None
    namespace = whole.summary.workload.partition("/")[0]
    return Kept(namespace, orjson.dumps(tell(whole))), whole.summary.outcome != ""


def _no_decision(decision: str) -> Problem:
    return Problem(
        HTTPStatus.NOT_FOUND, "DecisionNotFound", f"there is no decision {decision}, or not any more"
    )
