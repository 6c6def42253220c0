"""One evaluation of a group of workloads that share a metric source, from reading to writing.

    look (scale, pods) -> read (one batch of queries) -> plan (decide) -> record -> write

Each step is done for the whole group before the next one begins: so queries share requests, all
decisions are recorded in one transaction before any is carried out, and scale-outs are written
first. What goes wrong with one workload is that workload's outcome and nobody else's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import structlog
from opentelemetry import trace

from autoscaler.controller.acting.dials import Setting
from autoscaler.controller.acting.rivals import Rivals
from autoscaler.controller.acting.writing import Leading, write
from autoscaler.controller.cluster.connection import Cluster
from autoscaler.controller.deciding import Planned, Seen, plan
from autoscaler.controller.looking import Look, Looking
from autoscaler.controller.observing.resource_metrics import cpu_utilization
from autoscaler.controller.observing.sources import MetricSource
from autoscaler.controller.observing.workload import Workload
from autoscaler.controller.outcome import Fault, Outcome, Write
from autoscaler.controller.running import Running
from autoscaler.planning.curve import Curve
from autoscaler.planning.observation import Outlook
from autoscaler.series import Reading, State
from autoscaler.signals.instant import InstantQuery
from autoscaler.spec.resource import Spec
from autoscaler.spec.signals import Cpu

_LOG = structlog.get_logger(__name__)
_TRACER = trace.get_tracer("autoscaler")
_READ_TIMEOUT_S = 5.0
_ROUNDS = 3
"""How often a count that changed under a decision is looked at and decided on again at once."""

_T = TypeVar("_T")
_R = TypeVar("_R")


class Outlooks(Protocol):
    """Where forecasts come from. Neither blocks nor raises."""

    def outlook(
        self, key: str, now_s: float, lead_time_s: float, quantile: float, headroom: float = 1.0
    ) -> Outlook:
        """What the newest forecast of a workload says now."""
        ...

    def curve(self, key: str) -> Curve | None:
        """What an objective of a workload is to be kept by; None while there is none."""
        ...


class Ledger(Protocol):
    """Where decisions are recorded. Neither blocks for long nor raises."""

    def record(self, planned: Sequence[Planned]) -> None:
        """Keep decisions before any of them is carried out."""
        ...

    def settle(self, outcomes: Sequence[Outcome], running: Sequence[Running]) -> None:
        """Keep what became of them, and the memories for the next ones."""
        ...


@dataclass(frozen=True, slots=True)
class Blind:
    """What of the cluster cannot be seen now, in words; empty where it can. pods: nothing may be removed
    then; rivals: nothing may be written."""

    pods: str = ""
    rivals: str = ""


Blindness = Callable[[str], Blind]
"""What cannot be seen of a namespace."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What evaluating takes. stands: whether a resource is still what it was when its evaluation began.
    pool: for requests to the API server; clock: epoch seconds."""

    cluster: Cluster
    looking: Looking
    rivals: Rivals
    outlooks: Outlooks
    ledger: Ledger
    leading: Leading
    stands: Callable[[Workload], bool]
    pool: ThreadPoolExecutor
    blindness: Blindness
    clock: Callable[[], float] = time.time

    @_TRACER.start_as_current_span("evaluate")
    def evaluate(self, source: MetricSource | None, due: Sequence[Running]) -> list[Outcome]:
        """An outcome for each of the workloads `due`, whose metrics all come from `source`."""
        outcomes: list[Outcome] = []
        looks: list[Look] = []
        for running, look in self._looked(due):
            if isinstance(look, Fault):
                outcomes.append(Outcome(running.workload, self.clock(), fault=look))
            else:
                looks.append(look)
        readings = self._read(source, looks)
        for _ in range(_ROUNDS):
            planned: list[Planned] = []
            for look, one in self._plans(looks, readings):
                if isinstance(one, Fault):
                    outcomes.append(Outcome(look.running.workload, self.clock(), look.setting, fault=one))
                else:
                    planned.append(one)
            self.ledger.record(planned)
            written, looks = self._carry_out(planned, {look.running.workload.key: look for look in looks})
            outcomes += written
            if not looks:
                break
        outcomes += [
            Outcome(look.running.workload, self.clock(), look.setting, fault=_UNSTEADY) for look in looks
        ]
        self.ledger.settle(outcomes, due)
        return outcomes

    def _each(
        self, work: Callable[[_T], _R], items: Iterable[_T], asks: bool = True
    ) -> list[tuple[_T, _R | Fault]]:
        """`work` on every item, whose own fault it is what that raises. asks: it may wait for a server, so
        that it is done for all at once; to hand over the rest to threads would be work for nothing."""

        def guarded(item: _T) -> _R | Fault:
            try:
                return work(item)
            except Exception as error:  # noqa: BLE001 - one workload's failure must not become another's
                _LOG.exception("evaluation failed", error=type(error).__name__)
                return Fault(
                    "InternalError", f"{type(error).__name__}: the last count stands; see the operator's log"
                )

        given = list(items)
        if not asks:
            return [(item, guarded(item)) for item in given]
        # A copy of our context for each, so that spans opened in the pool's threads are children of ours.
        contexts = [copy_context() for _ in given]
        found = self.pool.map(lambda item, context: context.run(guarded, item), given, contexts)
        return list(zip(given, found, strict=True))

    def _looked(self, due: Sequence[Running]) -> list[tuple[Running, Look | Fault]]:
        known = self._each(self.looking.known, due, asks=False)
        read = iter(self._each(self.looking.look, [running for running, look in known if look is None]))
        return [(running, look) if look is not None else next(read) for running, look in known]

    @_TRACER.start_as_current_span("read")
    def _read(self, source: MetricSource | None, looks: list[Look]) -> dict[str, list[Reading]]:
        """Load and queried signals of every workload, in the order of `_queries`."""
        queries = {look.running.workload.key: _queries(look.running.workload.spec) for look in looks}
        flat = [query for asked in queries.values() for query in asked]
        if source is None:
            found = [
                Reading(State.FAILED, detail="spec.load.source names no source that is configured")
            ] * len(flat)
        else:
            found = source.read(flat, self.clock())
        remaining = iter(found)
        return {key: [next(remaining) for _ in asked] for key, asked in queries.items()}

    def _plans(
        self, looks: list[Look], readings: dict[str, list[Reading]]
    ) -> list[tuple[Look, Planned | Fault]]:
        """What is decided for each; from a count read for it where anything would change."""

        def planned(look: Look) -> Planned | Fault:
            return self._planned(look, readings[look.running.workload.key])

        def planned_again(doubtful: tuple[Look, Planned]) -> Planned | Fault:
            # Not decided after all: what it began, as a trial of latency, must not hold back the next one.
            doubtful[0].running.memory = doubtful[1].memory
            look = self.looking.again(doubtful[0])
            return look if isinstance(look, Fault) else planned(look)

        asking = {id(look) for look in looks if _asks_for_cpu(look.running.workload.spec)}
        found = self._each(planned, (look for look in looks if id(look) not in asking), asks=False)
        found += self._each(planned, (look for look in looks if id(look) in asking))
        sure: list[tuple[Look, Planned | Fault]] = []
        doubtful: list[tuple[Look, Planned]] = []
        for look, one in found:
            if isinstance(one, Planned) and one.changes and not look.fresh:
                doubtful.append((look, one))
            else:
                sure.append((look, one))
        return sure + [(look, one) for (look, _), one in self._each(planned_again, doubtful)]

    def _planned(self, look: Look, readings: list[Reading]) -> Planned | Fault:
        running, setting = look.running, look.setting
        workload, now_s = running.workload, self.clock()
        spec, policy = workload.spec, workload.policy
        assert spec is not None and policy is not None  # else looking returned a fault
        blind = self.blindness(workload.namespace)
        known = setting.selector and not blind.pods
        pods = self.looking.selected(workload.namespace, setting.selector) if known else None
        queried = iter(readings[1:])
        signals = tuple(
            cpu_utilization(
                self.cluster,
                workload.namespace,
                setting.selector,
                pods or [],
                signal.max_age_s,
                now_s,
                _READ_TIMEOUT_S,
            )
            if isinstance(signal, Cpu) and not signal.query
            else next(queried)
            for signal in spec.signals
        )
        rival = self.rivals.of(workload)
        seen = Seen(now_s, setting, pods, readings[0], signals, rival, blind.rivals, blind.pods)
        return plan(running, seen, self.outlooks.outlook, self.outlooks.curve)

    def _carry_out(self, planned: list[Planned], looks: dict[str, Look]) -> tuple[list[Outcome], list[Look]]:
        """Write what may be written, scale-outs first; and those to look at again: their count changed."""
        outcomes: list[Outcome] = []
        again: list[Look] = []

        def written_by(one: Planned) -> Outcome | Setting:
            return write(one, looks[one.key].dial, self.leading, self.stands, self.clock)

        urgent = sorted(planned, key=lambda one: not one.adds)
        done = self._each(written_by, (one for one in urgent if one.is_to_be_written))
        done += self._each(written_by, (one for one in urgent if not one.is_to_be_written), asks=False)
        for one, written in done:
            if isinstance(written, Fault):
                outcomes.append(one.outcome(Write.FAILED, written))
            elif isinstance(written, Setting):
                one.running.memory = one.memory
                again.append(replace(looks[one.key], setting=written, fresh=True))
            else:
                outcomes.append(written)
            if one.changes:
                one.running.known = None
        return outcomes, again


_UNSTEADY = Fault(
    "CountKeepsChanging", "the count changed under every decision; the next one is made on schedule"
)


def _asks_for_cpu(spec: Spec | None) -> bool:
    return spec is not None and any(isinstance(signal, Cpu) and not signal.query for signal in spec.signals)


def _queries(spec: Spec | None) -> list[InstantQuery]:
    if spec is None:
        return []
    load = InstantQuery(spec.load.query, spec.load.max_age_s)
    return [load, *(InstantQuery(s.query, s.max_age_s) for s in spec.signals if s.query)]
