"""The dial of an objective: which quantile of the forecast peak is read, and with how much headroom.

A curve says what each rung of the ladder would have cost and left; the cheapest that would have kept the
objective is chosen (of a budget: the safest that it pays for). What is really observed corrects that by some
rungs: quickly to the safe side while the error budget burns, slowly back while it is saved up. One state that
every step takes and returns, so it is the same in the cluster and in a backtest, and survives a restart with
the memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from autoscaler.planning.curve import DAY_S, LADDER, Curve, Rung
from autoscaler.planning.error_budget import NOTHING, Tally, Window, folded, pace, seen_s, tallied, total
from autoscaler.planning.policy import Goal, ObjectivePolicy, Policy
from autoscaler.series import Reading

START = LADDER.index(Rung(0.95))
"""Where the dial stands until there is a curve."""
LOOKED_EVERY_S = 3600.0
TUNED_EVERY_S = 6 * 3600.0
_EASED_EVERY_S = DAY_S
_FAST = 8.0
"""A pace at which an hour uses up what a third of a day may. Then a rung is taken at once."""
_SAVING = 0.5
_MOST_SAFER, _MOST_EASED = 8, 2
"""Rungs by which observation may correct the curve."""
_SAFER_AT_ONCE, _EASED_AT_ONCE = 3, 1
"""Rungs that the dial moves by at most when it is tuned."""
_MARGIN, _STRICTER = 0.8, 0.6
"""Shares of what is allowed: a rung has to keep within the first on the curve, one that is less safe than the
present within the second. So a dial that is about right stays where it is."""
_NO_BETTER = 1.02
"""A shortage larger by no more than this is as good."""


@dataclass(frozen=True, slots=True)
class Dial:
    """The dial and what it remembers.

    rung: place on `LADDER`. correction: rungs by which observation moved it away from what the curve says,
    upwards towards the safe side. Times are epoch seconds: seen_s of the newest decision that was counted,
    looked_s and tuned_s of the last look at the budget and of the last tuning (None before a curve was
    there), eased_s of the last correction towards the cheap side. lately, since: tallies since the last look
    and since the last tuning. window: what was before the last look.
    """

    objective: ObjectivePolicy
    seen_s: float
    looked_s: float
    eased_s: float
    rung: int = START
    correction: int = 0
    tuned_s: float | None = None
    lately: Tally = NOTHING
    since: Tally = NOTHING
    window: Window = ()

    @property
    def place(self) -> Rung:
        """What is read, and with which headroom."""
        return LADDER[self.rung]

    @property
    def everything(self) -> Tally:
        """All that was observed within the window."""
        return total(self.window) + self.lately


@dataclass(frozen=True, slots=True)
class Observed:
    """What one decision sees of how the load is served.

    ready: pods that serve, None where unknown. acts: whether counts are written as decided; of what others do
    nothing is counted. longest_s: a longer pause between two decisions is a gap.
    """

    now_s: float
    load: Reading
    ready: int | None
    asked: int
    per_replica: float
    longest_s: float
    acts: bool = True


def turned(objective: ObjectivePolicy, dial: Dial | None, observed: Observed, curve: Curve | None) -> Dial:
    """The dial after one more decision's observation. dial: None at the first, or that of an earlier
    objective."""
    dial = _counted(_taken_up(objective, dial, observed.now_s), observed)
    now_s = observed.now_s
    if curve is not None and dial.tuned_s is None:
        wanted = _clipped(_chosen(curve, objective, dial.rung, dial.correction) + dial.correction)
        return replace(dial, rung=wanted, tuned_s=now_s, since=NOTHING)
    if now_s - dial.looked_s < LOOKED_EVERY_S:
        return dial
    dial = _alarmed(dial)
    if dial.tuned_s is None or now_s - dial.tuned_s >= TUNED_EVERY_S:
        dial = _tuned(dial, curve, now_s)
    window = folded(dial.window, dial.lately, dial.looked_s, now_s, objective.window_s)
    return replace(dial, looked_s=now_s, lately=NOTHING, window=window)


def dialled(policy: Policy, dial: Dial | None) -> Policy:
    """The policy with what its dial says; as it is where it has none."""
    if dial is None:
        return policy
    return replace(policy, quantile=dial.place.quantile, headroom=dial.place.headroom)


def within_reach(curve: Curve, objective: ObjectivePolicy) -> bool:
    """Whether any rung would have kept the objective."""
    return min(_figures(curve, objective)) <= objective.allowed


def figure(curve: Curve, objective: ObjectivePolicy, rung: int) -> float:
    """What `rung` would have brought, in the unit of the objective."""
    return _figures(curve, objective)[rung]


def _taken_up(objective: ObjectivePolicy, dial: Dial | None, now_s: float) -> Dial:
    if dial is None:
        return Dial(objective, seen_s=now_s, looked_s=now_s, eased_s=now_s)
    if dial.objective != objective:
        # What was observed stays true; what it means for this objective is to be found out.
        dial = replace(dial, objective=objective, correction=0, tuned_s=None, since=NOTHING)
    if max(dial.seen_s, dial.looked_s, dial.eased_s, dial.tuned_s or now_s) <= now_s:
        return dial
    # The clock was put back.
    return replace(
        dial,
        seen_s=min(dial.seen_s, now_s),
        looked_s=min(dial.looked_s, now_s),
        eased_s=min(dial.eased_s, now_s),
        tuned_s=None if dial.tuned_s is None else min(dial.tuned_s, now_s),
        window=tuple((min(start_s, now_s), tally) for start_s, tally in dial.window),
    )


def _counted(dial: Dial, observed: Observed) -> Dial:
    seconds = observed.now_s - dial.seen_s
    if not observed.acts or seconds > observed.longest_s:
        return replace(dial, seen_s=observed.now_s)
    load = observed.load.value if observed.load.known else math.nan
    tally = tallied(seconds, load, observed.ready, observed.asked, observed.per_replica)
    return replace(dial, seen_s=observed.now_s, lately=dial.lately + tally, since=dial.since + tally)


def _alarmed(dial: Dial) -> Dial:
    """A rung up at once where the last hour burned far too much; money is never so urgent."""
    objective = dial.objective
    if objective.goal is Goal.REPLICA_HOURS or not pace(objective, dial.lately, dial.everything) > _FAST:
        return dial
    return replace(dial, rung=_clipped(dial.rung + 1), correction=min(dial.correction + 1, _MOST_SAFER))


def _tuned(dial: Dial, curve: Curve | None, now_s: float) -> Dial:
    """Corrected by what was observed, then moved towards what the curve and the correction say."""
    dial = _corrected(dial, now_s)
    chosen = START if curve is None else _chosen(curve, dial.objective, dial.rung, dial.correction)
    wanted = _clipped(chosen + dial.correction)
    up, down = _SAFER_AT_ONCE, _EASED_AT_ONCE
    if dial.objective.goal is Goal.REPLICA_HOURS:
        up, down = down, up
    rung = min(max(wanted, dial.rung - down), dial.rung + up)
    return replace(dial, rung=rung, tuned_s=now_s if curve is not None else dial.tuned_s, since=NOTHING)


def _corrected(dial: Dial, now_s: float) -> Dial:
    objective, everything = dial.objective, dial.everything
    overall, newest = pace(objective, everything, everything), pace(objective, dial.since, everything)
    waited = now_s - dial.eased_s >= _EASED_EVERY_S and seen_s(objective, everything) >= DAY_S
    if objective.goal is Goal.REPLICA_HOURS:
        if overall > 1.0 and newest > 1.0:
            return replace(dial, correction=max(dial.correction - 1, -_MOST_SAFER), eased_s=now_s)
        back = dial.correction < 0 and overall < _MARGIN and waited
        return replace(dial, correction=dial.correction + 1, eased_s=now_s) if back else dial
    if overall > 1.0 and newest > 1.0:
        return replace(dial, correction=min(dial.correction + 1, _MOST_SAFER))
    if overall < _SAVING and newest < _SAVING and waited:
        return replace(dial, correction=max(dial.correction - 1, -_MOST_EASED), eased_s=now_s)
    return dial


def _chosen(curve: Curve, objective: ObjectivePolicy, rung: int, correction: int) -> int:
    """The rung that the curve speaks for, the dial being at `rung`, of it `correction` by observation."""
    wanted = _best(curve, objective, _MARGIN)
    present = rung - correction
    if wanted >= present or objective.goal is Goal.REPLICA_HOURS:
        return wanted
    return min(present, _best(curve, objective, _STRICTER))


def _best(curve: Curve, objective: ObjectivePolicy, margin: float) -> int:
    """The cheapest rung that keeps the objective with a margin; where none does, the safest that brings
    anything.

    Of a budget: the cheapest of those that are as safe as the safest which it pays for.
    """
    if objective.goal is Goal.REPLICA_HOURS:
        paid = [rung for rung, hours in enumerate(curve.replica_hours) if hours <= objective.allowed]
        return _first_within(curve.unserved, curve.unserved[paid[-1]] * _NO_BETTER) if paid else 0
    figures = _figures(curve, objective)
    return _first_within(figures, max(margin * objective.allowed, min(figures) * _NO_BETTER))


def _first_within(figures: tuple[float, ...], limit: float) -> int:
    return next(rung for rung, figure in enumerate(figures) if figure <= limit)


def _figures(curve: Curve, objective: ObjectivePolicy) -> tuple[float, ...]:
    match objective.goal:
        case Goal.UNSERVED:
            return curve.unserved
        case Goal.SHORT_MINUTES:
            return curve.short_minutes
        case Goal.REPLICA_HOURS:
            return curve.replica_hours


def _clipped(rung: int) -> int:
    return min(max(rung, 0), len(LADDER) - 1)
