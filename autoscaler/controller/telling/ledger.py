"""What of each evaluation is kept, and when: every decision that is carried out, before it is.

Of decisions that change nothing only those are kept that differ from the one before; what was seen
is kept once a minute, a forecast once in five, and the memory for the next decision every time.
"""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

import structlog

from autoscaler.controller.acting.foreign import Carried
from autoscaler.controller.deciding import Planned
from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.observing.workload import Workload
from autoscaler.controller.outcome import Outcome, Write
from autoscaler.controller.running import OwnWrites, Running
from autoscaler.controller.shadowing import ShadowMemory
from autoscaler.controller.telling.forecast_record import forecast_made
from autoscaler.controller.telling.sentences import overruling, sentence
from autoscaler.controller.telling.state_keeping import StateKeeping
from autoscaler.planning.memory import Memory
from autoscaler.planning.record import (
    memory_from_json,
    memory_to_json,
    part_from_json,
    part_to_json,
    recorded,
)
from autoscaler.series import Grade
from autoscaler.store import rows

_LOG = structlog.get_logger(__name__)
_PATIENCE_S = 0.5
"""How long a write may wait for its record to be durable; after that the record waits in the spool."""

_RECALL_PATIENCE_S = 5.0
"""How long a new leader waits, once, for what is remembered, where the store answers slowly or is only just
being opened: without it the last leader's last write may look like somebody else's."""

_OBSERVED_EVERY_S = 60.0
_FORECAST_EVERY_S = 300.0
_LAST, _ATTEMPTED, _SHADOW = "lastWrite", "attemptedWrite", "shadow"


class Journal(Protocol):
    """The store as the loop sees it. Neither blocks beyond `patience_s` nor raises."""

    def commit(self, batch: Sequence[rows.Row], patience_s: float) -> bool:
        """Keep rows, in order; whether they are durable already."""
        ...

    def memory(self, workload: str) -> rows.MemoryKept | None:
        """The newest memory of a workload."""
        ...

    def reload(self, patience_s: float) -> bool:
        """Read what others have written; whether that is done."""
        ...


