"""Whether a workload's forecasts are worth what they cost: the bound on the harm that any forecast can do.

A forecast only ever adds replicas, so all the harm that it can do is to cost. Just under a quarter it may
cost in any case. If it costs more, it has to keep its promise, and to prevent shortage which the same money
would not prevent if it were spent without a forecast: as a headroom on the present load, or as a number of
replicas that always stand by. One that does not do both is followed in part, so far that it costs that much;
one that does neither, because it promises far more than ever comes, is not followed. This ends when it would
have paid. As all this is seen in the day that is over, an account (`allowance`) bounds what any day may cost.

Rare misses say little within a day, so promise and use are judged at p95 where a policy follows a higher
quantile: what keeps its word there may be followed at p99, and what that costs is for the user to say.

All in units of the load: what would be asked for is the larger of the forecast and the present load.
"""

from __future__ import annotations

import enum
import math
from array import array
from dataclasses import dataclass

import numpy as np

from autoscaler.forecasting.allowance import Allowance
from autoscaler.forecasting.forecaster import DAY_S
from autoscaler.series import Floats
from autoscaler.trailing import trailing

_WINDOW_S = DAY_S
_MOST_STEPS = 8640
"""What is kept of a workload with steps of less than ten seconds: less than a day."""
_JUDGED_EVERY_S = 3600
_FEWEST, _SHORTEST_S = 12, 3600
"""Moments, and the time from the first to the last of them, that are needed before they say anything."""
_HELD_S = 300
"""What has asked for replicas keeps them for so long: HPA's default stabilization window."""
_USUAL_SHARE, _ABSURD = 0.9, 1000.0
"""A load so many times the one that is not exceeded in this share of the day is no load to cost anything
against: beside an hour of 1e12, a day at the largest count would count as cheap."""
_HIGHEST_JUDGED = 0.95
_FREE = 0.23
"""What forecasts may cost in any case, as a share of what following the present load costs."""
_MOST, _A_DAY = 0.5, 0.99
"""What any day of them may cost, as a share of the same, once so much of a day of them was looked at; until
then no more than they may cost in any case."""
_IN_PART = 0.2
"""What those followed in part are to cost: less, as the day that this is reckoned from is over."""
_TOO_MANY_MISSES, _TOO_FEW_MISSES = 2.0, 0.2
"""The stated risk is kept while peaks exceed forecasts about as often as stated, within these factors."""
_TELLING_MISSES = 10.0
"""That they hardly ever do says something once so many should have."""
_LOST, _WON = 1.0, 0.95
"""Shares of the shortage that plain spending leaves: from the first on a forecast has lost its place, below
the second it has won it back."""
_NEGLIGIBLE_SHORTAGE = 0.0005
"""Of the load; where both leave less, neither is better."""


class Trust(enum.Enum):
    """How far forecasts are followed."""

    FULL = enum.auto()
    SOME = enum.auto()
    """In part: so far that they cost what they may cost in any case."""
    NONE = enum.auto()


