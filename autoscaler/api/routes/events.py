"""Known events of all workloads, as their specs name them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from autoscaler.api.access.rules import identified, visible
from autoscaler.api.answers import answer, in_thread, parts_of
from autoscaler.api.paging import cursor, position_of
from autoscaler.api.ranges import Range, chosen_range
from autoscaler.api.shapes.people import EventList
from autoscaler.api.shapes.problem_answers import problem_answers
from autoscaler.api.shapes.queries import EventsQuestion
from autoscaler.api.snapshot import Entry
from autoscaler.api.times import LATEST_S, parse_instant

router = APIRouter(tags=["people"])

_Key = tuple[float, str, str, str]


@router.get(
    "/events",
    operation_id="listEvents",
    summary="List known events",
    response_model=EventList,
    responses=problem_answers(400),
    dependencies=[Depends(identified())],
)
async def list_events(request: Request, asked: Annotated[EventsQuestion, Query()]) -> Response:
    """Occasions for which the specs of workloads ask for a higher minimum, the earliest first. Without a
    range: those that have not ended."""
    parts = parts_of(request)
    snapshot = parts.fleet.snapshot
    namespaces = await visible(request, snapshot.namespaces, asked.namespace)
    start_s = parts.now_s() if asked.start is None and asked.end is None else asked.start
    span = chosen_range(start_s, LATEST_S if asked.end is None else asked.end, parts.now_s(), LATEST_S)
    question = asked.question()
    position = position_of(asked.continue_, question, (float, str, str, str))
    found = await in_thread(lambda: _touching(snapshot.entries.values(), namespaces, span))
    keys = sorted(key for key in found if position is None or list(key) > position)
    page, remaining = keys[: asked.limit], max(0, len(keys) - asked.limit)
    metadata = {
        "continue": cursor(question, page[-1]) if remaining else "",
        "remainingItemCount": remaining,
    }
    return answer({"items": [_told(key, found[key]) for key in page], "metadata": metadata})


def _touching(
    entries: Iterable[Entry], namespaces: Collection[str] | None, span: Range
) -> dict[_Key, Mapping[str, Any]]:
    """Events that are on at some time of the range."""
    return {
        (parse_instant(event["start"]), entry.namespace, entry.name, str(event["name"])): event
        for entry in entries
        if namespaces is None or entry.namespace in namespaces
        for event in entry.state.get("events") or ()
        if parse_instant(event["start"]) < span.end_s and parse_instant(event["end"]) > span.start_s
    }


def _told(key: _Key, event: Mapping[str, Any]) -> dict[str, Any]:
    _, namespace, workload, _ = key
    return {"namespace": namespace, "workload": workload, **event}
