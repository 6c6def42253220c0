"""Forecasts of many workloads at once, in as few calls as their models allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.forecasts.fitting import rows_at_once
from autoscaler.controller.forecasts.workload import Workload
from autoscaler.forecasting.forecaster import Predictor
from autoscaler.forecasting.promises import WINDOW_S, judged_every, read_at
from autoscaler.series import Batch, Floats, Forecast, Series

_MOST_EARLIER = 12
_RECORDED_S = 2 * 86_400
_ROWS_AT_ONCE = 1024
"""How much of a record is rehearsed, and in pieces of how many moments."""
_REHEARSED_EVERY = 5
"""Of so many forecasts that would be judged one is made after the fact."""


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


def rehearse(workload: Workload) -> None:
    """Give a workload that is forecast for the first time a record to begin with.

    What its model says of moments of the last days, though it was fitted to them: the best that can be
    known after a start, and soon outweighed by what is seen.
    """
    if workload.fitted is None or workload.recent is None:
        return
    batch, rows = _laid_out([workload])
    step_s, lead = batch.step_s, workload.request.lead
    load = Series("", int(batch.end_s[0]) - (batch.width - 1) * step_s, step_s, batch.values[0])
    every = _REHEARSED_EVERY * judged_every(step_s)
    last = batch.width - 1 - lead
    last -= (load.start_s // step_s + last) % every
    at = np.arange(last, max(lead, batch.width - WINDOW_S // step_s), -every)[::-1]
    if len(at) == 0:
        return
    moments = Batch.rolling(load, int(at[0]), int(at[-1]) + 1, batch.width)
    earlier = Batch(moments.values[::every], moments.end_s[::every], step_s)
    try:
        forecast = workload.fitted.predictor.predict(earlier, np.repeat(rows, len(at)))
    except Exception:  # noqa: BLE001 - if the model fails, its forecast of now does too and is told there
        return
    workload.rehearsed(forecast, load.values, at)


def rehearse_record(workload: Workload) -> None:
    """Give the record of an objective the last days to begin with, as `rehearse` does that of promises."""
    record = workload.record
    workload.rehearsed_record = True
    if record is None or workload.fitted is None or workload.recent is None:
        return
    batch, rows = _laid_out([workload])
    step_s, end_s, last = batch.step_s, int(batch.end_s[0]), batch.width - 1
    known = np.flatnonzero(np.isfinite(batch.values[0]))
    if len(known) == 0:
        return
    first = max(int(known[0]) + workload.request.lead, last - min(record.reach, _RECORDED_S // step_s) + 1)
    load = Series("", end_s - last * step_s, step_s, batch.values[0])
    for begin in range(first, last, _ROWS_AT_ONCE):
        until = min(begin + _ROWS_AT_ONCE, last)
        moments = Batch.rolling(load, begin, until, batch.width)
        try:
            forecast = workload.fitted.predictor.predict(moments, np.repeat(rows, until - begin))
        except Exception:  # noqa: BLE001 - if the model fails, its forecast of now does too and is told there
            return
        over_lead = forecast.peaks[:, workload.request.lead - 1]
        places = np.tile(workload.places(end_s), (until - begin, 1))
        peaks = read_at(over_lead, forecast.levels, places)
        record.note(moments.end_s, load.values[begin:until], peaks, np.full(until - begin, np.inf))


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
    peaks = as_promised(forecast, range(len(group)), group)
    for row, workload in enumerate(group):
        fans[workload.request.key] = workload.fan(forecast, row, peaks[row])


def as_promised(forecast: Forecast, rows: Sequence[int], workloads: Sequence[Workload]) -> Floats:
    """The peaks of these rows as the record of each one's workload says that they are to be read.

    Shape [row, horizon, level].
    """
    ends = forecast.made_at_s[rows].tolist()
    places = np.stack([workload.places(end_s) for workload, end_s in zip(workloads, ends, strict=True)])
    return np.maximum.accumulate(read_at(forecast.peaks[rows], forecast.levels, places), axis=1)


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
