"""Two replicas of the operator, one API server, and everything that can happen to them in any order.

Everything but the API server, the metrics and time is the real thing: the loop, evaluation, planning,
writing, records, and what a status says to whoever starts next. The rules are checked at each write that
the API server carries out, from the world's own records; docs/invariants.md numbers them.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from evaluation_in_hand import Foresight, InHand, Metered
from stub_api import Request, forbidden, scale_path, silent, throttled, unanswered
from workload_making import known, resource_item

from autoscaler.controller.acting.rivals import Rivals
from autoscaler.controller.catalog import Catalog, slot_of
from autoscaler.controller.cluster.discovery import Discovery
from autoscaler.controller.deciding import Planned
from autoscaler.controller.evaluation import Blind, Evaluation
from autoscaler.controller.looking import Looking
from autoscaler.controller.loop import Loop
from autoscaler.controller.observing.sources import MetricSources
from autoscaler.controller.observing.workload import Workload
from autoscaler.controller.outcome import Outcome, Write
from autoscaler.controller.running import Running
from autoscaler.controller.telling.ledger import StoreLedger
from autoscaler.controller.telling.status import document, status_of
from autoscaler.planning.record import replayed
from autoscaler.series import Reading, State
from autoscaler.spec.status import Status
from autoscaler.store import rows

WINDOW_S = 60.0
UP, DOWN = 4, 2
"""Most pods that may be added and removed within the window."""

BEHAVIOR = {
    "scaleUp": {"policies": [{"type": "Pods", "value": UP, "periodSeconds": 60}]},
    "scaleDown": {
        "stabilizationWindowSeconds": 60,
        "policies": [{"type": "Pods", "value": DOWN, "periodSeconds": 60}],
    },
}
GRACE_S = 120.0


class Trouble(enum.Enum):
    """What happens to the next request that reads or writes the count, or to the process around it."""

    NONE = "none"
    READ_FAILS = "read fails"
    FORBIDDEN = "forbidden"
    THROTTLED = "throttled"
    BOOKKEEPING = "the object changes, but not its count"
    COUNT_CHANGES = "somebody changes the count"
    RECREATED = "the target is made anew"
    DONE_UNANSWERED = "carried out, and no answer comes"
    LOST_UNANSWERED = "not carried out, and no answer comes"
    LEASE_LOST = "the lease is lost before the write"
    KILLED = "the process ends after its writes, before it keeps anything"


class Spec(enum.Enum):
    """What somebody makes of the resource."""

    ACTIVE = "Active"
    SCALE_OUT_ONLY = "ScaleOutOnly"
    RECOMMEND = "Recommend"
    PAUSED = "Paused"
    NARROW = "narrow"
    INVALID = "invalid"


_SPECS: dict[Spec, dict[str, Any]] = {
    **{spec: {"mode": spec.value} for spec in list(Spec)[:4]},
    Spec.NARROW: {"mode": "Active", "minReplicas": 4, "maxReplicas": 9},
    Spec.INVALID: {"maxReplicas": 0},
}


@dataclass(frozen=True)
class Step:
    """One evaluation and all that comes before it. human: a count that somebody sets; load: NaN where
    nothing can be read, and then `state` says why."""

    load: float
    state: State = State.VALUE
    trouble: Trouble = Trouble.NONE
    after_s: float = 15.0
    human: int | None = None
    spec: Spec | None = None
    pods_start: bool = True
    pods_seen: bool = True
    other_leads: bool = False
    restarts: bool = False
    store_lost: bool = False


@dataclass(frozen=True)
class Written:
    """A write of ours that was carried out. uncertain: we were not told."""

    at_s: float
    before: int
    after: int
    uncertain: bool


class _Killed(BaseException):
    """Passes through everything that isolates failures, as the end of a process does."""


@dataclass
class Journal:
    """The store that both replicas share."""

    decisions: list[rows.DecisionMade] = field(default_factory=list)
    memories: dict[str, rows.MemoryKept] = field(default_factory=dict)
    on_missing: Callable[[str], None] = lambda key: None

    def commit(self, batch: Sequence[rows.Row], patience_s: float) -> bool:
        """Keep rows."""
        for row in batch:
            if isinstance(row, rows.DecisionMade):
                self.decisions.append(row)
            elif isinstance(row, rows.MemoryKept):
                self.memories[row.workload] = row
        return True

    def memory(self, workload: str) -> rows.MemoryKept | None:
        """The newest memory of a workload."""
        if workload not in self.memories:
            self.on_missing(workload)
        return self.memories.get(workload)

    def reload(self, patience_s: float) -> bool:
        """Nothing is ever out of date here."""
        return True


class _Line:
    """A metric source that is never busy."""

    name = "default"

    def __init__(self, metered: Metered) -> None:
        self.read = metered.read

    def run(self, work: Callable[[], None], most_waiting: int) -> bool:
        """At once."""
        work()
        return True


@dataclass
class Term:
    """A replica's lease."""

    held: bool

    def holds(self, for_s: float = 0.0) -> bool:
        """As held."""
        return self.held


