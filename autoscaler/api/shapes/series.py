"""What was observed, and forecasts held against it."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from autoscaler.api.shapes.shape import ListOf, Moment, Shape

_Numbers = list[float | None]
_Counts = list[int | None]


class SeriesColumns(Shape):
    """One value for each step in every column; null where nothing is known."""

    timestamp: list[int] = Field(description="Start of the step, epoch seconds.")
    load: _Numbers = Field(description="Mean load.")
    ready: _Counts = Field(description="Fewest ready replicas.")
    asked: _Counts = Field(description="Most replicas asked for.")
    needed: _Counts = Field(description="Replicas that serve the highest load, at the present `perReplica`.")
    p50: _Numbers = Field(
        description="Median of the peak over the lead time, as forecast one lead time before."
    )
    p95: _Numbers = Field(description="The same at 95 %.")
    stated: _Numbers = Field(description="The same at the quantile of the policy.")


class SeriesMetadata(Shape):
    """What the columns mean."""

    step_seconds: int
    lead_time_seconds: float | None
    per_replica: float | None
    quantile: float | None


class SeriesTable(Shape):
    """A workload's history on a regular grid."""

    columns: SeriesColumns
    metadata: SeriesMetadata


class ForecastMade(Shape):
    """That a forecast was made."""

    made_at: Moment
    model: str
    grade: str = Field(description="How much history it rests on: None, Level, Trend, Daily or Weekly.")
    note: str


class ForecastList(ListOf[ForecastMade]):
    """Forecasts as made, newest first."""


class ForecastColumns(Shape):
    """One value for each step ahead. `q0.95` is the 95 % quantile of the load in that step, `peak0.95` that
    of the highest load up to it, and so on for every level; `actual` is what came."""

    model_config = ConfigDict(extra="allow")

    timestamp: list[int]
    actual: _Numbers
    __pydantic_extra__: dict[str, _Numbers]


class Forecast(Shape):
    """A forecast as it was made, beside what came."""

    made_at: Moment
    model: str
    grade: str
    note: str
    lead_seconds: float | None = Field(description="The lead time that it was made for.")
    step_seconds: float | None
    levels: list[float]
    columns: ForecastColumns


class LevelCoverage(Shape):
    """How often the load stayed within one quantile."""

    level: float
    stated: float = Field(description="Share of peaks that the quantile promises to hold: its level.")
    observed: float | None = Field(description="Share that it held.")


class JudgedWindow(Shape):
    """From when to when the forecasts were made."""

    start: Moment
    end: Moment


class Accuracy(Shape):
    """How good forecasts of the peak over the lead time were. Null where none could be judged."""

    forecasts: int = Field(description="How many were made in the window.")
    judged: int = Field(description="Those of them whose lead time is over and was observed without a hole.")
    lead_seconds: float | None
    coverage: list[LevelCoverage]
    wape: float | None = Field(description="Sum of the errors of the median over the sum of what came.")
    bias: float | None = Field(description="The same with signs: positive where too much was forecast.")
    pinball: Annotated[
        float | None, Field(description="Mean pinball loss over all levels, in the unit of the load.")
    ]
    window: JudgedWindow
