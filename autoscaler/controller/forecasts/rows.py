"""Workloads laid out as the rows of one array, as models take them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from autoscaler.controller.forecasts.fitting import rows_at_once
from autoscaler.controller.forecasts.workload import Workload
from autoscaler.forecasting.forecaster import Predictor
from autoscaler.series import Batch, Ints


def by_predictor(workloads: Sequence[Workload]) -> Iterator[tuple[Predictor, list[Workload]]]:
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


def laid_out(group: Sequence[Workload]) -> tuple[Batch, Ints]:
    """Newest loads of workloads served by the same predictor, and which of its workloads each row is."""
    request = group[0].request
    values = np.empty((len(group), request.width))
    ends = np.zeros(len(group), np.int64)
    rows = np.zeros(len(group), np.int64)
    for row, workload in enumerate(group):
        if workload.recent is not None and workload.fitted is not None:
            workload.recent.write_into(values[row])
            ends[row], rows[row] = workload.recent.end_s, workload.fitted.row
    return Batch(values, ends, request.step_s), rows
