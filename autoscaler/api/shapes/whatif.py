"""What-if and policy search: what is asked, and what comes out."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from autoscaler.api.shapes.shape import WHOLE, Moment, Money, Plain, Shape
from autoscaler.api.whatif.search import FEWEST_QUANTILES, MOST_QUANTILES

Days = Annotated[
    float,
    Field(
        strict=True,
        ge=0.25,
        le=30,
        allow_inf_nan=False,
        description="How many of the newest recorded days policies are judged by. They learn from what was "
        "recorded before: at least a day, or a quarter of what there is.",
    ),
]


class WhatIfBody(Shape):
    """A changed policy to try."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"patch": {"forecast": {"quantile": "0.99"}, "cooldown": {"scaleDown": "10m"}}, "days": 7}
            ]
        }
    )

    patch: Plain = Field(
        description="JSON merge patch (RFC 7396) of the resource's `spec`. Whatever changes the load itself, "
        "such as `load.query`, cannot be tried on what was recorded of another."
    )
    days: Days = 7


class PolicySearchBody(Shape):
    """How widely to search."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"days": 7, "points": 8}]})

    days: Days = 7
    points: Annotated[int, Field(strict=True, ge=FEWEST_QUANTILES, le=MOST_QUANTILES), WHOLE] = Field(
        default=8,
        description="How many quantiles to try, each with every scale-down window.",
    )


class ForecastQuality(Shape):
    """The forecast that a run decided by."""

    model: str = Field(description="The model that served most of the time.")
    quantile: float = Field(description="Of the peak over the lead time: the stated risk.")
    coverage: float | None = Field(description="Share of the peaks that stayed within that quantile.")


class Figures(Shape):
    """What one run cost and what it missed, over the judged days. Formulas are those of the backtest."""

    replica_hours: float
    money: Money | None = Field(description="Null where no price is set.")
    unserved_share: float | None = Field(
        description="Load above what ready pods serve, as a share of all load."
    )
    minutes_short: float | None = Field(description="Minutes in which some load was not served.")
    longest_shortage_seconds: float | None
    changes_per_day: float | None = Field(description="How often another count was asked for.")
    forecast: ForecastQuality | None = Field(description="Null for what happened.")


class Conditions(Shape):
    """What all runs have in common."""

    start: Moment = Field(description="Beginning of the judged days.")
    end: Moment
    days: float = Field(description="Judged; fewer than asked for where less was recorded.")
    learning_days: float = Field(description="Recorded before `start`: what policies learn from.")
    unknown_minutes: int = Field(description="Without a known load or count; judged for nobody.")
    per_replica: float = Field(description="Load that one ready pod serves.")
    start_up_seconds: float = Field(description="From asking for a pod to its being ready.")
    replica_hour_price: Money | None
    notes: list[str] = Field(description="What one has to know of these figures, a sentence each.")


class Runs(Shape):
    """The same days, three times."""

    happened: Figures = Field(description="The recorded counts, whoever asked for them.")
    present: Figures = Field(description="The policy as it stands, simulated.")
    changed: Figures = Field(description="The policy with the patch applied, simulated.")


_Counts = list[int | None]


class WhatIfColumns(Shape):
    """Of each stretch of `stepSeconds` the moment of the highest load."""

    timestamp: list[int] = Field(description="Epoch seconds.")
    load: list[float | None]
    happened_asked: _Counts
    happened_ready: _Counts
    present_asked: _Counts
    present_ready: _Counts
    changed_asked: _Counts
    changed_ready: _Counts


class WhatIfSeriesMetadata(Shape):
    """What the columns mean."""

    step_seconds: int


class WhatIfSeries(Shape):
    """All runs over time, in at most 2,000 points."""

    columns: WhatIfColumns
    metadata: WhatIfSeriesMetadata


class WhatIfResult(Conditions):
    """A changed policy beside the present one and beside what happened."""

    runs: Runs
    series: WhatIfSeries
    manifest: str = Field(description="The whole resource with the patch applied, as YAML to be applied.")


class SearchPoint(Figures):
    """One policy that was tried."""

    quantile: float | None = Field(description="Null where the policy forecasts nothing.")
    scale_down_window_seconds: int = Field(description="`behavior.scaleDown.stabilizationWindowSeconds`.")
    on_front: bool = Field(description="Whether no other point costs less and misses less.")
    patch: Plain = Field(description="What differs from the present spec, for a what-if.")
    manifest: str | None = Field(description="The whole resource as YAML; of points on the front only.")


class PolicySearchResult(Conditions):
    """All policies that were tried, cheapest first."""

    happened: Figures
    present: Figures
    points: list[SearchPoint]
