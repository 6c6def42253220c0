"""Histories that wait to be fitted together: a call for many workloads costs little more than one for one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

import numpy as np

from autoscaler.controller.forecasts.fitting import Alike, Fitted, fit, rows_at_once
from autoscaler.controller.forecasts.model_in_use import ModelInUse
from autoscaler.controller.forecasts.workload import Workload
from autoscaler.forecasting.registry import SLOW
from autoscaler.series import Floats

_GATHER_FIRST_S, _GATHER_S = 10.0, 120.0
"""How long at most a history waits for others to be fitted with: little before a first fit."""
_MOST_GATHERED = 2_000_000
"""Numbers in histories that wait to be fitted; no more is to be read for fits while there are so many."""

Answer = tuple[Workload, Fitted | str]
"""A workload and what was fitted to it, or why nothing could be."""


@dataclass(slots=True)
class _Gathering:
    """Histories of one kind that end together, read and waiting to be fitted."""

    end_s: int
    since_s: float
    first: bool
    workloads: list[Workload] = field(default_factory=list)
    histories: list[Floats] = field(default_factory=list)


class FitsTogether:
    """What waits to be fitted, and what is being fitted: one call at a time in each of the two executors.

    fast, slow: where models are fitted. model: which shared model is fitted with.
    """

    def __init__(self, fast: Executor, slow: Executor, model: ModelInUse) -> None:
        self._fast, self._slow = fast, slow
        self._model = model
        self._gathering: dict[Alike, _Gathering] = {}
        self._fitting: dict[bool, tuple[_Gathering, Future[list[Fitted | str]]]] = {}

    @property
    def busy(self) -> bool:
        """Whether anything waits or is being fitted."""
        return bool(self._fitting or self._gathering)

    @property
    def full(self) -> bool:
        """Whether no more histories are to be read for now."""
        gathered = (history for one in self._gathering.values() for history in one.histories)
        return sum(len(history) for history in gathered) >= _MOST_GATHERED

    @property
    def renewing(self) -> bool:
        """Whether a fit waits that replaces earlier ones, so that others may come along before their time."""
        return any(not one.first for one in self._gathering.values())

    def gather(self, workload: Workload, history: Floats, end_s: int, now_s: float) -> None:
        """Let the workload wait to be fitted to `history`, [time], whose newest step is `end_s`."""
        kind = Alike.of(workload.request, history)
        gathering = self._gathering.setdefault(kind, _Gathering(end_s, now_s, workload.fitted is None))
        if gathering.end_s != end_s:
            # All rows of a fit end together; what came since these were read is left out of this one.
            late = np.full((end_s - gathering.end_s) // kind.step_s, np.nan)
            gathering.histories = [np.concatenate([older, late]) for older in gathering.histories]
            gathering.end_s = end_s
        gathering.first = gathering.first or workload.fitted is None
        gathering.workloads.append(workload)
        gathering.histories.append(history)

    def start(self, now_s: float, more: bool) -> None:
        """Fit those that are as many as a fit takes, or have waited long, or when no `more` are to come."""
        for kind, gathering in list(self._gathering.items()):
            slow = kind.model in SLOW
            patience_s = _GATHER_FIRST_S if gathering.first else _GATHER_S
            full = len(gathering.workloads) >= rows_at_once(gathering.workloads[0].request)
            waited = not more or now_s >= gathering.since_s + patience_s
            if slow in self._fitting or not (full or waited):
                continue
            del self._gathering[kind]
            pool = self._slow if slow else self._fast
            self._fitting[slow] = (
                gathering,
                pool.submit(fit, kind, gathering.histories, gathering.end_s, self._model.model_for),
            )

    def done(self) -> Iterator[list[Answer]]:
        """The answers of each call that is over."""
        for slow, (gathering, future) in list(self._fitting.items()):
            if future.done():
                del self._fitting[slow]
                yield list(zip(gathering.workloads, future.result(), strict=True))
