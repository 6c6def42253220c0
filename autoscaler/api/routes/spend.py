"""Money: of everything the caller may see, and of one workload."""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from autoscaler.api.access.rules import identified, require, visible
from autoscaler.api.access.verbs import Verb
from autoscaler.api.answers import answer, in_thread, no_workload, parts_of
from autoscaler.api.costs import NOTHING, Costs, costs, money, total
from autoscaler.api.ranges import DAY_S, chosen_range
from autoscaler.api.shapes.money import FleetSpend, WorkloadSpend
from autoscaler.api.shapes.paths import NamePath, NamespacePath
from autoscaler.api.shapes.problem_answers import problem_answers
from autoscaler.api.shapes.queries import NamespaceQuestion, Ranged
from autoscaler.api.snapshot import Entry

router = APIRouter(tags=["spend"])

_USUAL_S = 31 * DAY_S


@router.get(
    "/spend",
    operation_id="getSpend",
    summary="Money of all workloads",
    response_model=FleetSpend,
    responses=problem_answers(),
    dependencies=[Depends(identified())],
)
async def get_spend(request: Request, asked: Annotated[NamespaceQuestion, Query()]) -> Response:
    """What the workloads that there are and that the caller may read cost: today, this month, at present per
    hour, and by the end of the day and of the month; in all, by namespace and by priority.

    A forecast takes the present count until the end of the day, and the other days of the month as today.
    """
    parts = parts_of(request)
    snapshot, now_s = parts.fleet.snapshot, parts.now_s()
    namespaces = await visible(request, snapshot.namespaces, asked.namespace)
    entries = [
        entry for entry in snapshot.entries.values() if namespaces is None or entry.namespace in namespaces
    ]
    return answer(await in_thread(lambda: _summed_up(entries, now_s)))


@router.get(
    "/namespaces/{namespace}/workloads/{name}/spend",
    operation_id="getWorkloadSpend",
    summary="Money of one workload",
    response_model=WorkloadSpend,
    responses=problem_answers(400, 404),
    dependencies=[Depends(require(Verb.READ))],
)
async def get_workload_spend(
    request: Request, namespace: NamespacePath, name: NamePath, asked: Annotated[Ranged, Query()]
) -> Response:
    """What one workload costs now, and what it cost on each day of a range: the last 31 days if nothing else
    is asked for. Days are UTC, and whole: those that the range touches."""
    parts = parts_of(request)
    now_s, workload = parts.now_s(), f"{namespace}/{name}"
    span = chosen_range(asked.start, asked.end, now_s, _USUAL_S)
    days = await in_thread(
        lambda: parts.store.spend(workload=workload, since=_day(span.start_s), until=_day(span.end_s))
    )
    entry = parts.fleet.snapshot.entries.get(workload)
    if entry is None and not days:
        raise no_workload(namespace, name)
    hourly_cap = None if entry is None else entry.number("spend", "hourlyCap")
    return answer(
        {
            **(NOTHING if entry is None else costs(entry, now_s)).as_json(),
            "hourlyCap": money(hourly_cap),
            "days": [{"day": one.day, "amount": money(one.amount)} for one in days],
        }
    )


def _summed_up(entries: Iterable[Entry], now_s: float) -> dict[str, Any]:
    by_namespace, by_priority = defaultdict(list), defaultdict(list)
    for entry in entries:
        one = costs(entry, now_s)
        if one is not NOTHING:
            by_namespace[entry.namespace].append(one)
            by_priority[entry.state.get("priority") or ""].append(one)
    everything = [one for group in by_namespace.values() for one in group]
    return {
        **_group(everything),
        "withoutDailyBudget": sum(one.daily_budget is None for one in everything),
        "byNamespace": [{"namespace": name, **_group(by_namespace[name])} for name in sorted(by_namespace)],
        "byPriority": [{"priority": name, **_group(by_priority[name])} for name in sorted(by_priority)],
    }


def _group(several: Sequence[Costs]) -> dict[str, Any]:
    daily = total([one for one in several if one.daily_budget is not None])
    monthly = total([one for one in several if one.monthly_budget is not None])
    return {
        **total(several).as_json(),
        "workloads": len(several),
        "budgetedToday": money(daily.today),
        "budgetedForecastToday": money(daily.forecast_today),
        "budgetedMonth": money(monthly.month),
        "budgetedForecastMonth": money(monthly.forecast_month),
    }


def _day(at_s: float) -> datetime.date:
    return datetime.datetime.fromtimestamp(at_s, datetime.UTC).date()
