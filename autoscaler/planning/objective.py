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
from autoscaler.planning.error_budget import (
    NOTHING,
    Tally,
    Window,
    folded,
    pace,
    seen_s,
    spent,
    tallied,
    total,
)
from autoscaler.planning.policy import Goal, ObjectivePolicy, Policy
from autoscaler.series import Reading

START = LADDER.index(Rung(0.95))
"""Where the dial stands until there is a curve."""
LOOKED_EVERY_S = 3600.0
TUNED_EVERY_S = 6 * 3600.0
_CORRECTED_EVERY_S = DAY_S
"""How often observation may move the dial towards the cheap side, or what a budget pays for at all."""
_ALARMING = 0.1
"""Share of all that the window allows. If one look finds so much of it gone, a rung is taken at once."""
_SAVING = 0.5
_MOST = 8
"""Rungs by which observation may correct the curve."""
_QUICKLY, _SLOWLY = 3, 1
"""Rungs that the dial moves by at most when it is tuned: to the side that matters, and back."""
_EVEN, _PER_SAVED, _LEAST_MARGIN, _MOST_MARGIN = 0.4, 0.4, 0.25, 0.8
"""Of what is allowed a rung may use this share by the curve while the error budget is used up evenly; more as
it is saved up, less as it is overdrawn."""
_STAYING = 0.75
"""A rung that is less safe than the present one has to do with this share of that. So a dial that is about
right stays where it is."""
_NO_BETTER = 1.02
"""A shortage larger by no more than this is as good."""
_AMPLE = 0.97
"""A budget of which no more is used than this pays for more again."""


@dataclass(frozen=True, slots=True)
class Dial:
    """The dial and what it remembers.

    rung: place on `LADDER`. correction: rungs by which observation moved it away from what the curve says,
    upwards towards the safe side. Times are epoch seconds: seen_s of the newest decision that was counted,
    looked_s and tuned_s of the last look at the budget and of the last tuning (None before a curve was
    there), corrected_s of the last correction. lately: tally since the last look;
    since: from the last tuning to the last look. window: what was before the last look.
    """

    objective: ObjectivePolicy
    seen_s: float
    looked_s: float
    corrected_s: float
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
        # The budget is counted from here on: until now nothing had been chosen.
        begun = Dial(objective, seen_s=now_s, looked_s=now_s, corrected_s=now_s)
        return replace(begun, rung=_best(curve, objective, _EVEN), tuned_s=now_s)
    if now_s - dial.looked_s < LOOKED_EVERY_S:
        return dial
    tuned_s, dial = dial.tuned_s, replace(dial, since=dial.since + dial.lately)
    if curve is not None and tuned_s is not None:
        dial = _alarmed(dial, curve)
        if now_s - tuned_s >= TUNED_EVERY_S:
            dial = _tuned(_corrected(dial, curve, now_s), curve, now_s)
    window = folded(dial.window, dial.lately, dial.looked_s, now_s, objective.window_s)
    return replace(dial, looked_s=now_s, lately=NOTHING, window=window)


def recalled(
    objective: ObjectivePolicy, quantile: str, headroom: str, correction: int, now_s: float
) -> Dial | None:
    """A dial that stands where these texts say; None where they name no rung."""
    places = [(f"{rung.quantile:g}", f"{rung.headroom:g}") for rung in LADDER]
    if (quantile, headroom) not in places:
        return None
    return Dial(
        objective,
        seen_s=now_s,
        looked_s=now_s,
        corrected_s=now_s,
        rung=places.index((quantile, headroom)),
        correction=min(max(correction, -_MOST), _MOST),
        tuned_s=now_s,
    )


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
        return Dial(objective, seen_s=now_s, looked_s=now_s, corrected_s=now_s)
    if dial.objective != objective:
        return Dial(objective, seen_s=now_s, looked_s=now_s, corrected_s=now_s, rung=dial.rung)
    if max(dial.seen_s, dial.looked_s, dial.corrected_s, dial.tuned_s or now_s) <= now_s:
        return dial
    # The clock was put back.
    return replace(
        dial,
        seen_s=min(dial.seen_s, now_s),
        looked_s=min(dial.looked_s, now_s),
        corrected_s=min(dial.corrected_s, now_s),
        tuned_s=None if dial.tuned_s is None else min(dial.tuned_s, now_s),
        window=tuple((min(start_s, now_s), tally) for start_s, tally in dial.window),
    )


