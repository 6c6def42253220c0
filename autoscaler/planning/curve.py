"""What every place of the dial would have cost and left unserved: a replay of recent forecasts.

At each step replicas are asked for as decisions ask for them: for the larger of the forecast peak and the
present load, within the bounds, kept as long as the scale-down window keeps them. They serve a lead time
later. Guards that look at more than that, such as rate limits and spend, are left out: what they do shows in
what is observed, not here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from autoscaler.planning.capacity import NEGLIGIBLE_SHARE, ROUNDING
from autoscaler.planning.policy import Policy
from autoscaler.series import Floats
from autoscaler.trailing import trailing

DAY_S, WEEK_S = 86_400.0, 7 * 86_400.0
REPLAYED_S = WEEK_S
"""How far back forecasts are replayed."""
RENEWED_S = 6 * 3600
"""How often a curve is drawn anew: when so many seconds since the epoch are full again."""
MOST_STEPS = 20_160
"""What is replayed of a workload with steps of less than half a minute: less than a week."""
_SHORTEST_S = DAY_S
"""A curve of less than a day says nothing about the rest of it."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A place of the dial: the quantile of the peak that is read, and what it is multiplied by."""

    quantile: float
    headroom: float = 1.0

    def __str__(self) -> str:
        """`p98`, or `p99.5 x 1.2`."""
        factor = "" if self.headroom == 1.0 else f" x {self.headroom:g}"
        return f"p{100 * self.quantile:g}{factor}"


LADDER: tuple[Rung, ...] = (
    *map(Rung, (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.965, 0.98, 0.985, 0.99, 0.995)),
    *(Rung(0.995, headroom) for headroom in (1.1, 1.2, 1.35, 1.5)),
)
"""All places of the dial, cheapest and least safe first."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a replay needs to know of a policy.

    per_replica: load that one ready pod serves. least, most: bounds on the count. spare: replicas for each
    one that is needed, which is more than one where zones may fail. lead_s: from asking for a pod to ready.
    hold_s: how long a wish is kept.
    """

    per_replica: float
    least: int
    most: int
    spare: float
    lead_s: float
    hold_s: float

    @staticmethod
    def of(policy: Policy) -> Terms:
        """Those of a policy, whose load per replica is NaN where that is not known."""
        return Terms(
            per_replica=policy.load_per_replica,
            least=policy.min_replicas,
            most=policy.max_replicas,
            spare=policy.zones / (policy.zones - policy.zones_lost),
            lead_s=policy.lead_time_s,
            hold_s=policy.scale_down.stabilization_s,
        )


@dataclass(frozen=True, slots=True)
class Curve:
    """What the dial is chosen from. One value for each rung of `LADDER`, as if it had been used all the time.

    start_s, end_s: epoch seconds of the first and last step that were replayed. replica_hours: a day.
    unserved: share of the load. short_minutes: a week.
    """

    start_s: float
    end_s: float
    replica_hours: tuple[float, ...]
    unserved: tuple[float, ...]
    short_minutes: tuple[float, ...]

    @property
    def days(self) -> float:
        """Length of what was replayed."""
        return (self.end_s - self.start_s) / DAY_S


def curve_points(curve: Curve) -> list[dict[str, float]]:
    """The curve as plain data, a point for each rung, cheapest first."""
    return [
        {
            "quantile": rung.quantile,
            "headroom": rung.headroom,
            "replicaHoursPerDay": hours,
            "unserved": unserved,
            "shortMinutesPerWeek": minutes,
        }
        for rung, hours, unserved, minutes in zip(
            LADDER, curve.replica_hours, curve.unserved, curve.short_minutes, strict=True
        )
    ]


@dataclass(frozen=True, slots=True)
class Stated:
    """What was known and stated at successive steps, the newest last, on a grid without holes.

    loads: [time], NaN where unknown. peaks: [time, level], quantiles of the peak over the lead as stated
    then, at the ascending `levels`, NaN where there was no forecast. limits: [time], the most that decisions
    were allowed to ask for because of it; NaN for nothing at all. end_s: epoch seconds of the newest step.
    """

    loads: Floats
    peaks: Floats
    limits: Floats
    levels: Floats
    step_s: int
    end_s: float


def replayed_steps(step_s: int) -> int:
    """How many of the newest steps a curve is drawn from."""
    return min(MOST_STEPS, int(REPLAYED_S // step_s))


def curve_of(stated: Stated, terms: Terms) -> Curve | None:
    """The curve of the newest steps; None while there is no day of forecasts, no load or no capacity to tell
    of."""
    if not terms.per_replica > 0.0:
        return None
    forecast = np.flatnonzero(np.isfinite(stated.peaks[:, -1]))
    first = max(len(stated.loads) - replayed_steps(stated.step_s), int(forecast[0]) if len(forecast) else 0)
    loads = stated.loads[first:]
    known = np.isfinite(loads)
    total, known_s = float(loads[known].sum()), float(known.sum()) * stated.step_s
    if len(forecast) == 0 or known_s < _SHORTEST_S or total <= 0.0:
        return None
    asked = _asked(loads, stated.peaks[first:], stated.limits[first:], stated.levels, stated.step_s, terms)
    ready = trailing(np.minimum, asked, math.ceil(terms.lead_s / stated.step_s - ROUNDING) + 1)[:, known]
    excess = loads[known] - ready * terms.per_replica
    short = np.where(excess > ROUNDING * loads[known], excess, 0.0)
    return Curve(
        start_s=stated.end_s - (len(loads) - 1) * stated.step_s,
        end_s=stated.end_s,
        replica_hours=_row(asked.mean(axis=1) * 24.0),
        unserved=_row(short.sum(axis=1) / total),
        short_minutes=_row((short > 0.0).mean(axis=1) * WEEK_S / 60.0),
    )


def _asked(loads: Floats, peaks: Floats, limits: Floats, levels: Floats, step_s: int, terms: Terms) -> Floats:
    """Replicas that each rung asks for after each step, [rung, time]; where nothing is known, as before."""
    at = np.interp([rung.quantile for rung in LADDER], levels, np.arange(len(levels)))
    low = at.astype(np.int64)
    high, share = np.minimum(low + 1, len(levels) - 1), (at - low)[:, np.newaxis]
    by_level = peaks.T
    read = by_level[low] + share * (by_level[high] - by_level[low])
    read *= np.array([rung.headroom for rung in LADDER])[:, np.newaxis]
    # As `limited`: what may not be followed at all counts as no forecast.
    peak = np.where(np.isnan(limits), np.nan, np.minimum(read, limits)) / terms.per_replica
    ahead = np.where(peak < NEGLIGIBLE_SHARE, 0.0, peak)
    wished = np.fmax(ahead, loads / terms.per_replica)
    count = np.ceil(np.ceil(wished - ROUNDING) * terms.spare - ROUNDING)
    count = trailing(np.fmax, np.clip(count, terms.least, terms.most), max(1, round(terms.hold_s / step_s)))
    steps = np.arange(count.shape[1])
    newest = np.maximum.accumulate(np.where(np.isnan(count), 0, steps), axis=1)
    kept = np.take_along_axis(count, newest, axis=1)
    held: Floats = np.where(np.isnan(kept), float(terms.least), kept)
    return held


def _row(values: Floats) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
