"""What the worker is asked: to read a workload's past from the store and to try policies on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autoscaler.api.whatif.comparison import compared
from autoscaler.api.whatif.history import DAY_S, History, history_of
from autoscaler.api.whatif.manifest import changed, present
from autoscaler.api.whatif.search import searched
from autoscaler.api.whatif.terms import Terms
from autoscaler.api.whatif.trial import Advance, Foresights
from autoscaler.spec.variation import Manifest
from autoscaler.store.store import Store

_LEARNT_FROM_S = 28 * DAY_S
"""What was recorded longer ago than this before the judged days is not read."""

_SAME_END_S = 600.0


@dataclass(frozen=True, slots=True)
class Past:
    """Where a workload's past is read, and up to when. The URL may hold a password.

    days: how many of the newest are judged.
    """

    store_url: str = field(repr=False)
    workload: str
    until_s: float
    days: float

    def read(self) -> History:
        """The recorded history. Raises Unanswerable, or StoreError."""
        # One policy after the other is to be compared over the same time, so it ends at a round moment.
        until_s = self.until_s // _SAME_END_S * _SAME_END_S
        since_s = until_s - self.days * DAY_S - _LEARNT_FROM_S
        store = Store.open(self.store_url)
        try:
            observed = store.observations(self.workload, since_s, until_s)
        finally:
            store.close()
        return history_of(self.workload, observed, self.days)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What would have happened with `patch` applied to the spec of `manifest`."""

    past: Past
    manifest: Manifest
    patch: Mapping[str, Any]
    terms: Terms

    def answer(self, foresights: Foresights, advance: Advance) -> dict[str, Any]:
        """See `comparison.compared`."""
        advance(0.0, "reading what was recorded")
        history = self.past.read()
        as_is = present(self.manifest)
        return compared(as_is, changed(as_is, self.patch), history, self.terms, foresights, advance)


@dataclass(frozen=True, slots=True)
class PolicySearch:
    """Which quantiles and scale-down windows would have done best. quantiles: how many to try."""

    past: Past
    manifest: Manifest
    quantiles: int
    terms: Terms

    def answer(self, foresights: Foresights, advance: Advance) -> dict[str, Any]:
        """See `search.searched`."""
        advance(0.0, "reading what was recorded")
        history = self.past.read()
        return searched(present(self.manifest), history, self.terms, foresights, advance, self.quantiles)
