"""A target under load and faults, driven by `decide`, that checks the rules after every step.

Used by the short stateful test and by the long soak alike. Time, pods and money are simulated;
every fault is an argument, so a run is replayed from its seed. What the rules are is listed in
`docs/invariants.md`; they are checked from the world's own records, not from the decision's memory.
"""

from __future__ import annotations

import math
import pickle
from collections import deque
from dataclasses import dataclass, field, replace

from autoscaler.planning.capacity import replicas_for, survive_zone_loss
from autoscaler.planning.decide import accepted, decide
from autoscaler.planning.decision import Decision, Reason
from autoscaler.planning.memory import Memory
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.policy import (
    Mode,
    OnBreach,
    Policy,
    PolicyType,
    ScalingRules,
    SelectPolicy,
    SignalType,
)
from autoscaler.series import Reading, State

LIFTS = frozenset({Reason.KNOWN_EVENT, Reason.TOO_FEW_REPLICAS})
MONEY = frozenset({Reason.HOURLY_CAP, Reason.DAILY_BUDGET, Reason.MONTHLY_BUDGET})
CAPS = MONEY | {Reason.TOO_MANY_REPLICAS}
NUMBERED = (State.VALUE, State.PARTIAL, State.STALE)
GAP_S = 300.0
GAP_STEPS = 5
MOST_UNKNOWN = 0.2
"""Of the moments of a scale-down window after which something may be removed."""
COMPARE_EVERY = 16
"""Every so many steps the decision is also made with other inputs, to compare the answers."""


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens in one step: the true load, what can be seen of it, and what breaks.

    signals: what each signal of the policy reads; without it each one reads `error_share`.
    """

    load: float
    forecast: float = math.nan
    load_state: State = State.VALUE
    error_share: float = 0.0
    signals: tuple[Reading, ...] | None = None
    ready_known: bool = True
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
    steps: int = 0
    decided_s: float | None = None
    spent: float = 0.0
    day_s: float = 0.0
    over_budget_by: float = 0.0
    excused: bool = False
    raised: bool = False
    writes: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=400))
    demands: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=400))
    unknown_s: deque[float] = field(default_factory=lambda: deque(maxlen=400))

    def step(self, weather: Weather) -> Decision:
        policy = self.policy
        elapsed_s = policy.step_s + weather.pause_s
        if self.decided_s is not None:
            self._pay(elapsed_s)  # what ran before anyone decided is nobody's spend
        self.now_s += elapsed_s
        self.steps += 1
        if weather.pods_start:
            self.ready = min(self.current, self.ready + max(1, self.current // 3))
        if weather.memory_lost:
            # What was changed and spent before cannot be known any more: both are counted afresh.
            self.memory, self.decided_s = Memory(), None
            self.writes.clear()
            self.spent = 0.0
        elif weather.restarted:
            self.memory = pickle.loads(pickle.dumps(self.memory))
        if self.decided_s is None or self.now_s - self.decided_s > max(GAP_S, GAP_STEPS * policy.step_s):
            if weather.memory_lost:
                self.demands.clear()
                self.unknown_s.clear()
            self.demands.append((self.now_s, self.current))
        seen = self._observe(weather)
        outlook = Outlook(weather.forecast, weather.forecast, 0.0, "weather")
        decision = decide(policy, seen, outlook, self.memory)
        self._check(seen, decision)
        if self.steps % COMPARE_EVERY == 0:
            self._compare(seen, outlook, decision)
        if any(wish.replicas is not None for wish in decision.wishes):
            self.demands.append((self.now_s, self._fresh(decision)))
        if not self._all_known(seen):
            self.unknown_s.append(self.now_s)
        self.decided_s = self.now_s
        self.memory = decision.memory
        lifted = any(change.reason is Reason.KNOWN_EVENT for change in decision.changes)
        self.excused = lifted or not weather.write_accepted
        self.raised = decision.replicas > self.current
        if weather.write_accepted:
            self._write(decision)
        return decision

    def _observe(self, weather: Weather) -> Observation:
        load = Reading(weather.load_state, weather.load if weather.load_state in NUMBERED else math.nan, 0.0)
        signals = weather.signals
        if signals is None:
            signals = tuple(Reading(State.VALUE, weather.error_share, 0.0) for _ in self.policy.signals)
        ready = self.ready if weather.ready_known else None
        return Observation(self.now_s, load, self.current, ready, signals)

    def _write(self, decision: Decision) -> None:
        before, after = self.current, decision.replicas
        if after != before:
            self.memory = accepted(self.memory, self.now_s, before, after)
            self.writes.append((self.now_s, after - before))
            self.current, self.ready = after, min(self.ready, after)

    def _check(self, seen: Observation, decision: Decision) -> None:
        policy, before, after = self.policy, seen.current, decision.replicas
        reasons = {change.reason for change in decision.changes}
        assert isinstance(after, int), "a count is a whole number"
        if policy.mode is Mode.PAUSED:
            assert after == before, "paused changes nothing"
            return
        assert after >= policy.min_replicas, "never below the minimum"
        assert after <= policy.max_replicas or after <= before, "within the maximum or on the way to it"
        if after < before:
            self._check_scale_in(seen, decision, reasons)
        elif after > before:
            self._check_scale_out(seen, decision, reasons)

    def _check_scale_in(self, seen: Observation, decision: Decision, reasons: set[Reason]) -> None:
        policy, before, after = self.policy, seen.current, decision.replicas
        if not reasons & MONEY:
            assert self._within_rate(after, policy.scale_down, up=False), "scale-down rate policies hold"
        if reasons & CAPS:
            return
        assert policy.mode is not Mode.SCALE_OUT_ONLY, "ScaleOutOnly removes nothing"
        assert self._all_known(seen), "unknown removes nothing"
        assert (seen.ready or 0) >= before, "nothing is removed while pods start"
        assert not self._sick(seen), "nor from a sick fleet"
        needed = replicas_for(seen.load.value, policy.load_per_replica)
        assert after >= min(before, needed), "what is observed is still served"
        since_s = self.now_s - policy.scale_down.stabilization_s
        wanted = max((count for at_s, count in self.demands if at_s > since_s), default=0)
        assert after >= min(before, max(wanted, self._fresh(decision))), "the scale-down window is waited for"
        unknown = {at_s for at_s in self.unknown_s if at_s > since_s}
        moments = unknown | {at_s for at_s, _ in self.demands if at_s > since_s} | {self.now_s}
        assert len(unknown) <= MOST_UNKNOWN * len(moments), "most of the scale-down window is known"
        if self.writes:
            assert self.now_s - self.writes[-1][0] >= policy.cooldown_down_s, "scale-down cooldown"

    def _check_scale_out(self, seen: Observation, decision: Decision, reasons: set[Reason]) -> None:
        policy, before, after = self.policy, seen.current, decision.replicas
        outage = decision.memory.outage
        floors = [
            e.min_replicas for e in policy.events if e.start_s - policy.lead_time_s <= self.now_s < e.end_s
        ]
        fresh = self._fresh(decision)
        held = [before, fresh, policy.min_replicas, *floors, outage.floor if outage else 0]
        assert after <= max(held), "holding asks for no more than the present or the fresh wish"
        if reasons & LIFTS:
            return
        assert self._within_rate(after, policy.scale_up, up=True), "scale-up rate policies hold"
        if policy.pending_cap is not None and seen.ready is not None:
            assert after - seen.ready <= policy.pending_cap, "pending cap"
        ups = [at_s for at_s, change in self.writes if change > 0]
        if ups:
            assert self.now_s - ups[-1] >= policy.cooldown_up_s, "scale-up cooldown"

    def _fresh(self, decision: Decision) -> int:
        """What is wanted now: the wish, with a zone to spare for what measures demand."""
        policy = self.policy
        relative = {signal.name for signal in policy.signals if signal.type is SignalType.LATENCY}
        needs = [wish.replicas or 0 for wish in decision.wishes if wish.source not in relative]
        return max(decision.wished, survive_zone_loss(max(needs), policy.zones, policy.zones_lost))

    def _all_known(self, seen: Observation) -> bool:
        return seen.load.known and seen.ready is not None and all(reading.known for reading in seen.signals)

    def _sick(self, seen: Observation) -> bool:
        return any(
            signal.type in (SignalType.ERRORS, SignalType.LATENCY) and reading.value > signal.target
            for signal, reading in zip(self.policy.signals, seen.signals, strict=True)
            if reading.may_add
        )

    def _within_rate(self, after: int, rules: ScalingRules, *, up: bool) -> bool:
        """At least one (Max) or every (Min) rate policy is kept over the window that ends now.

        As in HPA v2 a policy bounds the distance from the count at the start of its window.
        """
        if rules.select is SelectPolicy.DISABLED:
            return False
        verdicts = []
        sign, rounded = (1, math.ceil) if up else (-1, math.floor)
        for rate in rules.policies:
            since_s = self.now_s - rate.period_s
            start = self.current - sum(change for at_s, change in self.writes if at_s > since_s)
            if rate.type is PolicyType.PODS:
                bound = start + sign * rate.value
            else:
                bound = rounded(start * (1 + sign * rate.value / 100))
            verdicts.append(after <= bound if up else after >= bound)
        return all(verdicts) if rules.select is SelectPolicy.MIN else any(verdicts)

    def _compare(self, seen: Observation, outlook: Outlook, decision: Decision) -> None:
        """What the same moment would have given with less or more known."""
        policy, memory, replicas = self.policy, self.memory, decision.replicas
        blind = decide(policy, seen, replace(outlook, peak=math.nan), memory)
        assert blind.replicas <= replicas, "a forecast never gives less than no forecast"
        if seen.load.known and policy.outage is None:
            busier = replace(seen, load=replace(seen.load, value=2 * seen.load.value + 1))
            assert decide(policy, busier, outlook, memory).replicas >= replicas, (
                "more demand, no fewer replicas"
            )
        if replicas >= seen.current and not any(
            signal.type in (SignalType.CPU, SignalType.LATENCY) for signal in policy.signals
        ):
            written = accepted(decision.memory, self.now_s, seen.current, replicas)
            again = decide(policy, replace(seen, current=replicas), outlook, written)
            assert again.replicas <= replicas or policy.mode is Mode.PAUSED, "asking again asks for no more"

    def _pay(self, elapsed_s: float) -> None:
        """What a step costs is the minimum's cost or within what is left of the day's budget.

        Not held against the policy: steps that lasted longer than it could know (a pause, a refused
        write, midnight), known events, which come after money, and what mode ScaleOutOnly may not remove.
        """
        spend = self.policy.spend
        if spend is None or spend.daily_budget is None or spend.on_breach is OnBreach.ALERT:
            return
        now_s = self.now_s + elapsed_s
        day_s = math.floor(now_s / 86_400) * 86_400
        fresh_day = day_s != self.day_s
        if fresh_day:
            self.day_s, self.spent = day_s, 0.0
        rate = spend.replica_hour_price / 3600.0 * min(elapsed_s, now_s - day_s)
        excused = fresh_day or elapsed_s > self.policy.step_s or self.excused
        kept = self.policy.mode is Mode.SCALE_OUT_ONLY and not self.raised
        if not excused and not kept and self.policy.mode is not Mode.PAUSED:
            allowed = max(self.policy.min_replicas * rate, spend.daily_budget - self.spent)
            self.over_budget_by += max(0.0, self.current * rate - allowed)
        self.spent += self.current * rate


def quiet(policy: Policy) -> Policy:
    """`policy` without anything that reacts to faults, for fixed-point checks."""
    return replace(policy, signals=(), outage=None, spend=None, events=())
