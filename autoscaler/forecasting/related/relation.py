"""How the load of one tier follows that of the tier in front of it: learned from both histories.

What the front sees now reaches the follower `lag` steps later, scaled by a ratio. The lag is where the two
loads, taken as logarithms and freed of everything slower than an hour, go together best: a daily rhythm
that both share goes together at every lag and says nothing. The ratio is that of the last hour at each
moment, so it may drift. How far the follower's peaks lay from what the front's own loads made of them,
had those been known, is kept as quantiles: no forecast by this relation can be surer than that.

Lag by cross-correlation of prewhitened series: Box and Jenkins 1970, "Time Series Analysis", chapter 11.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from autoscaler.forecasting.accuracy import peak_ahead
from autoscaler.forecasting.forecaster import DAY_S
from autoscaler.series import Floats
from autoscaler.spec import follows as spec

FOLLOWS = "follows"
"""Model of a forecast that comes from the tier in front."""
NOT_STEADY = "the ratio of the two loads is changing, or what either was lately is not known"

_LEARNED_FROM_S = 3 * DAY_S
_MOST_STEPS = 25_920
"""What is looked at with steps of less than ten seconds: less than three days."""
RENEWED_S = 3600
"""A relation is learned anew so often."""
_SHORTEST_S = 6 * 3600
"""A relation is not looked for in less than this."""
RATIO_S = 3600
STEADY_S = 900
"""The ratio of so long is held against that of the last hour: while they differ, it is changing."""
_FEWEST = 60
"""Moments at which both loads have to be known."""
_WEAKEST = 0.3
"""Correlation below which two loads merely happen to rise together."""
_STEADY_LEVEL, _STEADY_MARGIN, _LEAST_TOLERANCE = 0.995, 1.5, math.log(1.25)
_NEGLIGIBLE_SHARE = 0.02
_LEAST_LOAD = 1e-9


@dataclass(frozen=True, slots=True)
class Follows:
    """That a workload follows another. front: its name. ratio: of the follower's load to the front's,
    None to have it learned. max_lag_s: the longest lag that is looked for."""

    front: str
    ratio: float | None = None
    max_lag_s: float = 900.0

    @staticmethod
    def of(written: spec.Follows | None) -> Follows | None:
        """As a resource says it."""
        return None if written is None else Follows(written.name, written.ratio, written.max_lag_s)


@dataclass(frozen=True, slots=True)
class Relation:
    """lag: steps. ratio: typical of late; fixed: the one to use at every moment, NaN for that of the last
    hour. strength: correlation at the lag. errors: [level], quantiles of log(peak that came / peak that the
    front's loads made of it); step_errors: the same of single steps. tolerance: how far, as a logarithm, the
    ratio of a quarter of an hour may lie from that of the hour. own_base, front_base: next to nothing of
    each load, added before ratios are taken, so that zero is harmless.
    """

    lag: int
    ratio: float
    fixed: float
    strength: float
    errors: Floats
    step_errors: Floats
    tolerance: float
    own_base: float
    front_base: float


def learn_relation(
    own: Floats, front: Floats, step_s: int, lead: int, levels: Floats, follows: Follows
) -> Relation | str:
    """The relation of the newest days, or in words why there is none.

    own, front: [time], loads of the follower and of the front at the same steps, NaN where unknown.
    lead: steps ahead that decisions look at.
    """
    most = learned_from(step_s)
    own, front = usable(own[-most:]), usable(front[-most:])
    both = np.isfinite(own) & np.isfinite(front)
    if both.sum() < max(_FEWEST, _SHORTEST_S // step_s):
        return "too little of both loads is known"
    front_base = max(_NEGLIGIBLE_SHARE * float(front[both].mean()), _LEAST_LOAD)
    own_base = max(_NEGLIGIBLE_SHARE * float(own[both].mean()), _LEAST_LOAD)
    if follows.ratio is not None:
        own_base = follows.ratio * front_base
    mine, theirs = own + own_base, front + front_base
    lag, strength = _lag(np.log(mine), np.log(theirs), int(follows.max_lag_s // step_s), step_s)
    if strength < _WEAKEST:
        return f"the two loads do not move together (correlation {strength:.2f})"
    shifted = delayed(theirs, lag)
    ratio = ratio_lately(mine, shifted, max(1, RATIO_S // step_s))
    fixed = math.nan
    if follows.ratio is not None:
        ratio, fixed = np.full(len(mine), follows.ratio), follows.ratio
    with np.errstate(invalid="ignore"):
        error = np.log(peak_ahead(mine, lead) / (ratio * peak_ahead(shifted, lead)))
        step_error = np.log(mine / (ratio * shifted))
        swing = np.log(ratio_lately(mine, shifted, max(1, STEADY_S // step_s)) / ratio)
    error, step_error, swing = (one[np.isfinite(one)] for one in (error, step_error, swing))
    if len(error) < _FEWEST or len(swing) == 0:
        return "too little of both loads is known"
    tolerance = _STEADY_MARGIN * float(np.quantile(np.abs(swing), _STEADY_LEVEL))
    return Relation(
        lag=lag,
        ratio=float(np.nanmedian(ratio)),
        fixed=fixed,
        strength=strength,
        errors=_quantiles(error, levels),
        step_errors=_quantiles(step_error, levels),
        tolerance=max(_LEAST_TOLERANCE, tolerance),
        own_base=own_base,
        front_base=front_base,
    )


def learned_from(step_s: int) -> int:
    """Newest steps that a relation is learned from."""
    return min(_MOST_STEPS, _LEARNED_FROM_S // step_s)


def delayed(load: Floats, steps: int) -> Floats:
    """The load of `steps` before each step, [time]; NaN before the first."""
    return np.concatenate([np.full(steps, np.nan), load[: len(load) - steps]])


def ratio_lately(own: Floats, front: Floats, steps: int) -> Floats:
    """Sum of one load over the newest `steps` steps to that of the other, [time], where both are known.

    NaN where less than half of them is.
    """
    both = np.isfinite(own) & np.isfinite(front)
    mine = _rolling_sum(np.where(both, own, 0.0), steps)
    theirs = _rolling_sum(np.where(both, front, 0.0), steps)
    enough = _rolling_sum(both.astype(np.float64), steps) >= max(1.0, steps / 2)
    ratio: Floats = np.divide(mine, theirs, out=np.full(len(own), np.nan), where=enough & (theirs > 0))
    return ratio


def _quantiles(errors: Floats, levels: Floats) -> Floats:
    """Of n errors the k-th smallest stands for the level k / (n + 1), [level]."""
    place = np.clip(levels * (len(errors) + 1) - 1, 0, len(errors) - 1)
    return np.interp(place, np.arange(len(errors)), np.sort(errors))


def usable(values: Floats) -> Floats:
    """What cannot be a load is unknown."""
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(values) & (values >= 0), values, np.nan)


def _lag(own: Floats, front: Floats, longest: int, step_s: int) -> tuple[int, float]:
    """The lag in steps at which two logarithms of load go together best, and their correlation there.

    All lags are compared over the same moments of the follower.
    """
    hour = max(3, RATIO_S // step_s)
    longest = min(longest, len(own) // 2)
    mine, mine_known = _swings(own, hour)
    theirs, theirs_known = _swings(front, hour)
    mine, mine_known = mine[longest:], mine_known[longest:]
    # Column j of a window over the front is `longest - j` steps earlier than the follower's moment.
    earlier = np.lib.stride_tricks.sliding_window_view(theirs, longest + 1)
    known = np.lib.stride_tricks.sliding_window_view(theirs_known, longest + 1)
    together = mine @ earlier
    size = np.sqrt((mine * mine) @ known * (mine_known @ (earlier * earlier)))
    found = np.divide(together, size, out=np.zeros(longest + 1), where=size > 0)[::-1]
    best = int(np.argmax(found))
    return best, float(found[best])


def _swings(logarithms: Floats, steps: int) -> tuple[Floats, Floats]:
    """What is faster than `steps` steps, 0 where unknown; and where it is known, as 1 and 0: [time] each."""
    known = np.isfinite(logarithms)
    filled = np.where(known, logarithms, 0.0)
    return np.where(known, filled - _rolling_mean(logarithms, steps), 0.0), known.astype(np.float64)


def _rolling_mean(values: Floats, steps: int) -> Floats:
    """Mean of what is known of the `steps` steps around each, [time]; NaN where nothing is."""
    known = np.isfinite(values)
    ahead = steps // 2
    padded = np.concatenate([np.where(known, values, 0.0), np.zeros(ahead)])
    count = np.concatenate([known.astype(np.float64), np.zeros(ahead)])
    total, of = _rolling_sum(padded, steps)[ahead:], _rolling_sum(count, steps)[ahead:]
    mean: Floats = np.divide(total, of, out=np.full(len(values), np.nan), where=of > 0)
    return mean


def _rolling_sum(values: Floats, steps: int) -> Floats:
    """Sum of the newest `steps` values at each, of as many as there are, [time]."""
    sums = np.cumsum(values)
    sums[steps:] = sums[steps:] - sums[:-steps].copy()
    return sums
