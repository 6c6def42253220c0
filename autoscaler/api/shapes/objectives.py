"""How the objective of a workload stands, and the curve that its dial is chosen from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from autoscaler.api.shapes.shape import Plain, Shape


class ObjectivePoint(Shape):
    """What reading forecasts at one place of the dial would have brought over the days of the curve."""

    quantile: float
    headroom: float
    replica_hours_per_day: float
    unserved: float = Field(description="Share of the load.")
    short_minutes_per_week: float


class ObjectiveNow(Shape):
    """How an objective stands. Its figures are in the unit of the objective."""

    spec: Plain = Field(description="spec.objective as it is in force.")
    verdict: Literal["Kept", "Overspent", "OutOfReach", "NotKnownYet"]
    quantile: float = Field(description="Of the forecast peak, as the dial reads it.")
    headroom: float = Field(description="What that is multiplied by.")
    promised: float | None = Field(description="What that would have been over the days of the curve.")
    observed: float | None = Field(description="What it was, as far as observed within the window.")
    observed_seconds: int
    left: float | None = Field(description="Share of what the window allows that is not used up.")
    message: str
    curve_days: float | None = Field(description="How long the forecasts are that the curve replays.")
    curve: list[ObjectivePoint] = Field(description="What the dial is chosen from, cheapest first.")
