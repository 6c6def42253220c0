"""The clock of the operator: every resource once a period, in its own slot, while this process leads."""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from autoscaler.controller.acting.writing import Leading
from autoscaler.controller.catalog import Catalog
from autoscaler.controller.evaluation import Evaluation
from autoscaler.controller.observing.capacity import in_use
from autoscaler.controller.observing.sources import MetricSource, MetricSources
from autoscaler.controller.observing.workload import Workload
from autoscaler.controller.outcome import Outcome
from autoscaler.controller.running import NO_WRITES, OwnWrites, Running, recollected, turned_to
from autoscaler.controller.shadowing import ShadowMemory
from autoscaler.planning.memory import Memory

_LOG = structlog.get_logger(__name__)
_AT_ONCE = 250
"""Resources that go through an evaluation together: of more, the last counts would be written long after the
loads behind them were read."""


class Listener(Protocol):
    """Who is told what came of each evaluation. Must not block or raise."""

    def evaluated(
        self, source: str, outcomes: Sequence[Outcome], running: Sequence[Running], took_s: float
    ) -> None:
        """A group was evaluated."""
        ...

    def skipped(self, source: str, workloads: Sequence[Workload]) -> None:
        """A group was left out because its source is still busy with earlier ones."""
        ...

    def gone(self, key: str | None) -> None:
        """A resource is gone, or (None) all of them are another leader's now."""
        ...


