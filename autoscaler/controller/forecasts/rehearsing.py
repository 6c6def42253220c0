"""What models would have said of the last days, told to workloads whose record is still empty.

The models have seen these days, so it is a little too good: the best that can be known after a start, and
soon outweighed by what is seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autoscaler.controller.forecasts.fronts import as_long, related
from autoscaler.controller.forecasts.rows import laid_out
from autoscaler.controller.forecasts.workload import Workload
from autoscaler.forecasting.accuracy import peak_ahead
from autoscaler.forecasting.easing import eased
from autoscaler.forecasting.promises import WINDOW_S, judged_every, read_at
from autoscaler.forecasting.related.following import followed, reach
from autoscaler.series import Batch, Forecast, Ints, Series

_REHEARSED_EVERY = 5
"""Of so many forecasts that would be judged one is made after the fact."""
_RECORDED_S = 2 * 86_400
_ROWS_AT_ONCE = 1024
"""How much of an objective's record is rehearsed, and in pieces of how many moments."""
_MOST_FOLLOWERS = 10
"""Followers whose record is begun at one step: each takes such a series of forecasts."""


@dataclass(frozen=True, slots=True)
class _Earlier:
    """forecast: a row for each of the moments `at`, steps of `load`, oldest first."""

    forecast: Forecast
    load: Series
    at: Ints


def rehearse(workload: Workload) -> None:
    """Give a workload that is forecast for the first time a record to begin with."""
    past = _earlier(workload)
    if past is not None:
        workload.rehearsed(past.forecast, past.load.values, past.at)


def rehearse_record(workload: Workload) -> None:
    """Give the record of an objective the last days to begin with, as `rehearse` does that of promises."""
    record = workload.record
    workload.rehearsed_record = True
    if record is None or workload.fitted is None or workload.recent is None:
        return
    batch, rows = laid_out([workload])
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
        over_lead = eased(forecast.peaks[:, workload.request.lead - 1], workload.request.lead, step_s)
        places = np.tile(workload.places(end_s), (until - begin, 1))
        peaks = read_at(over_lead, forecast.levels, places)
        record.note(moments.end_s, load.values[begin:until], peaks, np.full(until - begin, np.inf))


def rehearse_followers(workloads: Sequence[Workload], others: Mapping[str, Workload]) -> None:
    """Give followers that have none a record of forecasts by their fronts, a few of them at each step."""
    left = _MOST_FOLLOWERS
    seen: dict[str, _Earlier | None] = {}
    for workload in workloads:
        key, follower = workload.front_key, workload.follower
        if left == 0 or follower is None or follower.rehearsed or key not in others:
            continue
        if related(workload, others[key]) is not None:
            left -= 1
            if key not in seen:
                seen[key] = _earlier(others[key])
            _rehearse_follower(workload, others[key], seen[key])


def _rehearse_follower(workload: Workload, front: Workload, theirs: _Earlier | None) -> None:
    follower, relation, mine = workload.follower, related(workload, front), _earlier(workload)
    assert follower is not None and relation is not None  # the caller has looked
    follower.rehearsed = True
    if mine is None or theirs is None:
        return
    lead, step_s = workload.request.lead, workload.request.step_s
    levels = mine.forecast.levels
    moments, here, there = np.intersect1d(
        mine.forecast.made_at_s, theirs.forecast.made_at_s, assume_unique=True, return_indices=True
    )
    if len(moments) == 0:
        return
    width = reach(follower.follows.max_lag_s, step_s)
    own, seen = (
        Batch.rolling(past.load, int(past.at[0]), int(past.at[-1]) + 1, width).values[
            past.at[at] - past.at[0]
        ]
        for past, at in ((mine, here), (theirs, there))
    )
    ahead = np.stack([as_long(theirs.forecast.peaks[row], lead) for row in there])
    offered = followed([relation] * len(moments), own, seen, ahead, levels, step_s, first=lead)[:, 0]
    stated = mine.forecast.peaks[here, lead - 1]
    told = read_at(stated, levels, np.tile(workload.places(int(moments[-1])), (len(stated), 1)))
    came = peak_ahead(mine.load.values, lead)[mine.at[here]]
    follower.rehearse(moments.tolist(), told, offered, came.tolist())


def _earlier(workload: Workload) -> _Earlier | None:
    """What the fitted model says of moments of the last days; None where there are none, or it fails."""
    if workload.fitted is None or workload.recent is None:
        return None
    batch, rows = laid_out([workload])
    step_s, lead = batch.step_s, workload.request.lead
    load = Series("", int(batch.end_s[0]) - (batch.width - 1) * step_s, step_s, batch.values[0])
    every = _REHEARSED_EVERY * judged_every(step_s)
    last = batch.width - 1 - lead
    last -= (load.start_s // step_s + last) % every
    at = np.arange(last, max(lead, batch.width - WINDOW_S // step_s), -every)[::-1]
    if len(at) == 0:
        return None
    moments = Batch.rolling(load, int(at[0]), int(at[-1]) + 1, batch.width)
    earlier = Batch(moments.values[::every], moments.end_s[::every], step_s)
    try:
        forecast = workload.fitted.predictor.predict(earlier, np.repeat(rows, len(at)))
    except Exception:  # noqa: BLE001 - if the model fails, its forecast of now does too and is told there
        return None
    return _Earlier(forecast, load, at)