@dataclass(frozen=True, slots=True)
class Worth:
    """What following forecasts would have brought over some time.

    extra: what it would have cost beyond following the present load, as a share of that. left: shortage over
    that of plain spending at the same cost, of the forecasts that are judged. coverage: share of the `judged`
    peaks that stayed within these.
    """

    extra: float
    left: float
    coverage: float
    judged: int

    @staticmethod
    def of(stated: Floats, wanted: Floats, present: Floats, came: Floats) -> Worth | None:
        """Judge moments, [moment] each; None where none is known, or nothing came at any of them.

        stated: forecasts of the peak, at the quantile that is judged. wanted: those that are to be followed.
        present: the load that replicas were kept for anyway. came: the peak.
        """
        known = np.isfinite(stated) & np.isfinite(present) & np.isfinite(came)
        stated, wanted, present, came = stated[known], wanted[known], present[known], came[known]
        asked = np.maximum(stated, present)
        cost, least = float(asked.sum()), float(present.sum())
        if len(came) == 0 or least <= 0.0:
            return None
        plain = min(_shortage(came, present * (cost / least)), _shortage(came, _standing_by(present, cost)))
        forgiven = _NEGLIGIBLE_SHORTAGE * max(float(came.sum()), least)
        left = (_shortage(came, asked) + forgiven) / (plain + forgiven)
        return Worth(_extra(wanted, present), left, float(np.mean(came <= stated)), len(came))

    def trust(self, quantile: float, before: Trust) -> Trust:
        """How far forecasts of this quantile are to be followed, having been trusted like `before`."""
        if self.extra <= _FREE:
            return Trust.FULL
        misses, stated = 1.0 - self.coverage, 1.0 - quantile
        too_many = misses > _TOO_MANY_MISSES * stated
        too_few = misses < _TOO_FEW_MISSES * stated and self.judged * stated >= _TELLING_MISSES
        pays = self.left < (_LOST if before is Trust.FULL else _WON)
        if pays and not too_many and not too_few:
            return Trust.FULL
        return Trust.NONE if too_few and not pays else Trust.SOME


class Trial:
    """Judges the forecasts of one workload, step by step, over about the last day.

    wanted: the quantile that its policy follows; judged: the one that tells whether to.
    """

    def __init__(self, wanted: float, lead: int, step_s: int) -> None:
        self.wanted, self.judged = wanted, min(wanted, _HIGHEST_JUDGED)
        self.trust = Trust.FULL
        self._doubt = ""
        self._part = 1.0
        self._lead = lead
        self._step_s = step_s
        self._held = _HELD_S // step_s + 1
        size = max(self._held, judged_steps(step_s)) + lead
        # Single precision, since there are thousands of these; what is beyond it is infinite, so unknown.
        self._loads = array("f", [math.nan]) * size
        self._stated = array("f", [math.nan]) * size
        self._wanted = self._stated if self.judged == wanted else array("f", [math.nan]) * size
        self._newest: int | None = None
        self._allowance = Allowance(self._held, step_s)
        self._most = _FREE
        self._is_spent = False

    @property
    def why(self) -> str:
        """Of forecasts that are not followed fully, in words; empty while they are."""
        if self._doubt or not self._is_spent:
            return self._doubt
        return f"forecasts may cost {self._most:.0%} more than the present load a day: little of it is left"

    def limit(self, wanted: float) -> float:
        """The most that a forecast made at the newest step may ask for, as a load; NaN for nothing at all.

        wanted: its peak over the lead, at the quantile that is followed; what it asks for within the limit is
        charged to the day's account. To be asked once a step.
        """
        if self.trust is Trust.NONE or self._newest is None:
            return math.nan
        present, granted = self._allowance.present, self._allowance.granted(self._most)
        limit = present + granted
        if math.isnan(present):
            limit = math.inf if self.trust is Trust.FULL else math.nan
        elif self.trust is Trust.SOME:
            limit = present + min(self._part * max(wanted - present, 0.0), granted)
        self._is_spent = wanted > present + granted
        self._allowance.spend(self._newest, limited(wanted, limit))
        return limit

    def note(self, at_s: int, load: float, stated: float, wanted: float) -> None:
        """The load at a step, and what was stated then of the peak over the lead, at the quantile that is
        judged and at the one that is wanted; NaN where unknown."""
        step = at_s // self._step_s
        before = self._newest if self._newest is not None else step - 1
        for skipped in range(max(before + 1, step - len(self._loads)), step):
            self._put(skipped, math.nan, math.nan, math.nan)
        self._put(step, load, stated, wanted)
        if self._newest is None or step > self._newest:
            kept = self._loads[step % len(self._loads)]
            self._allowance.note(step, kept if math.isfinite(kept) else math.nan)
        self._newest = step
        if at_s // _JUDGED_EVERY_S != before * self._step_s // _JUDGED_EVERY_S:
            self._judge(step)

    def _put(self, step: int, load: float, stated: float, wanted: float) -> None:
        at = step % len(self._loads)
        self._loads[at] = load
        self._wanted[at] = wanted
        self._stated[at] = stated

    def _judge(self, newest: int) -> None:
        oldest_first = np.roll(np.arange(len(self._loads)), -(newest + 1) % len(self._loads))
        loads, stated, wanted = (
            np.frombuffer(kept, np.float32)[oldest_first].astype(np.float64)
            for kept in (self._loads, self._stated, self._wanted)
        )
        loads = _without_absurd(loads)
        came = np.lib.stride_tricks.sliding_window_view(loads[1:], self._lead).max(axis=1)
        loads, stated, wanted = loads[: len(came)], stated[: len(came)], wanted[: len(came)]
        known = np.flatnonzero(np.isfinite(stated + came))
        if len(known) < _FEWEST or (known[-1] - known[0]) * self._step_s < _SHORTEST_S:
            return
        present = trailing(np.fmax, loads, self._held)
        worth = Worth.of(stated, wanted, present, came)
        if worth is None:
            return
        self.trust = worth.trust(self.judged, self.trust)
        if known[-1] - known[0] >= _A_DAY * judged_steps(self._step_s):
            self._most = _MOST
        extra = _extra(trailing(np.fmax, wanted, self._held), present)
        self._part = min(1.0, _IN_PART / extra) if extra > 0.0 else 1.0
        self._doubt = self._in_words(worth)

    def _in_words(self, worth: Worth) -> str:
        if self.trust is Trust.FULL:
            return ""
        wanted, judged = (f"p{100.0 * level:g}" for level in (self.wanted, self.judged))
        dear = f"over the last day {wanted} would have cost {worth.extra:.0%} more than the present load"
        if self.trust is Trust.NONE:
            kept = f"{worth.coverage:.1%} of the peaks stayed within {judged}"
            return f"forecasts are not followed: {dear}, and {kept}"
        left = f"{judged} left {worth.left:.0%} of the shortage that plain headroom leaves at its cost"
        return f"forecasts may cost no more than {_FREE:.0%}: {dear}, and {left}"


