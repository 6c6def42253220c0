"""Forecasts of many workloads at once, in as few calls as their models allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.forecasts.fronts import Made, by_their_fronts, fronts_of
from autoscaler.controller.forecasts.rehearsing import rehearse_followers
from autoscaler.controller.forecasts.rows import by_predictor, laid_out
from autoscaler.controller.forecasts.workload import Workload
from autoscaler.forecasting.forecaster import Predictor
from autoscaler.forecasting.promises import read_at
from autoscaler.series import Batch, Floats, Forecast

_MOST_EARLIER = 12


def forecast_rows(
    workloads: Sequence[Workload], others: Mapping[str, Workload]
) -> tuple[dict[str, Fan], list[tuple[Workload, str]]]:
    """The fan of each fitted workload by key, and those whose model failed, with the reason in words.

    others: all workloads by key, among which fronts are found for those that follow one.
    """
    made: list[Made] = []
    failed: list[tuple[Workload, str]] = []
    for predictor, group in by_predictor(workloads):
        _forecast_group(predictor, group, made, failed)
    leading = fronts_of(others)
    for one in made:
        if one.workload.request.key in leading:
            one.workload.goes_ahead(one.forecast, one.row)
    following = [one for one in made if one.workload.follower is not None]
    rehearse_followers([one.workload for one in following], others)
    by_front = {one.workload.request.key: peaks for one, peaks in by_their_fronts(following, others)}
    fans = {}
    for one in made:
        key = one.workload.request.key
        followed = by_front.get(key)
        peaks = one.peaks if followed is None else followed
        fans[key] = one.workload.fan(one.forecast, one.row, peaks, followed is not None)
    return fans, failed


def outlook_so_far(workloads: Sequence[Workload]) -> None:
    """Let workloads that are forecast for the first time know what would have been expected of the
    steps until the lead time is over, as far as a few earlier moments tell."""
    for predictor, group in by_predictor(workloads):
        lead = group[0].request.lead
        for back in range(min(lead, _MOST_EARLIER), 0, -1):
            batch, rows = laid_out(group)
            earlier = Batch(batch.values[:, :-back], batch.end_s - back * batch.step_s, batch.step_s)
            try:
                forecast = predictor.predict(earlier, rows)
            except Exception:  # noqa: BLE001 - if the model fails, its forecast of now does too and is told there
                break
            for row, workload in enumerate(group):
                workload.expects(forecast, row)


def _forecast_group(
    predictor: Predictor, group: Sequence[Workload], made: list[Made], failed: list[tuple[Workload, str]]
) -> None:
    try:
        forecast = _predicted(predictor, group)
    except Exception as error:  # noqa: BLE001 - whatever a model raises is told of the workload it concerns
        if len(group) == 1:
            reason = f"the model could not forecast ({type(error).__name__}: {str(error)[:200]})"
            failed.append((group[0], reason))
            return
        for workload in group:
            _forecast_group(predictor, [workload], made, failed)
        return
    peaks = state_peaks(forecast, range(len(group)), group)
    made += [Made(workload, forecast, row, peaks[row]) for row, workload in enumerate(group)]


def state_peaks(forecast: Forecast, rows: Sequence[int], workloads: Sequence[Workload]) -> Floats:
    """Let each one's workload state the peaks of its row: kept, to be judged, and read as its record says.

    Shape of what is told [row, horizon, level].
    """
    ends = forecast.made_at_s[rows].tolist()
    each = list(zip(workloads, ends, forecast.peaks[rows], strict=True))
    stated = np.stack([workload.states(end_s, peaks) for workload, end_s, peaks in each])
    places = np.stack([workload.places(end_s) for workload, end_s, _ in each])
    return np.maximum.accumulate(read_at(stated, forecast.levels, places), axis=1)


def _predicted(predictor: Predictor, group: Sequence[Workload]) -> Forecast:
    batch, rows = laid_out(group)
    return predictor.predict(batch, rows)
