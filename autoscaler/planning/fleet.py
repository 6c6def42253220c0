"""Simulated pods of one target, by their number: some ready, the others on their way.

Used by backtests, and by the operator to know what a policy that does not act would have got.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

Cohort = tuple[float, float, int]
"""Pods that start together: asked for at, ready at (epoch seconds), how many."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """asked: the count last asked for. ready: pods that serve. starting: the others, oldest first."""

    asked: int
    ready: int
    starting: tuple[Cohort, ...] = ()

    def at(self, now_s: float) -> Fleet:
        """With those ready whose start-up is over."""
        if not self.starting:
            return self
        arrived = sum(pods for _, ready_s, pods in self.starting if ready_s <= now_s)
        if not arrived:
            return self
        waiting = tuple(cohort for cohort in self.starting if cohort[1] > now_s)
        return replace(self, ready=self.ready + arrived, starting=waiting)

    def oldest_starting_s(self, now_s: float) -> float:
        """How long ago the first pod that is still starting was asked for; 0 when none is."""
        return now_s - self.starting[0][0] if self.starting else 0.0

    def grown(self, cohorts: tuple[Cohort, ...]) -> Fleet:
        """With these pods asked for as well."""
        more = sum(pods for _, _, pods in cohorts)
        return replace(self, asked=self.asked + more, starting=self.starting + cohorts)

    def shrunk(self, count: int) -> Fleet:
        """With no more than `count` asked for: the youngest are gone at once, those starting first."""
        excess = self.asked - count
        if excess <= 0:
            return self
        starting = list(self.starting)
        while excess > 0 and starting:
            asked_s, ready_s, pods = starting.pop()
            kept = max(0, pods - excess)
            excess -= pods - kept
            if kept:
                starting.append((asked_s, ready_s, kept))
        return Fleet(count, self.ready - excess, tuple(starting))
