"""When the writer forgets, and how far back reaches what is left."""

from __future__ import annotations

import time

import structlog

from autoscaler.store.pruning import Retention
from autoscaler.store.reach import NOWHERE, Reach, ages_s
from autoscaler.store.store import Store

_DAY_S = 86_400.0
_WHILE_EMPTY_S = 10.0
"""A new store has no history to tell of at first; nobody should wait an hour to see any."""

_log = structlog.get_logger(__name__)


class Forgetting:
    """Rounds of steps, the first soon after the start. Used by one thread; others may read `reach`.

    round_s: pause between rounds; step_s: between steps of one. due_s: when the next step is, in monotonic
    seconds. reach: as the last round left it.
    """

    def __init__(self, retention: Retention, round_s: float, step_s: float) -> None:
        self._retention = retention
        self._round_s, self._step_s = round_s, step_s
        self._outgrown = False
        self.due_s = time.monotonic() + step_s
        self.reach: Reach = NOWHERE

    def step(self, store: Store, now_s: float) -> None:
        """One step; at the end of a round see what is left. now_s: epoch seconds. Raises StoreError."""
        # Also when it fails: forgetting is not what the store is opened again for.
        self.due_s = time.monotonic() + self._round_s
        pruned = store.prune(self._retention, now_s)
        self._outgrown |= pruned.outgrown
        if pruned.more:
            self.due_s = time.monotonic() + self._step_s
            return
        self.reach = store.reach()
        if self.reach == NOWHERE:
            self.due_s = time.monotonic() + min(self._round_s, _WHILE_EMPTY_S)
        if self._outgrown:
            self._outgrown = False
            days = {kind: round(age_s / _DAY_S, 2) for kind, age_s in ages_s(self.reach, now_s).items()}
            _log.info(
                "history cut to fit store.maxBytes",
                max_bytes=self._retention.max_bytes,
                days_left={kind: left for kind, left in days.items() if left == left},
            )
