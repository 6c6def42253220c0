"""A control loop that does nothing but decide and keep, in a process of its own, and tells how late it is.

    python tests/bench/api_loop.py URL

Every workload of the store is decided about every 15 s, a fifteenth of them each second, by the real rules
and from loads that wander. Each decision goes through the real journal with its outcome, memory and state, as
if all of them said something new: the real loop keeps most to itself. Prints a line each second, in JSON.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from filled_store import SCENES, made_up_workload

from autoscaler.planning.decide import accepted, decide
from autoscaler.planning.explain import explain
from autoscaler.planning.memory import Memory
from autoscaler.planning.observation import Observation, Outlook
from autoscaler.planning.policy import Policy
from autoscaler.planning.record import memory_to_json, recorded
from autoscaler.series import Reading, State
from autoscaler.spec.units import format_time
from autoscaler.store.ids import new_id
from autoscaler.store.journal import Journal
from autoscaler.store.rows import DecisionMade, MemoryKept, Observed, Outcome, Row, StateKept
from autoscaler.store.store import Store

_SLOTS = 15
_SLOT_S = 1.0
_PATIENCE_S = 0.5
"""As long as the real loop waits for a decision to be on disk before it is carried out."""


@dataclass(slots=True)
class _Scaled:
    """One workload from one decision to the next."""

    key: str
    policy: Policy
    state: Mapping[str, Any]
    load: float
    memory: Memory = field(default_factory=Memory)
    current: int = 10

    def turn(self, now_s: float, chance: random.Random) -> tuple[Row, list[Row]]:
        """The decision, and what is kept once it was carried out."""
        self.load = min(5_000.0, max(100.0, self.load * chance.lognormvariate(0.0, 0.05)))
        busy = 62.0 * self.load / (self.current * self.policy.load_per_replica)
        signals = (Reading(State.VALUE, busy, 4.5), Reading(State.VALUE, 0.004, 4.5))
        load = Reading(State.VALUE, self.load, 3.2)
        seen = Observation(now_s, load, self.current, self.current, signals[: len(self.policy.signals)])
        before = self.memory
        decision = decide(self.policy, seen, Outlook(1.1 * self.load, self.load, 20.0, model="auto"), before)
        made = DecisionMade(
            workload=self.key,
            id=new_id(now_s),
            at_s=now_s,
            before=self.current,
            after=decision.replicas,
            reasons=tuple(change.reason.value for change in decision.changes),
            sentence=explain(decision),
            payload=recorded(self.policy, before, decision),
            shared=("policy",),
        )
        self.memory = accepted(decision.memory, now_s, self.current, decision.replicas)
        self.current = decision.replicas
        kept: list[Row] = [
            Outcome(self.key, made.id, "Done"),
            MemoryKept(self.key, now_s, memory_to_json(self.memory)),
            Observed(self.key, now_s, self.load, self.current, self.current),
            StateKept(self.key, now_s, self._shown(now_s, made)),
        ]
        return made, kept

    def _shown(self, now_s: float, made: DecisionMade) -> dict[str, Any]:
        return {
            **self.state,
            "at": format_time(now_s),
            "load": {**self.state["load"], "value": round(self.load, 2)},
            "replicas": {**self.state["replicas"], "current": self.current, "desired": self.current},
            "decision": made.sentence,
            "decisionId": made.id,
        }


def run(journal: Journal, workloads: Sequence[_Scaled]) -> None:
    """Turn after turn, until the process is ended."""
    chance = random.Random(3)
    due_s, slot = time.monotonic(), 0
    while True:
        time.sleep(max(0.0, due_s - time.monotonic()))
        began_s, now_s = time.monotonic(), time.time()
        turns = [one.turn(now_s, chance) for one in workloads[slot::_SLOTS]]
        durable = journal.commit([made for made, _ in turns], _PATIENCE_S)
        journal.commit([row for _, kept in turns for row in kept], 0.0)
        ended_s = time.monotonic()
        told = {"due": due_s, "late": began_s - due_s, "lag": ended_s - due_s, "durable": durable}
        print(json.dumps(told | {"spooled": journal.counts.spooled}), flush=True)
        slot, due_s = (slot + 1) % _SLOTS, due_s + _SLOT_S


def main(url: str) -> None:
    """Scale what is in the store at `url`."""
    policies = {}
    for scene in SCENES:
        policy = made_up_workload(scene, time.time(), time.time()).policy
        assert policy is not None  # the scenes are valid
        policies[scene.name] = policy
    store = Store.open(url)
    workloads = [
        _Scaled(
            state.workload,
            replace(policies[state.payload["name"].partition("-")[0]], name=state.workload),
            state.payload,
            state.payload["load"]["value"],
        )
        for state in store.states()
    ]
    store.close()
    journal = Journal(lambda: Store.open(url))
    journal.start()
    journal.reload(30.0)
    run(journal, workloads)


if __name__ == "__main__":
    main(*sys.argv[1:])
