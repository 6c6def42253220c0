"""Which of two forecasts of the peak was better of late: the one that a workload makes of itself, or another.

Both are stated at every step and judged when the lead time is over, by the pinball loss at the quantile
that decisions look at. Losses fade with a half-life. The other one is used once it has lost clearly less
over several hours, and no longer when it has lost as much, or when in the last hour or so it lost far more:
what no longer holds is to be left quickly, though it was good for days.
"""

from __future__ import annotations

import math

_HALF_LIFE_S = 12 * 3600
_BRIEF_HALF_LIFE_S = 3600
_FEWEST_S = 3 * 3600
"""So much time has to be judged before anything follows from it."""
_LONGEST_S = 3600
"""A judged moment stands for the time since the one before, up to this."""
_WON, _LOST = 0.95, 1.0
_FAR_MORE = 2.0


class Evidence:
    """The losses of both forecasts of one workload. lead: steps."""

    def __init__(self, quantile: float, lead: int, step_s: int) -> None:
        self.pays = False
        self._quantile = quantile
        self._lead_s = lead * step_s
        self._step_s = step_s
        self._stated: dict[int, tuple[float, float]] = {}
        self._losses = (0.0, 0.0)
        self._brief = (0.0, 0.0)
        self._judged_s = 0.0
        self._newest_s: int | None = None

    @property
    def judged(self) -> bool:
        """Whether there is enough to say anything."""
        return self._judged_s >= _FEWEST_S

    @property
    def ratio(self) -> float:
        """Loss of the other forecast to that of the workload's own; NaN before anything was judged."""
        own, other = self._losses
        return other / own if own > 0 else math.nan

    def state(self, made_at_s: int, own: float, other: float) -> None:
        """What each stated at `made_at_s` of the peak over the lead; not judged where either is NaN."""
        if math.isfinite(own) and math.isfinite(other):
            self._stated[made_at_s] = own, other

    def judge(self, now_s: int, came: float) -> None:
        """The lead that ends at `now_s` is over, and this was its peak; NaN where that is not known."""
        made_at_s = now_s - self._lead_s
        stated = self._stated.pop(made_at_s, None)
        if self._stated and min(self._stated) < made_at_s:
            self._stated = {at_s: one for at_s, one in self._stated.items() if at_s > made_at_s}
        if stated is None or not math.isfinite(came):
            return
        since_s = self._step_s if self._newest_s is None else made_at_s - self._newest_s
        self._newest_s = made_at_s
        losses = self._loss(came, stated[0]), self._loss(came, stated[1])
        counted_s = float(min(since_s, _LONGEST_S))
        self._losses = _faded(self._losses, losses, since_s, counted_s, _HALF_LIFE_S)
        self._brief = _faded(self._brief, losses, since_s, counted_s, _BRIEF_HALF_LIFE_S)
        self._judged_s = self._judged_s * _kept(since_s, _HALF_LIFE_S) + counted_s
        self._decide()

    def _decide(self) -> None:
        own, other = self._losses
        brief_own, brief_other = self._brief
        better = other < (_LOST if self.pays else _WON) * own
        # Measured in what is lost on average, lest a quiet hour of next to no loss decide.
        usual = own * _BRIEF_HALF_LIFE_S / _HALF_LIFE_S
        broken = brief_other > _FAR_MORE * max(brief_own, usual)
        self.pays = self.judged and better and not broken

    def _loss(self, came: float, stated: float) -> float:
        over = came - stated
        return max(self._quantile * over, (self._quantile - 1.0) * over)


def _kept(since_s: float, half_life_s: float) -> float:
    return float(0.5 ** (since_s / half_life_s))


def _faded(
    sums: tuple[float, float],
    losses: tuple[float, float],
    since_s: float,
    counted_s: float,
    half_life_s: float,
) -> tuple[float, float]:
    kept = _kept(since_s, half_life_s)
    return sums[0] * kept + losses[0] * counted_s, sums[1] * kept + losses[1] * counted_s
