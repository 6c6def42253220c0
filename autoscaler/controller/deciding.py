"""From what was seen of one workload to what is to be written: the one place that calls `decide` live."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from autoscaler.controller.acting.dials import Setting
from autoscaler.controller.acting.overrides import Asked, asked_for
from autoscaler.controller.acting.verdict import Hold, count_to_write, held
from autoscaler.controller.observing.capacity import in_use
from autoscaler.controller.observing.lead_time import lead_time_in_use
from autoscaler.controller.observing.pods import Pod
from autoscaler.controller.outcome import Fault, Outcome, Write
from autoscaler.controller.running import Running
from autoscaler.controller.shadowing import Foresee, rehearsed
from autoscaler.planning.curve import Curve
from autoscaler.planning.decide import accepted, decide, taken_over
from autoscaler.planning.decision import Decision
from autoscaler.planning.memory import Memory
from autoscaler.planning.objective import Observed, dialled, turned
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.policy import Mode, Policy
from autoscaler.series import Reading
from autoscaler.store.ids import new_id

AskOutlook = Callable[[str, float, float, float, float], Outlook]
"""Key, epoch seconds, lead time in seconds, quantile, headroom."""

AskCurve = Callable[[str], Curve | None]
"""Key."""

_GAP_S = 300.0
"""What lies between two decisions further apart is not counted as observed."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything one decision is made from. pods: None where it is not known which are its. rival: who
    else scales the target, empty for nobody. blind, blind_to_pods: why rivals or pods cannot be seen, empty
    where they can."""

    now_s: float
    setting: Setting
    pods: list[Pod] | None
    load: Reading
    signals: tuple[Reading, ...]
    rival: str
    blind: str = ""
    blind_to_pods: str = ""


@dataclass(frozen=True, slots=True)
class Planned:
    """A decision about to be recorded and carried out. id: names it in records and logs. memory: the one
    it started from."""

    id: str
    running: Running
    seen: Seen
    policy: Policy
    memory: Memory
    decision: Decision
    count: int
    asked: Asked
    hold: Hold | None

    @property
    def key(self) -> str:
        """`namespace/name` of the resource."""
        return self.running.workload.key

    @property
    def adds(self) -> bool:
        """Whether it asks for more than there is."""
        return self.count > self.seen.setting.replicas

    @property
    def changes(self) -> bool:
        """Whether anything would have to be written."""
        return self.count != self.seen.setting.replicas

    @property
    def is_to_be_written(self) -> bool:
        """Whether a write is tried: something would change, and nothing holds that back."""
        return self.changes and self.hold is None

    def outcome(self, write: Write, fault: Fault | None = None, hold: Hold | None = None) -> Outcome:
        """This plan with what became of it."""
        names = [signal.name for signal in self.policy.signals]
        return Outcome(
            workload=self.running.workload,
            now_s=self.seen.now_s,
            setting=self.seen.setting,
            decision=self.decision,
            policy=self.policy,
            count=self.count,
            write=write,
            hold=hold or self.hold,
            fault=fault,
            asked=self.asked,
            rival=self.seen.rival,
            blind_to_pods=self.seen.blind_to_pods,
            signals=dict(zip(names, self.seen.signals, strict=True)),
            id=self.id,
            shadow=self.running.shadow,
        )


def plan(
    running: Running, seen: Seen, outlook: AskOutlook, curve: AskCurve = lambda key: None
) -> Planned | Fault:
    """Decide on one workload, and keep what its next decision has to remember.

    curve: what an objective is to be kept by.

    A fault where the load per replica is to be found out and is not known yet.
    """
    workload, setting, now_s = running.workload, seen.setting, seen.now_s
    assert (
        workload.policy is not None and workload.spec is not None
    )  # the caller has a setting, so it has a spec
    ours = workload.spec.mode in ("Active", "ScaleOutOnly") and not seen.rival
    applied = running.foreign.saw(setting.replicas, now_s, may_be_zero=_may_be_zero(running), ours=ours)
    if applied is not None:
        before, after, at_s = applied
        running.memory = accepted(running.memory, at_s, before, after)
    _may_lower(running, workload.spec.mode == "Active" and not seen.rival, setting.replicas, now_s)
    _measure(running, seen.pods or [], workload.policy.lead_time_s, now_s)
    # Surge pods serve as well, and so do those above the minimum that a floor is.
    ready = None if seen.pods is None else sum(pod.ready for pod in seen.pods)
    running.served.watch(workload.policy, seen.load, seen.signals, ready, now_s)
    policy = _in_force(workload.policy, setting, running)
    if math.isnan(policy.load_per_replica):
        return _NOT_LEARNED
    observation = Observation(
        now_s=now_s,
        load=seen.load,
        current=setting.replicas,
        ready=None if ready is None else min(ready, setting.replicas),
        signals=seen.signals,
    )
    asked = asked_for(workload.annotations, now_s)
    hold = held(running, setting.replicas, asked.override, seen.rival, seen.blind, now_s)
    acts = hold is None and asked.override is None

    def foresee(by: Policy) -> Outlook:
        return outlook(workload.key, now_s, by.lead_time_s, by.quantile, by.headroom)

    memory = _turned(running.memory, policy, observation, ready, acts, curve(workload.key))
    policy = _acted_by(dialled(policy, memory.dial), running, setting, observation, foresee)
    expected = foresee(policy)
    if memory.dial is not None:
        expected = replace(expected, dial=str(memory.dial.place))
    decision = decide(policy, observation, expected, memory)
    running.memory = decision.memory
    running.short = ready is not None and ready < decision.replicas
    return Planned(
        id=new_id(now_s),
        running=running,
        seen=seen,
        policy=policy,
        memory=memory,
        decision=decision,
        count=count_to_write(decision.replicas, asked.override, setting.replicas, policy.max_replicas),
        asked=asked,
        hold=hold,
    )


def _may_lower(running: Running, allowed: bool, current: int, now_s: float) -> None:
    """Where it was not allowed until now, somebody else kept capacity for what the windows remember."""
    if allowed and not running.may_lower:
        running.memory = taken_over(running.memory, now_s, current)
    running.may_lower = allowed


def _may_be_zero(running: Running) -> bool:
    """Whether a policy that has been acted by may have asked for none."""
    policy, shadow = running.workload.policy, running.workload.shadow
    policies = [policy, shadow.policy if shadow is not None and shadow.automatic else None]
    return any(one is not None and one.min_replicas == 0 for one in policies)


def _acted_by(
    own: Policy, running: Running, setting: Setting, observation: Observation, foresee: Foresee
) -> Policy:
    """The policy that is in force: the spec's `own`, unless its shadow has been promoted."""
    planned = running.workload.shadow
    if planned is None:
        running.shadow = running.shadow_memory = None
        return own
    if own.mode is Mode.PAUSED:
        running.shadow = None  # what it has come to stays in its memory
        return own
    other = None if planned.policy is None else _in_force(planned.policy, setting, running)
    spent = running.memory.spent
    state = rehearsed(planned, running.shadow_memory, own, other, observation, foresee, spent)
    running.shadow, running.shadow_memory = state, state.memory
    return other if state.acts and other is not None else own


