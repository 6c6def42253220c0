"""How long this workload's own pods take from being created to being ready.

Used in place of the configured lead time once there are enough of them: a setting is a guess
that ages, and the forecast must look exactly as far ahead as a pod asked for now takes to help.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

from autoscaler.controller.observing.pods import Pod

_QUANTILE = 0.9
_FEWEST = 5
_MOST = 50
_KEPT_S = 7 * 86_400.0
_LONGEST_S = 86_400.0
_ROUNDED_TO_S = 5.0


@dataclass(frozen=True, slots=True)
class MeasuredLeadTime:
    """seconds: a high quantile of the newest start-ups. newest_s: when the newest became ready."""

    seconds: float
    samples: int
    newest_s: float


class StartUps:
    """The newest start-ups of one workload's pods. Not for several threads at once."""

    def __init__(self) -> None:
        self._samples: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._recalled: MeasuredLeadTime | None = None
        self._found: MeasuredLeadTime | None = None

    def recall(self, earlier: MeasuredLeadTime) -> None:
        """Begin with what was measured before a restart; it serves until there are samples enough."""
        self._recalled = earlier

    def watch(self, pods: list[Pod], now_s: float) -> None:
        """Take note of pods that were seen to become ready for the first time.

        A pod that restarted is left out: its last becoming ready is not its first.
        """
        before = len(self._samples)
        for pod in pods:
            if pod.ready_s is None or not pod.witnessed or pod.restarts or pod.uid in self._samples:
                continue
            took_s = pod.ready_s - pod.created_s
            if 0.0 <= took_s <= _LONGEST_S:
                self._samples[pod.uid] = (pod.ready_s, took_s)
        news = len(self._samples) > before
        if len(self._samples) > _MOST:
            newest = sorted(self._samples.items(), key=lambda item: item[1][0])[-_MOST:]
            self._samples = OrderedDict(newest)
        if self._recalled is not None and now_s - self._recalled.newest_s > _KEPT_S:
            self._recalled = None
        old = [u for u, (ready_s, _) in self._samples.items() if now_s - ready_s > _KEPT_S]
        for uid in old:
            del self._samples[uid]
        if news or old:
            self._found = self._shown()

    def measured(self) -> MeasuredLeadTime | None:
        """The lead time they show; None while there are too few."""
        return self._recalled if self._found is None else self._found

    def _shown(self) -> MeasuredLeadTime | None:
        if len(self._samples) < _FEWEST:
            return None
        took = sorted(took_s for _, took_s in self._samples.values())
        high = took[math.ceil(_QUANTILE * len(took)) - 1]
        rounded = max(_ROUNDED_TO_S, math.ceil(high / _ROUNDED_TO_S) * _ROUNDED_TO_S)
        return MeasuredLeadTime(rounded, len(took), max(ready_s for ready_s, _ in self._samples.values()))


def lead_time_in_use(configured_s: float, measured: MeasuredLeadTime | None, before_s: float) -> float:
    """The lead time for decisions: as measured, else as configured.

    before_s: the one in use until now (0 at first). It changes only when the measurement has
    moved by more than a tenth, so that forecasts are not fitted anew for nothing.
    """
    wanted = configured_s if measured is None else measured.seconds
    if before_s and measured is not None and abs(wanted - before_s) <= max(_ROUNDED_TO_S, 0.1 * before_s):
        return before_s
    return wanted
