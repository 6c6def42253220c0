"""A second policy of a workload, as it compares with the first."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from autoscaler.api.shapes.shape import Moment, Money, Plain, Shape

EXAMPLE: Plain = {
    "name": "bolder",
    "stage": "Compared",
    "acts": False,
    "promotion": "Manual",
    "since": "2026-11-23T09:00:00Z",
    "countedSeconds": 377940.0,
    "windowSeconds": 604800.0,
    "margin": 0.1,
    "won": False,
    "costRatio": 0.874,
    "own": {"replicas": 9, "replicaHours": 815.2, "money": "97.82", "unserved": 0.00021},
    "shadow": {"replicas": 8, "replicaHours": 712.5, "money": "85.50", "unserved": 0.00034},
    "actual": {"replicas": None, "replicaHours": 821.0, "money": "98.52", "unserved": 0.00025},
    "verdict": "bolder after 4.37 d of 7 d: it would cost 12.6 % less, and leave 0.034 % of the load "
    "unserved instead of 0.021 %.",
    "failure": "",
}


class ShadowSide(Shape):
    """What one policy took and left, within the window that was compared."""

    replicas: int | None = Field(description="What it asks for now, on simulated pods.")
    replica_hours: float | None
    money: Money | None = Field(description="Where a price is given.")
    unserved: float | None = Field(description="Share of the load that its ready pods could not serve.")


class ShadowNow(Shape):
    """A second policy that is tried without acting, and how it compares."""

    name: str
    stage: Literal["Compared", "Promoted", "GivenUp"]
    acts: bool = Field(description="Whether it is decided by in place of the spec's own policy.")
    promotion: Literal["Manual", "Automatic"]
    since: Moment | None
    counted_seconds: float = Field(description="How much of the window was compared.")
    window_seconds: float
    margin: float
    won: bool
    cost_ratio: float | None = Field(description="Replica time of the shadow to that of the spec's own.")
    own: ShadowSide | None = Field(description="The spec's own policy, simulated.")
    shadow: ShadowSide | None = Field(description="The shadow, simulated.")
    actual: ShadowSide | None = Field(description="The pods there were.")
    verdict: str
    failure: str = Field(description="Why it could not be tried; empty where it was.")