def _turned(
    memory: Memory,
    policy: Policy,
    observation: Observation,
    ready: int | None,
    acts: bool,
    curve: Curve | None,
) -> Memory:
    """The memory with the dial of an objective turned; without one where the policy has none."""
    if policy.objective is None:
        return memory if memory.dial is None else replace(memory, dial=None)
    observed = Observed(
        now_s=observation.now_s,
        load=observation.load,
        ready=ready,
        asked=observation.current,
        per_replica=policy.load_per_replica,
        longest_s=_GAP_S,
        acts=acts,
    )
    return replace(memory, dial=turned(policy.objective, memory.dial, observed, curve))


def _measure(running: Running, pods: list[Pod], configured_s: float, now_s: float) -> None:
    running.start_ups.watch(pods, now_s)
    running.measured = running.start_ups.measured()
    running.lead_time_s = lead_time_in_use(configured_s, running.measured, running.lead_time_s)


def _in_force(policy: Policy, setting: Setting, running: Running) -> Policy:
    """The policy with what was measured, and within the bounds that the dial itself has.

    Its load per replica is NaN where that is to be found out and is not known yet.
    """
    most = min(policy.max_replicas, setting.most if setting.most is not None else policy.max_replicas)
    least = min(max(policy.min_replicas, setting.least or 0), most)
    return replace(
        policy,
        load_per_replica=in_use(policy.load_per_replica, running.served),
        lead_time_s=running.lead_time_s,
        min_replicas=least,
        max_replicas=most,
    )


_NOT_LEARNED = Fault(
    "CapacityUnknown",
    "load.perReplica is auto, and pods have not been seen serving for a whole hour yet: the count stands",
)


NOT_MADE_YET = "no forecast has been made yet"


def no_outlook(note: str) -> Outlook:
    """What is said where there is no forecast."""
    return Outlook(math.nan, math.nan, math.inf, "", note)
