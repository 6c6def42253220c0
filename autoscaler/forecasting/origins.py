"""Past moments to forecast from again, to learn how well a model does: rolling origins.

Nothing is copied: a moment's recent load is a view that ends at that moment.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from autoscaler.series import Batch, Floats, Ints, Series


@dataclass(frozen=True, slots=True)
class Moment:
    """Some rows forecast from the past.

    recent, workload: as a path is asked for. ahead: [row, horizon], what really came.
    place: where the rows belong in an array [workload, origin].
    """

    recent: Batch
    workload: Ints
    ahead: Floats
    place: tuple[int | slice, int | slice]


def spread(first: int, last: int, about: int, cycle: int = 1) -> range:
    """About `about` (never twice as many) evenly spaced steps of `first` … `last - 1`, the newest included.

    The distance shares no factor with an hour of minutes or with the season of `cycle` steps, lest
    all origins fall on the same phase and miss what happens at every other one.
    """
    length = last - first
    if length <= 0:
        return range(0)
    wanted = math.ceil(length / about)
    least = length // (2 * about) + 1
    stride = min(
        (s for s in range(least, wanted + 60) if math.gcd(s, 60) == 1 and math.gcd(s, cycle) == 1),
        key=lambda s: abs(s - wanted),
        default=wanted,
    )
    return range(last - 1 - stride * ((length - 1) // stride), last, stride)


def replay(history: Batch, origins: range, horizon: int) -> Iterator[Moment]:
    """The history seen from every origin, with the `horizon` steps that followed.

    One moment holds all workloads at one origin or all origins of one workload, whichever needs
    fewer turns. Every origin has at least one step after it.
    """
    if len(origins) == 0:
        return
    workloads = len(history)
    if workloads > len(origins):
        for index, origin in enumerate(origins):
            end_s = history.end_s - (history.width - 1 - origin) * history.step_s
            recent = Batch(history.values[:, : origin + 1], end_s, history.step_s)
            ahead = _padded(history.values[:, origin + 1 : origin + 1 + horizon], horizon)
            yield Moment(recent, np.arange(workloads), ahead, (slice(None), index))
        return
    for row in range(workloads):
        yield _one_workload(history, row, origins, horizon)


def _one_workload(history: Batch, row: int, origins: range, horizon: int) -> Moment:
    start_s = int(history.end_s[row]) - (history.width - 1) * history.step_s
    series = Series("", start_s, history.step_s, history.values[row])
    every = Batch.rolling(series, origins[0], origins[-1] + 1, history.width)
    recent = Batch(every.values[:: origins.step], every.end_s[:: origins.step], history.step_s)
    later = series.values[origins[0] + 1 : origins[-1] + 1 + horizon]
    later = _padded(later[np.newaxis, :], origins[-1] - origins[0] + horizon)[0]
    ahead = np.lib.stride_tricks.sliding_window_view(later, horizon)[:: origins.step]
    return Moment(recent, np.full(len(recent), row), ahead, (row, slice(None)))


def _padded(values: Floats, width: int) -> Floats:
    missing = width - values.shape[1]
    if missing <= 0:
        return values
    return np.concatenate([values, np.full((len(values), missing), np.nan)], axis=1)
