"""Workloads as they are now: a list, all of them at once, one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from autoscaler.api.access.rules import identified, require, visible
from autoscaler.api.access.verbs import Verb
from autoscaler.api.answers import answer, answer_table, in_thread, no_workload, parts_of
from autoscaler.api.columns import JSON, Table
from autoscaler.api.kept_answers import until_renewed
from autoscaler.api.paging import cursor, position_of
from autoscaler.api.shapes.paths import NamePath, NamespacePath
from autoscaler.api.shapes.problem_answers import CSV_TOO, problem_answers
from autoscaler.api.shapes.queries import FleetQuestion, WorkloadQuestion
from autoscaler.api.shapes.workloads import FleetTable, WorkloadList, WorkloadWithManifest
from autoscaler.api.snapshot import Entry, Snapshot, Sort, SortKey, sort_key
from autoscaler.api.times import shown_time
from autoscaler.controller.observing.selectors import parse_selector, selects

router = APIRouter(tags=["workloads"])

Condition = Callable[[Entry], bool]


@router.get(
    "/workloads",
    operation_id="listWorkloads",
    summary="List workloads",
    response_model=WorkloadList,
    responses=problem_answers(400),
    dependencies=[Depends(identified())],
)
async def list_workloads(request: Request, asked: Annotated[WorkloadQuestion, Query()]) -> Response:
    """The workloads that the caller may read, with all that is known of each, a page at a time.

    They are sorted by what is wrong with them, the worst first, if nothing else is asked for. Workloads
    change while pages are read, so one whose rank changes meanwhile may come twice or not at all, unless they
    are sorted by name.
    """
    snapshot = parts_of(request).fleet.snapshot
    namespaces = await visible(request, snapshot.namespaces, asked.namespace)
    question = asked.question()
    after = _after(asked.continue_, question)
    conditions = _conditions(namespaces, asked.label_selector, asked.search)
    if asked.mode is not None:
        conditions.append(lambda entry: entry.state.get("mode") == asked.mode)
    if asked.problem is not None:
        conditions.append(lambda entry: asked.problem in entry.health.problems)
    found = _meeting(conditions, snapshot.ordered(asked.sort, after))
    page, remaining = found[: asked.limit], max(0, len(found) - asked.limit)
    metadata = {
        "continue": cursor(question, sort_key(page[-1], asked.sort)) if remaining else "",
        "remainingItemCount": remaining,
        "outdatedSince": shown_time(snapshot.outdated_since_s),
    }
    return answer({"items": [entry.shown for entry in page], "metadata": metadata})


@router.get(
    "/fleet",
    operation_id="getFleet",
    summary="All workloads as a table",
    response_model=FleetTable,
    responses={**problem_answers(), **CSV_TOO},
    dependencies=[Depends(identified())],
)
async def get_fleet(request: Request, asked: Annotated[FleetQuestion, Query()]) -> Response:
    """All workloads that the caller may read at once, worst first, as columns of what an overview shows."""
    snapshot = parts_of(request).fleet.snapshot
    namespaces = await visible(request, snapshot.namespaces, asked.namespace)
    conditions = _conditions(namespaces, asked.label_selector, asked.search)
    table = await in_thread(lambda: _fleet_table(snapshot, conditions))
    return await answer_table(request, table, asked.format)


@router.get(
    "/namespaces/{namespace}/workloads/{name}",
    operation_id="getWorkload",
    summary="One workload",
    response_model=WorkloadWithManifest,
    responses=problem_answers(404),
    dependencies=[Depends(require(Verb.READ))],
)
async def get_workload(request: Request, namespace: NamespacePath, name: NamePath) -> Response:
    """One workload with all that is known of it now, and its resource as somebody wrote it."""
    parts = parts_of(request)
    entry = parts.fleet.snapshot.entries.get(f"{namespace}/{name}")
    if entry is None:
        raise no_workload(namespace, name)

    def made() -> bytes:
        kept = parts.store.manifest(entry.workload)
        return orjson.dumps({**entry.as_json(), "manifest": None if kept is None else kept.payload})

    return Response(await until_renewed(request, entry, ["workload"], made), media_type=JSON)


def _after(text: str | None, question: list[str]) -> SortKey | None:
    position = position_of(text, question, (float, str, str))
    return None if position is None else (position[0], position[1], position[2])


def _conditions(namespaces: Collection[str] | None, selector: str, search: str) -> list[Condition]:
    """What an entry has to meet to be among those that the caller may see and asked for."""
    conditions: list[Condition] = []
    if namespaces is not None:
        conditions.append(lambda entry: entry.namespace in namespaces)
    if contained := search.casefold():
        conditions.append(lambda entry: contained in entry.workload)
    if requirements := parse_selector(selector):
        conditions.append(lambda entry: selects(requirements, entry.state.get("labels") or {}))
    return conditions


def _meeting(conditions: Sequence[Condition], entries: Sequence[Entry]) -> Sequence[Entry]:
    for condition in conditions:
        entries = list(filter(condition, entries))
    return entries


def _fleet_table(snapshot: Snapshot, conditions: Sequence[Condition]) -> Table:
    rows = [_row(entry) for entry in _meeting(conditions, snapshot.ordered(Sort.WORST))]
    columns = dict(zip(_COLUMNS, map(list, zip(*rows, strict=True)), strict=True)) if rows else {}
    return Table(
        {name: columns.get(name, []) for name in _COLUMNS},
        {"metadata": {"outdatedSince": shown_time(snapshot.outdated_since_s)}},
    )


_COLUMNS = (
    "namespace",
    "name",
    "mode",
    "load",
    "loadState",
    "forecast",
    "ready",
    "current",
    "desired",
    "needed",
    "min",
    "max",
    "problems",
    "severity",
    "reason",
    "spendToday",
    "dailyBudget",
    "priority",
    "at",
    "decision",
)


def _row(entry: Entry) -> tuple[Any, ...]:
    """In the order of `_COLUMNS`."""
    state = entry.state
    load, forecast = state.get("load") or {}, state.get("forecast") or {}
    replicas, spend = state.get("replicas") or {}, state.get("spend") or {}
    return (
        entry.namespace,
        entry.name,
        state.get("mode"),
        load.get("value"),
        load.get("state"),
        forecast.get("peak"),
        replicas.get("ready"),
        replicas.get("current"),
        replicas.get("desired"),
        replicas.get("needed"),
        replicas.get("min"),
        replicas.get("max"),
        entry.health.problems,
        entry.health.severity,
        state.get("reason"),
        spend.get("today"),
        spend.get("dailyBudget"),
        state.get("priority") or "",
        state.get("at"),
        state.get("decision"),
    )
