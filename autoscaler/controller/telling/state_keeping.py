"""When what is shown of a workload is kept anew: at once where people would act on it, else once a minute.

Its manifest is kept when it has changed, and once an hour in case the store was replaced meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from autoscaler.controller.forecasts.fan import Fan
from autoscaler.controller.observing.workload import Workload
from autoscaler.controller.outcome import Outcome
from autoscaler.controller.running import Running
from autoscaler.controller.telling.live_state import live_state
from autoscaler.controller.telling.status import status_of
from autoscaler.spec.status import Status
from autoscaler.store import rows

_EVERY_S = 60.0
_MANIFEST_EVERY_S = 3600.0


@dataclass(slots=True)
class _Kept:
    """What was kept last of one resource, and when. Touched only by its evaluation, of which there is one at
    a time. status: as it was after the newest outcome."""

    uid: str
    status: Status
    matters: tuple[object, ...] = ()
    at_s: float = float("-inf")
    manifest: Mapping[str, Any] | None = None
    manifest_s: float = float("-inf")


class StateKeeping:
    """fan: the newest forecast of a workload. Usable from several threads, for different workloads."""

    def __init__(self, fan: Callable[[str], Fan | None]) -> None:
        self._fan = fan
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def after(self, outcome: Outcome, running: Running, decision_id: str) -> list[rows.Row]:
        """What is to be kept after an outcome: state, manifest, both or nothing.

        decision_id: of the newest decision on record.
        """
        workload, now_s = outcome.workload, outcome.now_s
        kept = self._kept_of(workload)
        fan = self._fan(workload.key)
        kept.status = status_of(kept.status, outcome, running, fan)
        matters = _matters(outcome, kept.status)
        news: list[rows.Row] = []
        if workload.manifest != kept.manifest or _is_due(kept.manifest_s, now_s, _MANIFEST_EVERY_S):
            kept.manifest, kept.manifest_s = workload.manifest, now_s
            news.append(rows.ManifestKept(workload.key, now_s, workload.manifest))
        if news or matters != kept.matters or _is_due(kept.at_s, now_s, _EVERY_S):
            kept.matters, kept.at_s = matters, now_s
            state = live_state(outcome, kept.status, fan, decision_id)
            news.append(rows.StateKept(workload.key, now_s, state))
        return news

    def _kept_of(self, workload: Workload) -> _Kept:
        with self._lock:
            kept = self._kept.get(workload.key)
            if kept is None or kept.uid != workload.uid:
                kept = self._kept[workload.key] = _Kept(workload.uid, workload.status or Status())
            return kept

    def forget(self, key: str | None = None) -> None:
        """Forget one resource that is gone, or all, so that each is kept again at its next outcome."""
        with self._lock:
            if key is None:
                self._kept.clear()
            else:
                self._kept.pop(key, None)


def _is_due(last_s: float, now_s: float, every_s: float) -> bool:
    """Also where the clock was put back."""
    return not 0.0 <= now_s - last_s < every_s


def _matters(outcome: Outcome, status: Status) -> tuple[object, ...]:
    """What people act on; loads, forecasts, ages, words and money may wait. The mode is in the generation."""
    decision, setting = outcome.decision, outcome.setting
    return (
        outcome.workload.generation,
        outcome.workload.problem,
        outcome.count,
        outcome.write,
        setting and setting.replicas,
        decision and decision.observation.ready,
        status.reason,
        status.override,
        status.shadow and status.shadow.stage,
        frozenset((one.type, one.status, one.reason) for one in status.conditions or ()),
    )
