"""The play itself: minute by minute, what the operator would do in a cluster with these workloads.

    pods serve -> forecast -> plan -> record -> write -> settle

Only the cluster and the clock are simulated. Forecasts, plans, writes and records are the operator's own.
"""

from __future__ import annotations

from collections.abc import Sequence

from autoscaler.controller.acting.writing import write
from autoscaler.controller.deciding import Planned, plan
from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.outcome import Outcome
from autoscaler.demo.actor import Actor
from autoscaler.demo.clock import STEP_S
from autoscaler.demo.fleet import Member
from autoscaler.demo.forecasts import Forecasts
from autoscaler.demo.records import Records

_STEPS_WRITTEN_AT_ONCE = 60


class Play:
    """Some workloads, played from the step `begins_s` on, epoch seconds on the grid. For one thread.

    next_s: the step to be played next.
    """

    def __init__(self, members: Sequence[Member], begins_s: int) -> None:
        self.next_s = begins_s
        self._actors = {actor.key: actor for actor in (Actor(member, begins_s) for member in members)}
        self._forecasts = Forecasts({key: actor.traffic for key, actor in self._actors.items()})

    @property
    def keys(self) -> frozenset[str]:
        """`namespace/name` of all workloads."""
        return frozenset(self._actors)

    def annotate(self, key: str, override: str | None) -> None:
        """From the next step on the resource has this override annotation, or none."""
        self._actors[key].annotate(override)

    def fan(self, key: str) -> Fan | None:
        """The newest forecast of a workload; None before the first."""
        return self._forecasts.fan(key)

    def until(self, end_s: float, records: Records) -> None:
        """Play all steps before `end_s` as fast as possible. Raises StoreError when they cannot be kept."""
        while self.next_s < end_s:
            self._step(self.next_s, records)
            self.next_s += STEP_S
            if self.next_s % (_STEPS_WRITTEN_AT_ONCE * STEP_S) == 0:
                records.write()
        records.write()

    def _step(self, now_s: int, records: Records) -> None:
        actors = self._actors.values()
        requests = {actor.key: actor.request for actor in actors}
        self._forecasts.see(now_s, {key: one for key, one in requests.items() if one is not None})
        outcomes: list[Outcome] = []
        planned: list[Planned] = []
        for actor in actors:
            seen = actor.look(now_s)
            one = plan(actor.running, seen, self._forecasts.outlook)
            if isinstance(one, Planned):
                planned.append(one)
            else:
                outcomes.append(Outcome(actor.running.workload, now_s, seen.setting, fault=one))
        records.ledger.record(planned)
        outcomes += [self._write(one, now_s) for one in planned]
        records.ledger.settle(outcomes, [actor.running for actor in actors])

    def _write(self, one: Planned, now_s: int) -> Outcome:
        target = self._actors[one.key].target
        written = write(one, target, _AlwaysLeading(), lambda _: True, lambda: now_s)
        assert isinstance(written, Outcome)  # nobody else changes a simulated count
        return written


class _AlwaysLeading:
    """Nobody else could write."""

    def holds(self, for_s: float = 0.0) -> bool:
        return True
