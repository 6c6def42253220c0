"""Every workload at one moment, as lists and pages show it."""

from __future__ import annotations

import bisect
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from autoscaler.api.health import Health, WorkloadProblem, health

SortKey = tuple[float, str, str]


class Sort(enum.StrEnum):
    """Orders of the list; a leading minus means the largest first."""

    WORST = "worst"
    NAME = "name"
    LOAD = "-load"
    REPLICAS = "-replicas"
    SPEND = "-spend"


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One workload. state: as the controller keeps it. shown: with its health, encoded for answers."""

    workload: str
    namespace: str
    name: str
    at_s: float
    changed_s: float | None
    state: Mapping[str, Any]
    health: Health
    shown: orjson.Fragment

    @classmethod
    def of(
        cls, workload: str, at_s: float, changed_s: float | None, state: Mapping[str, Any], now_s: float
    ) -> Entry:
        """Of a stored state. Raises TypeError, ValueError or AttributeError where that makes no sense."""
        namespace, _, name = workload.partition("/")
        judged = health(state, at_s, now_s)
        shown = orjson.Fragment(orjson.dumps(_shown(state, judged)))
        return cls(workload, namespace, name, at_s, changed_s, state, judged, shown)

    @property
    def is_stale(self) -> bool:
        """Whether its health was judged when nothing had been heard of it for long."""
        return WorkloadProblem.STALE in self.health.problems

    def as_json(self) -> dict[str, Any]:
        """State and health."""
        return _shown(self.state, self.health)

    def number(self, part: str, name: str) -> float | None:
        """A number of the state, money included; None where it is not known."""
        value = (self.state.get(part) or {}).get(name)
        return None if value is None else float(value)


class Snapshot:
    """All workloads at one moment. It never changes; orders are made when they are first asked for.

    version: another one for each change. outdated_since_s: epoch seconds of the last successful reading,
    where that is so long ago that what is shown cannot be relied on; None where all is well.
    """

    def __init__(self, version: int, entries: Mapping[str, Entry], outdated_since_s: float | None) -> None:
        self.version = version
        self.entries = entries
        self.outdated_since_s = outdated_since_s
        self.namespaces = frozenset(entry.namespace for entry in entries.values())
        self._listed = list(entries.values())
        self._orders: dict[Sort, tuple[Sequence[SortKey], Sequence[Entry]]] = {}

    def ordered(self, sort: Sort, after: SortKey | None = None) -> Sequence[Entry]:
        """All entries in that order, or those that come after a sort key."""
        keys, entries = self._order(sort)
        return entries if after is None else entries[bisect.bisect_right(keys, after) :]

    def _order(self, sort: Sort) -> tuple[Sequence[SortKey], Sequence[Entry]]:
        order = self._orders.get(sort)
        if order is None:
            keyed = sorted((sort_key(entry, sort), at) for at, entry in enumerate(self._listed))
            order = ([key for key, _ in keyed], [self._listed[at] for _, at in keyed])
            self._orders[sort] = order
        return order


def sort_key(entry: Entry, sort: Sort) -> SortKey:
    """What an entry is sorted by; the unknown comes last, ties go by name."""
    largest: float | None
    match sort:
        case Sort.WORST:
            largest = entry.health.severity
        case Sort.NAME:
            largest = 0.0
        case Sort.LOAD:
            largest = entry.number("load", "value")
        case Sort.REPLICAS:
            largest = entry.number("replicas", "current")
        case Sort.SPEND:
            largest = entry.number("spend", "today")
    # JSON, which carries these in cursors, knows no infinity.
    return (_UNKNOWN_LAST if largest is None else -largest, entry.namespace, entry.name)


_UNKNOWN_LAST = 1e300


def _shown(state: Mapping[str, Any], judged: Health) -> dict[str, Any]:
    return {**state, "problems": judged.problems, "severity": judged.severity}