def judged_steps(step_s: int) -> int:
    """Over how many steps forecasts are judged."""
    return min(_MOST_STEPS, _WINDOW_S // step_s)


def limited(peak: float, limit: float) -> float:
    """A forecast peak as far as it may be followed; NaN if it is unknown or may not be followed at all."""
    return math.nan if math.isnan(limit) else min(peak, limit) if peak == peak else math.nan


def _extra(asked: Floats, present: Floats) -> float:
    """What asking for so much costs beyond the present load, as a share of that."""
    known = np.isfinite(asked) & np.isfinite(present)
    least = float(present[known].sum())
    return float(np.maximum(asked[known], present[known]).sum()) / least - 1.0 if least > 0.0 else 0.0


def _without_absurd(loads: Floats) -> Floats:
    """The loads, those that are beyond all that is usual as unknown."""
    known = loads[np.isfinite(loads)]
    usual = float(np.quantile(known, _USUAL_SHARE)) if len(known) else 0.0
    return np.where(loads > _ABSURD * usual, np.nan, loads) if usual > 0.0 else loads


def _shortage(came: Floats, had: Floats) -> float:
    return float(np.maximum(came - had, 0.0).sum())


def _standing_by(present: Floats, cost: float) -> Floats:
    """The present load, but never less than as much as brings its sum to `cost`."""
    rising = np.sort(present)
    count = np.arange(1, len(rising) + 1)
    floors = (cost - (rising.sum() - np.cumsum(rising))) / count
    enough = np.append(floors[:-1] <= rising[1:], True)
    standing: Floats = np.maximum(present, floors[int(np.argmax(enough))])
    return standing
