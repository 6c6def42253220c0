"""The peak of a follower's load, from the loads that its front has seen and the front's own forecast.

What the front saw within the last `lag` steps is what the follower is about to see; what the follower sees
after that is forecast of the front. Both times the ratio, and no surer than the relation has proved to be:
the spread of the front's forecast and that of the relation's errors add up like those of independent
quantities, in squares. Many followers, or many moments of one, in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autoscaler.forecasting.related.relation import RATIO_S, STEADY_S, Relation
from autoscaler.series import Floats, Ints

_LARGEST_LOG = 300.0


def reach(max_lag_s: float, step_s: int) -> int:
    """Newest steps of both loads that are looked at."""
    return max(1, RATIO_S // step_s) + int(max_lag_s // step_s)


def followed(
    relations: Sequence[Relation | None],
    own: Floats,
    front: Floats,
    forecast: Floats,
    levels: Floats,
    step_s: int,
    first: int = 1,
    single: bool = False,
) -> Floats:
    """Quantiles of the follower's peak over the next `first`, `first + 1`, … steps, [row, step, level].

    single: of its load in each of these steps instead; `forecast` is then that of the front's.

    own, front: [row, time], newest loads of follower and front, at least `reach` of them. forecast:
    [row, horizon, level], quantiles of the front's peak; what lies beyond its horizon is not added. The last
    step is the horizon. NaN in rows without a relation, and wherever it does not hold at present or what
    it needs is not known.
    """
    rows, horizon = len(relations), forecast.shape[1]
    answer = np.full((rows, horizon - first + 1, len(levels)), np.nan)
    with_one = [row for row, relation in enumerate(relations) if relation is not None]
    if not with_one:
        return answer
    related = [relations[row] for row in with_one]
    known = _Known.of([one for one in related if one is not None], own[with_one], front[with_one], step_s)
    if single:
        errors = np.stack([one.step_errors for one in related if one is not None])
        seen = known.to_arrive(horizon)
    else:
        errors = np.stack([one.errors for one in related if one is not None])
        # An unknown step makes every peak over it unknown, and so it does here.
        seen = np.maximum.accumulate(known.to_arrive(horizon), axis=1)
    reached = known.reached(seen, forecast[with_one])[:, first - 1 :]
    widened = known.widened(reached, errors, int(np.argmin(np.abs(levels - 0.5))))
    answer[with_one] = widened if single else np.maximum.accumulate(widened, axis=1)
    return answer


class _Known:
    """Rows with a relation. lag, ratio, own_base, front_base: [row]; ratio is NaN where it does not hold.
    front: [row, time], raised by `front_base`."""

    def __init__(self, lag: Ints, ratio: Floats, bases: Floats, front: Floats) -> None:
        self._lag = lag
        self._ratio = ratio
        self._own_base, self._front_base = bases
        self._front = front

    @staticmethod
    def of(relations: Sequence[Relation], own: Floats, front: Floats, step_s: int) -> _Known:
        lag = np.array([one.lag for one in relations], np.int64)
        bases = np.array([[one.own_base, one.front_base] for one in relations]).T
        mine, theirs = own + bases[0][:, np.newaxis], front + bases[1][:, np.newaxis]
        hour = max(1, RATIO_S // step_s)
        before = theirs.shape[1] - 1 - lag[:, np.newaxis] - np.arange(hour)
        seen = np.take_along_axis(theirs, before, axis=1)
        came = mine[:, : -hour - 1 : -1]
        of_hour = _ratios(came, seen)
        quarter = max(1, STEADY_S // step_s)
        of_late = _ratios(came[:, :quarter], seen[:, :quarter])
        fixed = np.array([one.fixed for one in relations])
        ratio = np.where(np.isnan(fixed), of_hour, fixed)
        tolerance = np.array([one.tolerance for one in relations])
        with np.errstate(invalid="ignore", divide="ignore"):
            steady = np.abs(np.log(of_late / ratio)) <= tolerance
        return _Known(lag, np.where(steady, ratio, np.nan), bases, theirs)

    def to_arrive(self, horizon: int) -> Floats:
        """What the front saw and the follower is about to see, [row, step]; -inf after the lag."""
        ahead, lag = np.arange(1, horizon + 1), self._lag[:, np.newaxis]
        at = self._front.shape[1] - 1 - lag + ahead
        seen = np.take_along_axis(self._front, np.minimum(at, self._front.shape[1] - 1), axis=1)
        return np.where(ahead <= lag, seen, -np.inf)

    def reached(self, seen: Floats, forecast: Floats) -> Floats:
        """What the follower sees, raised by its base, [row, step, level]: the larger of what the front
        saw and of its forecast of the steps after that."""
        ahead, lag = np.arange(1, forecast.shape[1] + 1), self._lag[:, np.newaxis]
        later = np.take_along_axis(forecast, np.maximum(ahead - lag - 1, 0)[:, :, np.newaxis], axis=1)
        base = self._front_base[:, np.newaxis, np.newaxis]
        to_come = np.where((ahead > lag)[:, :, np.newaxis], later + base, -np.inf)
        larger: Floats = np.maximum(seen[:, :, np.newaxis], to_come)
        return larger * self._ratio[:, np.newaxis, np.newaxis]

    def widened(self, reached: Floats, own_errors: Floats, middle: int) -> Floats:
        """The same with the relation's errors, [row, level], as loads."""
        with np.errstate(divide="ignore", invalid="ignore"):
            centre = np.log(reached[:, :, middle : middle + 1])
            spread = np.log(reached) - centre
        usual = own_errors[:, np.newaxis, middle : middle + 1]
        errors = own_errors[:, np.newaxis] - usual
        side = np.where(np.arange(reached.shape[2]) < middle, -1.0, 1.0)
        off = usual + side * np.hypot(spread, errors)
        loads = np.exp(np.minimum(centre + off, _LARGEST_LOG)) - self._own_base[:, np.newaxis, np.newaxis]
        at_least_none: Floats = np.maximum(loads, 0.0)
        return at_least_none


def _ratios(own: Floats, front: Floats) -> Floats:
    """Sum of one load to that of the other where both are known, [row]; NaN where less than half is."""
    both = np.isfinite(own) & np.isfinite(front)
    mine, theirs = np.where(both, own, 0.0).sum(axis=1), np.where(both, front, 0.0).sum(axis=1)
    enough = 2 * both.sum(axis=1) >= own.shape[1]
    ratio: Floats = np.divide(mine, theirs, out=np.full(len(own), np.nan), where=enough & (theirs > 0))
    return ratio
