"""A target under load and faults, driven by `decide`, that checks the rules after every step.

Used by the short stateful test and by the long soak alike. Time, pods and money are simulated;
every fault is an argument, so a run is replayed from its seed.
"""

from __future__ import annotations

import math
import pickle
from collections import deque
from dataclasses import dataclass, field, replace

from autoscaler.planning.capacity import replicas_for
from autoscaler.planning.decide import accepted, decide
from autoscaler.planning.decision import Decision, Reason
from autoscaler.planning.memory import Memory
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.policy import Policy, PolicyType, ScalingRules, SelectPolicy
from autoscaler.series import Reading, State

LIFTS = {Reason.KNOWN_EVENT, Reason.TOO_FEW_REPLICAS}
CAPS = {Reason.HOURLY_CAP, Reason.DAILY_BUDGET, Reason.MONTHLY_BUDGET, Reason.TOO_MANY_REPLICAS}


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens in one step: the true load, what can be seen of it, and what breaks."""

    load: float
    forecast: float = math.nan
    load_state: State = State.VALUE
    error_share: float = 0.0
    pods_start: bool = True
    write_accepted: bool = True
    restarted: bool = False  # the process restarts with its memory
    memory_lost: bool = False  # the process restarts without it
    pause_s: float = 0.0  # nothing is decided for so long


@dataclass
class World:
    """One target. `step` advances it; a broken rule raises AssertionError naming the rule."""

    policy: Policy
    now_s: float
    current: int = 5
    ready: int = 5
    memory: Memory = field(default_factory=Memory)
    spent: float = 0.0
    day_s: float = 0.0
    undecided: float = 0.0
    over_budget_by: float = 0.0
    writes: deque[tuple[float, int, int, bool]] = field(default_factory=lambda: deque(maxlen=400))

    def step(self, weather: Weather) -> Decision:
        elapsed_s = self.policy.step_s + weather.pause_s
        self._pay(elapsed_s)
        self.now_s += elapsed_s
        if weather.pods_start:
            self.ready = min(self.current, self.ready + max(1, self.current // 3))
        if weather.memory_lost:
            self.memory = Memory()
        elif weather.restarted:
            self.memory = pickle.loads(pickle.dumps(self.memory))
        seen = self._observe(weather)
        outlook = Outlook(weather.forecast, weather.forecast, 0.0, "weather")
        decision = decide(self.policy, seen, outlook, self.memory)
        self._check(seen, decision)
        self.memory = decision.memory
        if weather.write_accepted:
            self._write(decision)
        return decision

    def _observe(self, weather: Weather) -> Observation:
        has_number = weather.load_state in (State.VALUE, State.PARTIAL, State.STALE)
        load = Reading(weather.load_state, weather.load if has_number else math.nan, 0.0)
        signals = tuple(Reading(State.VALUE, weather.error_share, 0.0) for _ in self.policy.signals)
        return Observation(self.now_s, load, self.current, self.ready, signals)

    def _write(self, decision: Decision) -> None:
        before, after = self.current, decision.replicas
        if after != before:
            lifted = any(change.reason in LIFTS | CAPS for change in decision.changes)
            self.memory = accepted(self.memory, self.now_s, before, after)
            self.writes.append((self.now_s, before, after, lifted))
            self.current, self.ready = after, min(self.ready, after)

    def _check(self, seen: Observation, decision: Decision) -> None:
        policy, before, after = self.policy, seen.current, decision.replicas
        capped = any(change.reason in CAPS for change in decision.changes)
        lifted = any(change.reason in LIFTS for change in decision.changes)
        assert isinstance(after, int), "a count is a whole number"
        assert after >= policy.min_replicas, "never below the minimum"
        assert after <= policy.max_replicas or after <= before, "within the maximum or on the way to it"
        if after < before and not capped:
            assert seen.load.known, "nothing is removed on unknown data"
            assert seen.ready is not None and seen.ready >= before, "nothing is removed while pods start"
            assert not any(reading.value > 0.05 for reading in seen.signals), "nor from a sick fleet"
            needed = replicas_for(seen.load.value, policy.load_per_replica)
            assert after >= min(before, needed), "what is observed is still served"
        if after > before and not lifted:
            assert self._within_rate(after - before, policy.scale_up, up=True), "scale-up rate policies hold"
            if policy.pending_cap is not None and seen.ready is not None:
                assert after - seen.ready <= policy.pending_cap, "pending cap"
        if after < before and not capped:
            assert self._within_rate(before - after, policy.scale_down, up=False), (
                "scale-down rate policies hold"
            )

    def _within_rate(self, step: int, rules: ScalingRules, *, up: bool) -> bool:
        """At least one (Max) or every (Min) rate policy is kept over the window that ends now.

        As in HPA v2 a policy bounds the distance from the count at the start of its window.
        Windows that saw a lift to a minimum or a cap by money are exempt.
        """
        after = self.current + step if up else self.current - step
        verdicts = []
        for rate in rules.policies:
            recent = [write for write in self.writes if write[0] > self.now_s - rate.period_s]
            if any(exempt for *_, exempt in recent):
                return True
            start = self.current - sum(new - old for _, old, new, _ in recent)
            sign = 1 if up else -1
            if rate.type is PolicyType.PODS:
                bound = start + sign * rate.value
            else:
                rounded = math.ceil if up else math.floor
                bound = rounded(start * (1 + sign * rate.value / 100))
            verdicts.append(after <= bound if up else after >= bound)
        return all(verdicts) if rules.select is SelectPolicy.MIN else any(verdicts)

    def _pay(self, elapsed_s: float) -> None:
        """Spend of each UTC day stays within the budget, but for the minimum, for one step, and for
        what ran on while nothing could be decided."""
        spend = self.policy.spend
        if spend is None or spend.daily_budget is None:
            return
        now_s = self.now_s + elapsed_s
        day_s = math.floor(now_s / 86_400) * 86_400
        if day_s != self.day_s:
            self.day_s, self.spent, self.undecided = day_s, 0.0, 0.0
        rate = spend.replica_hour_price / 3600.0
        cost = self.current * rate * min(elapsed_s, now_s - day_s)
        self.spent += cost
        if elapsed_s > self.policy.step_s:
            self.undecided += cost
        minimum = self.policy.min_replicas * rate * (now_s - day_s)
        self.over_budget_by = self.spent - max(spend.daily_budget, minimum) - cost - self.undecided


def quiet(policy: Policy) -> Policy:
    """`policy` without anything that reacts to faults, for fixed-point checks."""
    return replace(policy, signals=(), outage=None, spend=None, events=())
