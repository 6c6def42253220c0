"""A workload's history: load and replicas, with what had been forecast of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from autoscaler.api.access.rules import require
from autoscaler.api.access.verbs import Verb
from autoscaler.api.answers import answer_table, in_thread, no_workload, parts_of
from autoscaler.api.columns import TIMESTAMP, Table, rounded, whole
from autoscaler.api.problems import Problem
from autoscaler.api.ranges import DAY_S, Range, chosen_range
from autoscaler.api.recorded import HOUR_S, Grid, fitting_step_s, grid, needed, on_grid
from autoscaler.api.shapes.paths import NamePath, NamespacePath
from autoscaler.api.shapes.problem_answers import CSV_TOO, problem_answers
from autoscaler.api.shapes.queries import SeriesQuestion
from autoscaler.api.shapes.series import SeriesTable
from autoscaler.api.snapshot import Entry
from autoscaler.api.stated import read_peaks, stated_before
from autoscaler.store.store import Store

router = APIRouter(tags=["history"])

MOST_POINTS = 11_000
_EARLIER_S = 3600.0
"""Forecasts made so long, and one lead time, before the first step are read too."""


@router.get(
    "/namespaces/{namespace}/workloads/{name}/series",
    operation_id="getSeries",
    summary="History of a workload",
    response_model=SeriesTable,
    responses={**problem_answers(400, 404), **CSV_TOO},
    dependencies=[Depends(require(Verb.READ))],
)
async def get_series(
    request: Request,
    namespace: NamespacePath,
    name: NamePath,
    asked: Annotated[SeriesQuestion, Query()],
) -> Response:
    """Load, ready replicas, replicas asked for and replicas needed, and beside them what had been forecast of
    the peak one lead time before; of the last day if nothing else is asked for.

    Each row covers one step, which begins at a multiple of it. Observations are made once a minute and kept
    for 14 days, if nothing else is configured; a range that begins before that is answered by the hour. At
    most 11,000 rows.
    """
    parts = parts_of(request)
    workload = f"{namespace}/{name}"
    entry = parts.fleet.snapshot.entries.get(workload)
    now_s = parts.now_s()
    span = chosen_range(asked.start, asked.end, now_s, DAY_S)
    table = await in_thread(
        lambda: _table(parts.store, workload, _steps(parts.store, workload, span, asked.step), entry)
    )
    if table is None:
        raise no_workload(namespace, name)
    return await answer_table(request, table, asked.format)


def _steps(store: Store, workload: str, span: Range, wanted_s: int | None) -> Grid:
    """The steps of an answer. Raises Problem where they are too many."""
    hours_until_s = store.hours_until(workload)
    steps = grid(span.start_s, span.end_s, fitting_step_s(span.start_s, span.end_s, hours_until_s, wanted_s))
    if steps.count > MOST_POINTS:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "TooManyPoints",
            f"{steps.count} steps of {steps.step_s} s are more than {MOST_POINTS}; take a longer step or a "
            "shorter range",
        )
    return steps


def _table(store: Store, workload: str, steps: Grid, entry: Entry | None) -> Table | None:
    """None where there is neither such a workload nor anything recorded of one."""
    observed = store.observations(workload, steps.start_s, steps.end_s)
    hours = store.hours(workload, steps.start_s, steps.end_s) if steps.step_s >= HOUR_S else []
    if entry is None and not observed and not hours:
        return None
    recorded = on_grid(steps, observed, hours)
    policy = _Policy.of(entry)
    earlier_s = _EARLIER_S + _known(policy.lead_s, 0.0)
    peaks = read_peaks(store, workload, steps.start_s - earlier_s, steps.end_s)
    levels = (0.5, 0.95, _known(policy.quantile, math.nan))
    p50, p95, stated = stated_before(steps.times_s, peaks, levels)
    return Table(
        {
            TIMESTAMP: steps.times_s,
            "load": rounded(recorded.load),
            "ready": whole(recorded.ready),
            "asked": whole(recorded.asked),
            "needed": whole(needed(recorded.peak, _known(policy.per_replica, math.nan))),
            "p50": rounded(p50),
            "p95": rounded(p95),
            "stated": rounded(stated),
        },
        {
            "metadata": {
                "stepSeconds": steps.step_s,
                "leadTimeSeconds": policy.lead_s,
                "perReplica": policy.per_replica,
                "quantile": policy.quantile,
            }
        },
    )


@dataclass(frozen=True, slots=True)
class _Policy:
    """What the columns are reckoned with, as it is now; None where that is not known."""

    lead_s: float | None = None
    quantile: float | None = None
    per_replica: float | None = None

    @classmethod
    def of(cls, entry: Entry | None) -> _Policy:
        if entry is None:
            return cls()
        lead_s, quantile = entry.number("forecast", "leadTimeSeconds"), entry.number("forecast", "quantile")
        return cls(lead_s, quantile, entry.state.get("perReplica"))


def _known(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value