def _counted(dial: Dial, observed: Observed) -> Dial:
    seconds = observed.now_s - dial.seen_s
    if not observed.acts or seconds > observed.longest_s:
        return replace(dial, seen_s=observed.now_s)
    load = observed.load.value if observed.load.known else math.nan
    tally = tallied(seconds, load, observed.ready, observed.asked, observed.per_replica)
    return replace(dial, seen_s=observed.now_s, lately=dial.lately + tally)


def _alarmed(dial: Dial, curve: Curve) -> Dial:
    """A rung up at once where very much was used up since the last look; money is never so urgent."""
    objective = dial.objective
    urgent = spent(objective, dial.lately, dial.everything) > _ALARMING
    if objective.goal is Goal.REPLICA_HOURS or not urgent or dial.rung >= _last_useful(curve):
        return dial
    return replace(dial, rung=dial.rung + 1)


def _corrected(dial: Dial, curve: Curve, now_s: float) -> Dial:
    """The correction after what was observed since the last tuning.

    Only what the curve does not account for is corrected: where it says itself that the dial is too low, it
    speaks for a higher rung anyway.
    """
    objective, everything = dial.objective, dial.everything
    overall, newest = pace(objective, everything, everything), pace(objective, dial.since, everything)
    waited = now_s - dial.corrected_s >= _CORRECTED_EVERY_S
    step = 0
    if objective.goal is Goal.REPLICA_HOURS:
        if waited:
            step = -1 if overall > 1.0 else 1 if overall < _AMPLE and dial.correction < 0 else 0
    elif overall > 1.0 and newest > 1.0 and figure(curve, objective, dial.rung) <= objective.allowed:
        step = 1
    elif newest < _SAVING and dial.correction > 0 and waited:
        step = -1
    if step == 0:
        return dial
    correction = min(max(dial.correction + step, -_MOST), _MOST)
    return replace(dial, correction=correction, corrected_s=now_s)


def _tuned(dial: Dial, curve: Curve, now_s: float) -> Dial:
    """Moved towards what the curve and the correction say."""
    objective = dial.objective
    chosen = _chosen(curve, dial)
    wanted = min(_clipped(chosen + dial.correction), max(chosen, _last_useful(curve)))
    up, down = _QUICKLY, _SLOWLY
    if objective.goal is Goal.REPLICA_HOURS:
        up, down = down, up
    rung = min(max(wanted, dial.rung - down), dial.rung + up)
    return replace(dial, rung=rung, tuned_s=now_s, since=NOTHING)


def _chosen(curve: Curve, dial: Dial) -> int:
    """The rung that the curve speaks for, with as much margin as the error budget leaves."""
    objective, everything = dial.objective, dial.everything
    if objective.goal is Goal.REPLICA_HOURS:
        return _best(curve, objective, 1.0)
    even = min(1.0, seen_s(objective, everything) / objective.window_s)
    saved = even - spent(objective, everything, everything)
    margin = min(max(_EVEN + _PER_SAVED * saved, _LEAST_MARGIN), _MOST_MARGIN)
    wanted, present = _best(curve, objective, margin), _clipped(dial.rung - dial.correction)
    if wanted >= present:
        return wanted
    return min(present, _best(curve, objective, _STAYING * margin))


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


def _last_useful(curve: Curve) -> int:
    """The rung above which nothing changes by the curve, which cannot tell of those where nothing is
    short."""
    least = min(curve.unserved)
    return len(LADDER) - 1 if least <= 0.0 else _first_within(curve.unserved, least * _NO_BETTER)


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