class StoreLedger:
    """Turns evaluations into rows of the journal.

    fan: the newest forecast of a workload, if there is one. lasting_only: leave out what is kept only until
    the next evaluation replaces it: memories, states, manifests.
    """

    def __init__(
        self,
        journal: Journal,
        fan: Callable[[str], Fan | None] = lambda key: None,
        lasting_only: bool = False,
    ) -> None:
        self._journal = journal
        self._fan = fan
        self._lasting_only = lasting_only
        self._states = StateKeeping(fan)
        self._lock = threading.Lock()
        self._last: dict[str, tuple[object, ...]] = {}
        self._recorded: dict[str, str] = {}
        self._newest: dict[str, str] = {}
        self._observed_s: dict[str, float] = {}
        self._forecast_s: dict[str, float] = {}

    def record(self, planned: Sequence[Planned]) -> None:
        """Keep the decisions that are about to be carried out, and those that say something new."""
        batch: list[rows.Row] = []
        about_to_write = False
        for one in planned:
            writes = one.is_to_be_written
            about_to_write |= writes
            if writes or self._is_news(one):
                batch.append(self._decision(one))
            if writes and not self._lasting_only:
                attempted = (one.seen.setting.replicas, one.count, one.seen.now_s)
                batch.append(_kept(one.running, one.seen.now_s, attempted))
        if batch:
            self._journal.commit(batch, _PATIENCE_S if about_to_write else 0.0)

    def settle(self, outcomes: Sequence[Outcome], running: Sequence[Running]) -> None:
        """Keep what became of decisions, what was seen, the memories for the next ones, and what is shown."""
        by_key = {one.workload.key: one for one in running}
        batch: list[rows.Row] = []
        for outcome in outcomes:
            key = outcome.workload.key
            with self._lock:
                recorded_id = self._recorded.pop(key, "")
                newest_id = self._newest.get(key, "")
            if recorded_id and recorded_id == outcome.id:
                batch.append(rows.Outcome(key, outcome.id, _word(outcome)))
            if outcome.decision is not None:
                if not self._lasting_only:
                    batch.append(_kept(by_key[key], outcome.now_s, by_key[key].foreign.attempted))
                batch += self._seen(outcome)
            batch += self._shown(outcome, by_key[key], newest_id)
        if batch:
            self._journal.commit(batch, 0.0)

    def take_over(self) -> None:
        """Read what the leader before us has written, if it shares the store."""
        self._states.forget()
        self._journal.reload(_RECALL_PATIENCE_S)

    def drop(self, gone: Collection[str]) -> None:
        """Show nothing more of resources that are gone, by key."""
        if gone:
            self._journal.commit([rows.StateGone(key) for key in sorted(gone)], 0.0)

    def memory(self, workload: Workload) -> Memory | None:
        """What the store remembers of a resource; nothing of an earlier one of the same name."""
        payload = self._payload(workload)
        try:
            return memory_from_json(payload) if payload is not None else None
        except ValueError:
            # Written by a newer version: what the status tells is all that can be trusted then.
            return None

    def writes(self, workload: Workload) -> OwnWrites:
        """What the store knows of our own writes of a resource's count."""
        payload = self._payload(workload) or {}
        return OwnWrites(_carried(payload.get(_LAST)), _carried(payload.get(_ATTEMPTED)))

    def shadow(self, workload: Workload) -> ShadowMemory | None:
        """What the store remembers of a resource's shadow; nothing of what a newer version wrote."""
        kept = (self._payload(workload) or {}).get(_SHADOW)
        try:
            return part_from_json(kept, ShadowMemory) if isinstance(kept, dict) else None
        except ValueError:
            return None

    def _payload(self, workload: Workload) -> Mapping[str, Any] | None:
        kept = self._journal.memory(workload.key)
        return None if kept is None or kept.at_s < workload.created_s else kept.payload

    def forget(self, key: str) -> None:
        """A resource is gone."""
        with self._lock:
            for known in (self._last, self._recorded, self._newest, self._observed_s, self._forecast_s):
                known.pop(key, None)
        self._states.forget(key)

    def _is_news(self, one: Planned) -> bool:
        decision = one.decision
        signature = (
            one.count,
            one.seen.setting.replicas,
            tuple(change.reason for change in decision.changes),
            tuple(wish.source for wish in decision.wishes if wish.replicas is None),
            one.hold.reason if one.hold is not None else "",
        )
        with self._lock:
            news = self._last.get(one.key) != signature
            self._last[one.key] = signature
        return news

    def _decision(self, one: Planned) -> rows.DecisionMade:
        now_s = one.seen.now_s
        made = rows.DecisionMade(
            workload=one.key,
            id=one.id,
            at_s=now_s,
            before=one.seen.setting.replicas,
            after=one.count,
            reasons=_reasons(one),
            sentence=sentence(one.decision, one.asked.override, one.count),
            payload=recorded(one.policy, one.memory, one.decision),
            shared=("policy",),
        )
        with self._lock:
            self._recorded[one.key] = self._newest[one.key] = one.id
        return made

    def _seen(self, outcome: Outcome) -> list[rows.Row]:
        key, now_s, decision = outcome.workload.key, outcome.now_s, outcome.decision
        assert decision is not None  # the caller has looked
        with self._lock:
            if now_s - self._observed_s.get(key, float("-inf")) < _OBSERVED_EVERY_S:
                return []
            self._observed_s[key] = now_s
        observation = decision.observation
        asked = (
            outcome.count
            if outcome.write is Write.DONE and outcome.count is not None
            else observation.current
        )
        load = observation.load.value if observation.load.may_add else float("nan")
        seen: list[rows.Row] = [rows.Observed(key, now_s, load, observation.ready, asked)]
        policy = outcome.workload.policy
        if policy is not None and policy.spend is not None:
            day = datetime.datetime.fromtimestamp(now_s, datetime.UTC).date()
            seen.append(rows.DaySpend(key, day, decision.memory.spent.day))
        return seen

    def _shown(self, outcome: Outcome, running: Running, newest_id: str) -> list[rows.Row]:
        try:
            states = [] if self._lasting_only else self._states.after(outcome, running, newest_id)
            return [*self._forecast(outcome), *states]
        except Exception:  # noqa: BLE001 - what cannot be shown of one must not keep others from being kept
            _LOG.exception("state not kept", resource=outcome.workload.key)
            return []

    def _forecast(self, outcome: Outcome) -> list[rows.Row]:
        key, policy = outcome.workload.key, outcome.policy
        fan = self._fan(key)
        if fan is None or policy is None or fan.grade is Grade.NONE:
            return []
        with self._lock:
            if fan.made_at_s - self._forecast_s.get(key, float("-inf")) < _FORECAST_EVERY_S:
                return []
            self._forecast_s[key] = fan.made_at_s
        return [forecast_made(key, fan, policy.quantile)]


def _reasons(one: Planned) -> tuple[str, ...]:
    reasons = tuple(change.reason.value for change in one.decision.changes)
    overruled = overruling(one.decision, one.asked.override, one.count) is not None
    return (*reasons, "Override") if overruled else reasons


def _kept(running: Running, now_s: float, attempted: Carried | None) -> rows.MemoryKept:
    """The memory, and with it our own writes: without them a process that ends between a write and its
    status would leave a count that looks like somebody else's."""
    payload = {**memory_to_json(running.memory), _LAST: running.foreign.last, _ATTEMPTED: attempted}
    if running.shadow_memory is not None:
        payload[_SHADOW] = part_to_json(running.shadow_memory)
    return rows.MemoryKept(running.workload.key, now_s, payload)


def _carried(written: object) -> Carried | None:
    match written:
        case [int(before), int(after), int() | float() as at_s]:
            return (before, after, float(at_s))
        case _:
            return None


def _word(outcome: Outcome) -> str:
    if outcome.fault is not None:
        return f"{outcome.write.value}: {outcome.fault.reason}"
    if outcome.write is Write.HELD and outcome.hold is not None:
        return f"{outcome.write.value}: {outcome.hold.reason}"
    return outcome.write.value
