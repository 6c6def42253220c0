"""Decisions: in a line, in full, and decided again."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from autoscaler.api.shapes.shape import Identifier, ListOf, Moment, Plain, Shape
from autoscaler.api.shapes.workloads import ReadingState

SUMMARY_EXAMPLE: Plain = {
    "id": "01j9zk4x8v2tq",
    "at": "2026-11-27T18:00:00.250Z",
    "namespace": "shop",
    "workload": "checkout",
    "before": 8,
    "after": 12,
    "reasons": ["ScaleUpLimit"],
    "outcome": "Done",
    "sentence": "Scale out from 8 to 12: 15 for a forecast peak of 1,720 by auto (beside it 7 for the "
    "present load of 812.3); held to 12 instead of 15 by the scale-up rate policies.",
}


class DecisionSummary(Shape):
    """A decision in a line."""

    model_config = ConfigDict(json_schema_extra={"examples": [SUMMARY_EXAMPLE]})

    id: Identifier
    at: Moment
    namespace: str
    workload: str
    before: int = Field(description="The count before.")
    after: int = Field(description="The count decided on.")
    reasons: list[str] = Field(description="Rules that changed the number, in the order they acted.")
    outcome: str = Field(description="What became of it; empty for the moment until that is known.")
    sentence: str


class DecisionList(ListOf[DecisionSummary]):
    """Decisions, newest first."""


class Wish(Shape):
    """What one source asked for before anything was combined."""

    source: str
    replicas: int | None = Field(description="Null where the source has no opinion; `why` says why not.")
    value: float | None = Field(description="The number that the wish is made from.")
    age_seconds: float | None
    why: str


class Change(Shape):
    """One rule that changed the number."""

    reason: str
    before: int
    after: int
    inputs: dict[str, float | str | None] = Field(description="On what grounds.")


class DecisionReading(Shape):
    """A number as it was known then."""

    value: float | None
    state: ReadingState
    age_seconds: float | None
    detail: str


class DecisionSignal(DecisionReading):
    """A reactive signal as it was known then."""

    name: str
    type: str


class DecisionObservation(Shape):
    """What was seen."""

    load: DecisionReading
    current: int
    ready: int | None
    signals: list[DecisionSignal]


class DecisionOutlook(Shape):
    """What the forecast said."""

    peak: float | None
    expected: float | None
    age_seconds: float | None
    model: str
    note: str


class Reckoning(Shape):
    """How a count came about: the same inputs give the same, for ever."""

    wishes: list[Wish]
    wished: int = Field(description="The largest wish, before any rule.")
    changes: list[Change] = Field(description="Rules that changed the number, in the order they acted.")
    alerts: list[Change] = Field(description="Limits that were reached and, as configured, only reported.")
    replicas: int = Field(description="The count decided on.")
    sentence: str


class Decision(DecisionSummary):
    """A decision with everything it was made from."""

    wishes: list[Wish]
    wished: int
    changes: list[Change]
    alerts: list[Change]
    observation: DecisionObservation
    outlook: DecisionOutlook
    policy: Plain = Field(description="The policy in plain numbers, as the resource was compiled to it.")


class Replay(Shape):
    """A stored decision, decided again by the present code from the same inputs."""

    same: bool
    differences: list[str] = Field(description="The parts of the decision in which the two differ.")
    recomputed: Reckoning
