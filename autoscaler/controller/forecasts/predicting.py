"""Forecasts of many workloads at once, in as few calls as their models allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.forecasts.fitting import rows_at_once
from autoscaler.controller.forecasts.workload import Workload
from autoscaler.forecasting.forecaster import Predictor
from autoscaler.series import Batch, Forecast

_MOST_EARLIER = 12


def forecast_rows(workloads: Sequence[Workload]) -> tuple[dict[str, Fan], list[tuple[Workload, str]]]:
    """The fan of each fitted workload by key, and those whose model failed, with the reason in words."""
    fans: dict[str, Fan] = {}
    failed: list[tuple[Workload, str]] = []
    for predictor, group in _by_predictor(workloads):
        _forecast_group(predictor, group, fans, failed)
    return fans, failed


def outlook_so_far(workloads: Sequence[Workload]) -> None:
    """Let workloads that are forecast for the first time know what would have been expected of the
    steps until the lead time is over, as far as a few earlier moments tell."""
    for predictor, group in _by_predictor(workloads):
        lead = group[0].request.lead
        for back in range(min(lead, _MOST_EARLIER), 0, -1):
            batch, rows = _laid_out(group)
            earlier = Batch(batch.values[:, :-back], batch.end_s - back * batch.step_s, batch.step_s)
            try:
                forecast = predictor.predict(earlier, rows)
            except Exception:  # noqa: BLE001 - if the model fails, its forecast of now does too and is told there
                break
            for row, workload in enumerate(group):
                workload.expects(forecast, row)


def _forecast_group(
    predictor: Predictor, group: Sequence[Workload], fans: dict[str, Fan], failed: list[tuple[Workload, str]]
) -> None:
    try:
        forecast = _predicted(predictor, group)
    except Exception as error:  # noqa: BLE001 - whatever a model raises is told of the workload it concerns
        if len(group) == 1:
            reason = f"the model could not forecast ({type(error).__name__}: {str(error)[:200]})"
            failed.append((group[0], reason))
            return
        for workload in group:
            _forecast_group(predictor, [workload], fans, failed)
        return
    for row, workload in enumerate(group):
        fans[workload.request.key] = workload.fan(forecast, row)


def _predicted(predictor: Predictor, group: Sequence[Workload]) -> Forecast:
    batch, rows = _laid_out(group)
    return predictor.predict(batch, rows)


def _by_predictor(workloads: Sequence[Workload]) -> Iterator[tuple[Predictor, list[Workload]]]:
    """Workloads served by the same predictor, no more at once than memory should hold."""
    groups: dict[int, tuple[Predictor, list[Workload]]] = {}
    for workload in workloads:
        if workload.fitted is not None and workload.recent is not None:
            predictor = workload.fitted.predictor
            groups.setdefault(id(predictor), (predictor, []))[1].append(workload)
    for predictor, group in groups.values():
        most = rows_at_once(group[0].request)
        for first in range(0, len(group), most):
            yield predictor, group[first : first + most]


def _laid_out(group: Sequence[Workload]) -> tuple[Batch, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    request = group[0].request
    values = np.empty((len(group), request.width))
    ends = np.zeros(len(group), np.int64)
    rows = np.zeros(len(group), np.int64)
    for row, workload in enumerate(group):
        if workload.recent is not None and workload.fitted is not None:
            workload.recent.write_into(values[row])
            ends[row], rows[row] = workload.recent.end_s, workload.fitted.row
    return Batch(values, ends, request.step_s), rows
