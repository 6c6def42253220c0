"""What a rival is, and what it may be built from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from autoscaler.backtest.result import Kind
from autoscaler.backtest.scaler import Scaler
from autoscaler.series import Series


class Rival(Scaler, Protocol):
    """A policy to compare ours with. note: what it is, in words, with its settings."""

    note: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class RivalContext:
    """One trace as rivals are set up for it.

    series: the whole trace, of which all but the oracle are given only `warm_up`, the steps before
    `scored_from`. per_replica: load one ready pod serves. start_up_s: from being asked for to
    ready, as policies plan for it. longest_start_up_s: of the slowest pod, where they differ; only the
    oracle is told. time_zone: IANA name of the workload's local time.
    """

    series: Series
    scored_from: int
    per_replica: float
    start_up_s: float
    time_zone: str = "UTC"
    longest_start_up_s: float | None = None

    @property
    def warm_up(self) -> Series:
        """What someone who sets a rival up before the scored part would have recorded."""
        return self.series.between(0, self.scored_from)
