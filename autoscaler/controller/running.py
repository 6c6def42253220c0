"""What the operator knows of one workload from one evaluation to the next."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from autoscaler.controller.acting.dials import Dial, Setting
from autoscaler.controller.acting.foreign import Carried, ForeignWrites
from autoscaler.controller.observing.capacity import ServedLoad
from autoscaler.controller.observing.lead_time import MeasuredLeadTime, StartUps
from autoscaler.controller.observing.workload import Workload
from autoscaler.controller.shadow_record import from_status, newer
from autoscaler.controller.shadowing import ShadowMemory, ShadowState
from autoscaler.planning.decide import accepted
from autoscaler.planning.memory import Memory, Spent
from autoscaler.planning.objective import recalled
from autoscaler.planning.spend import accrue
from autoscaler.spec.resource import Floor, Spec, TargetRef
from autoscaler.spec.status import LastScale


@dataclass(frozen=True, slots=True)
class Known:
    """A count as it was read by `dial`, good until `until_s` while there are still as many pods as then."""

    setting: Setting
    dial: Dial
    pods: int
    until_s: float


@dataclass(slots=True)
class Running:
    """Mutable, and touched only by the evaluation of this workload, of which there is one at a time.

    memory: for the next decision. measured, lead_time_s: how long its pods take to start, and what
    decisions assume. known: the count, where it need not be read again; None where it must be. short: the
    last decision asked for more pods than were ready. shadow: what came of its second policy last, None where
    it has none or that was not tried yet; shadow_memory: what is remembered of it from before. may_lower:
    whether the count was ours to lower at the last evaluation.
    """

    workload: Workload
    memory: Memory
    foreign: ForeignWrites
    start_ups: StartUps = field(default_factory=StartUps)
    served: ServedLoad = field(default_factory=ServedLoad)
    measured: MeasuredLeadTime | None = None
    lead_time_s: float = 0.0
    known: Known | None = None
    short: bool = False
    shadow: ShadowState | None = None
    shadow_memory: ShadowMemory | None = None
    may_lower: bool = True


@dataclass(frozen=True, slots=True)
class OwnWrites:
    """What the store knows of our writes. last: one that was carried out. attempted: one that was about to
    be, or of which no answer came. None where there was none."""

    last: Carried | None = None
    attempted: Carried | None = None


NO_WRITES = OwnWrites()
_NOT_OURS = frozenset({"Recommend", "Paused", "RivalFound"})
"""Reasons of the condition ScalingActive while the count is somebody else's."""


def recollected(
    workload: Workload,
    stored: Memory | None,
    now_s: float,
    writes: OwnWrites = NO_WRITES,
    shadow: ShadowMemory | None = None,
) -> Running:
    """A workload as it is taken up: after a restart, or by a new leader.

    stored, writes, shadow: from the store, None where there is none. What the status says of our last
    write is newer where the store was restored from a backup, and all there is where it is gone:
    the cooldowns it implies hold again, and the gap since then makes `decide` wait for whole windows.
    What the store says is newer where the process ended between a write and its status.
    """
    memory = stored
    if memory is None:
        memory = _dial_recalled(workload, _spend_recalled(workload, now_s), now_s)
    foreign = ForeignWrites()
    last = workload.status.last_scale if workload.status is not None else None
    if last is not None:
        foreign.wrote(last.before, last.after, last.time)
        if not _knows_write(memory, last.time):
            memory = accepted(memory, last.time, last.before, last.after)
    if writes.last is not None and (last is None or writes.last[2] > last.time):
        foreign.wrote(*writes.last)
    if writes.attempted is not None and (last is None or not _told(last, writes.attempted)):
        foreign.attempted = writes.attempted
    running = Running(workload, memory, foreign, may_lower=_was_ours_to_lower(workload))
    lead_time = workload.status.lead_time if workload.status is not None else None
    if lead_time is not None and lead_time.samples and lead_time.newest_sample_time is not None:
        running.start_ups.recall(
            MeasuredLeadTime(float(lead_time.seconds), lead_time.samples, lead_time.newest_sample_time)
        )
    if workload.status is not None and workload.status.capacity is not None:
        _recall_capacity(running.served, workload.status.capacity.observed, now_s)
    told = workload.status.shadow if workload.status is not None else None
    running.shadow_memory = newer(shadow, from_status(told) if told is not None else None)
    return running


def _told(last: LastScale, attempted: Carried) -> bool:
    """Whether the status tells how this attempt, or a later one, ended; it has whole seconds."""
    before, after, at_s = attempted
    same = (before, after) == (last.before, last.after)
    return at_s <= last.time + (1.0 if same else 0.0)


def _was_ours_to_lower(workload: Workload) -> bool:
    """Whether the count was ours to lower when its status was written, as far as that tells."""
    conditions = (workload.status.conditions if workload.status is not None else None) or ()
    return not any(one.type == "ScalingActive" and one.reason in _NOT_OURS for one in conditions)


def _dial_recalled(workload: Workload, memory: Memory, now_s: float) -> Memory:
    """With the dial where the status says that it stood; its error budget begins anew."""
    status, policy = workload.status, workload.policy
    if status is None or status.objective is None or policy is None or policy.objective is None:
        return memory
    told = status.objective
    dial = recalled(policy.objective, told.quantile, told.headroom, told.correction, now_s)
    return memory if dial is None else replace(memory, dial=dial)


def _recall_capacity(served: ServedLoad, observed: str, now_s: float) -> None:
    try:
        served.recall(float(observed), now_s)
    except ValueError:
        return  # somebody else's text; it is learned anew


def turned_to(running: Running, workload: Workload) -> Running:
    """The same resource with its newest spec. Of another target only the money spent so far still counts."""
    before, after = running.workload.spec, workload.spec
    if before is not None and after is not None and _aim(before) != _aim(after):
        return Running(workload, Memory(spent=running.memory.spent), ForeignWrites())
    running.workload = workload
    return running


def _aim(spec: Spec) -> tuple[TargetRef, Floor | None]:
    return spec.scale_target_ref, spec.floor


def _knows_write(memory: Memory, at_s: float) -> bool:
    # The status has whole seconds.
    written = [*memory.scale_ups, *memory.scale_downs]
    return any(event_s >= at_s - 1.0 for event_s, _ in written) or (
        memory.decided_s is not None and memory.decided_s > at_s + 1.0
    )


def _spend_recalled(workload: Workload, now_s: float) -> Memory:
    """What the status says was spent, and as if the count had stood since then."""
    status, policy = workload.status, workload.policy
    if status is None or status.spend is None or policy is None or policy.spend is None:
        return Memory()
    try:
        day, month = float(status.spend.today), float(status.spend.month)
    except ValueError:
        return Memory()
    if not (math.isfinite(day) and math.isfinite(month)):
        return Memory()
    summed_s, price = status.spend.time, policy.spend.replica_hour_price
    begun = accrue(Spent(), 0, price, None, summed_s)
    spent = replace(begun, day=day, month=month)
    return replace(Memory(), spent=accrue(spent, status.current or 0, price, summed_s, now_s))