class _Ledger(StoreLedger):
    """Loses the lease or the process, if it is time for that, between a decision and what follows it."""

    def __init__(self, world: World, term: Term) -> None:
        super().__init__(world.journal)
        self._world, self._term = world, term

    def record(self, planned: Sequence[Planned]) -> None:
        super().record(planned)
        if self._world.now_step.trouble is Trouble.LEASE_LOST:
            self._term.held = False

    def settle(self, outcomes: Sequence[Outcome], running: Sequence[Running]) -> None:
        if self._world.now_step.trouble is Trouble.KILLED:
            raise _Killed
        super().settle(outcomes, running)


class Replica:
    """One process of the operator."""

    def __init__(self, world: World, held: bool) -> None:
        self.world, self.term = world, Term(held)
        self.last_seen: int | None = None
        self.in_force = world.spec if world.spec is not _SPECS[Spec.INVALID] else None
        self.ledger = _Ledger(world, self.term)
        rivals = Rivals()
        self.catalog = Catalog(5, rivals)
        evaluation = Evaluation(
            cluster=world.api.cluster,
            looking=Looking(
                world.api.cluster, Discovery(world.api.cluster), world.hand.pods, lambda: 5000, world.clock
            ),
            rivals=rivals,
            outlooks=Foresight(),
            ledger=self.ledger,
            leading=self.term,
            stands=self.catalog.stands,
            pool=world.pool,
            blindness=lambda namespace: world.hand.blind,
            clock=world.clock,
        )
        self.loop = Loop(
            self.catalog,
            MetricSources(cast("Any", {"default": _Line(world.hand.metered)}), "default"),
            evaluation,
            self.term,
            world,
            lambda: None,
            self.ledger.memory,
            lambda: None,
            15.0,
        )

        self.watch()

    def watch(self) -> None:
        """Hear of everything that has changed."""
        for name, item in self.world.items().items():
            key = f"shop/{name}"
            self.catalog.change(key, self.catalog.get(key), self.catalog.parse(item))

    def turn(self) -> None:
        """One turn of every resource."""
        self.watch()
        for slot in sorted({slot_of(one.uid, 5) for one in self.catalog.all()}):
            self.loop._turn(slot)


