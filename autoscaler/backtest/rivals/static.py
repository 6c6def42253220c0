"""A fixed number of replicas: what was needed at the peak of the warm-up, or as given."""

from __future__ import annotations

from dataclasses import dataclass

from autoscaler.backtest.result import Kind
from autoscaler.backtest.rivals.learned import RunningPeak, needs_of_warm_up
from autoscaler.backtest.rivals.rival import RivalContext
from autoscaler.backtest.rivals.settings import MOST_REPLICAS, setting, whole
from autoscaler.backtest.scaler import Moment


@dataclass(frozen=True, slots=True)
class StaticSettings:
    """replicas: as many, always; by default the peak of the warm-up."""

    replicas: int | None = setting(None, whole(1, 10 * MOST_REPLICAS))


class StaticRival:
    """Never scales in the scored part."""

    kind = Kind.BASELINE

    def __init__(self, name: str, settings: StaticSettings, context: RivalContext) -> None:
        self.name = name
        self._scored_from = context.scored_from
        self._peak = RunningPeak(context.per_replica)
        self._given = settings.replicas
        if settings.replicas is not None:
            self._replicas = settings.replicas
            self.note = f"always {self._replicas} replicas, as given"
        else:
            needs, _ = needs_of_warm_up(name, "replicas=N", context)
            self._replicas = int(needs.max())
            self.note = f"always {self._replicas} replicas, the peak of the warm-up"

    def start(self, first_load: float) -> int:
        """The given number, else what the first load needs."""
        return self._given if self._given is not None else self._peak.see(first_load)

    def decide(self, moment: Moment) -> int:
        """The fixed number; during the warm-up that it comes from, the peak so far."""
        if self._given is not None or moment.index >= self._scored_from:
            return self._replicas
        return self._peak.see(moment.load)
