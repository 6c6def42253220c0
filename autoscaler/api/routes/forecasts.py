"""Forecasts as they were made, against what came."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from autoscaler.api.access.rules import require
from autoscaler.api.access.verbs import Verb
from autoscaler.api.answers import (
    answer,
    chosen_format,
    in_thread,
    no_workload,
    parts_of,
    table_response,
)
from autoscaler.api.columns import Format
from autoscaler.api.judging import Accuracy, judged
from autoscaler.api.kept_answers import until_renewed
from autoscaler.api.paging import cursor, position_of
from autoscaler.api.past_forecast import in_a_line, read_forecast
from autoscaler.api.problems import Problem
from autoscaler.api.ranges import DAY_S, Range, chosen_range
from autoscaler.api.shapes import series as shapes
from autoscaler.api.shapes.paths import MadeAtPath, NamePath, NamespacePath
from autoscaler.api.shapes.problem_answers import CSV_TOO, problem_answers
from autoscaler.api.shapes.queries import ForecastsQuestion, Ranged, TableQuestion
from autoscaler.api.stated import StatedPeak, read_peaks
from autoscaler.api.times import LATEST_S, shown_time
from autoscaler.store.store import Store

router = APIRouter(
    prefix="/namespaces/{namespace}/workloads/{name}",
    tags=["history"],
    dependencies=[Depends(require(Verb.READ))],
)


@router.get(
    "/forecasts",
    operation_id="listForecasts",
    summary="List forecasts as made",
    response_model=shapes.ForecastList,
    responses=problem_answers(400, 404),
)
async def list_forecasts(
    request: Request,
    namespace: NamespacePath,
    name: NamePath,
    asked: Annotated[ForecastsQuestion, Query()],
) -> Response:
    """That forecasts were made, when and by which model, newest first. They are kept for 7 days."""
    parts = parts_of(request)
    workload = f"{namespace}/{name}"
    question = asked.question(workload)
    position = position_of(asked.continue_, question, (float,))
    span = chosen_range(asked.start, asked.end, parts.now_s(), parts.now_s())
    end_s = span.end_s if position is None else min(max(0.0, position[0]), span.end_s)
    found = await in_thread(
        lambda: parts.store.forecasts(workload, span.start_s, end_s, limit=asked.limit + 1)
    )
    if not found and workload not in parts.fleet.snapshot.entries:
        raise no_workload(namespace, name)
    page = found[: asked.limit]
    following = cursor(question, [page[-1].made_at_s]) if len(found) > asked.limit else ""
    return answer({"items": [in_a_line(one) for one in page], "metadata": {"continue": following}})


@router.get(
    "/forecasts/latest",
    operation_id="getLatestForecast",
    summary="The newest forecast",
    response_model=shapes.Forecast,
    responses={**problem_answers(404), **CSV_TOO},
)
async def get_latest_forecast(
    request: Request,
    namespace: NamespacePath,
    name: NamePath,
    asked: Annotated[TableQuestion, Query()],
) -> Response:
    """The newest forecast there is: quantiles of the load in each step ahead, and of its peak up to it."""
    return await _forecast(request, namespace, name, LATEST_S, asked.format)


@router.get(
    "/forecasts/{madeAt}",
    operation_id="getForecast",
    summary="A forecast as made",
    response_model=shapes.Forecast,
    responses={**problem_answers(404), **CSV_TOO},
)
async def get_forecast(
    request: Request,
    namespace: NamespacePath,
    name: NamePath,
    made_at_s: MadeAtPath,
    asked: Annotated[TableQuestion, Query()],
) -> Response:
    """The newest forecast that was made at that time or before, against what came."""
    return await _forecast(request, namespace, name, made_at_s, asked.format)


@router.get(
    "/accuracy",
    operation_id="getAccuracy",
    summary="How good forecasts were",
    response_model=shapes.Accuracy,
    responses=problem_answers(400, 404),
)
async def get_accuracy(
    request: Request, namespace: NamespacePath, name: NamePath, asked: Annotated[Ranged, Query()]
) -> Response:
    """How forecasts that were made in a range, the last day if nothing else is asked for, compare with what
    came: always of the highest load within the lead time, which is what replicas are decided by."""
    parts = parts_of(request)
    now_s = parts.now_s()
    span = chosen_range(asked.start, asked.end, now_s, DAY_S)
    workload = f"{namespace}/{name}"
    stated, accuracy = await in_thread(lambda: _judged(parts.store, workload, span, now_s))
    if not stated and workload not in parts.fleet.snapshot.entries:
        raise no_workload(namespace, name)
    lead_s = stated[-1].lead_s if stated else None
    return answer(_accuracy_told(len(stated), accuracy, lead_s, span))


async def _forecast(
    request: Request, namespace: str, name: str, at_s: float, wanted: Format | None
) -> Response:
    parts = parts_of(request)
    workload = f"{namespace}/{name}"
    entry = parts.fleet.snapshot.entries.get(workload)
    kind = chosen_format(request, wanted)

    def made() -> bytes | None:
        table = read_forecast(parts.store, workload, at_s)
        return None if table is None else table.encoded(kind)

    body = await until_renewed(request, entry, ["forecast", kind, str(at_s)], made)
    if body is not None:
        return table_response(body, kind)
    if entry is None:
        raise no_workload(namespace, name)
    raise Problem(
        HTTPStatus.NOT_FOUND, "ForecastNotFound", f"no forecast of {workload} was kept from then or before"
    )


def _judged(store: Store, workload: str, span: Range, now_s: float) -> tuple[list[StatedPeak], Accuracy]:
    stated = read_peaks(store, workload, span.start_s, span.end_s)
    longest_s = max((one.lead_s for one in stated), default=0.0)
    observed = store.observations(workload, span.start_s, span.end_s + longest_s + 1) if stated else []
    return stated, judged(stated, observed, now_s)


def _accuracy_told(made: int, found: Accuracy, lead_s: float | None, span: Range) -> dict[str, object]:
    return {
        "forecasts": made,
        "judged": found.judged,
        "leadSeconds": lead_s,
        "coverage": [
            {"level": level, "stated": level, "observed": _known(share)}
            for level, share in found.coverage.items()
        ],
        "wape": _known(found.wape),
        "bias": _known(found.bias),
        "pinball": _known(found.pinball),
        "window": {"start": shown_time(span.start_s), "end": shown_time(span.end_s)},
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
