"""Followers and their fronts, brought together: what each follower's peaks are by the tier in front of it.

A front is another workload of the same source, forecast from its own past; what that one may follow
itself does not enter, so neither a circle nor a chain of followers can feed on itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autoscaler.controller.forecasts.follower import Follower, whole
from autoscaler.controller.forecasts.recent import Recent
from autoscaler.controller.forecasts.workload import Workload
from autoscaler.forecasting.promises import read_at
from autoscaler.forecasting.related.following import followed, reach
from autoscaler.forecasting.related.relation import Relation
from autoscaler.series import Floats, Forecast

NO_SUCH = "no PredictiveAutoscaler of that name in this namespace forecasts a load from the same source"
OTHER_STEP = "its forecast.step is another"
NOT_KNOWN = "its load is not known now, or not forecast yet"
TOO_SHORT = "its forecast does not reach as far as the lead time here"


@dataclass(frozen=True, slots=True)
class Made:
    """A forecast of a follower from its own past. peaks: [horizon, level], as they would be told."""

    workload: Workload
    forecast: Forecast
    row: int
    peaks: Floats


@dataclass(frozen=True, slots=True)
class _Pair:
    made: Made
    follower: Follower
    own: Recent
    front: Recent
    ahead: Floats
    relation: Relation


def fronts_of(workloads: Mapping[str, Workload]) -> set[str]:
    """Keys of all that are followed."""
    return {one.front_key for one in workloads.values() if one.follower is not None}


def by_their_fronts(made: Sequence[Made], workloads: Mapping[str, Workload]) -> Iterator[tuple[Made, Floats]]:
    """Those whose peaks are to be told by their fronts, and these peaks, [horizon, level]."""
    alike: dict[tuple[int, int, int], list[_Pair]] = {}
    for one in made:
        pair = _paired(one, workloads)
        if pair is not None:
            step_s = one.workload.request.step_s
            width = reach(pair.follower.follows.max_lag_s, step_s)
            alike.setdefault((step_s, width, len(one.peaks)), []).append(pair)
    for (step_s, width, horizon), pairs in alike.items():
        offers = followed(
            [pair.relation for pair in pairs],
            np.stack([whole(pair.own, width) for pair in pairs]),
            np.stack([whole(pair.front, width) for pair in pairs]),
            np.stack([as_long(pair.ahead, horizon) for pair in pairs]),
            pairs[0].made.forecast.levels,
            step_s,
        )
        yield from _taken(pairs, offers)


def _taken(pairs: Sequence[_Pair], offers: Floats) -> Iterator[tuple[Made, Floats]]:
    """Of the offered peaks, [pair, horizon, level], those that are taken, as each one's record reads them."""
    places = np.stack([pair.follower.places(pair.own.end_s) for pair in pairs])
    read = np.maximum.accumulate(read_at(offers, pairs[0].made.forecast.levels, places), axis=1)
    known = np.isfinite(read).all(axis=2).sum(axis=1).tolist()
    for pair, offer, peaks, steps in zip(pairs, offers, read, known, strict=True):
        own, at_lead = pair.made.peaks, pair.made.workload.request.lead - 1
        if pair.follower.takes(pair.own.end_s, own[at_lead], offer[at_lead], peaks[at_lead]):
            # Further ahead than the front is forecast, the workload's own forecast goes on.
            beyond = np.maximum(own[steps:], peaks[steps - 1])
            yield pair.made, np.concatenate([peaks[:steps], beyond])


def related(workload: Workload, front: Workload) -> Relation | None:
    """The relation of a follower to its front; where there is none, the follower is told why."""
    follower = workload.follower
    if follower is None or workload.recent is None:
        return None
    if front.request.step_s != workload.request.step_s:
        follower.refuse(OTHER_STEP)
        return None
    if front.recent is None or front.recent.end_s != workload.recent.end_s:
        follower.refuse(NOT_KNOWN)
        return None
    relation = follower.relation(workload.recent, front.recent)
    if isinstance(relation, Relation):
        return relation
    follower.refuse(relation)
    return None


def _paired(made: Made, workloads: Mapping[str, Workload]) -> _Pair | None:
    """A follower with its front, if the two are related and the front was forecast just now."""
    workload = made.workload
    front = workloads.get(workload.front_key)
    follower, own = workload.follower, workload.recent
    if follower is None or own is None:
        return None
    if front is None or front.recent is None:
        follower.refuse(NO_SUCH if front is None else NOT_KNOWN)
        return None
    relation, ahead = related(workload, front), front.ahead_from(own.end_s)
    if relation is None:
        return None
    if ahead is None:
        follower.refuse(NOT_KNOWN)
        return None
    if len(ahead) + relation.lag < workload.request.lead:
        follower.refuse(TOO_SHORT)
        return None
    return _Pair(made, follower, own, front.recent, ahead, relation)


def as_long(peaks: Floats, horizon: int) -> Floats:
    """Peaks [horizon, level] cut to another horizon, or unknown where it reaches further."""
    missing = horizon - len(peaks)
    if missing <= 0:
        return peaks[:horizon]
    return np.concatenate([peaks, np.full((missing, peaks.shape[1]), np.nan)])