class Loop:
    """One thread that says who is due; the work is done by the threads of the sources.

    taking_over: done when leadership is gained. memory: what the store remembers of a resource, None for
    nothing; writes: what it knows of our own; shadow: what of its shadow. housekeeping: what else
    a leader does once a period.
    """

    def __init__(
        self,
        catalog: Catalog,
        sources: MetricSources,
        evaluation: Evaluation,
        leading: Leading,
        listener: Listener,
        taking_over: Callable[[], None],
        memory: Callable[[Workload], Memory | None],
        housekeeping: Callable[[], None],
        period_s: float,
        writes: Callable[[Workload], OwnWrites] = lambda workload: NO_WRITES,
        shadow: Callable[[Workload], ShadowMemory | None] = lambda workload: None,
    ) -> None:
        self._catalog = catalog
        self._sources = sources
        self._evaluation = evaluation
        self._leading = leading
        self._listener = listener
        self._taking_over = taking_over
        self._memory = memory
        self._writes = writes
        self._shadow = shadow
        self._housekeeping = housekeeping
        self._slot_s = period_s / catalog.slots
        self._lock = threading.Lock()
        self._running: dict[str, Running] = {}
        self._busy: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loop", daemon=True)
        self._began_s = time.monotonic()
        self._completed_s = self._began_s
        self._leads = False
        catalog.on_gone = self._gone

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more."""
        self._stop.set()
        self._thread.join(2 * self._slot_s + 1.0)

    def idle_s(self) -> float:
        """Seconds since a decision was last completed, or since there was last none to make."""
        return time.monotonic() - self._completed_s

    def lead_time_s(self, workload: Workload) -> float:
        """The lead time in use for a workload; as configured before its pods were seen."""
        with self._lock:
            running = self._running.get(workload.key)
        if running is not None and running.lead_time_s:
            return running.lead_time_s
        return workload.policy.lead_time_s if workload.policy is not None else 0.0

    def per_replica(self, workload: Workload) -> float:
        """The load per replica in use for a workload; NaN before it is found out."""
        with self._lock:
            running = self._running.get(workload.key)
        if workload.policy is None:
            return math.nan
        return in_use(workload.policy.load_per_replica, None if running is None else running.served)

    def _run(self) -> None:
        slot = 0
        next_s = time.monotonic()
        while not self._stop.is_set():
            try:
                self._turn(slot)
            except Exception:  # noqa: BLE001 - the clock must go on, and it is logged whole
                _LOG.exception("a slot was lost")
            slot = (slot + 1) % self._catalog.slots
            next_s = max(next_s + self._slot_s, time.monotonic())
            self._stop.wait(next_s - time.monotonic())

    def _turn(self, slot: int) -> None:
        leads = self._leading.holds()
        if not leads:
            self._completed_s = time.monotonic()
            if self._leads:
                self._forget_all()
            self._leads = False
            return
        if not self._leads:
            # What was queued in an earlier term may have been taken up again after that was forgotten.
            self._forget_all()
        if not self._leads:
            self._taking_over()
        self._leads = True
        workloads = [w for w in self._catalog.due(slot) if not w.deleting]
        if all(w.deleting for w in self._catalog.all()):
            self._completed_s = time.monotonic()
        by_source: dict[str, list[Workload]] = defaultdict(list)
        for workload in workloads:
            by_source[workload.spec.load.source if workload.spec is not None else ""].append(workload)
        for name, group in by_source.items():
            self._submit(name, group)
        if slot == 0:
            self._housekeeping()

    def _submit(self, name: str, group: list[Workload]) -> None:
        known = self._sources.named(name)
        line = known or self._sources.named("")
        assert line is not None  # the configuration has at least one source
        with self._lock:
            late = [workload for workload in group if workload.key in self._busy]
            free = [workload for workload in group if workload.key not in self._busy]
            self._busy.update(workload.key for workload in free)
        if free and not line.run(lambda: self._evaluate(known, line.name, free), self._catalog.slots):
            late = group
            with self._lock:
                self._busy.difference_update(workload.key for workload in free)
        if late:
            self._listener.skipped(line.name, late)

    def _evaluate(self, source: MetricSource | None, name: str, group: list[Workload]) -> None:
        """In portions, those first that had too few ready pods when they were last decided on."""
        urgent = self._short_first(group)
        for first in range(0, len(urgent), _AT_ONCE):
            self._evaluate_together(source, name, urgent[first : first + _AT_ONCE])

    def _short_first(self, group: list[Workload]) -> list[Workload]:
        with self._lock:
            short = {one.key for one in group if one.key in self._running and self._running[one.key].short}
        return sorted(group, key=lambda one: one.key not in short)

    def _evaluate_together(self, source: MetricSource | None, name: str, group: list[Workload]) -> None:
        began_s = time.monotonic()
        try:
            running = [self._taken_up(workload) for workload in self._unchanged(group)]
            outcomes = self._evaluation.evaluate(source, running)
            by_key = {one.workload.key: one for one in running}
            self._listener.evaluated(
                name, outcomes, [by_key[o.workload.key] for o in outcomes], time.monotonic() - began_s
            )
            self._completed_s = time.monotonic()
            for one in running:
                if self._catalog.get(one.workload.key) is None:
                    self._gone(one.workload.key)  # once more: what was told since must not stay
        except Exception:  # noqa: BLE001 - one group must not end the line, and it is logged whole
            _LOG.exception("a group was not evaluated", source=name, resources=len(group))
        finally:
            with self._lock:
                self._busy.difference_update(workload.key for workload in group)

    def _unchanged(self, group: list[Workload]) -> list[Workload]:
        """Those of a group that still are what they were when it was their turn, as they are now.

        Their turn may be seconds ago. What has changed since is due again by itself.
        """
        found = [(workload, self._catalog.get(workload.key)) for workload in group]
        present = [(then, now) for then, now in found if now is not None and not now.deleting]
        return [now for then, now in present if (now.uid, now.generation) == (then.uid, then.generation)]

    def _taken_up(self, workload: Workload) -> Running:
        with self._lock:
            running = self._running.get(workload.key)
        if running is None or running.workload.uid != workload.uid:
            running = recollected(
                workload,
                self._memory(workload),
                self._evaluation.clock(),
                self._writes(workload),
                self._shadow(workload),
            )
        running = turned_to(running, workload)
        with self._lock:
            self._running[workload.key] = running
        return running

    def _gone(self, key: str) -> None:
        with self._lock:
            self._running.pop(key, None)
        self._listener.gone(key)

    def _forget_all(self) -> None:
        """What we know belongs to our term; the next leader's writes will have changed it."""
        with self._lock:
            self._running.clear()
        self._listener.gone(None)