class World:
    """`step` advances it; a rule that is broken raises AssertionError naming it."""

    def __init__(self) -> None:
        self.hand = InHand()
        self.api, self.clock = self.hand.api, self.hand.clock
        self.pool = self.hand.evaluation.pool
        self.journal = Journal(on_missing=self._memory_lost)
        self.generation, self.spec = 1, _SPECS[Spec.ACTIVE]
        self.statuses: dict[str, Status] = {}
        self.writes: list[Written] = []
        self.observing_since_s = self.clock.now_s
        self.human_s: float | None = None
        self.ready = 5
        self.now_step = Step(50.0)
        self.troubled = False
        self.uids = 0
        self.failures: list[AssertionError] = []
        self.hand.add("web", 5, 50.0)
        self.hand.add("calm", 3, 30.0)
        self.api.fault, self.api.after = self._asked, self._carried_out
        self.replicas = [Replica(self, True), Replica(self, False)]

    def close(self) -> None:
        """End its threads."""
        self.hand.close()

    @property
    def leader(self) -> Replica:
        """The one that holds the lease."""
        return self.replicas[0]

    def items(self) -> dict[str, dict[str, Any]]:
        """The resources as the API server has them, statuses included."""
        changes = {"web": (self.generation, self.spec), "calm": (1, _SPECS[Spec.ACTIVE])}
        return {
            name: resource_item(
                name,
                generation=generation,
                status=document(self.statuses[name]) if name in self.statuses else None,
                **{
                    "load": {"query": name, "perReplica": 10},
                    "behavior": BEHAVIOR,
                    "manualGrace": "2m",
                    "minReplicas": 2,
                    "maxReplicas": 20,
                    **spec,
                },
            )
            for name, (generation, spec) in changes.items()
        }

    def step(self, step: Step) -> None:
        """All that happens before one turn, and the turn."""
        self.now_step, self.troubled = step, False
        self.clock.now_s += step.after_s
        self._happens(step)
        try:
            for replica in self.replicas:
                replica.turn()
        except _Killed:
            self._replace(self.leader)
        if not self.leader.term.held:
            self._hand_over()
        if self.failures:
            raise self.failures[0]
        assert self.api.replicas("calm") == 3, "I26: nobody else is touched"

    # What others do.

    def _happens(self, step: Step) -> None:
        if step.store_lost:
            self.journal.memories.clear()
        if step.restarts:
            self._replace(self.leader)
        if step.other_leads:
            self._hand_over()
        if step.spec is not None:
            self.generation += 1
            self.spec = _SPECS[step.spec]
            for replica in self.replicas:
                replica.in_force = replica.in_force if step.spec is Spec.INVALID else self.spec
                replica.watch()
        if step.human is not None and step.human != self.api.replicas():
            self._human(step.human)
        count = self.api.replicas()
        if step.pods_start:
            self.ready += 3
        self.ready = min(self.ready, count)
        self.hand.pods_are("web", self.ready, count - self.ready)
        self.hand.blind = Blind(pods="" if step.pods_seen else "pods: forbidden")
        numbered = step.state in (State.VALUE, State.PARTIAL, State.STALE)
        self.hand.load_is("web", Reading(step.state, step.load, 1.0) if numbered else Reading(step.state))
        self.hand.load_is("calm", known(30.0))

    def _human(self, count: int) -> None:
        """Somebody sets the count, which shows only to a leader that has seen another one of its own."""
        uid = self.api.objects[scale_path()]["metadata"]["uid"]
        self.api.put_scale("web", count, uid=uid)
        self.human_s = self.clock.now_s if self.leader.last_seen not in (None, count) else None

    def _hand_over(self) -> None:
        self.leader.term.held = False
        self.replicas.reverse()
        self.leader.term.held = True
        self.human_s = self.leader.last_seen = None  # who leads now has not seen it happen

    def _replace(self, replica: Replica) -> None:
        self.replicas[self.replicas.index(replica)] = Replica(self, replica.term.held)
        self.human_s = None

    def _memory_lost(self, key: str) -> None:
        """Whoever begins now knows of earlier writes only what the status says."""
        if key != "shop/web":
            return
        self.observing_since_s = self.clock.now_s
        status = self.statuses.get("web")
        last = status.last_scale if status is not None else None
        self.writes = [
            one
            for one in self.writes
            if one.uncertain
            or (last is not None and abs(one.at_s - last.time) <= 1.0 and one.after == last.after)
        ]

    # What the API server sees.

    def _asked(self, request: Request) -> Exception | None:
        if request.path != scale_path() or self.troubled:
            return None
        trouble = self.now_step.trouble
        if request.method == "GET":
            self.troubled = trouble is Trouble.READ_FAILS
            return silent() if self.troubled else None
        self._before = self.api.replicas()
        self._rule(self.leader.term.held, "I21: only the leader writes")
        metadata = request.body["metadata"]
        self._rule({"uid", "resourceVersion"} <= set(metadata), "I23: every write is conditional")
        self.troubled = True
        match trouble:
            case Trouble.FORBIDDEN:
                return forbidden()
            case Trouble.THROTTLED:
                return throttled()
            case Trouble.LOST_UNANSWERED:
                return unanswered()
            case Trouble.BOOKKEEPING:
                self.api.touch(scale_path())
            case Trouble.COUNT_CHANGES:
                self.leader.last_seen = self._before
                self._human(self._before + 1)
            case Trouble.RECREATED:
                self.uids += 1
                self.api.put_scale("web", self._before, uid=f"anew-{self.uids}")
        return None

    def _carried_out(self, request: Request) -> Exception | None:
        if request.path != scale_path():
            self._rule(False, "I26: nobody else is touched")
            return None
        before, after = self._before, self.api.replicas()
        trouble = self.now_step.trouble
        uncertain = trouble in (Trouble.DONE_UNANSWERED, Trouble.KILLED)
        self._check(before, after)
        self.writes.append(Written(self.clock.now_s, before, after, uncertain))
        return unanswered() if trouble is Trouble.DONE_UNANSWERED else None

    # What the operator tells.

    def evaluated(
        self, source: str, outcomes: Sequence[Outcome], running: Sequence[Running], took_s: float
    ) -> None:
        """Statuses are written at once."""
        for outcome, one in zip(outcomes, running, strict=True):
            self._rule(
                outcome.fault is None or outcome.fault.reason != "InternalError", "nothing breaks inside"
            )
            name = outcome.workload.name
            self.statuses[name] = status_of(self.statuses.get(name, Status()), outcome, one, None)
            if name == "web" and outcome.decision is not None:
                ours = (self.leader.in_force or {}).get("mode") in ("Active", "ScaleOutOnly")
                seen = ours and outcome.setting is not None and outcome.write is not Write.UNKNOWN
                self.leader.last_seen = self.api.replicas() if seen else None
                self.human_s = self.human_s if ours else None

    def skipped(self, source: str, workloads: Sequence[Workload]) -> None:
        """Never, with a source that is never busy."""
        self._rule(False, "nobody is left out")

    def gone(self, key: str | None) -> None:
        """Nothing to forget."""

    # The rules.

    def _rule(self, holds: bool, name: str) -> None:
        """Kept until the step ends: the operator would take it for a failure of the workload."""
        if not holds:
            self.failures.append(AssertionError(f"{name} at {self.now_step}"))

    def _check(self, before: int, after: int) -> None:
        in_force = self.leader.in_force
        self._rule(in_force is not None, "I25: without a valid spec nothing is written")
        spec = {"minReplicas": 2, "maxReplicas": 20, **(in_force or {})}
        least, most = spec["minReplicas"], spec["maxReplicas"]
        self._rule(spec.get("mode") not in ("Paused", "Recommend"), "I24: such a mode writes nothing")
        self._rule(after >= least or after > before, "I1: not below the minimum")
        self._rule(after <= most or after < before, "I1: not above the maximum")
        if after < before:
            self._check_scale_in(before, after, spec)
        self._check_rate(before, after, least)
        self._check_record(before, after)
        graced = self.human_s is not None and self.clock.now_s - self.human_s < GRACE_S
        self._rule(not graced, "a count that somebody set is left alone for the grace")

    def _check_scale_in(self, before: int, after: int, spec: dict[str, Any]) -> None:
        self._rule(spec.get("mode") != "ScaleOutOnly", "ScaleOutOnly removes nothing")
        if before > spec["maxReplicas"]:
            return  # a lowered maximum is an order
        step = self.now_step
        self._rule(step.state is State.VALUE, "I2: an unknown load removes nothing")
        self._rule(step.pods_seen and self.ready >= before, "I2, I16: nor do pods unseen or starting")
        self._rule(after * 10 >= min(step.load, before * 10), "I15: what is observed is still served")
        observed_s = self.clock.now_s - self.observing_since_s
        self._rule(observed_s >= WINDOW_S, "I20: nothing is removed before a full window was observed")

    def _check_rate(self, before: int, after: int, least: int) -> None:
        recent = [one for one in self.writes if one.at_s > self.clock.now_s - WINDOW_S]
        if any(one.uncertain for one in recent):
            return  # the operator may rightly not know of it
        start = before - sum(one.after - one.before for one in recent)
        self._rule(after <= max(start + UP, least), "I4: not more than may be added within a minute")
        self._rule(after >= start - DOWN, "I4: not more than may be removed within a minute")

    def _check_record(self, before: int, after: int) -> None:
        kept = [one for one in self.journal.decisions if one.workload == "shop/web"]
        self._rule(bool(kept), "I22: a write is recorded before it is carried out")
        if kept:
            last = kept[-1]
            same = (last.at_s, last.before, last.after) == (self.clock.now_s, before, after)
            self._rule(same, "I22, I23: what is written was recorded, from the count it was decided on")
            self._rule(replayed(last.payload).same, "I22: the record gives the same decision again")
