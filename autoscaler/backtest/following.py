"""The forecasts of a follower at every step of a trace, with the load of its front recorded beside its own.

As in the live loop: the front is forecast like any workload, the relation is learned anew every hour, the
follower's forecast by it is read by its own record, and it replaces the follower's own one while it is
better. A trace has no resource for the front, so that is forecast with the follower's model and settings.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from autoscaler.backtest.foresight import Foresight
from autoscaler.backtest.stretches import forecasts, stretches
from autoscaler.forecasting.accuracy import peak_ahead
from autoscaler.forecasting.forecaster import Forecaster, ForecastSettings
from autoscaler.forecasting.promises import recalibrated
from autoscaler.forecasting.related.evidence import Evidence
from autoscaler.forecasting.related.following import followed, reach
from autoscaler.forecasting.related.relation import (
    RENEWED_S,
    Follows,
    Relation,
    learn_relation,
    learned_from,
    usable,
)
from autoscaler.series import Batch, Floats, Series

Bools = NDArray[np.bool_]


def foresee_following(
    own: Foresight,
    series: Series,
    follows: Follows,
    forecaster: Forecaster,
    settings: ForecastSettings,
    history_s: float,
    refit_s: float,
) -> Foresight:
    """What the follower would have been told at every step.

    own: its own forecasts of `series`, whose column named like the front is the front's load.
    """
    column = series.columns.get(follows.front)
    if column is None:
        return replace(own, note=f"does not follow {follows.front}: the trace has no such column; {own.note}")
    front = replace(series, values=usable(column), columns={})
    lead = settings.horizon
    levels = np.asarray(settings.levels)
    stated = np.full(own.peaks.shape, np.nan)
    relation: Relation | str = ""
    renewed = -1
    width = reach(follows.max_lag_s, series.step_s)
    parts = stretches(front, history_s, refit_s)
    told = chain.from_iterable(forecasts(part, forecaster, settings, history_s) for part in parts)
    for begin, forecast in told:
        end = begin + len(forecast.made_at_s)
        relations: list[Relation | None] = []
        for at in range(begin, end):
            hour = (series.start_s + at * series.step_s) // RENEWED_S
            if hour != renewed:
                renewed, relation = hour, _learned(series, front, at, lead, levels, follows)
            relations.append(relation if isinstance(relation, Relation) else None)
        mine, theirs = (Batch.rolling(one, begin, end, width).values for one in (series, front))
        stated[begin:end] = followed(
            relations, mine, theirs, forecast.peaks, levels, series.step_s, first=lead
        )[:, 0]
    came = np.where(own.untold, np.nan, peak_ahead(series.values, lead))
    kept = recalibrated(stated, levels, came, lead, series.start_s, series.step_s)
    used = _used(own, replace(own, peaks=kept), series, came, settings.quantile)
    peaks = np.where(used[:, np.newaxis], kept, own.peaks)
    return replace(own, peaks=peaks, note=_told(follows, relation, used, series.step_s, own.note))


def _learned(
    series: Series, front: Series, at: int, lead: int, levels: Floats, follows: Follows
) -> Relation | str:
    first = max(0, at + 1 - learned_from(series.step_s))
    mine, theirs = series.values[first : at + 1], front.values[first : at + 1]
    return learn_relation(mine, theirs, series.step_s, lead, levels, follows)


def _used(own: Foresight, other: Foresight, series: Series, came: Floats, quantile: float) -> Bools:
    """Whether the other forecast is used, at every step: by what was known of both then, [time]."""
    lead, step_s = own.lead_steps, series.step_s
    evidence = Evidence(quantile, lead, step_s)
    used = np.zeros(len(series), np.bool_)
    mine, theirs = own.at_quantile(quantile).tolist(), other.at_quantile(quantile).tolist()
    peaks = came.tolist()
    for at, (one, another) in enumerate(zip(mine, theirs, strict=True)):
        at_s = series.start_s + at * step_s
        if at >= lead:
            evidence.judge(at_s, peaks[at - lead])
        evidence.state(at_s, one, another)
        used[at] = evidence.pays and another == another
    return used


def _told(follows: Follows, relation: Relation | str, used: Bools, step_s: int, note: str) -> str:
    """The relation as it was at the end, and how often it was followed."""
    if isinstance(relation, str):
        how = f"in the end not at all: {relation}"
    else:
        how = f"in the end by {relation.lag * step_s} s at a ratio of {relation.ratio:.3g}"
    return f"followed {follows.front} at {used.mean():.0%} of the steps, {how}; {note}"
